use std::{collections::BTreeMap, sync::Mutex};

use reqwest::{Method, RequestBuilder, redirect::Policy};
use serde_json::Value;

/// A browser with cookies, which follows no redirects.
#[derive(Debug)]
pub struct Browser {
    base: String,
    http: reqwest::Client,
    cookies: Mutex<BTreeMap<String, String>>,
}

/// A response to a browser.
#[derive(Clone, Debug)]
pub struct Page {
    /// The status code.
    pub status: u16,
    /// The header `Location`, or an empty text.
    pub location: String,
    /// The values of `Set-Cookie`.
    pub set_cookies: Vec<String>,
    /// The body as text.
    pub text: String,
    /// The body as JSON, or `null`.
    pub body: Value,
}

impl Page {
    /// Panics unless the status is `expected`.
    #[track_caller]
    pub fn expect(self, expected: u16) -> Self {
        assert_eq!(self.status, expected, "{}", self.text);
        self
    }

    /// Returns the code of an error.
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }
}

impl Browser {
    /// Opens a browser without cookies, for the API at `base`.
    pub fn new(base: &str) -> Self {
        let http = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        let base = base.trim_end_matches('/').to_owned();
        Self { base, http, cookies: Mutex::default() }
    }

    /// Opens `path`, as a link on another page does.
    pub async fn open(&self, path: &str) -> Page {
        self.send(Method::GET, path, |request| request).await
    }

    /// Sends a POST from one of our own pages.
    pub async fn post(&self, path: &str) -> Page {
        let own = |request: RequestBuilder| request.header("sec-fetch-site", "same-origin");
        self.send(Method::POST, path, own).await
    }

    /// Sends a request completed by `build`, with the cookies. Stores the cookies of the answer.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        build: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Page {
        let path = path.strip_prefix(&self.base).unwrap_or(path);
        let cookies = self.cookies();
        let cookies: Vec<_> =
            cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        let response = build(request).send().await.unwrap();
        let header = |name| response.headers().get(name).map(|it| it.to_str().unwrap().to_owned());
        let (status, location) = (response.status().as_u16(), header("location"));
        let set_cookies = response.headers().get_all("set-cookie").iter();
        let set_cookies: Vec<_> =
            set_cookies.map(|value| value.to_str().unwrap().to_owned()).collect();
        set_cookies.iter().for_each(|cookie| self.store(cookie));
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or_default();
        Page { status, location: location.unwrap_or_default(), set_cookies, text, body }
    }

    /// Returns the cookies by name.
    pub fn cookies(&self) -> BTreeMap<String, String> {
        self.cookies.lock().unwrap().clone()
    }

    /// Sets a cookie.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    /// Returns the name and the value of the session's cookie.
    pub fn session(&self) -> Option<(String, String)> {
        self.cookies().into_iter().find(|(name, _)| name.starts_with("session-"))
    }

    fn store(&self, cookie: &str) {
        let (pair, rest) = cookie.split_once(';').unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        let mut cookies = self.cookies.lock().unwrap();
        match rest.contains("Max-Age=0") {
            true => drop(cookies.remove(name)),
            false => drop(cookies.insert(name.to_owned(), value.to_owned())),
        }
    }
}
