//! Which hosts the listeners on this machine answer for.
//!
//! A page of anybody's can have its own name resolved to 127.0.0.1 and so read what is served there
//! (DNS rebinding). The `Host` header still holds that name.

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header::HOST, uri::Authority},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};

/// `router`, for requests alone that name this machine and `port` as their host.
pub(crate) fn guarded(router: Router, port: u16) -> Router {
    router.layer(middleware::from_fn_with_state(port, check))
}

async fn check(State(port): State<u16>, request: Request, next: Next) -> Response {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok());
    let target = request.uri().authority().is_none_or(|target| is_here(target.as_str(), port));
    if hosts.next().is_none() && target && host.is_some_and(|host| is_here(host, port)) {
        return next.run(request).await;
    }
    let hint = format!("This address answers for localhost:{port} and 127.0.0.1:{port} alone.\n");
    (StatusCode::MISDIRECTED_REQUEST, hint).into_response()
}

fn is_here(host: &str, port: u16) -> bool {
    host.parse::<Authority>().is_ok_and(|authority| {
        let name = authority.host();
        let is_local = ["localhost", "127.0.0.1", "[::1]"];
        is_local.iter().any(|local| name.eq_ignore_ascii_case(local))
            && authority.port_u16().unwrap_or(80) == port
            && !host.contains('@')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_and_this_port_are_here() {
        for host in ["localhost:3000", "LOCALHOST:3000", "127.0.0.1:3000", "[::1]:3000"] {
            assert!(is_here(host, 3000), "{host}");
        }
        assert!(is_here("localhost", 80));
        let others = [
            "",
            "localhost",
            "localhost:3001",
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
            assert!(!is_here(host, 3000), "{host}");
        }
    }
}
