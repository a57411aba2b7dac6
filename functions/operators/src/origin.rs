//! Our own address, and requests that come from our own pages.

use std::{convert::Infallible, net::IpAddr};

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{
        HeaderMap,
        header::{HOST, ORIGIN},
        request::Parts,
    },
};
use domain::Error;
use lambda_http::request::RequestContext;
use url::Url;
use web::{Argument, Failure};

/// Whether the API, and an identity provider, may be served over plain `http`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hosting {
    /// `https` only.
    Https,
    /// `https`, and `http` at loopback addresses (`APP_ENV=dev`).
    Local,
}

impl Hosting {
    /// Returns whether requests may be sent to `url`.
    pub(crate) fn accepts(self, url: &Url) -> bool {
        let is_plain = url.scheme() == "http" && url.host_str().is_some_and(is_this_machine);
        url.scheme() == "https" || self == Self::Local && is_plain
    }
}

/// Our own address, as API Gateway tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Own {
    host: String,
    scheme: &'static str,
}

impl Own {
    pub(crate) fn new(host: &str, hosting: Hosting) -> Self {
        let local = hosting == Hosting::Local && is_loopback(host);
        Self { host: host.to_owned(), scheme: if local { "http" } else { "https" } }
    }

    /// Returns the address of `path`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.host)
    }

    /// Whether cookies can be limited to `https`.
    pub(crate) fn is_secure(&self) -> bool {
        self.scheme == "https"
    }

    /// Returns the port. Cookies on one host are shared by all ports.
    pub(crate) fn port(&self) -> &str {
        self.host.rsplit_once(':').map_or("80", |(_, port)| port)
    }
}

/// Whether a host, with or without a port, is this machine.
fn is_loopback(host: &str) -> bool {
    is_this_machine(host.rsplit_once(':').map_or(host, |(name, _)| name))
}

/// Whether a host without a port is this machine.
fn is_this_machine(name: &str) -> bool {
    name == "localhost"
        || name.trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

impl<S: Send + Sync> FromRequestParts<S> for Own
where
    Hosting: FromRef<S>,
{
    type Rejection = Infallible;

    /// Trusts `Host` only on this machine, which has several names.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let hosting = Hosting::from_ref(state);
        let named = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        let local = named.filter(|host| hosting == Hosting::Local && is_loopback(host));
        let host = match (local, parts.extensions.get::<RequestContext>()) {
            (Some(local), _) => local,
            (None, Some(RequestContext::ApiGatewayV2(context))) => {
                context.domain_name.as_deref().unwrap_or_default()
            }
            _ => "",
        };
        Ok(Self::new(host, hosting))
    }
}

impl Argument for Own {}

/// A request from a page of our own origin. Place it first, because nothing else is looked at in a
/// request from elsewhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SameOrigin;

impl<S: Send + Sync> FromRequestParts<S> for SameOrigin
where
    Hosting: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Ok(own) = Own::from_request_parts(parts, state).await;
        is_same_origin(&parts.headers, &own).then_some(Self).ok_or(Failure(Error::CrossSite))
    }
}

impl Argument for SameOrigin {}

/// Browsers that send no `Sec-Fetch-Site` send `Origin` with every POST.
fn is_same_origin(headers: &HeaderMap, own: &Own) -> bool {
    match (headers.get("sec-fetch-site"), headers.get(ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin.to_str().is_ok_and(|origin| origin == own.url("")),
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_served_without_tls() {
        for (host, hosting, url) in [
            ("api.acme.test", Hosting::Https, "https://api.acme.test/x"),
            ("api.acme.test", Hosting::Local, "https://api.acme.test/x"),
            ("127.0.0.1:3000", Hosting::Local, "http://127.0.0.1:3000/x"),
            ("[::1]:3000", Hosting::Local, "http://[::1]:3000/x"),
            ("localhost:3000", Hosting::Local, "http://localhost:3000/x"),
            ("127.0.0.1:3000", Hosting::Https, "https://127.0.0.1:3000/x"),
            ("127.0.0.1.evil.test", Hosting::Local, "https://127.0.0.1.evil.test/x"),
        ] {
            assert_eq!(Own::new(host, hosting).url("/x"), url);
        }
    }

    #[test]
    fn a_request_must_name_our_own_origin() {
        let own = Own::new("api.acme.test", Hosting::Https);
        for (headers, expected) in [
            (vec![("sec-fetch-site", "same-origin")], true),
            (vec![("origin", "https://api.acme.test")], true),
            (vec![("sec-fetch-site", "same-origin"), ("origin", "https://evil.test")], true),
            (vec![("sec-fetch-site", "same-site"), ("origin", "https://api.acme.test")], false),
            (vec![("sec-fetch-site", "cross-site")], false),
            (vec![("sec-fetch-site", "none")], false),
            (vec![("origin", "https://evil.test")], false),
            (vec![("origin", "null")], false),
            (vec![("origin", "http://api.acme.test")], false),
            (vec![("origin", "https://api.acme.test.evil.test")], false),
            (vec![], false),
        ] {
            let map =
                headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            let map: HeaderMap = map.collect::<HeaderMap<axum::http::HeaderValue>>();
            assert_eq!(is_same_origin(&map, &own), expected, "{headers:?}");
        }
    }
}
