use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Answer, Call, is_strong};

/// A fake Keycloak below `/auth`, with the calls of its Admin REST API that are in use.
#[derive(Default)]
pub(crate) struct Keycloak {
    pub(crate) realms: BTreeMap<String, Realm>,
    /// Realms that existed when the last token was issued. The token has no roles in others.
    known: BTreeSet<String>,
}

pub(crate) struct Realm {
    pub(crate) representation: Value,
    pub(crate) clients: Vec<Value>,
    roles: BTreeSet<String>,
    pub(crate) users: Vec<Value>,
    pub(crate) granted: BTreeSet<(String, String)>,
    pub(crate) mails: usize,
}

impl Keycloak {
    /// Returns the variables of a function that uses the Keycloak at `url`.
    pub(crate) fn variables(url: &str) -> Vec<(&'static str, String)> {
        let values = [
            ("KEYCLOAK_ADMIN_USERNAME", "root"),
            ("KEYCLOAK_ADMIN_PASSWORD", "secret-marker&+"),
            ("AWS_SES_SMTP_HOST", "smtp.test"),
            ("AWS_SES_SMTP_USERNAME", "smtp"),
            ("AWS_SES_SMTP_PASSWORD", "smtp-secret-marker"),
        ];
        let values = values.into_iter().map(|(name, value)| (name, value.to_owned()));
        values.chain([("KEYCLOAK_HOST", format!("{url}/auth"))]).collect()
    }

    pub(crate) fn answer(&mut self, call: &Call) -> Answer {
        let line = call.line();
        if line == ["POST", "auth", "realms", "master", "protocol", "openid-connect", "token"] {
            let form = call.form();
            let fields: Vec<_> = form.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            let expected = [
                ("client_id", "admin-cli"),
                ("grant_type", "password"),
                ("password", "secret-marker&+"),
                ("username", "root"),
            ];
            assert_eq!(fields, expected);
            self.known = self.realms.keys().cloned().collect();
            return (200, json!({ "access_token": "token-marker", "expires_in": 60 }));
        }
        assert_eq!(call.header("authorization"), "Bearer token-marker");
        let [method, "auth", "admin", "realms", rest @ ..] = line.as_slice() else {
            panic!("{line:?}")
        };
        if (*method, rest) == ("POST", &[]) {
            return self.create_realm(call);
        }
        let [name, rest @ ..] = rest else { panic!("{line:?}") };
        let Some(realm) = self.realms.get_mut(*name) else {
            return (404, json!({ "error": "Realm not found." }));
        };
        if !self.known.contains(*name) {
            // Keycloak 22 and later return a stub instead of 403.
            return if rest.is_empty() {
                (200, json!({ "realm": name }))
            } else {
                (403, json!({}))
            };
        }
        realm.answer(method, rest, call)
    }

    fn create_realm(&mut self, call: &Call) -> Answer {
        let realm = call.object(
            &["realm", "enabled", "attributes", "smtpServer"],
            &[
                "displayName",
                "registrationAllowed",
                "loginWithEmailAllowed",
                "duplicateEmailsAllowed",
                "resetPasswordAllowed",
                "bruteForceProtected",
            ],
        );
        assert_eq!(realm["smtpServer"]["host"], "smtp.test");
        assert_eq!(realm["smtpServer"]["port"], "587");
        assert_eq!(realm["smtpServer"]["password"], "smtp-secret-marker");
        assert_eq!(realm["registrationAllowed"], false);
        let name = realm["realm"].as_str().unwrap().to_owned();
        if self.realms.contains_key(&name) {
            return (409, json!({ "errorMessage": "Conflict detected." }));
        }
        self.realms.insert(name, Realm::of(realm));
        (201, Value::Null)
    }
}

impl Realm {
    pub(crate) fn of(representation: Value) -> Self {
        Self {
            representation,
            clients: Vec::new(),
            roles: BTreeSet::new(),
            users: Vec::new(),
            granted: BTreeSet::new(),
            mails: 0,
        }
    }

    fn answer(&mut self, method: &str, path: &[&str], call: &Call) -> Answer {
        match (method, path) {
            ("GET", []) => (200, self.representation.clone()),
            ("GET", ["clients"]) => {
                let id = &call.query["clientId"];
                let found = self.clients.iter().filter(|client| client["clientId"] == **id);
                (200, found.cloned().collect())
            }
            ("POST", ["clients"]) => {
                let mut client = call.object(
                    &["clientId", "publicClient", "redirectUris"],
                    &[
                        "protocol",
                        "enabled",
                        "standardFlowEnabled",
                        "directAccessGrantsEnabled",
                        "webOrigins",
                        "attributes",
                    ],
                );
                assert_eq!(client["redirectUris"], json!(["https://acme.saas.test/*"]));
                if self.clients.iter().any(|known| known["clientId"] == client["clientId"]) {
                    return (409, json!({ "errorMessage": "Client already exists" }));
                }
                client["id"] = format!("client-uuid-{}", self.clients.len()).into();
                self.clients.push(client);
                (201, Value::Null)
            }
            ("GET", ["clients", client, "roles", "admin"]) => match self.roles.get(*client) {
                Some(client) => (200, json!({ "id": format!("role-{client}"), "name": "admin" })),
                None => (404, json!({ "error": "Could not find role" })),
            },
            ("POST", ["clients", client, "roles"]) => {
                assert_eq!(call.object(&["name"], &[])["name"], "admin");
                let new = self.roles.insert((*client).to_owned());
                (if new { 201 } else { 409 }, Value::Null)
            }
            ("GET", ["users"]) => {
                assert_eq!(call.query["exact"], "true");
                let found = self.users.iter().filter(|user| user["email"] == call.query["email"]);
                (200, found.cloned().collect())
            }
            ("POST", ["users"]) => self.create_user(call),
            ("PUT", ["users", id, "reset-password"]) => {
                let password = call.object(&["type", "value", "temporary"], &[]);
                assert!(is_strong(&password["value"]));
                let user = self.user(id);
                user["requiredActions"] = json!(["UPDATE_PASSWORD"]);
                user["password"] = "ours".into();
                (204, Value::Null)
            }
            ("POST", ["users", id, "role-mappings", "clients", client]) => {
                let roles: Value = serde_json::from_slice(&call.body).unwrap();
                assert_eq!(roles, json!([{ "id": format!("role-{client}"), "name": "admin" }]));
                assert!(self.roles.contains(*client));
                self.user(id);
                self.granted.insert(((*id).to_owned(), (*client).to_owned()));
                (204, Value::Null)
            }
            ("PUT", ["users", id, "execute-actions-email"]) => {
                let actions: Value = serde_json::from_slice(&call.body).unwrap();
                assert_eq!(actions, json!(["UPDATE_PASSWORD"]));
                self.user(id);
                self.mails += 1;
                (204, Value::Null)
            }
            _ => panic!("{method} {path:?}"),
        }
    }

    fn create_user(&mut self, call: &Call) -> Answer {
        let required = ["username", "email", "enabled", "credentials", "requiredActions"];
        let mut user = call.object(&required, &["firstName", "lastName", "emailVerified"]);
        let credential = user.as_object_mut().unwrap().remove("credentials").unwrap();
        assert_eq!(
            (&credential[0]["type"], &credential[0]["temporary"]),
            (&json!("password"), &json!(true))
        );
        assert!(is_strong(&credential[0]["value"]));
        if let Some(refused) = refusal(&user) {
            return (400, refused);
        }
        if self.users.iter().any(|known| known["email"] == user["email"]) {
            return (409, json!({ "errorMessage": "User exists with same email" }));
        }
        user["id"] = format!("user-uuid-{}", self.users.len()).into();
        self.users.push(user);
        (201, Value::Null)
    }

    fn user(&mut self, id: &str) -> &mut Value {
        self.users.iter_mut().find(|user| user["id"] == id).unwrap()
    }
}

/// Answers as the default user profile: user names and names of persons without these characters.
///
/// Source: `UsernameProhibitedCharactersValidator` and `PersonNameProhibitedCharactersValidator` of
/// Keycloak.
fn refusal(user: &Value) -> Option<Value> {
    let has = |name: &str, refused: &str| {
        user[name].as_str().unwrap().chars().any(|c| refused.contains(c) || c.is_control())
    };
    let name = "<>&\"$%!#?§;*~/\\|^=[]{}()";
    let errors = [
        ("username", format!("{name}' `,:"), "error-username-invalid-character"),
        ("firstName", name.to_owned(), "error-person-name-invalid-character"),
        ("lastName", name.to_owned(), "error-person-name-invalid-character"),
    ];
    let errors: Vec<_> = errors
        .into_iter()
        .filter(|(field, refused, _)| has(field, refused))
        .map(|(field, _, code)| {
            json!({ "field": field, "errorMessage": code, "params": [field, user[field]] })
        })
        .collect();
    match errors.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        _ => Some(json!({ "errors": errors })),
    }
}
