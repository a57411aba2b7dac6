use axum::http::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use shared::{Env, Result, aws::Aws, config::ConfigError, keys::secret};
use url::Url;

use crate::{
    client::{Call, Client, Failure, below, ensure},
    config::{base, needed_secret, redirects},
    password,
    setup::Setup,
    space::{MARK, Space},
};

/// The required action that stands until the admin has chosen a password.
const CHOOSE_PASSWORD: &str = "UPDATE_PASSWORD";

/// Keycloak by its Admin REST API: a space is a realm, an admin has the role `admin` of the tenant's
/// client. Nobody is made an admin of Keycloak itself.
#[derive(Clone)]
pub(crate) struct Keycloak {
    http: Client,
    base: Url,
    login: Login,
    /// A new realm's `smtpServer`.
    smtp: Value,
    domain: Option<String>,
}

/// How we sign in at the realm `master`.
#[derive(Clone)]
enum Login {
    Admin { username: String, password: String },
    Client { id: String, secret: String },
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

#[derive(Deserialize)]
struct Realm {
    #[serde(default)]
    attributes: Map<String, Value>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    id: String,
    #[serde(default)]
    email_verified: bool,
    #[serde(default)]
    required_actions: Vec<String>,
}

/// One set-up, signed in.
struct Session<'a> {
    keycloak: &'a Keycloak,
    token: String,
    setup: &'a Setup,
    realm: &'a str,
}

impl Keycloak {
    /// None where `KEYCLOAK_HOST` is not set.
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

    /// Sets everything up, or finds it so; the id of the admin.
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

    async fn sign_in(&self) -> Result<String> {
        let path = ["realms", "master", "protocol", "openid-connect", "token"];
        let form = match &self.login {
            Login::Admin { username, password } => [
                ("grant_type", "password"),
                ("client_id", "admin-cli"),
                ("username", username),
                ("password", password),
            ]
            .to_vec(),
            Login::Client { id, secret } => {
                [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)]
                    .to_vec()
            }
        };
        let url = below(&self.base, &path, &[]);
        let call = Call::new("keycloak: signing in", Method::POST, url).form(&form);
        let token: Token = self.http.send(call).await?.read()?;
        Ok(token.access_token)
    }
}

impl Login {
    async fn from_env(env: &Env, aws: &Aws) -> Result<Self, ConfigError> {
        if let Some(id) = env.get("KEYCLOAK_CLIENT_ID") {
            let secret = needed_secret(env, aws, "KEYCLOAK_CLIENT_SECRET").await?;
            return Ok(Self::Client { id: id.to_owned(), secret });
        }
        let username = env.required("KEYCLOAK_ADMIN_USERNAME")?.to_owned();
        let password = needed_secret(env, aws, "KEYCLOAK_ADMIN_PASSWORD").await?;
        Ok(Self::Admin { username, password })
    }
}

/// By which server a realm mails: none of ours could mail its first user otherwise.
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
        smtp["password"] = secret(env, aws, "AWS_SES_SMTP_PASSWORD").await?.into();
    }
    Ok(smtp)
}

impl User {
    fn is_pending(&self) -> bool {
        !self.email_verified || self.must_choose_password()
    }

    fn must_choose_password(&self) -> bool {
        self.required_actions.iter().any(|action| action == CHOOSE_PASSWORD)
    }
}

impl Session<'_> {
    async fn realm(&mut self, space: &Space) -> Result<()> {
        let (look, make) = ("keycloak: finding the realm", "keycloak: creating the realm");
        let realm = match self.find_realm(look).await? {
            Some(found) => Some(found),
            None => {
                let body = json!({
                    "realm": space.name,
                    "displayName": space.title,
                    "enabled": true,
                    "registrationAllowed": false,
                    "loginWithEmailAllowed": true,
                    "duplicateEmailsAllowed": false,
                    "resetPasswordAllowed": true,
                    "bruteForceProtected": true,
                    "attributes": { MARK: space.mark },
                    "smtpServer": self.keycloak.smtp,
                });
                let url = below(&self.keycloak.base, &["admin", "realms"], &[]);
                let call = Call::new(make, Method::POST, url).bearer(&self.token).json(&body);
                self.keycloak.http.send(call).await?.exists::<Realm>()?;
                // A token has the roles of the realms that there were when it was made.
                self.token = self.keycloak.sign_in().await?;
                self.find_realm(look).await?
            }
        };
        let realm = realm.ok_or_else(|| Failure::Lost.at(look))?;
        if realm.attributes.get(MARK).and_then(Value::as_str) != Some(&space.mark) {
            return Err(Failure::Foreign.at(look));
        }
        Ok(())
    }

    async fn find_realm(&self, step: &'static str) -> Result<Option<Realm>> {
        self.keycloak.http.send(self.call(step, Method::GET, &[], &[])).await?.found()
    }

    async fn client(&self) -> Result<String> {
        let (look, make) = ("keycloak: finding the client", "keycloak: creating the client");
        let key = &self.setup.tenant.key;
        let id = format!("client-{key}");
        // A browser's client: it holds no secret and proves itself by PKCE.
        let body = json!({
            "clientId": id,
            "protocol": "openid-connect",
            "enabled": true,
            "publicClient": true,
            "standardFlowEnabled": true,
            "directAccessGrantsEnabled": false,
            "redirectUris": redirects(self.keycloak.domain.as_deref(), key, "/*"),
            "webOrigins": redirects(self.keycloak.domain.as_deref(), key, ""),
            "attributes": { "pkce.code.challenge.method": "S256" },
        });
        let client: Named = ensure(
            look,
            || async {
                let call = self.call(look, Method::GET, &["clients"], &[("clientId", &id)]);
                let found: Vec<Named> = self.keycloak.http.send(call).await?.read()?;
                Ok(found.into_iter().next())
            },
            || async {
                let call = self.call(make, Method::POST, &["clients"], &[]).json(&body);
                self.keycloak.http.send(call).await?.exists()
            },
        )
        .await?;
        Ok(client.id)
    }

    /// The role is of the client, and so of one tenant, also in a realm that tenants share.
    async fn role(&self, client: &str) -> Result<String> {
        let (look, make) = ("keycloak: finding the role", "keycloak: creating the role");
        let role: Named = ensure(
            look,
            || async {
                let path = ["clients", client, "roles", "admin"];
                self.keycloak.http.send(self.call(look, Method::GET, &path, &[])).await?.found()
            },
            || async {
                let path = ["clients", client, "roles"];
                let call = self.call(make, Method::POST, &path, &[]);
                let call = call.json(&json!({ "name": "admin" }));
                self.keycloak.http.send(call).await?.exists()
            },
        )
        .await?;
        Ok(role.id)
    }

    async fn user(&self) -> Result<User> {
        let (look, make) = ("keycloak: finding the user", "keycloak: creating the user");
        let admin = &self.setup.tenant.admin;
        let email = admin.email.folded();
        let body = json!({
            "username": email,
            "email": email,
            "firstName": admin.first_name,
            "lastName": admin.last_name,
            "enabled": true,
            "emailVerified": false,
            "requiredActions": [CHOOSE_PASSWORD],
            "credentials": [temporary_password()?],
        });
        let user: User = ensure(
            look,
            || async {
                let query = [("email", email.as_str()), ("exact", "true")];
                let call = self.call(look, Method::GET, &["users"], &query);
                let found: Vec<User> = self.keycloak.http.send(call).await?.read()?;
                Ok(found.into_iter().next())
            },
            || async {
                let call = self.call(make, Method::POST, &["users"], &[]).json(&body);
                self.keycloak.http.send(call).await?.exists()
            },
        )
        .await?;
        // Nobody has proved that the address is theirs, and somebody has a password: not for long.
        if !user.email_verified && !user.must_choose_password() {
            let path = ["users", &user.id, "reset-password"];
            let call = self.call("keycloak: replacing the password", Method::PUT, &path, &[]);
            let call = call.json(&temporary_password()?);
            self.keycloak.http.send(call).await?.done()?;
        }
        Ok(user)
    }

    /// Keycloak takes a mapping again.
    async fn grant(&self, user: &str, client: &str, role: &str) -> Result<()> {
        let path = ["users", user, "role-mappings", "clients", client];
        let call = self.call("keycloak: granting the role", Method::POST, &path, &[]);
        let call = call.json(&json!([{ "id": role, "name": "admin" }]));
        self.keycloak.http.send(call).await?.done()
    }

    async fn mail(&self, user: &str) -> Result<()> {
        let path = ["users", user, "execute-actions-email"];
        let call = self.call("keycloak: sending the mail", Method::PUT, &path, &[]);
        self.keycloak.http.send(call.json(&json!([CHOOSE_PASSWORD]))).await?.done()
    }

    fn call(
        &self,
        step: &'static str,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Call {
        let path = [&["admin", "realms", self.realm], path].concat();
        Call::new(step, method, below(&self.keycloak.base, &path, query)).bearer(&self.token)
    }
}

/// One that has to be changed when it is first used.
fn temporary_password() -> Result<Value> {
    Ok(json!({ "type": "password", "value": password::temporary()?, "temporary": true }))
}
