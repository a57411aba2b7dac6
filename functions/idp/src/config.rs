use shared::{Env, Result, aws::Aws, config::ConfigError, domain::TenantKey, keys::secret};
use url::Url;

/// The URL that `name`'s value is.
pub(crate) fn base(name: &str, value: &str) -> Result<Url, ConfigError> {
    let url = Url::parse(value).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.filter(Url::has_host).ok_or_else(|| Env::malformed(name, "must name a host"))
}

/// A secret without which its provider cannot be used.
pub(crate) async fn needed_secret(env: &Env, aws: &Aws, name: &str) -> Result<String, ConfigError> {
    secret(env, aws, name).await?.ok_or_else(|| ConfigError::Missing(name.to_owned()))
}

/// Where a tenant's users may be sent back to: its subdomain of `DOMAIN_NAME`.
pub(crate) fn redirects(domain: Option<&str>, key: &TenantKey, path: &str) -> Vec<String> {
    domain.map(|domain| format!("https://{key}.{domain}{path}")).into_iter().collect()
}
