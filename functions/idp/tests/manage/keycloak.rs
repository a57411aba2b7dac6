use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use serde_json::{Value, json};

use crate::{
    fake::{Answer, Call, Fake, is_strong},
    idp::{Idp, body},
    recovery::recovers_after_every_failure,
};

/// A fake Keycloak below `/auth`, with the calls of its Admin REST API that are in use.
#[derive(Default)]
struct Keycloak {
    realms: BTreeMap<String, Realm>,
    /// Realms that existed when the last token was issued. The token has no roles in others.
    known: BTreeSet<String>,
}

struct Realm {
    representation: Value,
    clients: Vec<Value>,
    roles: BTreeSet<String>,
    users: Vec<Value>,
    granted: BTreeSet<(String, String)>,
    mails: usize,
}

impl Keycloak {
    fn answer(&mut self, call: &Call) -> Answer {
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
    fn of(representation: Value) -> Self {
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

#[tokio::test]
async fn a_user_name_is_derived_from_an_address_that_keycloak_refuses() {
    let (fake, idp) = start().await;
    let set_up = body("keycloak", "acme", "STANDARD", "o'hara@acme.test");
    let [first, again] = [idp.manage(&set_up).await, idp.manage(&set_up).await];
    assert_eq!(first.status, 200, "{:?}", first.body);
    assert_eq!(first.body, again.body);
    let user = fake.state(|state| state.realms["tier-standard"].users[0].clone());
    assert_eq!(user["email"], "o'hara@acme.test");
    assert!(user["username"].as_str().unwrap().ends_with(".o.hara@acme.test"), "{user}");
}

#[tokio::test]
async fn a_name_that_keycloak_refuses_is_named_without_its_value() {
    let (_fake, idp) = start().await;
    for (first, last, paths) in [
        ("Bob & Sally", "Miller", &["/tenant/contacts/1/firstName"][..]),
        ("Anne", "(Sales)", &["/tenant/contacts/1/lastName"]),
        ("X/Y", "<b>", &["/tenant/contacts/1/firstName", "/tenant/contacts/1/lastName"]),
    ] {
        let mut set_up = body("keycloak", "acme", "PREMIUM", "ada@acme.test");
        set_up["tenant"]["contacts"][1]["firstName"] = first.into();
        set_up["tenant"]["contacts"][1]["lastName"] = last.into();
        let answer = idp.manage(&set_up).await;
        assert_eq!(answer.status, 422, "{:?}", answer.body);
        let details = answer.body["error"]["details"].as_array().unwrap().clone();
        let found: Vec<_> = details.iter().map(|detail| detail["path"].as_str().unwrap()).collect();
        assert_eq!(found, paths);
        for detail in &details {
            assert_eq!(detail["code"], "refused");
            let info = json!({
                "step": "keycloak: creating the user",
                "reason": "error-person-name-invalid-character",
            });
            assert_eq!(detail["info"], info);
        }
        let text = answer.body.to_string() + &idp.log();
        assert!(text.contains("keycloak: creating the user"), "{text}");
        assert!(!text.contains(first) && !text.contains(last), "{text}");
    }
}

async fn start() -> (Fake<Keycloak>, Idp) {
    let fake = Fake::start(Keycloak::default(), Keycloak::answer).await;
    let idp = Idp::start(&[
        ("KEYCLOAK_HOST", &format!("{}/auth", fake.url)),
        ("KEYCLOAK_ADMIN_USERNAME", "root"),
        ("KEYCLOAK_ADMIN_PASSWORD", "secret-marker&+"),
        ("AWS_SES_SMTP_HOST", "smtp.test"),
        ("AWS_SES_SMTP_USERNAME", "smtp"),
        ("AWS_SES_SMTP_PASSWORD", "smtp-secret-marker"),
    ])
    .await;
    (fake, idp)
}

fn snapshot(keycloak: &Keycloak) -> Value {
    let realms = keycloak.realms.iter().map(|(name, realm)| {
        let is_mailed = realm.mails > 0;
        json!([name, realm.representation, realm.clients, realm.users, realm.granted, is_mailed])
    });
    realms.collect()
}

#[tokio::test]
async fn a_premium_tenant_gets_its_own_realm() {
    let (fake, idp) = start().await;
    let answer = idp.manage(&body("keycloak", "acme", "PREMIUM", "Ada@acme.test")).await;
    assert_eq!(answer.body, json!({ "authId": "user-uuid-0" }), "{}", idp.log());
    fake.state(|keycloak| {
        let realm = &keycloak.realms["acme"];
        assert_eq!(realm.representation["displayName"], "Acme Ltd");
        assert_eq!(realm.clients[0]["clientId"], "client-acme");
        assert_eq!(realm.users[0]["email"], "ada@acme.test");
        assert_eq!(realm.users[0]["firstName"], "Ada");
        let granted = ("user-uuid-0".to_owned(), "client-uuid-0".to_owned());
        assert!(realm.granted.contains(&granted));
        assert_eq!(realm.mails, 1);
    });
}

#[tokio::test]
async fn other_tiers_share_a_realm() {
    let (fake, idp) = start().await;
    for email in ["ada@acme.test", "bob@acme.test"] {
        let answer = idp.manage(&body("keycloak", "acme", "Standard", email)).await;
        assert_eq!(answer.status, 200);
    }
    fake.state(|keycloak| {
        assert_eq!(keycloak.realms.keys().collect::<Vec<_>>(), ["tier-standard"]);
        assert_eq!(keycloak.realms["tier-standard"].users.len(), 2);
    });
}

#[tokio::test]
async fn a_failure_at_any_step_leaves_no_duplicates() {
    recovers_after_every_failure("keycloak", start, snapshot).await;
}

#[tokio::test]
async fn resources_created_concurrently_are_looked_up() {
    let (fake, idp) = start().await;
    fake.race(|call| call.method == Method::POST && !call.path.contains(&"token".to_owned()));
    let answer = idp.manage(&body("keycloak", "acme", "PREMIUM", "ada@acme.test")).await;
    assert_eq!(answer.body, json!({ "authId": "user-uuid-0" }), "{}", idp.log());
}

#[tokio::test]
async fn a_realm_without_our_mark_is_never_changed() {
    let (fake, idp) = start().await;
    let foreign = Realm::of(json!({ "realm": "master", "attributes": {} }));
    fake.state(|keycloak| keycloak.realms.insert("master".into(), foreign));
    let answer = idp.manage(&body("keycloak", "master", "PREMIUM", "ada@acme.test")).await;
    assert_eq!(answer.status, 502);
    assert_eq!(answer.body["error"]["message"], "keycloak: finding the realm");
    fake.state(|keycloak| assert!(keycloak.realms["master"].users.is_empty()));
}

#[tokio::test]
async fn no_email_is_sent_after_the_password_was_chosen() {
    let (fake, idp) = start().await;
    let body = body("keycloak", "acme", "PREMIUM", "ada@acme.test");
    idp.manage(&body).await;
    fake.state(|keycloak| {
        let user = &mut keycloak.realms.get_mut("acme").unwrap().users[0];
        user["emailVerified"] = true.into();
        user["requiredActions"] = json!([]);
    });
    assert_eq!(idp.manage(&body).await.status, 200);
    fake.state(|keycloak| assert_eq!(keycloak.realms["acme"].mails, 1));
}

#[tokio::test]
async fn the_password_of_an_unverified_user_is_replaced() {
    let (fake, idp) = start().await;
    let body = body("keycloak", "acme", "PREMIUM", "ada@acme.test");
    idp.manage(&body).await;
    fake.state(|keycloak| {
        let user = &mut keycloak.realms.get_mut("acme").unwrap().users[0];
        user["requiredActions"] = json!([]);
    });
    assert_eq!(idp.manage(&body).await.status, 200);
    fake.state(|keycloak| {
        assert_eq!(keycloak.realms["acme"].users[0]["password"], "ours");
        assert_eq!(keycloak.realms["acme"].mails, 2);
    });
}
