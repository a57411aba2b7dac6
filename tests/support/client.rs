use std::net::IpAddr;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use url::form_urlencoded;

/// `path` with `value` as the JSON of its query's parameter `name`.
pub fn with_query(path: &str, name: &str, value: &Value) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair(name, &value.to_string())
        .finish();
    format!("{path}?{query}")
}

/// A client of the API, as a frontend is one.
#[derive(Clone, Debug)]
pub struct Client {
    base: String,
    http: reqwest::Client,
}

/// An answer, read.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its body; `null` where there is none, a string where it is no JSON.
    pub body: Value,
    /// The body as it was sent: a number has all its digits here.
    pub raw: String,
    headers: reqwest::header::HeaderMap,
}

impl Reply {
    /// The header `name`, or an empty string.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The string at `pointer`.
    pub fn text(&self, pointer: &str) -> String {
        let found = self.body.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("no text at {pointer} of {}", self.body)).to_owned()
    }

    /// The items of a list.
    #[track_caller]
    pub fn items(&self) -> &[Value] {
        self.body.as_array().unwrap_or_else(|| panic!("no list: {}", self.body))
    }

    /// What the items of a list hold as `member`, in their order.
    #[track_caller]
    pub fn each(&self, member: &str) -> Vec<Value> {
        self.items().iter().map(|item| item[member].clone()).collect()
    }

    /// The path of the next page.
    pub fn next_page(&self) -> Option<String> {
        let link = self.header("link").strip_prefix('<')?;
        let (path, rel) = link.split_once('>')?;
        assert_eq!(rel, "; rel=\"next\"");
        Some(path.to_owned())
    }

    /// Fails unless the status is `expected`.
    #[track_caller]
    pub fn expect(self, expected: u16) -> Self {
        assert_eq!(self.status, expected, "{}", self.body);
        self
    }

    /// The paths and codes of all violations, as `path code`.
    pub fn violations(&self) -> Vec<String> {
        let details = self.body["error"]["details"].as_array().cloned().unwrap_or_default();
        let line = |detail: &Value| {
            format!("{} {}", detail["path"].as_str().unwrap(), detail["code"].as_str().unwrap())
        };
        details.iter().map(line).collect()
    }
}

/// Where the head of an answer ends, and how long the body is.
fn head_of(answer: &[u8]) -> Option<(usize, usize)> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    Some((end, length.map_or(0, |length| length.trim().parse().unwrap())))
}

impl Client {
    /// A client of the API at `base`.
    pub fn of(base: &str) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), http: reqwest::Client::new() }
    }

    /// Where the API is, as a `Host` header says it.
    pub fn host(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// Sends a request that is written out, which no client library would send so. Returns the status
    /// and the body; status 0 if the connection is closed without an answer.
    pub async fn raw(&self, request: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(self.host()).await.unwrap();
        // The connection may be closed before all is sent.
        let _ = stream.write_all(request).await;
        let mut answer = Vec::new();
        let mut head = None;
        while head.as_ref().is_none_or(|(end, body)| answer.len() < end + body) {
            if stream.read_buf(&mut answer).await.unwrap_or(0) == 0 {
                break;
            }
            head = head.or_else(|| head_of(&answer));
        }
        let end = head.map_or(answer.len(), |(end, _)| end);
        let status = String::from_utf8_lossy(&answer[..end]);
        let status = status.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.unwrap_or(0), String::from_utf8_lossy(&answer[end..]).into_owned())
    }

    /// The same client at another address.
    #[must_use]
    pub fn from_address(&self, address: IpAddr) -> Self {
        let http = reqwest::Client::builder().local_address(address).build().unwrap();
        Self { base: self.base.clone(), http }
    }

    /// Sends what `build` makes of a request.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        build: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Reply {
        let request = build(self.http.request(method, format!("{}{path}", self.base)));
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = match text.as_str() {
            "" => Value::Null,
            text => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
        };
        Reply { status, body, raw: text, headers }
    }

    /// `GET path` with a bearer, and the bytes of what is no text.
    pub async fn download(&self, bearer: &str, path: &str) -> (Reply, Vec<u8>) {
        let request = self.http.get(format!("{}{path}", self.base)).bearer_auth(bearer);
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap().to_vec();
        (Reply { status, body: Value::Null, raw: String::new(), headers }, bytes)
    }

    /// Sends JSON `text`, as it is, with a bearer.
    pub async fn send_text(&self, method: Method, bearer: &str, path: &str, text: &str) -> Reply {
        self.send(method, path, |request| {
            let request = request.bearer_auth(bearer).header("content-type", "application/json");
            request.body(text.to_owned())
        })
        .await
    }

    /// `GET path` with a bearer.
    pub async fn get(&self, bearer: &str, path: &str) -> Reply {
        self.send(Method::GET, path, |request| request.bearer_auth(bearer)).await
    }

    /// `POST path` with a bearer and a JSON body.
    pub async fn post(&self, bearer: &str, path: &str, body: &Value) -> Reply {
        self.send(Method::POST, path, |request| request.bearer_auth(bearer).json(body)).await
    }

    /// `PATCH path` with a bearer and a JSON body.
    pub async fn patch(&self, bearer: &str, path: &str, body: &Value) -> Reply {
        self.send(Method::PATCH, path, |request| request.bearer_auth(bearer).json(body)).await
    }

    /// `PUT path` with a bearer and a JSON body.
    pub async fn put(&self, bearer: &str, path: &str, body: &Value) -> Reply {
        self.send(Method::PUT, path, |request| request.bearer_auth(bearer).json(body)).await
    }

    /// `DELETE path` with a bearer.
    pub async fn delete(&self, bearer: &str, path: &str) -> Reply {
        self.send(Method::DELETE, path, |request| request.bearer_auth(bearer)).await
    }

    /// `POST path` with a JSON body alone.
    pub async fn post_openly(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::POST, path, |request| request.json(body)).await
    }
}
