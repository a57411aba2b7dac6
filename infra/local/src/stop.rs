use std::{future::Future, io, net::SocketAddr};

use axum::{Router, serve::ListenerExt};
use tokio::{net::TcpListener, sync::watch};

/// Told once, when everything is to stop: when the switch is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Receiver<()>);

impl Stop {
    /// The switch, and what is told.
    pub(crate) fn new() -> (watch::Sender<()>, Self) {
        let (switch, told) = watch::channel(());
        (switch, Self(told))
    }

    /// Waits for the stop.
    pub(crate) fn wait(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut told = self.0.clone();
        async move { while told.changed().await.is_ok() {} }
    }
}

/// Serves `router` until the stop; requests that are under way are answered.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: Stop) -> io::Result<()> {
    // Small answers must not wait for the acknowledgement of earlier ones.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(stop.wait()).await
}
