pub(crate) mod keycloak;

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

/// A text that must not appear in answers and logs.
pub(crate) const LEAK: &str = "leak-marker-77aa";

/// A request to a fake provider.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: Vec<String>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Whether a failing call takes effect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum FailurePoint {
    /// The call is rejected without an effect.
    Before,
    /// The call takes effect, and the answer is lost.
    After,
}

/// A fake provider that listens on its own port.
pub(crate) struct Fake<S> {
    pub(crate) url: String,
    shared: Arc<Mutex<Shared<S>>>,
}

struct Shared<S> {
    state: S,
    calls: usize,
    /// The number of calls that still succeed, and how the next one fails.
    fuse: Option<(usize, FailurePoint)>,
    /// Selects calls that another client makes just before.
    raced: fn(&Call) -> bool,
}

pub(crate) type Answer = (u16, Value);

impl<S: Send + 'static> Fake<S> {
    pub(crate) async fn start(state: S, answer: fn(&mut S, &Call) -> Answer) -> Self {
        let shared = Arc::new(Mutex::new(Shared { state, calls: 0, fuse: None, raced: |_| false }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::clone(&shared);
        let respond = async move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let call = Call::new(method, &uri, headers, body);
            let (status, body) = state.lock().unwrap().answer(&call, answer);
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

    /// Returns the number of calls.
    pub(crate) fn calls(&self) -> usize {
        self.shared.lock().unwrap().calls
    }

    /// Makes every call fail after the next `calls`.
    pub(crate) fn fail_after(&self, calls: usize, failing: FailurePoint) {
        self.shared.lock().unwrap().fuse = Some((calls, failing));
    }

    /// Simulates another client that makes the selected calls just before.
    pub(crate) fn race(&self, raced: fn(&Call) -> bool) {
        self.shared.lock().unwrap().raced = raced;
    }

    pub(crate) fn repair(&self) {
        self.shared.lock().unwrap().fuse = None;
    }
}

impl<S> Shared<S> {
    fn answer(&mut self, call: &Call, answer: fn(&mut S, &Call) -> Answer) -> Answer {
        self.calls += 1;
        if (self.raced)(call) {
            answer(&mut self.state, call);
        }
        let failed = (500, json!({ "__type": "InternalErrorException", "message": LEAK }));
        match &mut self.fuse {
            None => answer(&mut self.state, call),
            Some((0, failing)) => {
                if *failing == FailurePoint::After {
                    *failing = FailurePoint::Before;
                    answer(&mut self.state, call);
                }
                failed
            }
            Some((left, _)) => {
                *left -= 1;
                answer(&mut self.state, call)
            }
        }
    }
}

impl Call {
    fn new(method: Method, uri: &Uri, headers: HeaderMap, body: Bytes) -> Self {
        let path = uri.path().split('/').skip(1).map(|part| part.replace("%7C", "|")).collect();
        let query = uri.query().unwrap_or_default().as_bytes();
        let query = form_urlencoded::parse(query).into_owned().collect();
        Self { method, path, query, headers, body }
    }

    /// Returns the method and path as `GET a b c`.
    pub(crate) fn line(&self) -> Vec<&str> {
        let path = self.path.iter().map(String::as_str);
        std::iter::once(self.method.as_str()).chain(path).collect()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Returns the body, a JSON object that must have the `required` members and may have the
    /// `optional` ones.
    pub(crate) fn object(&self, required: &[&str], optional: &[&str]) -> Value {
        assert!(self.header("content-type").starts_with("application/"), "the body must be JSON");
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

/// Returns whether the password satisfies common policies.
pub(crate) fn is_strong(password: &Value) -> bool {
    let password = password.as_str().unwrap();
    let has = |class: fn(char) -> bool| password.chars().any(class);
    password.len() >= 12
        && has(|c| c.is_ascii_lowercase())
        && has(|c| c.is_ascii_uppercase())
        && has(|c| c.is_ascii_digit())
        && has(|c| c.is_ascii_punctuation())
}
