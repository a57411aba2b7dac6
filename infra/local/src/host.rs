//! Restricts the listeners to the host names of this machine.
//!
//! Any website can make its own name resolve to 127.0.0.1, and so read what is served there (DNS
//! rebinding). The `Host` header still holds that name.

use axum::{
    Router,
    extract::Request,
    http::{StatusCode, header::HOST, uri::Authority},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};

/// Serves `router` only to requests whose host is this machine.
///
/// Any port is accepted, because forwarded ports have other numbers. Other websites cannot have one
/// of these names.
pub(crate) fn guarded(router: Router) -> Router {
    router.layer(middleware::from_fn(check))
}

async fn check(request: Request, next: Next) -> Response {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok());
    let target = request.uri().authority().is_none_or(|target| is_here(target.as_str()));
    if hosts.next().is_none() && target && host.is_some_and(is_here) {
        return next.run(request).await;
    }
    let hint = "This server only answers to localhost and 127.0.0.1. Use one of these names.\n";
    (StatusCode::MISDIRECTED_REQUEST, hint).into_response()
}

/// Returns whether `host`, with or without a port, is this machine.
pub(crate) fn is_here(host: &str) -> bool {
    host.parse::<Authority>().is_ok_and(|authority| {
        let local = ["localhost", "127.0.0.1", "[::1]"];
        local.iter().any(|local| authority.host().eq_ignore_ascii_case(local))
            && !host.contains('@')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_accepted() {
        for host in ["localhost:3000", "LOCALHOST", "127.0.0.1:3001", "[::1]:3000"] {
            assert!(is_here(host), "{host}");
        }
        let others = [
            "",
            "evil.test:3000",
            "127.0.0.1.evil.test:3000",
            "localhost.evil.test:3000",
            "evil.test@localhost:3000",
            "localhost:3000@evil.test:3000",
            "localhost:3000/",
            "127.0.0.2:3000",
            "0.0.0.0:3000",
            "[::]:3000",
            "localhost.:3000",
            "a b",
        ];
        for host in others {
            assert!(!is_here(host), "{host}");
        }
    }
}
