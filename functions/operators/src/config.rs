//! The configuration of the sign-in.

use std::{collections::BTreeMap, time::Duration};

use domain::{Admins, Grant, Roles};
use fetch::Client;
use lambda::{
    Env,
    aws::Aws,
    config::{ConfigError, seconds},
    keys::secret,
};
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

use crate::{
    exchange::{TokenIssuer, Trusted},
    origin::Hosting,
    provider::{EmailTrust, Provider, issuer::Issuer},
};

/// The scopes that are requested unless `OIDC_SCOPES` is set.
const SCOPES: &str = "openid profile email";

/// The maximum life of a session and of its idle time: ten years.
const MOST: u32 = 315_360_000;

/// The maximum life of a token. A role that was withdrawn stays in effect for as long.
const MOST_OF_A_TOKEN: u32 = 3600;

/// How long sessions and tokens last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sessions {
    pub(crate) lifetime: Duration,
    pub(crate) idle: Duration,
    pub(crate) token_expiry: Duration,
}

/// `OPERATOR_ROLES`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    grants: Vec<Grant>,
    #[serde(default)]
    roles: BTreeMap<String, Vec<String>>,
}

impl Sessions {
    pub(crate) fn from_env(env: &Env) -> Result<Self, ConfigError> {
        let read = |name, default, most: u32| match seconds(env, name, default)? {
            time if time.as_secs() > most.into() => {
                Err(Env::malformed(name, format!("must be at most {most} seconds")))
            }
            time => Ok(time),
        };
        Ok(Self {
            lifetime: read("SESSION_LIFETIME", 43_200, MOST)?,
            idle: read("SESSION_IDLE", 3600, MOST)?,
            token_expiry: read("OPERATOR_TOKEN_EXPIRY", 600, MOST_OF_A_TOKEN)?,
        })
    }
}

/// Returns whether the API may run on this machine: in the environment `dev` only.
pub(crate) fn hosting(env: &Env) -> Hosting {
    if env.get("APP_ENV") == Some("dev") { Hosting::Local } else { Hosting::Https }
}

/// Returns the roles, and the grants of the identity provider.
pub(crate) fn roles(env: &Env) -> Result<(Roles, Vec<Grant>), ConfigError> {
    const NAME: &str = "OPERATOR_ROLES";
    let Written { grants, roles } = json(env, NAME)?;
    let roles = Roles::new(&roles).map_err(|rule| Env::malformed(NAME, rule))?;
    roles.check(&grants).map_err(|rule| Env::malformed(NAME, rule))?;
    Ok((roles, grants))
}

/// Returns the identity provider. `None` if `OIDC_ISSUER` is not set.
pub(crate) async fn provider(
    env: &Env,
    aws: &Aws,
    grants: Vec<Grant>,
    client: &Client,
) -> Result<Option<Provider>, ConfigError> {
    let Some(issuer) = env.get("OIDC_ISSUER") else { return Ok(None) };
    let trusts_all = env.flag("OIDC_TRUST_EMAIL")?;
    let scopes = env.get("OIDC_SCOPES").unwrap_or(SCOPES);
    if !scopes.split(' ').any(|scope| scope == "openid") {
        return Err(Env::malformed("OIDC_SCOPES", "must contain openid"));
    }
    let logout_url = env.get("OIDC_LOGOUT_URL").map(|_| env.url("OIDC_LOGOUT_URL")).transpose()?;
    let malformed = || Env::malformed("OIDC_LOGOUT_URL", "must be a URL");
    let logout_url = logout_url.map(|url| Url::parse(&url).map_err(|_| malformed())).transpose()?;
    Ok(Some(Provider {
        issuer: self::issuer(env, "OIDC_ISSUER", issuer, client)?,
        client_id: env.required("OIDC_CLIENT_ID")?.to_owned(),
        client_secret: secret(env, aws, "OIDC_CLIENT_SECRET").await?,
        scopes: scopes.to_owned(),
        logout_url,
        emails: if trusts_all { EmailTrust::All } else { EmailTrust::Verified },
        grants,
        admins: Admins::new(env.list("OPERATOR_ADMINS", "")),
    }))
}

/// Returns the issuers whose tokens are exchanged.
pub(crate) fn trusted(
    env: &Env,
    roles: &Roles,
    client: &Client,
) -> Result<Vec<Trusted>, ConfigError> {
    const NAME: &str = "TOKEN_ISSUERS";
    let issuers: Vec<TokenIssuer> = json(env, NAME)?;
    let trusted = issuers.into_iter().map(|rules| {
        roles.check(&rules.grants).map_err(|rule| Env::malformed(NAME, rule))?;
        if rules.audiences.is_empty() && rules.clients.is_empty() {
            return Err(Env::malformed(NAME, "must name audiences or clients of each issuer"));
        }
        let issuer = issuer(env, NAME, &rules.issuer, client)?;
        Ok(Trusted { rules, issuer })
    });
    trusted.collect()
}

fn issuer(env: &Env, name: &str, url: &str, client: &Client) -> Result<Issuer, ConfigError> {
    let hosting = hosting(env);
    let parsed = Url::parse(url).ok().filter(Url::has_host);
    match parsed.is_some_and(|parsed| hosting.accepts(&parsed)) {
        true => Ok(Issuer::new(url, client.clone(), hosting)),
        false => Err(Env::malformed(name, "must be an https URL")),
    }
}

/// Reads a variable as JSON. A variable that is not set is the default.
fn json<T: DeserializeOwned + Default>(env: &Env, name: &str) -> Result<T, ConfigError> {
    let Some(text) = env.get(name) else { return Ok(T::default()) };
    serde_json::from_str(text).map_err(|cause| {
        let position = format!("line {} column {}", cause.line(), cause.column());
        Env::malformed(name, format!("must be JSON of its schema; see {position}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str, value: &str) -> Env {
        [(name, value)].into_iter().collect()
    }

    #[test]
    fn a_malformed_variable_is_named() {
        for (text, good) in [
            ("", true),
            (r#"{"grants":[{"value":"ops","role":"support"}]}"#, true),
            (r#"{"grants":[{"value":"ops","role":"sre"}],"roles":{"sre":["viewer"]}}"#, true),
            (r#"{"grants":[{"value":"ops","role":"sre"}]}"#, false),
            (r#"{"grant":[]}"#, false),
            (r#"{"grants":[{"claims":"x","value":"ops","role":"support"}]}"#, false),
            ("{", false),
        ] {
            assert_eq!(roles(&env("OPERATOR_ROLES", text)).is_ok(), good, "{text}");
        }
        let (known, _) = roles(&Env::default()).unwrap();
        for (text, good) in [
            (r#"[{"issuer":"https://id.test","audiences":["api"]}]"#, true),
            (r#"[{"issuer":"https://id.test"}]"#, false),
            (r#"[{"issuer":"http://id.test","audiences":["api"]}]"#, false),
            (r#"[{"issuer":"id.test","audiences":["api"]}]"#, false),
        ] {
            let read = trusted(&env("TOKEN_ISSUERS", text), &known, &Client::new());
            assert_eq!(read.is_ok(), good, "{text}");
        }
        assert!(Sessions::from_env(&env("OPERATOR_TOKEN_EXPIRY", "3601")).is_err());
    }
}
