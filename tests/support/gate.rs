use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

/// A way to a server on which answers wait until they are let through.
#[derive(Debug)]
pub struct Gate {
    /// Where the way begins.
    pub url: String,
    waiting: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Gate {
    /// One before the server at `url`.
    pub async fn before(url: &str) -> Self {
        let server = url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gate = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            waiting: Arc::new(Semaphore::new(0)),
            open: Arc::new(Semaphore::new(0)),
        };
        let (waiting, open) = (Arc::clone(&gate.waiting), Arc::clone(&gate.open));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(pass(client, server, Arc::clone(&waiting), Arc::clone(&open)));
            }
        });
        gate
    }

    /// Waits until an answer has come.
    pub async fn an_answer_waits(&self) {
        self.waiting.acquire().await.unwrap().forget();
    }

    /// Lets answers through from now on.
    pub fn open(&self) {
        self.open.close();
    }
}

async fn pass(client: TcpStream, server: TcpStream, waiting: Arc<Semaphore>, open: Arc<Semaphore>) {
    let (mut asks, mut hears) = client.into_split();
    let (mut answers, mut is_asked) = server.into_split();
    tokio::spawn(async move { copy(&mut asks, &mut is_asked).await });
    let mut answer = vec![0; 65536];
    while let Ok(length @ 1..) = answers.read(&mut answer).await {
        waiting.add_permits(1);
        let _ = open.acquire().await;
        let _ = hears.write_all(&answer[..length]).await;
    }
}
