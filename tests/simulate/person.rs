//! People and builds call the API. They ask again if no answer arrives, and sometimes twice at once.

use std::{sync::Arc, time::Duration};

use http::{Request, request::Parts};
use serde_json::{Value, json};

use crate::{
    faults::{Fault, Mishap},
    units::SECOND,
    world::World,
};

/// Attempts of a request. Faults are rare enough that one of them is answered.
const ATTEMPTS: u32 = 60;

/// A request to the API.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    method: &'static str,
    path: String,
    bearer: Option<String>,
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// An answer of the API.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Asked {
    pub(crate) fn new(
        method: &'static str,
        path: &str,
        bearer: Option<&str>,
        body: String,
    ) -> Self {
        let (path, bearer) = (path.to_owned(), bearer.map(str::to_owned));
        Self { method, path, bearer, headers: Vec::new(), body }
    }

    pub(crate) fn post(path: &str, bearer: Option<&str>, body: String) -> Self {
        Self::new("POST", path, bearer, body)
    }

    pub(crate) fn get(path: &str, bearer: &str) -> Self {
        Self::new("GET", path, Some(bearer), String::new())
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn parts(&self) -> Option<Parts> {
        let mut request = Request::builder().method(self.method).uri(&self.path);
        request = request.header("content-type", "application/json");
        if let Some(bearer) = &self.bearer {
            request = request.header("authorization", format!("Bearer {bearer}"));
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        Some(request.body(()).ok()?.into_parts().0)
    }
}

impl Reply {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns the code of an error.
    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn text(&self, member: &str) -> String {
        self.body[member].as_str().unwrap_or_default().to_owned()
    }

    fn is_final(&self) -> bool {
        self.status < 500 && self.status != 429 && self.code() != "IDEMPOTENCY_IN_PROGRESS"
    }
}

impl World {
    /// Sends a request once. Returns `None` if the answer does not arrive.
    pub(crate) async fn send(self: &Arc<Self>, asked: &Asked) -> Option<Reply> {
        let parts = asked.parts()?;
        let (function, event) = self.services.event(&parts, asked.body.as_bytes())?;
        tokio::time::sleep(Duration::from_millis(self.chance.below(40))).await;
        let fault = [(Fault::Unsent, 8), (Fault::AnswerLost, 12)];
        let fault =
            fault.into_iter().find(|(_, often)| self.faults.are_on() && self.chance.is(*often));
        if let Some((fault, _)) = fault {
            self.faults.count(fault);
        }
        if fault.is_some_and(|(fault, _)| fault == Fault::Unsent) {
            return None;
        }
        let cause = format!("{} {}", asked.method, asked.path);
        let (answer, faulty) = self.request(&function, &cause, event).await.ok()?;
        let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        let body = answer["body"].as_str().unwrap_or_default();
        let status = answer["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
        let reply = Reply {
            status: status.unwrap_or(500),
            body: serde_json::from_str(body).unwrap_or_default(),
        };
        self.trace.add(format_args!("{cause} -> {}", reply.status), body.as_bytes());
        if reply.status >= 500 && reply.code() != "BUSY" && !faulty {
            self.violated("no error without a fault", &format!("{cause}: {}", reply.body));
        }
        match fault {
            Some(_) => None,
            None => Some(reply),
        }
    }

    /// Sends a request until it is answered, usually with a key.
    pub(crate) async fn ask(self: &Arc<Self>, asked: Asked) -> Reply {
        if asked.method != "GET" && self.chance.is(700) {
            return self.ask_once(asked).await;
        }
        self.ask_until_answered(asked).await
    }

    /// Sends a request with a key until it is answered. It has its effect once.
    pub(crate) async fn ask_once(self: &Arc<Self>, asked: Asked) -> Reply {
        let key = format!("{:016x}", self.chance.below(u64::MAX));
        self.ask_until_answered(asked.with_header("idempotency-key", &key)).await
    }

    async fn ask_until_answered(self: &Arc<Self>, asked: Asked) -> Reply {
        let mut wait = SECOND;
        for _ in 0..ATTEMPTS {
            let reply = if self.faults.strike(Mishap::DoubleClick, 60, &self.chance) {
                let (one, two) = tokio::join!(self.send(&asked), self.send(&asked));
                two.filter(Reply::is_final).or(one)
            } else {
                self.send(&asked).await
            };
            if let Some(reply) = reply.filter(Reply::is_final) {
                return reply;
            }
            tokio::time::sleep(self.chance.time(wait / 4, wait)).await;
            wait = (wait * 2).min(SECOND * 60);
        }
        self.violated(
            "a request is answered in the end",
            &format!("{} {}", asked.method, asked.path),
        )
    }

    /// Sends a request with a body.
    pub(crate) async fn tell(
        self: &Arc<Self>,
        method: &'static str,
        path: &str,
        bearer: Option<&str>,
        body: &Value,
    ) -> Reply {
        let body = if body.is_null() { json!({}) } else { body.clone() };
        self.ask(Asked::new(method, path, bearer, body.to_string())).await
    }
}
