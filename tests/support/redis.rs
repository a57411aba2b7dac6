use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::app::eventually;

/// A Redis server whose data survive that a test kills and restarts it.
#[derive(Debug)]
pub struct Redis {
    port: u16,
    folder: PathBuf,
    server: Option<Child>,
}

impl Redis {
    /// Starts Redis and waits two seconds. The cache distrusts entries that are as old as the
    /// server, because they may come from the previous process.
    pub async fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        let folder =
            std::env::temp_dir().join(format!("tenantry-redis-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        drop(free);
        let mut redis = Self { port, folder, server: None };
        redis.restart().await;
        tokio::time::sleep(Duration::from_millis(2100)).await;
        redis
    }

    /// Returns the URL of database 1.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/1", self.port)
    }

    /// Returns the port.
    pub fn port(&self) -> String {
        self.port.to_string()
    }

    /// Starts Redis with its persisted data and waits until it answers.
    pub async fn restart(&mut self) {
        let server = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &self.port(), "--save", "", "--dir"])
            .arg(&self.folder)
            // The data survive a kill without `fsync`, which can take longer than a request waits
            // for the cache.
            .args(["--appendonly", "yes", "--appendfsync", "no"])
            .stdout(Stdio::null())
            .spawn();
        let server =
            server.unwrap_or_else(|cause| panic!("these tests require redis-server: {cause}"));
        self.server = Some(server);
        eventually("a response from Redis", async || {
            (self.command(&["PING"]).as_deref() == Some("PONG")).then_some(())
        })
        .await;
    }

    /// Kills Redis without a shutdown.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    /// Suspends or resumes Redis.
    pub fn set_suspended(&self, suspended: bool) {
        let signal = if suspended { "-STOP" } else { "-CONT" };
        let server = self.server.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &server]).status().unwrap().success());
    }

    /// Sends a command to database 1. Returns `None` if Redis is not running.
    pub fn command(&self, arguments: &[&str]) -> Option<String> {
        let port = self.port();
        let answer = Command::new("redis-cli")
            .args(["-p", &port, "-n", "1"])
            .args(arguments)
            .output()
            .unwrap();
        let text = String::from_utf8(answer.stdout).unwrap().trim().to_owned();
        answer.status.success().then_some(text)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
