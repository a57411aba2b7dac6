mod session;

use axum::http::Method;
use domain::Result;
use lambda::{Env, aws::Aws, config::ConfigError};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use session::Session;
use url::Url;

use crate::{
    client::{Call, Client, below},
    config::{base, required_secret},
    setup::Setup,
    space::Space,
};

/// Auth0, through its Management API v2. A space is an organization. An admin is a member whose
/// `app_metadata` names the tenant.
#[derive(Clone)]
pub(crate) struct Auth0 {
    http: Client,
    base: Url,
    client_id: String,
    client_secret: SecretString,
    audience: String,
    /// The name of the database connection that holds the users.
    connection: String,
    domain: Option<String>,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

impl Auth0 {
    /// Returns `None` if `AUTH0_DOMAIN` is not set.
    pub(crate) async fn from_env(env: &Env, aws: &Aws) -> Result<Option<Self>, ConfigError> {
        let Some(domain) = env.get("AUTH0_DOMAIN") else { return Ok(None) };
        let url = if domain.contains("://") { domain } else { &format!("https://{domain}") };
        let base = base("AUTH0_DOMAIN", url)?;
        let audience = below(&base, &["api", "v2", ""], &[]).to_string();
        Ok(Some(Self {
            http: Client::new(),
            client_id: env.required("AUTH0_CLIENT_ID")?.to_owned(),
            client_secret: required_secret(env, aws, "AUTH0_CLIENT_SECRET").await?,
            audience: env.get("AUTH0_AUDIENCE").map_or(audience, str::to_owned),
            connection: env
                .get("AUTH0_CONNECTION")
                .unwrap_or("Username-Password-Authentication")
                .to_owned(),
            domain: env.get("DOMAIN_NAME").map(str::to_owned),
            base,
        }))
    }

    /// Sets up the tenant and returns the ID of its admin. Idempotent.
    pub(crate) async fn set_up(&self, setup: &Setup, space: &Space) -> Result<String> {
        let session = Session { auth0: self, token: self.sign_in().await?, setup };
        let connection = session.connection().await?;
        let organization = session.organization(space, &connection).await?;
        let client = session.client(&connection).await?;
        let user = session.user().await?;
        session.join(&organization, &user).await?;
        if !user.email_verified {
            session.mail(&organization, &client).await?;
        }
        Ok(user.user_id)
    }

    async fn sign_in(&self) -> Result<SecretString> {
        let url = below(&self.base, &["oauth", "token"], &[]);
        let call = Call::new("auth0: signing in", Method::POST, url).json(&json!({
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret.expose_secret(),
            "audience": self.audience,
        }));
        let token: Token = self.http.send(call).await?.body()?;
        Ok(token.access_token.into())
    }
}
