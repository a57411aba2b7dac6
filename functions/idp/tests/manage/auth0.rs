use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    fake::{Answer, Call, Fake, is_strong},
    idp::{Idp, body},
    recovery::recovers_after_every_failure,
};

/// A fake Auth0, with the calls of its Management and Authentication APIs that are in use.
#[derive(Default)]
struct Auth0 {
    organizations: Vec<Value>,
    clients: Vec<Value>,
    enabled: BTreeSet<String>,
    users: Vec<Value>,
    members: BTreeSet<(String, String)>,
    mails: Vec<Value>,
}

impl Auth0 {
    fn answer(&mut self, call: &Call) -> Answer {
        match call.line().as_slice() {
            ["POST", "oauth", "token"] => {
                let required = ["grant_type", "client_id", "client_secret", "audience"];
                let token = call.object(&required, &[]);
                assert_eq!(token["grant_type"], "client_credentials");
                assert_eq!(token["client_id"], "management");
                assert_eq!(token["client_secret"], "secret-marker");
                assert_eq!(token["audience"], "https://acme.auth0.test/api/v2/");
                (200, json!({ "access_token": "token-marker", "token_type": "Bearer" }))
            }
            ["POST", "dbconnections", "change_password"] => {
                let required = ["client_id", "email", "connection", "organization"];
                let mail = call.object(&required, &[]);
                assert_eq!(call.header("authorization"), "");
                assert!(self.enabled.contains(mail["client_id"].as_str().unwrap()));
                self.mails.push(mail);
                (200, json!("We've just sent you an email to reset your password."))
            }
            [method, "api", "v2", path @ ..] => {
                assert_eq!(call.header("authorization"), "Bearer token-marker");
                self.manage(method, path, call)
            }
            line => panic!("{line:?}"),
        }
    }

    fn manage(&mut self, method: &str, path: &[&str], call: &Call) -> Answer {
        match (method, path) {
            ("GET", ["connections"]) => {
                assert_eq!(call.query["name"], "Username-Password-Authentication");
                assert_eq!(call.query["strategy"], "auth0");
                (200, json!([{ "id": "con_1", "name": call.query["name"] }]))
            }
            ("GET", ["organizations", "name", name]) => {
                let found = self.organizations.iter().find(|found| found["name"] == **name);
                found.map_or((404, json!({ "statusCode": 404 })), |found| (200, found.clone()))
            }
            ("POST", ["organizations"]) => self.create_organization(call),
            ("GET", ["clients"]) => {
                let (page, size) = (&call.query["page"], &call.query["per_page"]);
                let (page, size): (usize, usize) = (page.parse().unwrap(), size.parse().unwrap());
                assert!(size <= 100);
                (200, self.clients.iter().skip(page * size).take(size).cloned().collect())
            }
            ("POST", ["clients"]) => {
                let mut client = call.object(
                    &["name", "app_type", "client_metadata"],
                    &[
                        "token_endpoint_auth_method",
                        "grant_types",
                        "oidc_conformant",
                        "organization_usage",
                        "organization_require_behavior",
                        "callbacks",
                        "allowed_logout_urls",
                        "web_origins",
                    ],
                );
                assert_eq!(client["callbacks"], json!(["https://acme.saas.test"]));
                client["client_id"] = format!("client-{}", self.clients.len()).into();
                self.clients.push(client.clone());
                (201, client)
            }
            ("PATCH", ["connections", "con_1", "clients"]) => {
                let changes: Value = serde_json::from_slice(&call.body).unwrap();
                let [change] = changes.as_array().unwrap().as_slice() else { panic!("{changes}") };
                assert_eq!(change["status"], true);
                self.enabled.insert(change["client_id"].as_str().unwrap().to_owned());
                (204, Value::Null)
            }
            ("GET", ["users-by-email"]) => {
                let found = self.users.iter().filter(|user| user["email"] == call.query["email"]);
                (200, found.cloned().collect())
            }
            ("POST", ["users"]) => self.create_user(call),
            ("PATCH", ["users", id]) => {
                let change = call.object(&["app_metadata"], &["connection", "password"]);
                let user = self.users.iter_mut().find(|user| user["user_id"] == **id).unwrap();
                for (name, value) in change["app_metadata"].as_object().unwrap() {
                    user["app_metadata"][name] = value.clone();
                }
                if let Some(password) = change.get("password") {
                    assert!(is_strong(password));
                    user["password"] = "ours".into();
                }
                (200, user.clone())
            }
            ("POST", ["organizations", id, "members"]) => {
                let members = call.object(&["members"], &[]);
                for member in members["members"].as_array().unwrap() {
                    assert!(self.users.iter().any(|user| user["user_id"] == *member));
                    self.members.insert(((*id).to_owned(), member.as_str().unwrap().to_owned()));
                }
                (204, Value::Null)
            }
            _ => panic!("{method} {path:?}"),
        }
    }

    fn create_organization(&mut self, call: &Call) -> Answer {
        let optional = ["metadata", "enabled_connections", "branding"];
        let mut organization = call.object(&["name", "display_name"], &optional);
        let name = organization["name"].as_str().unwrap();
        assert!(name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-'));
        assert!((1..=50).contains(&name.len()));
        assert_eq!(organization["enabled_connections"][0]["connection_id"], "con_1");
        if self.organizations.iter().any(|known| known["name"] == name) {
            return (409, json!({ "statusCode": 409 }));
        }
        organization["id"] = format!("org_{}", self.organizations.len()).into();
        self.organizations.push(organization.clone());
        (201, organization)
    }

    fn create_user(&mut self, call: &Call) -> Answer {
        let optional =
            ["given_name", "family_name", "name", "email_verified", "verify_email", "app_metadata"];
        let mut user = call.object(&["connection", "email", "password"], &optional);
        assert!(is_strong(&user["password"]));
        user["password"] = "ours".into();
        if self.users.iter().any(|known| known["email"] == user["email"]) {
            return (409, json!({ "statusCode": 409 }));
        }
        user["user_id"] = format!("auth0|{}", self.users.len()).into();
        user["identities"] = json!([{ "connection": user["connection"], "provider": "auth0" }]);
        self.users.push(user.clone());
        (201, user)
    }
}

async fn start() -> (Fake<Auth0>, Idp) {
    let fake = Fake::start(Auth0::default(), Auth0::answer).await;
    let idp = Idp::start(&[
        ("AUTH0_DOMAIN", &fake.url),
        ("AUTH0_CLIENT_ID", "management"),
        ("AUTH0_CLIENT_SECRET", "secret-marker"),
        ("AUTH0_AUDIENCE", "https://acme.auth0.test/api/v2/"),
    ])
    .await;
    (fake, idp)
}

fn snapshot(auth0: &Auth0) -> Value {
    let is_mailed = !auth0.mails.is_empty();
    let Auth0 { organizations, clients, enabled, users, members, .. } = auth0;
    json!([organizations, clients, enabled, users, members, is_mailed])
}

#[tokio::test]
async fn a_premium_tenant_gets_its_own_organization() {
    let (fake, idp) = start().await;
    let answer = idp.manage(&body("auth0", "acme", "PREMIUM", "Ada@acme.test")).await;
    assert_eq!(answer.body, json!({ "authId": "auth0|0" }), "{}", idp.log());
    fake.state(|auth0| {
        assert_eq!(auth0.organizations[0]["name"], "acme");
        assert_eq!(auth0.organizations[0]["display_name"], "Acme Ltd");
        assert_eq!(auth0.users[0]["app_metadata"], json!({ "tenantry_acme": "admin" }));
        assert!(auth0.members.contains(&("org_0".into(), "auth0|0".into())));
        let mail = json!({
            "client_id": "client-0",
            "email": "ada@acme.test",
            "connection": "Username-Password-Authentication",
            "organization": "org_0",
        });
        assert_eq!(auth0.mails, [mail]);
    });
}

#[tokio::test]
async fn other_tiers_share_an_organization() {
    let (fake, idp) = start().await;
    for email in ["ada@acme.test", "bob@acme.test"] {
        assert_eq!(idp.manage(&body("auth0", "acme", "Standard", email)).await.status, 200);
    }
    fake.state(|auth0| {
        assert_eq!(auth0.organizations.len(), 1);
        assert_eq!(auth0.organizations[0]["name"], "tier-standard");
        assert_eq!(auth0.members.len(), 2);
    });
}

#[tokio::test]
async fn a_failure_at_any_step_leaves_no_duplicates() {
    recovers_after_every_failure("auth0", start, snapshot).await;
}

#[tokio::test]
async fn resources_created_concurrently_are_looked_up() {
    let (fake, idp) = start().await;
    fake.race(|call| {
        matches!(call.line().as_slice(), ["POST", "api", "v2", "organizations" | "users"])
    });
    let answer = idp.manage(&body("auth0", "acme", "PREMIUM", "ada@acme.test")).await;
    assert_eq!(answer.body, json!({ "authId": "auth0|0" }), "{}", idp.log());
}

#[tokio::test]
async fn an_organization_without_our_mark_is_never_changed() {
    let (fake, idp) = start().await;
    let foreign = json!({ "id": "org_x", "name": "acme", "display_name": "Others" });
    fake.state(|auth0| auth0.organizations.push(foreign));
    let answer = idp.manage(&body("auth0", "acme", "PREMIUM", "ada@acme.test")).await;
    assert_eq!(answer.status, 502);
    assert_eq!(answer.body["error"]["message"], "auth0: finding the organization");
    fake.state(|auth0| assert!(auth0.users.is_empty() && auth0.members.is_empty()));
}

#[tokio::test]
async fn a_client_is_found_on_any_page() {
    let (fake, idp) = start().await;
    let others = (0..230).map(|n| json!({ "client_id": format!("other-{n}") }));
    fake.state(|auth0| auth0.clients.extend(others));
    let body = body("auth0", "acme", "PREMIUM", "ada@acme.test");
    for _ in 0..2 {
        assert_eq!(idp.manage(&body).await.status, 200);
    }
    fake.state(|auth0| assert_eq!(auth0.clients.len(), 231));
}

/// Anyone can sign up to Auth0's database connection with any address.
#[tokio::test]
async fn the_password_of_an_unverified_user_is_replaced() {
    for (verified, password, mails) in [(false, "ours", 1), (true, "theirs", 0)] {
        let (fake, idp) = start().await;
        fake.state(|auth0| {
            auth0.users.push(json!({
                "user_id": "auth0|9",
                "email": "ada@acme.test",
                "email_verified": verified,
                "app_metadata": { "theme": "dark" },
                "password": "theirs",
                "identities": [{ "connection": "Username-Password-Authentication" }],
            }));
        });
        let answer = idp.manage(&body("auth0", "acme", "PREMIUM", "ada@acme.test")).await;
        assert_eq!(answer.body, json!({ "authId": "auth0|9" }));
        fake.state(|auth0| {
            let [user] = auth0.users.as_slice() else { panic!() };
            assert_eq!(user["password"], password);
            let metadata = json!({ "theme": "dark", "tenantry_acme": "admin" });
            assert_eq!(user["app_metadata"], metadata);
            assert_eq!(auth0.mails.len(), mails);
        });
    }
}
