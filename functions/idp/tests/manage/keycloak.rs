use axum::http::Method;
use serde_json::{Value, json};

use crate::{
    fake::{
        Fake,
        keycloak::{Keycloak, Realm},
    },
    idp::{Idp, body},
    recovery::recovers_after_every_failure,
};

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
    let variables = Keycloak::variables(&fake.url);
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let idp = Idp::start(&variables).await;
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
