use axum::http::Method;
use domain::Result;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Auth0;
use crate::{
    client::{Call, Failure, below, ensure},
    config::redirects,
    password,
    refusal::DataSource,
    setup::{Setup, Tenant},
    space::{MARK, Space},
};

/// Clients per page, the maximum that Auth0 allows.
const PAGE: usize = 100;

#[derive(Deserialize)]
struct Named {
    id: String,
}

#[derive(Deserialize)]
struct Organization {
    id: String,
    #[serde(default)]
    metadata: Map<String, Value>,
}

#[derive(Deserialize)]
struct Application {
    client_id: String,
    #[serde(default)]
    client_metadata: Map<String, Value>,
}

#[derive(Deserialize)]
pub(super) struct User {
    pub(super) user_id: String,
    #[serde(default)]
    pub(super) email_verified: bool,
    #[serde(default)]
    app_metadata: Map<String, Value>,
    #[serde(default)]
    identities: Vec<Identity>,
}

#[derive(Deserialize)]
struct Identity {
    connection: String,
}

/// An authenticated session that sets up one tenant.
pub(super) struct Session<'a> {
    pub(super) auth0: &'a Auth0,
    pub(super) token: SecretString,
    pub(super) setup: &'a Setup,
}

impl Session<'_> {
    /// Returns the ID of the database connection, which the operator has created.
    pub(super) async fn connection(&self) -> Result<String> {
        let step = "auth0: finding the connection";
        let query = [("name", self.auth0.connection.as_str()), ("strategy", "auth0")];
        let call = self.call(step, Method::GET, &["connections"], &query);
        let found: Vec<Named> = self.auth0.http.send(call).await?.body()?;
        let connection = found.into_iter().next().ok_or_else(|| Failure::Lost.at(step))?;
        Ok(connection.id)
    }

    pub(super) async fn organization(&self, space: &Space, connection: &str) -> Result<String> {
        let (look, make) = ("auth0: finding the organization", "auth0: creating the organization");
        let body = json!({
            "name": space.name,
            "display_name": space.title,
            "metadata": { MARK: space.mark },
            "enabled_connections":
                [{ "connection_id": connection, "assign_membership_on_login": false }],
        });
        let organization: Organization = ensure(
            look,
            || async {
                let path = ["organizations", "name", &space.name];
                self.auth0.http.send(self.call(look, Method::GET, &path, &[])).await?.lookup()
            },
            || async {
                let call = self.call(make, Method::POST, &["organizations"], &[]).json(&body);
                let call = call.about(DataSource::of_space());
                self.auth0.http.send(call).await?.created()
            },
        )
        .await?;
        if organization.metadata.get(MARK).and_then(Value::as_str) != Some(&space.mark) {
            return Err(Failure::Foreign.at(look));
        }
        Ok(organization.id)
    }

    /// Returns the ID of the tenant's application. Metadata identifies it, as names are not unique.
    pub(super) async fn client(&self, connection: &str) -> Result<String> {
        let (look, make) = ("auth0: finding the client", "auth0: creating the client");
        let client: Application = ensure(
            look,
            || async { self.find_client(look).await },
            || async {
                let call =
                    self.call(make, Method::POST, &["clients"], &[]).json(&self.new_client());
                self.auth0.http.send(call).await?.created()
            },
        )
        .await?;
        let path = ["connections", connection, "clients"];
        let enable = "auth0: enabling the connection for the client";
        let enabled = json!([{ "client_id": client.client_id, "status": true }]);
        let call = self.call(enable, Method::PATCH, &path, &[]).json(&enabled);
        self.auth0.http.send(call).await?.success()?;
        Ok(client.client_id)
    }

    async fn find_client(&self, step: &'static str) -> Result<Option<Application>> {
        let ours = self.tenant_mark();
        for page in 0_usize.. {
            let (page, size) = (page.to_string(), PAGE.to_string());
            let query = [
                ("fields", "client_id,client_metadata"),
                ("include_fields", "true"),
                ("is_global", "false"),
                ("page", page.as_str()),
                ("per_page", size.as_str()),
            ];
            let call = self.call(step, Method::GET, &["clients"], &query);
            let clients: Vec<Application> = self.auth0.http.send(call).await?.body()?;
            let last = clients.len() < PAGE;
            let is_ours = |client: &Application| client.client_metadata.get(MARK) == Some(&ours);
            let found = clients.into_iter().find(is_ours);
            if last || found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Describes a public client for browsers, with PKCE instead of a secret.
    fn new_client(&self) -> Value {
        let redirects = redirects(self.auth0.domain.as_deref(), &self.setup.tenant.key, "");
        json!({
            "name": format!("client-{}", self.setup.tenant.key),
            "app_type": "spa",
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
            "oidc_conformant": true,
            "organization_usage": "require",
            "organization_require_behavior": "pre_login_prompt",
            "callbacks": redirects,
            "allowed_logout_urls": redirects,
            "web_origins": redirects,
            "client_metadata": { MARK: self.tenant_mark() },
        })
    }

    pub(super) async fn user(&self) -> Result<User> {
        let (look, make) = ("auth0: finding the user", "auth0: creating the user");
        let Tenant { admin, .. } = &self.setup.tenant;
        let email = admin.email.folded();
        let body = json!({
            "connection": self.auth0.connection,
            "email": email,
            "given_name": admin.first_name,
            "family_name": admin.last_name,
            "name": format!("{} {}", admin.first_name, admin.last_name),
            "password": password::temporary()?,
            "email_verified": false,
            "verify_email": false,
            "app_metadata": self.admin_of(),
        });
        let user: User = ensure(
            look,
            || async {
                let call = self.call(look, Method::GET, &["users-by-email"], &[("email", &email)]);
                let found: Vec<User> = self.auth0.http.send(call).await?.body()?;
                let name = &self.auth0.connection;
                let at_home = |user: &User| user.identities.iter().any(|i| i.connection == *name);
                Ok(found.into_iter().find(at_home))
            },
            || async {
                let call = self.call(make, Method::POST, &["users"], &[]).json(&body);
                let call = call.about(DataSource::of_user(self.setup));
                self.auth0.http.send(call).await?.created()
            },
        )
        .await?;
        self.adopt(&user).await?;
        Ok(user)
    }

    /// Makes an existing user an admin. If the email address is not verified, anyone may have
    /// signed up with it, so the password is replaced.
    async fn adopt(&self, user: &User) -> Result<()> {
        if user.app_metadata.contains_key(&self.admin_key()) {
            return Ok(());
        }
        let mut change = json!({ "app_metadata": self.admin_of() });
        if !user.email_verified {
            change["connection"] = self.auth0.connection.as_str().into();
            change["password"] = password::temporary()?.into();
        }
        let path = ["users", &user.user_id];
        let call = self.call("auth0: making the user an admin", Method::PATCH, &path, &[]);
        self.auth0.http.send(call.json(&change)).await?.success()
    }

    /// Adds the user to the organization. Auth0 accepts an existing member.
    pub(super) async fn join(&self, organization: &str, user: &User) -> Result<()> {
        let path = ["organizations", organization, "members"];
        let call = self.call("auth0: adding the member", Method::POST, &path, &[]);
        let call = call.json(&json!({ "members": [user.user_id] }));
        self.auth0.http.send(call).await?.success()
    }

    /// Has Auth0 email the admin a link to choose a password. (With a password-change ticket, we
    /// would have to send the link. An invitation only works for people without a user.)
    pub(super) async fn mail(&self, organization: &str, client: &str) -> Result<()> {
        let url = below(&self.auth0.base, &["dbconnections", "change_password"], &[]);
        let call = Call::new("auth0: sending the email", Method::POST, url).json(&json!({
            "client_id": client,
            "email": self.setup.tenant.admin.email.folded(),
            "connection": self.auth0.connection,
            "organization": organization,
        }));
        self.auth0.http.send(call).await?.success()
    }

    fn tenant_mark(&self) -> Value {
        format!("tenant:{}", self.setup.tenant.id).into()
    }

    /// Returns the metadata of an admin. Auth0 merges its first level, so an admin of several
    /// tenants has several keys.
    fn admin_of(&self) -> Value {
        json!({ self.admin_key(): "admin" })
    }

    fn admin_key(&self) -> String {
        format!("{MARK}_{}", self.setup.tenant.key)
    }

    fn call(
        &self,
        step: &'static str,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Call {
        let url = below(&self.auth0.base, &[&["api", "v2"], path].concat(), query);
        Call::new(step, method, url).bearer(&self.token)
    }
}
