use std::net::IpAddr;

use reqwest::{Method, RequestBuilder, redirect::Policy};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use url::form_urlencoded;

use crate::documented::assert_documented;

/// Appends the query parameter `name` with `value` as JSON to `path`.
pub fn with_query(path: &str, name: &str, value: &Value) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair(name, &value.to_string())
        .finish();
    format!("{path}?{query}")
}

/// A client of the API.
#[derive(Clone, Debug)]
pub struct Client {
    base: String,
    http: reqwest::Client,
}

/// A response with its body.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The body: `null` if it is empty, a string if it is not JSON.
    pub body: Value,
    /// The body as text, with every digit of its numbers.
    pub raw: String,
    headers: reqwest::header::HeaderMap,
}

impl Reply {
    /// Returns the header `name`, or an empty string.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Returns the string at the JSON pointer `pointer`.
    pub fn text(&self, pointer: &str) -> String {
        let found = self.body.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("no string at {pointer} in {}", self.body)).to_owned()
    }

    /// Returns the body with `…` instead of the values at these JSON pointers, which differ each time.
    #[track_caller]
    pub fn masked(mut self, pointers: &[&str]) -> Value {
        for pointer in pointers {
            let place = self.body.pointer_mut(pointer);
            *place.unwrap_or_else(|| panic!("nothing at {pointer}")) = "…".into();
        }
        self.body
    }

    /// Returns the items of a list.
    #[track_caller]
    pub fn items(&self) -> &[Value] {
        self.body.as_array().unwrap_or_else(|| panic!("not a list: {}", self.body))
    }

    /// Returns the value of `member` of each item in a list.
    #[track_caller]
    pub fn each(&self, member: &str) -> Vec<Value> {
        self.items().iter().map(|item| item[member].clone()).collect()
    }

    /// Returns the path of the next page.
    pub fn next_page(&self) -> Option<String> {
        let link = self.header("link").strip_prefix('<')?;
        let (path, rel) = link.split_once('>')?;
        assert_eq!(rel, "; rel=\"next\"");
        Some(path.to_owned())
    }

    /// Panics unless the status is `expected`.
    #[track_caller]
    pub fn expect(self, expected: u16) -> Self {
        assert_eq!(self.status, expected, "{}", self.body);
        self
    }

    /// Returns all violations, each as `path code`.
    pub fn violations(&self) -> Vec<String> {
        let details = self.body["error"]["details"].as_array().cloned().unwrap_or_default();
        let line = |detail: &Value| {
            format!("{} {}", detail["path"].as_str().unwrap(), detail["code"].as_str().unwrap())
        };
        details.iter().map(line).collect()
    }
}

/// Returns the length of a response's head and the length of its body.
fn head_of(answer: &[u8]) -> Option<(usize, usize)> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    Some((end, length.map_or(0, |length| length.trim().parse().unwrap())))
}

impl Client {
    /// Creates a client of the API at `base`, which follows no redirects.
    pub fn new(base: &str) -> Self {
        let http = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        Self { base: base.trim_end_matches('/').to_owned(), http }
    }

    /// Returns the value of the `Host` header for this API.
    pub fn host(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// Sends raw bytes, for requests that a client library would not send. Returns the status and
    /// the body. The status is 0 if the connection is closed without a response.
    pub async fn raw(&self, request: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(self.host()).await.unwrap();
        // The server may close the connection before everything is sent.
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

    /// Returns the same client with another source address.
    #[must_use]
    pub fn with_source_address(&self, address: IpAddr) -> Self {
        let http = reqwest::Client::builder().local_address(address).build().unwrap();
        Self { base: self.base.clone(), http }
    }

    /// Sends a request completed by `build`. Panics if the API's documentation does not name the
    /// answer.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        build: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Reply {
        let request = build(self.http.request(method.clone(), format!("{}{path}", self.base)));
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = match text.as_str() {
            "" => Value::Null,
            text => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
        };
        assert_documented(method.as_str(), path, status, &body);
        Reply { status, body, raw: text, headers }
    }

    /// Sends `GET path` with a bearer token. Returns the body as bytes.
    pub async fn download(&self, bearer: &str, path: &str) -> (Reply, Vec<u8>) {
        let request = self.http.get(format!("{}{path}", self.base)).bearer_auth(bearer);
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap().to_vec();
        (Reply { status, body: Value::Null, raw: String::new(), headers }, bytes)
    }

    /// Sends `text` unchanged as a JSON body, with a bearer token.
    pub async fn send_text(&self, method: Method, bearer: &str, path: &str, text: &str) -> Reply {
        self.send(method, path, |request| {
            let request = request.bearer_auth(bearer).header("content-type", "application/json");
            request.body(text.to_owned())
        })
        .await
    }

    /// Sends `GET path` with a bearer token.
    pub async fn get(&self, bearer: &str, path: &str) -> Reply {
        self.send(Method::GET, path, |request| request.bearer_auth(bearer)).await
    }

    /// Sends `POST path` with a bearer token and a JSON body.
    pub async fn post(&self, bearer: &str, path: &str, body: &Value) -> Reply {
        self.send(Method::POST, path, |request| request.bearer_auth(bearer).json(body)).await
    }

    /// Sends `PATCH path` with a bearer token and a JSON body.
    pub async fn patch(&self, bearer: &str, path: &str, body: &Value) -> Reply {
        self.send(Method::PATCH, path, |request| request.bearer_auth(bearer).json(body)).await
    }

    /// Sends `PUT path` with a bearer token and a JSON body.
    pub async fn put(&self, bearer: &str, path: &str, body: &Value) -> Reply {
        self.send(Method::PUT, path, |request| request.bearer_auth(bearer).json(body)).await
    }

    /// Sends `DELETE path` with a bearer token.
    pub async fn delete(&self, bearer: &str, path: &str) -> Reply {
        self.send(Method::DELETE, path, |request| request.bearer_auth(bearer)).await
    }

    /// Sends `POST path` with a JSON body and no token.
    pub async fn post_without_token(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::POST, path, |request| request.json(body)).await
    }
}
