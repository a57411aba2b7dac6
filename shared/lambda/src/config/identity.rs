use super::{ConfigError, Env};
use domain::IdentityProvider;

/// Reads `IDENTITY_PROVIDER`, the provider at which tenants are set up after their build.
///
/// # Errors
///
/// [`ConfigError::Malformed`] if it names no provider.
pub fn identity_provider(env: &Env) -> Result<Option<IdentityProvider>, ConfigError> {
    let Some(name) = env.get("IDENTITY_PROVIDER") else { return Ok(None) };
    let rule = "must be auth0, keycloak or cognito";
    name.parse().map(Some).map_err(|_| Env::malformed("IDENTITY_PROVIDER", rule))
}
