mod session;

use axum::http::Method;
use domain::Result;
use lambda::{Env, aws::Aws, config::ConfigError, keys::secret};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use session::Session;
use url::Url;

use crate::{
    client::{Call, Client, below},
    config::{base, required_secret},
    setup::Setup,
    space::Space,
};

/// Keycloak, through its Admin REST API. A space is a realm. An admin has the role `admin` of the
/// tenant's client, and no right to administer Keycloak itself.
#[derive(Clone)]
pub(crate) struct Keycloak {
    http: Client,
    base: Url,
    login: Login,
    /// The `smtpServer` of new realms.
    smtp: Value,
    domain: Option<String>,
}

/// Credentials for the realm `master`.
#[derive(Clone)]
enum Login {
    Admin { username: String, password: SecretString },
    Client { id: String, secret: SecretString },
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

impl Keycloak {
    /// Returns `None` if `KEYCLOAK_HOST` is not set.
    pub(crate) async fn from_env(env: &Env, aws: &Aws) -> Result<Option<Self>, ConfigError> {
        let Some(host) = env.get("KEYCLOAK_HOST") else { return Ok(None) };
        Ok(Some(Self {
            http: Client::new(),
            base: base("KEYCLOAK_HOST", host)?,
            login: Login::from_env(env, aws).await?,
            smtp: smtp(env, aws).await?,
            domain: env.get("DOMAIN_NAME").map(str::to_owned),
        }))
    }

    /// Sets up the tenant and returns the ID of its admin. Idempotent.
    pub(crate) async fn set_up(&self, setup: &Setup, space: &Space) -> Result<String> {
        let realm = &space.name;
        let mut session = Session { keycloak: self, token: self.sign_in().await?, setup, realm };
        session.realm(space).await?;
        let client = session.client().await?;
        let role = session.role(&client).await?;
        let user = session.user().await?;
        session.grant(&user.id, &client, &role).await?;
        if user.is_pending() {
            session.mail(&user.id).await?;
        }
        Ok(user.id)
    }

    async fn sign_in(&self) -> Result<SecretString> {
        let path = ["realms", "master", "protocol", "openid-connect", "token"];
        let form = match &self.login {
            Login::Admin { username, password } => [
                ("grant_type", "password"),
                ("client_id", "admin-cli"),
                ("username", username),
                ("password", password.expose_secret()),
            ]
            .to_vec(),
            Login::Client { id, secret } => [
                ("grant_type", "client_credentials"),
                ("client_id", id),
                ("client_secret", secret.expose_secret()),
            ]
            .to_vec(),
        };
        let url = below(&self.base, &path, &[]);
        let call = Call::new("keycloak: signing in", Method::POST, url).form(&form);
        let token: Token = self.http.send(call).await?.body()?;
        Ok(token.access_token.into())
    }
}

impl Login {
    async fn from_env(env: &Env, aws: &Aws) -> Result<Self, ConfigError> {
        if let Some(id) = env.get("KEYCLOAK_CLIENT_ID") {
            let secret = required_secret(env, aws, "KEYCLOAK_CLIENT_SECRET").await?;
            return Ok(Self::Client { id: id.to_owned(), secret });
        }
        let username = env.required("KEYCLOAK_ADMIN_USERNAME")?.to_owned();
        let password = required_secret(env, aws, "KEYCLOAK_ADMIN_PASSWORD").await?;
        Ok(Self::Admin { username, password })
    }
}

/// Returns the mail server of new realms. Without one, a realm could not email its first user.
async fn smtp(env: &Env, aws: &Aws) -> Result<Value, ConfigError> {
    let port = env.parsed::<u16>("AWS_SES_SMTP_PORT", 587, "a port")?;
    let from = env.get("SMTP_FROM_EMAIL").map_or_else(|| env.required("FROM_EMAIL"), Ok)?;
    let name = env.get("SMTP_FROM_DISPLAY_NAME").or(env.get("APP_NAME"));
    let mut smtp = json!({
        "host": env.required("AWS_SES_SMTP_HOST")?,
        "port": port.to_string(),
        "from": from,
        "fromDisplayName": name.unwrap_or_default(),
        "starttls": "true",
        "auth": "false",
    });
    if let Some(username) = env.get("AWS_SES_SMTP_USERNAME") {
        smtp["auth"] = "true".into();
        smtp["user"] = username.into();
        smtp["password"] = secret(env, aws, "AWS_SES_SMTP_PASSWORD")
            .await?
            .map(|password| password.expose_secret().to_owned())
            .into();
    }
    Ok(smtp)
}
