use redis::{
    ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, io::tcp::TcpSettings,
};

use lambda::{Env, config::ConfigError};

/// Reads the Redis server from `REDIS_URL`, or from `REDIS_HOST` with `REDIS_PORT`,
/// `REDIS_DATABASE` and `REDIS_TLS`. Returns `None` if neither is set.
///
/// # Errors
///
/// [`ConfigError::Malformed`] if a variable is malformed.
pub(crate) fn redis(env: &Env) -> Result<Option<ConnectionInfo>, ConfigError> {
    let server = match (env.get("REDIS_URL"), env.get("REDIS_HOST")) {
        (Some(url), _) => from_url(url),
        (None, Some(host)) => from_host(host, env)?,
        (None, None) => return Ok(None),
    };
    let server = server.ok_or_else(|| {
        Env::malformed(
            "REDIS_URL",
            "must be redis://[user:password@]host[:port][/database], or rediss:",
        )
    })?;
    Ok(Some(server.set_tcp_settings(TcpSettings::default().set_nodelay(true))))
}

fn from_url(url: &str) -> Option<ConnectionInfo> {
    let url = url::Url::parse(url).ok()?;
    // The fragment `#insecure` would disable certificate checks.
    let usable = matches!(url.scheme(), "redis" | "rediss") && url.fragment().is_none();
    url.into_connection_info().ok().filter(|_| usable)
}

fn from_host(host: &str, env: &Env) -> Result<Option<ConnectionInfo>, ConfigError> {
    let port = env.parsed("REDIS_PORT", 6379, "a port number")?;
    let database = env.parsed("REDIS_DATABASE", 0_u32, "a database number")?;
    let host = host.to_owned();
    let address = if env.flag("REDIS_TLS")? {
        ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(host, port)
    };
    let settings = RedisConnectionInfo::default().set_db(database.into());
    Ok(address.into_connection_info().ok().map(|server| server.set_redis_settings(settings)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(variables: &[(&str, &str)]) -> Result<Option<String>, String> {
        let env: Env = variables.iter().copied().collect();
        let told = |server: ConnectionInfo| {
            let settings = server.redis_settings();
            let (user, password) = (settings.username(), settings.password());
            format!("{} {user:?} {password:?} {}", server.addr(), settings.db())
        };
        redis(&env).map(|server| server.map(told)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_server_is_configured_by_url_or_in_parts_or_not_at_all() {
        assert_eq!(server(&[("REDIS_URL", ""), ("REDIS_PORT", "1")]), Ok(None));
        let url = [("REDIS_URL", "rediss://ann:pw@cache.test/3"), ("REDIS_HOST", "other")];
        let told = "cache.test:6379 Some(\"ann\") Some(\"pw\") 3";
        assert_eq!(server(&url), Ok(Some(told.to_owned())));
        assert!(redis(&url.into_iter().collect()).unwrap().unwrap().addr().is_supported());
        let parts = [("REDIS_HOST", "cache.test"), ("REDIS_PORT", "6380"), ("REDIS_DATABASE", "2")];
        assert_eq!(server(&parts), Ok(Some("cache.test:6380 None None 2".to_owned())));
    }

    #[test]
    fn malformed_variables_are_named_but_their_values_are_not_shown() {
        for url in ["http://pw@host", "redis://pw@host/x", "rediss://:pw@host/#insecure", "pw"] {
            let refused = server(&[("REDIS_URL", url)]).unwrap_err();
            assert!(refused.contains("REDIS_URL must be redis://") && !refused.contains("pw@"));
        }
        for (name, value) in [("REDIS_PORT", "99999"), ("REDIS_DATABASE", "-1"), ("REDIS_TLS", "x")]
        {
            let refused = server(&[("REDIS_HOST", "cache.test"), (name, value)]).unwrap_err();
            assert!(refused.contains(name), "{refused}");
        }
    }
}
