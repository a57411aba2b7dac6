use std::{sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use super::Background;
use crate::stop::{Stop, serve};

/// A group of tasks that stop together.
#[derive(Debug)]
pub(super) struct Stage {
    switch: watch::Sender<()>,
    pub(super) stop: Stop,
    pub(super) tasks: JoinSet<()>,
}

impl Stage {
    pub(super) fn new() -> Self {
        let (switch, stop) = Stop::new();
        Self { switch, stop, tasks: JoinSet::new() }
    }

    pub(super) fn serve(
        &mut self,
        listener: TcpListener,
        router: axum::Router,
        idle: Option<Duration>,
    ) {
        self.tasks.spawn(serve(listener, router, self.stop.clone(), idle));
    }

    pub(super) fn serve_database(&mut self, listener: TcpListener, database: dynoxide::Database) {
        let stop = self.stop.wait();
        self.tasks.spawn(async move {
            if let Err(cause) =
                dynoxide::server::serve_with_shutdown(listener, database, stop).await
            {
                tracing::error!(cause, "the table's server has stopped");
            }
        });
    }

    /// Deletes expired items every 30 seconds. DynamoDB takes up to a few days.
    pub(super) fn sweep(&mut self, background: Arc<Background>) {
        let stop = self.stop.wait();
        self.tasks.spawn(async move {
            tokio::pin!(stop);
            loop {
                tokio::select! {
                    () = &mut stop => return,
                    () = tokio::time::sleep(Duration::from_secs(30)) => {}
                }
                let background = Arc::clone(&background);
                if let Ok(Err(cause)) =
                    tokio::task::spawn_blocking(move || background.sweep()).await
                {
                    tracing::error!(%cause, "expired items cannot be deleted");
                }
            }
        });
    }

    pub(super) async fn stop(self, grace: Duration) {
        let Self { switch, mut tasks, .. } = self;
        drop(switch);
        let ended = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, ended).await.is_err() {
            tasks.shutdown().await;
        }
    }
}
