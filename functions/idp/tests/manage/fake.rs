use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Method, StatusCode, Uri, header::CONTENT_TYPE},
    response::IntoResponse,
};
use serde_json::{Value, json};
use url::form_urlencoded;

/// What no answer and no log may repeat.
pub(crate) const LEAK: &str = "leak-marker-77aa";

/// A request as a fake provider sees it.
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: Vec<String>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// When, of the call on which a provider fails, its effect happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Failing {
    /// Never: it is refused.
    Before,
    /// It happens, and the answer is lost.
    After,
}

/// A provider played on a port of its own.
pub(crate) struct Fake<S> {
    pub(crate) url: String,
    shared: Arc<Mutex<Shared<S>>>,
}

struct Shared<S> {
    state: S,
    calls: usize,
    /// How many more calls work, and how the next one fails.
    fuse: Option<(usize, Failing)>,
    /// The calls that somebody else makes a moment before us.
    raced: fn(&Asked) -> bool,
}

pub(crate) type Answer = (u16, Value);

impl<S: Send + 'static> Fake<S> {
    pub(crate) async fn start(state: S, answer: fn(&mut S, &Asked) -> Answer) -> Self {
        let shared = Arc::new(Mutex::new(Shared { state, calls: 0, fuse: None, raced: |_| false }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::clone(&shared);
        let respond = async move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let asked = Asked::new(method, &uri, headers, body);
            let (status, body) = state.lock().unwrap().answer(&asked, answer);
            let body = if body.is_null() { Body::empty() } else { body.to_string().into() };
            let kind = [(CONTENT_TYPE, "application/json")];
            (StatusCode::from_u16(status).unwrap(), kind, body).into_response()
        };
        let router: Router = Router::new().fallback(respond);
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { url, shared }
    }

    pub(crate) fn state<R>(&self, read: impl FnOnce(&mut S) -> R) -> R {
        read(&mut self.shared.lock().unwrap().state)
    }

    /// How often it was called.
    pub(crate) fn calls(&self) -> usize {
        self.shared.lock().unwrap().calls
    }

    /// From the call after the next `calls` on, it fails.
    pub(crate) fn fail_after(&self, calls: usize, failing: Failing) {
        self.shared.lock().unwrap().fuse = Some((calls, failing));
    }

    /// Somebody else makes the same calls, a moment before us.
    pub(crate) fn race(&self, raced: fn(&Asked) -> bool) {
        self.shared.lock().unwrap().raced = raced;
    }

    pub(crate) fn mend(&self) {
        self.shared.lock().unwrap().fuse = None;
    }
}

impl<S> Shared<S> {
    fn answer(&mut self, asked: &Asked, answer: fn(&mut S, &Asked) -> Answer) -> Answer {
        self.calls += 1;
        if (self.raced)(asked) {
            answer(&mut self.state, asked);
        }
        let failed = (500, json!({ "__type": "InternalErrorException", "message": LEAK }));
        match &mut self.fuse {
            None => answer(&mut self.state, asked),
            Some((0, failing)) => {
                if *failing == Failing::After {
                    *failing = Failing::Before;
                    answer(&mut self.state, asked);
                }
                failed
            }
            Some((left, _)) => {
                *left -= 1;
                answer(&mut self.state, asked)
            }
        }
    }
}

impl Asked {
    fn new(method: Method, uri: &Uri, headers: HeaderMap, body: Bytes) -> Self {
        let path = uri.path().split('/').skip(1).map(|part| part.replace("%7C", "|")).collect();
        let query = uri.query().unwrap_or_default().as_bytes();
        let query = form_urlencoded::parse(query).into_owned().collect();
        Self { method, path, query, headers, body }
    }

    /// `GET a b c`.
    pub(crate) fn line(&self) -> Vec<&str> {
        let path = self.path.iter().map(String::as_str);
        std::iter::once(self.method.as_str()).chain(path).collect()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The JSON object that the body is, with `required` members and no others than `optional`.
    pub(crate) fn object(&self, required: &[&str], optional: &[&str]) -> Value {
        assert!(self.header("content-type").starts_with("application/"), "no JSON");
        let body: Value = serde_json::from_slice(&self.body).unwrap();
        let members = body.as_object().unwrap();
        for name in required {
            assert!(members.contains_key(*name), "no {name} in {:?}", self.line());
        }
        for name in members.keys() {
            let known = required.iter().chain(optional).any(|known| known == name);
            assert!(known, "{name} in {:?}", self.line());
        }
        body
    }

    pub(crate) fn form(&self) -> BTreeMap<String, String> {
        assert_eq!(self.header("content-type"), "application/x-www-form-urlencoded");
        form_urlencoded::parse(&self.body).into_owned().collect()
    }
}

/// Whether a usual policy takes it.
pub(crate) fn is_strong(password: &Value) -> bool {
    let password = password.as_str().unwrap();
    let has = |class: fn(char) -> bool| password.chars().any(class);
    password.len() >= 12
        && has(|c| c.is_ascii_lowercase())
        && has(|c| c.is_ascii_uppercase())
        && has(|c| c.is_ascii_digit())
        && has(|c| c.is_ascii_punctuation())
}
