//! Whole tokens as Keycloak, Entra and Cognito document them, in `tests/claims`. A test on moto
//! compares those of Cognito.

use reqwest::Method;
use serde_json::{Value, json};
use support::{App, Browser, provider::Provider};

use crate::sign_in::app_of;

/// Claims that belong to one token and not to a shape. The provider of the test sets its own.
const OWN: [&str; 6] = ["iss", "aud", "nonce", "iat", "nbf", "exp"];

/// Returns the documented claims of a kind of token, without those of one token.
fn claims(tokens: &str, kind: &str) -> Value {
    let mut claims = serde_json::from_str::<Value>(tokens).unwrap()[kind].take();
    claims.as_object_mut().unwrap().retain(|name, _| !OWN.contains(&name.as_str()));
    claims
}

const KEYCLOAK: &str = include_str!("../claims/keycloak.json");
const ENTRA: &str = include_str!("../claims/entra.json");
const COGNITO: &str = include_str!("../claims/cognito.json");

fn grant(claim: Option<&str>, value: &str, role: &str) -> Value {
    match claim {
        Some(claim) => json!({ "claim": claim, "value": value, "role": role }),
        None => json!({ "value": value, "role": role }),
    }
}

fn roles(grants: &[Value]) -> String {
    json!({ "grants": grants }).to_string()
}

/// Signs the person with these claims in. Returns the page of the callback.
async fn sign_in(app: &App, provider: &Provider, claims: Value) -> (Browser, support::Page) {
    provider.state().claims = claims;
    let browser = Browser::new(app.local().base_url());
    let start = browser.open("/auth/sign-in").await.expect(302);
    let html = |request: reqwest::RequestBuilder| request.header("accept", "text/html");
    let end = browser.send(Method::GET, &provider.authorize(&start.location), html).await;
    (browser, end)
}

/// Signs the person with these claims in. Returns its roles, each with the claim that gave it.
async fn reasons(app: &App, provider: &Provider, claims: Value) -> Vec<(String, String)> {
    let (browser, end) = sign_in(app, provider, claims).await;
    end.expect(303);
    let issued = browser.post("/auth/token").await.expect(200).body;
    let me = app.client.get(issued["token"].as_str().unwrap(), "/operators/me").await.expect(200);
    let text = |reason: &Value, name: &str| reason[name].as_str().unwrap().to_owned();
    let reasons = me.body["reasons"].as_array().unwrap();
    reasons.iter().map(|reason| (text(reason, "role"), text(reason, "claim"))).collect()
}

fn pair(role: &str, claim: &str) -> (String, String) {
    (role.to_owned(), claim.to_owned())
}

#[tokio::test]
async fn roles_and_groups_of_keycloak_are_found() {
    let provider = Provider::start().await;
    let grants = roles(&[
        grant(None, "tenantry-admins", "admin"),
        grant(None, "look", "viewer"),
        grant(Some("groups"), "/people/support", "support"),
        grant(Some("groups"), "support", "billing"),
        grant(None, "manage-account", "catalog"),
    ]);
    let app = app_of(&provider, &[("OPERATOR_ROLES", &grants)]).await;
    let found = reasons(&app, &provider, claims(KEYCLOAK, "id")).await;
    let expected = [
        pair("admin", "realm_access.roles"),
        pair("viewer", "resource_access.console.roles"),
        pair("support", "groups"),
    ];
    assert_eq!(found, expected, "neither part of a path nor the role of another client counts");
    let operator = &app.read("/operators").await.body[0];
    assert_eq!(
        (&operator["name"], &operator["email"]),
        (&json!("Ada Lovelace"), &json!("ada@acme.test"))
    );
}

#[tokio::test]
async fn roles_and_groups_of_entra_are_found() {
    let provider = Provider::start().await;
    let grants = roles(&[
        grant(None, "Tenantry.Admin", "admin"),
        grant(None, "0e129f5b-6b0a-4944-982d-f776045632af", "viewer"),
        grant(None, "b79fbf4d-3ef9-4689-8143-76b194e85509", "billing"),
    ]);
    let more = [("OPERATOR_ROLES", grants.as_str()), ("OPERATOR_ADMINS", "ada@acme.test")];
    let app = app_of(&provider, &more).await;
    let found = reasons(&app, &provider, claims(ENTRA, "id")).await;
    assert_eq!(found, [pair("admin", "roles"), pair("viewer", "groups")]);

    let mut without = claims(ENTRA, "id");
    for claim in ["roles", "groups"] {
        without[claim] = Value::Null;
    }
    let (_, refused) = sign_in(&app, &provider, without).await;
    assert!(refused.expect(403).text.contains("NO_ROLE"), "the email address is not verified");
}

#[tokio::test]
async fn too_many_groups_at_entra_are_named_and_app_roles_still_count() {
    let provider = Provider::start().await;
    let grants = roles(&[
        grant(None, "Tenantry.Admin", "admin"),
        grant(Some("groups"), "0e129f5b-6b0a-4944-982d-f776045632af", "viewer"),
    ]);
    let app = app_of(&provider, &[("OPERATOR_ROLES", &grants)]).await;
    let mut overage = claims(ENTRA, "id");
    overage["groups"] = Value::Null;
    for (name, value) in claims(ENTRA, "overage").as_object().unwrap() {
        overage[name] = value.clone();
    }
    assert_eq!(reasons(&app, &provider, overage.clone()).await, [pair("admin", "roles")]);
    overage["roles"] = Value::Null;
    let (_, page) = sign_in(&app, &provider, overage.clone()).await;
    assert!(page.expect(403).text.contains("too many groups"));

    overage["_claim_names"] = Value::Null;
    overage["_claim_sources"] = Value::Null;
    let (_, page) = sign_in(&app, &provider, overage.clone()).await;
    assert!(!page.expect(403).text.contains("too many groups"));
    overage["hasgroups"] = json!(true);
    let (_, page) = sign_in(&app, &provider, overage).await;
    assert!(page.expect(403).text.contains("too many groups"));
}

#[tokio::test]
async fn groups_of_cognito_are_found_and_its_verified_email_counts() {
    let provider = Provider::start().await;
    let grants = roles(&[grant(Some("cognito:groups"), "viewer", "viewer")]);
    let more = [("OPERATOR_ROLES", grants.as_str()), ("OPERATOR_ADMINS", "ada@acme.test")];
    let app = app_of(&provider, &more).await;
    let found = reasons(&app, &provider, claims(COGNITO, "id")).await;
    assert_eq!(found, [pair("viewer", "cognito:groups"), pair("admin", "email")]);
    let name = &app.read("/operators").await.body[0]["name"];
    assert_eq!(name, "ada@acme.test", "its tokens have no other name");
}

#[tokio::test]
async fn access_tokens_of_each_are_exchanged_and_id_tokens_are_not() {
    for (tokens, audience, client, group) in [
        (KEYCLOAK, json!(["tenantry", "account"]), "deployer", "tenantry-support"),
        (
            ENTRA,
            json!("8c1e7f0a-3b1b-4d5e-9f6a-2d7c4b8e1a90"),
            "5f0c3a1e-7d4b-4c8e-a1f2-6b9d8e7c0f31",
            "Tenantry.Support",
        ),
        (COGNITO, Value::Null, "deployer", "support"),
    ] {
        let provider = Provider::start().await;
        let audiences = ["tenantry", "8c1e7f0a-3b1b-4d5e-9f6a-2d7c4b8e1a90"];
        let trusted = json!([{
            "issuer": provider.url, "audiences": audiences, "clients": [client, "console"],
            "grants": [grant(None, group, "support"), grant(None, "admin", "viewer")],
        }]);
        let app = app_of(&provider, &[("TOKEN_ISSUERS", &trusted.to_string())]).await;
        let now = lambda::now().seconds();
        let exchange = async |mut claims: Value, audience: &Value| {
            claims["iss"] = provider.url.as_str().into();
            (claims["iat"], claims["exp"]) = (now.into(), (now + 300).into());
            if !audience.is_null() {
                claims["aud"] = audience.clone();
            }
            app.client.post(&provider.sign(&claims), "/auth/exchange", &Value::Null).await
        };
        let issued = exchange(claims(tokens, "access"), &audience).await.expect(200).body;
        assert_eq!(issued["operator"]["roles"], json!(["support"]), "{client}");
        exchange(claims(tokens, "access"), &json!("console")).await.expect(401);
        exchange(claims(tokens, "id"), &json!("console")).await.expect(401);
    }
}
