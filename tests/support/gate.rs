use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

/// A proxy that holds back responses until it is opened.
#[derive(Debug)]
pub struct Gate {
    /// The proxy's URL.
    pub url: String,
    waiting: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Gate {
    /// Starts a proxy for the server at `url`.
    pub async fn new(url: &str) -> Self {
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

    /// Waits until a response is held back.
    pub async fn wait_for_response(&self) {
        self.waiting.acquire().await.unwrap().forget();
    }

    /// Lets responses through from now on.
    pub fn open(&self) {
        self.open.close();
    }
}

async fn pass(client: TcpStream, server: TcpStream, waiting: Arc<Semaphore>, open: Arc<Semaphore>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::spawn(async move { copy(&mut from_client, &mut to_server).await });
    let mut answer = vec![0; 65536];
    while let Ok(length @ 1..) = from_server.read(&mut answer).await {
        waiting.add_permits(1);
        let _ = open.acquire().await;
        let _ = to_client.write_all(&answer[..length]).await;
    }
}
