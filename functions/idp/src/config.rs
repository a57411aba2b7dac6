use domain::{Result, TenantKey};
use lambda::{Env, aws::Aws, config::ConfigError, keys::secret};
use secrecy::SecretString;
use url::Url;

/// Parses the value of the variable `name` as an HTTP URL.
pub(crate) fn base(name: &str, value: &str) -> Result<Url, ConfigError> {
    let url = Url::parse(value).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.filter(Url::has_host)
        .ok_or_else(|| Env::malformed(name, "must be an http or https URL with a host"))
}

/// Returns a required secret.
pub(crate) async fn required_secret(
    env: &Env,
    aws: &Aws,
    name: &str,
) -> Result<SecretString, ConfigError> {
    secret(env, aws, name).await?.ok_or_else(|| ConfigError::Missing(name.to_owned()))
}

/// Returns the redirect URIs of a tenant, at its subdomain of `DOMAIN_NAME`.
pub(crate) fn redirects(domain: Option<&str>, key: &TenantKey, path: &str) -> Vec<String> {
    domain.map(|domain| format!("https://{key}.{domain}{path}")).into_iter().collect()
}
