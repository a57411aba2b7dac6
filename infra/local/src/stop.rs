use std::{future::Future, net::SocketAddr, time::Duration};

use axum::{Router, extract::ConnectInfo, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tower::ServiceExt;

/// Maximum size of the buffer for a request head, in bytes. It is smaller than the maximum size of
/// a URI, so that every long request gets the same answer.
const MAX_BUFFERED: usize = 60 * 1024;

/// A signal to stop, sent by dropping its switch.
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Receiver<()>);

impl Stop {
    /// Creates the switch and its signal.
    pub(crate) fn new() -> (watch::Sender<()>, Self) {
        let (switch, switched) = watch::channel(());
        (switch, Self(switched))
    }

    /// Waits for the stop.
    pub(crate) fn wait(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut switched = self.0.clone();
        async move { while switched.changed().await.is_ok() {} }
    }
}

/// Serves `router` until the stop. Running requests are still answered. A connection without a
/// request for `idle` is closed.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    stop: Stop,
    idle: Option<Duration>,
) {
    let stopped = stop.wait();
    tokio::pin!(stopped);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(converse(stream, peer, router.clone(), stop.clone(), idle));
                }
                Err(cause) => {
                    tracing::error!(%cause, "a connection cannot be accepted");
                    // For example, no file descriptor may be free. Try again later.
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            },
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    stop: Stop,
    idle: Option<Duration>,
) {
    // Small answers must not wait for the acknowledgement of earlier ones.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let mut http = http1::Builder::new();
    if let Some(idle) = idle {
        // If a request head does not fit into the buffer, hyper answers 431.
        http.max_buf_size(MAX_BUFFERED).timer(TokioTimer::new()).header_read_timeout(idle);
    }
    let connection = http.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.wait() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(cause) = ended {
        tracing::debug!(%cause, "a connection failed");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn idle_connections_are_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(async || "here"));
        let (switch, stop) = Stop::new();
        let idle = Some(Duration::from_millis(200));
        let serving = tokio::spawn(serve(listener, router, stop, idle));

        let mut asking = TcpStream::connect(address).await.unwrap();
        let mut silent = TcpStream::connect(address).await.unwrap();
        let mut half = TcpStream::connect(address).await.unwrap();
        asking.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        half.write_all(b"GET / HTTP/1.1\r\nhost: ").await.unwrap();
        let (mut answer, mut nothing) = (String::new(), Vec::new());
        asking.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("here"), "{answer}");
        silent.read_to_end(&mut nothing).await.unwrap();
        half.read_to_end(&mut nothing).await.unwrap();

        drop(switch);
        serving.await.unwrap();
    }
}
