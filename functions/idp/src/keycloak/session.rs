use axum::http::Method;
use domain::Result;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Keycloak;
use crate::{
    client::{Call, Failure, below, ensure},
    config::redirects,
    password,
    refusal::DataSource,
    setup::Setup,
    space::{MARK, Space, digits},
};

/// The required action that remains until the admin has chosen a password.
const CHOOSE_PASSWORD: &str = "UPDATE_PASSWORD";

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
pub(super) struct User {
    pub(super) id: String,
    #[serde(default)]
    email_verified: bool,
    #[serde(default)]
    required_actions: Vec<String>,
}

/// An authenticated session that sets up one tenant.
pub(super) struct Session<'a> {
    pub(super) keycloak: &'a Keycloak,
    pub(super) token: SecretString,
    pub(super) setup: &'a Setup,
    pub(super) realm: &'a str,
}

impl User {
    pub(super) fn is_pending(&self) -> bool {
        !self.email_verified || self.must_choose_password()
    }

    fn must_choose_password(&self) -> bool {
        self.required_actions.iter().any(|action| action == CHOOSE_PASSWORD)
    }
}

impl Session<'_> {
    pub(super) async fn realm(&mut self, space: &Space) -> Result<()> {
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
                let call = call.about(DataSource::of_space());
                self.keycloak.http.send(call).await?.created_or_exists::<Realm>()?;
                // A token only holds roles of the realms that existed when it was issued.
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
        self.keycloak.http.send(self.call(step, Method::GET, &[], &[])).await?.lookup()
    }

    pub(super) async fn client(&self) -> Result<String> {
        let (look, make) = ("keycloak: finding the client", "keycloak: creating the client");
        let key = &self.setup.tenant.key;
        let id = format!("client-{key}");
        // A public client for browsers, with PKCE instead of a secret.
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
                let found: Vec<Named> = self.keycloak.http.send(call).await?.body()?;
                Ok(found.into_iter().next())
            },
            || async {
                let call = self.call(make, Method::POST, &["clients"], &[]).json(&body);
                self.keycloak.http.send(call).await?.created_or_exists()
            },
        )
        .await?;
        Ok(client.id)
    }

    /// Returns the ID of the admin role. The role belongs to the client, so each tenant has its
    /// own, even in a shared realm.
    pub(super) async fn role(&self, client: &str) -> Result<String> {
        let (look, make) = ("keycloak: finding the role", "keycloak: creating the role");
        let role: Named = ensure(
            look,
            || async {
                let path = ["clients", client, "roles", "admin"];
                self.keycloak.http.send(self.call(look, Method::GET, &path, &[])).await?.lookup()
            },
            || async {
                let path = ["clients", client, "roles"];
                let call = self.call(make, Method::POST, &path, &[]);
                let call = call.json(&json!({ "name": "admin" }));
                self.keycloak.http.send(call).await?.created_or_exists()
            },
        )
        .await?;
        Ok(role.id)
    }

    pub(super) async fn user(&self) -> Result<User> {
        let (look, make) = ("keycloak: finding the user", "keycloak: creating the user");
        let admin = &self.setup.tenant.admin;
        let email = admin.email.folded();
        let body = json!({
            "username": username(&email),
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
                let found: Vec<User> = self.keycloak.http.send(call).await?.body()?;
                Ok(found.into_iter().next())
            },
            || async {
                let call = self.call(make, Method::POST, &["users"], &[]).json(&body);
                let call = call.about(DataSource::of_user(self.setup));
                self.keycloak.http.send(call).await?.created_or_exists()
            },
        )
        .await?;
        // The address is not verified, so a stranger may know the password. Replace it.
        if !user.email_verified && !user.must_choose_password() {
            let path = ["users", &user.id, "reset-password"];
            let call = self.call("keycloak: replacing the password", Method::PUT, &path, &[]);
            let call = call.json(&temporary_password()?);
            self.keycloak.http.send(call).await?.success()?;
        }
        Ok(user)
    }

    /// Grants the role to the user. Keycloak accepts an existing mapping.
    pub(super) async fn grant(&self, user: &str, client: &str, role: &str) -> Result<()> {
        let path = ["users", user, "role-mappings", "clients", client];
        let call = self.call("keycloak: granting the role", Method::POST, &path, &[]);
        let call = call.json(&json!([{ "id": role, "name": "admin" }]));
        self.keycloak.http.send(call).await?.success()
    }

    pub(super) async fn mail(&self, user: &str) -> Result<()> {
        let path = ["users", user, "execute-actions-email"];
        let call = self.call("keycloak: sending the email", Method::PUT, &path, &[]);
        self.keycloak.http.send(call.json(&json!([CHOOSE_PASSWORD]))).await?.success()
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

/// Returns the user name of an address: the address itself, if Keycloak accepts it. Otherwise, dots
/// replace what Keycloak refuses, and a digest keeps the name unique. People sign in with their
/// address.
///
/// Source: `UsernameProhibitedCharactersValidator` of Keycloak.
fn username(email: &str) -> String {
    let is_accepted = |c: char| c.is_ascii_alphanumeric() || "@.-_+".contains(c);
    let name: String = email.chars().map(|c| if is_accepted(c) { c } else { '.' }).collect();
    if name == email {
        return name;
    }
    format!("{}.{name}", digits(email))
}

/// Returns a password that must be changed at the first sign-in.
fn temporary_password() -> Result<Value> {
    Ok(json!({ "type": "password", "value": password::temporary()?, "temporary": true }))
}
