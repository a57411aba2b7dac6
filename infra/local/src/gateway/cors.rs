use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use url::{Host, Url};

use crate::template::Cors;

impl Cors {
    /// Returns the answer to a preflight request. Returns `None` for any other request.
    pub(super) fn preflight(&self, method: &Method, headers: &HeaderMap) -> Option<Response> {
        let asks = headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if *method != Method::OPTIONS || !asks {
            return None;
        }
        let mut response = StatusCode::NO_CONTENT.into_response();
        if self.allow(headers, response.headers_mut()) {
            let allowed = response.headers_mut();
            put(allowed, header::ACCESS_CONTROL_ALLOW_METHODS, &self.methods.join(","));
            put(allowed, header::ACCESS_CONTROL_ALLOW_HEADERS, &self.headers.join(","));
            let age = self.max_age.map(|age| age.to_string()).unwrap_or_default();
            put(allowed, header::ACCESS_CONTROL_MAX_AGE, &age);
        }
        Some(response)
    }

    /// Adds the headers that allow the origin of a request to read the answer.
    pub(super) fn add_headers(&self, request: &HeaderMap, response: &mut HeaderMap) {
        if self.allow(request, response) {
            put(response, header::ACCESS_CONTROL_EXPOSE_HEADERS, &self.exposed.join(","));
        }
    }

    fn allow(&self, request: &HeaderMap, response: &mut HeaderMap) -> bool {
        let Some(origin) = request.get(header::ORIGIN).and_then(|origin| origin.to_str().ok())
        else {
            return false;
        };
        let any = self.origins.iter().any(|allowed| allowed == "*");
        if !any && !is_local(origin) && !self.origins.iter().any(|allowed| fits(allowed, origin)) {
            return false;
        }
        let allowed = if any && !self.credentials { "*" } else { origin };
        put(response, header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        if self.credentials {
            put(response, header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
        }
        response.append(header::VARY, HeaderValue::from_static("origin"));
        true
    }
}

/// Returns whether `origin` is allowed. `https://*` and `http://*` allow every origin of their
/// scheme.
fn fits(allowed: &str, origin: &str) -> bool {
    match allowed.strip_suffix('*') {
        Some(start) => origin.starts_with(start),
        None => allowed.eq_ignore_ascii_case(origin),
    }
}

/// Returns whether pages of `origin` come from this machine. Only this gateway allows them all; API
/// Gateway allows what the template lists.
fn is_local(origin: &str) -> bool {
    let Ok(origin) = Url::parse(origin) else { return false };
    matches!(origin.scheme(), "http" | "https")
        && match origin.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    match HeaderValue::from_str(value) {
        Ok(value) if !value.is_empty() => drop(headers.insert(name, value)),
        _ => {}
    }
}
