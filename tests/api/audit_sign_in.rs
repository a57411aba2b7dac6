//! Sign-ins of operators in the audit log.

use reqwest::Method;
use serde_json::{Value, json};
use support::{App, Browser, provider::Provider};

use crate::{
    audit::entries,
    sign_in::{app_of, outdate, signed_in},
};

/// Returns the entries with this action.
fn entries_of(app: &App, action: &str) -> Vec<Value> {
    entries(app).into_iter().filter(|entry| entry["action"] == action).collect()
}

/// Tries to sign in, and returns the code of the refusal.
async fn refused(app: &App, provider: &Provider) -> String {
    let browser = Browser::new(app.local().base_url());
    let start = browser.open("/auth/sign-in").await.expect(302);
    browser.open(&provider.authorize(&start.location)).await.expect(403).code().to_owned()
}

#[tokio::test]
async fn a_sign_in_is_recorded_with_its_operator() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    let browser = signed_in(&app, &provider).await;
    let id = browser.post("/auth/token").await.expect(200).body["operator"]["id"].clone();
    app.settle().await;
    for action in ["operator.created", "session.started"] {
        let found = entries_of(&app, action);
        assert_eq!(found.len(), 1, "{action}");
        let entry = &found[0];
        assert_eq!(entry["actor"], json!({ "type": "operator", "id": id }), "{action}");
        assert_eq!((&entry["via"], &entry["chain"]), (&json!("console"), &json!("operators")));
    }
}

#[tokio::test]
async fn the_end_of_a_session_is_recorded_with_who_ended_it() {
    let provider = Provider::start().await;
    provider.state().refreshes = true;
    let app = app_of(&provider, &[]).await;
    let by = |kind: &str, id: &Value| json!({ "type": kind, "id": id });
    let ends = async || {
        app.settle().await;
        let ends = entries_of(&app, "session.ended");
        ends.iter().map(|entry| (entry["actor"].clone(), entry["via"].clone())).collect::<Vec<_>>()
    };

    // Ada signs out.
    let ada = signed_in(&app, &provider).await;
    let id = ada.post("/auth/token").await.expect(200).body["operator"]["id"].clone();
    ada.post("/auth/sign-out").await.expect(200);
    let mut expected = vec![(by("operator", &id), json!("console"))];
    assert_eq!(ends().await, expected);

    // Another operator ends her session, and then disables a third person.
    signed_in(&app, &provider).await;
    let sessions = format!("/operators/{}/sessions", id.as_str().unwrap());
    let session = app.read(&sessions).await.text("/0/id");
    app.client.delete(&app.operator, &format!("{sessions}/{session}")).await.expect(204);
    expected.push((by("operator", &json!("local-operator")), json!("api")));
    assert_eq!(ends().await, expected);
    provider.claim("sub", "bob");
    let bob = signed_in(&app, &provider).await.post("/auth/token").await.expect(200);
    let path = format!("/operators/{}", bob.body["operator"]["id"].as_str().unwrap());
    app.client.patch(&app.operator, &path, &json!({ "disabled": true })).await.expect(204);
    expected.push((by("operator", &json!("local-operator")), json!("api")));
    assert_eq!(ends().await, expected);

    // The provider ends a session, and a session's time is over.
    provider.claim("sub", "ada");
    let ada = signed_in(&app, &provider).await;
    provider.forget();
    outdate(&app);
    ada.post("/auth/token").await.expect(401);
    expected.push((by("system", &Value::Null), json!("system")));
    assert_eq!(ends().await, expected);
    signed_in(&app, &provider).await;
    let mut sessions = app.items_of("session");
    for session in &mut sessions {
        session["expiresAt"] = json!({ "N": (lambda::now().seconds() - 1).to_string() });
    }
    app.import(sessions);
    app.local().sweep_expired().unwrap();
    expected.push((by("system", &Value::Null), json!("system")));
    assert_eq!(ends().await, expected, "the removal of ended sessions is not recorded again");
    assert_eq!(app.items_of("session"), Vec::<Value>::new());
}

#[tokio::test]
async fn a_refused_sign_in_is_recorded_with_its_reason() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    // Two, because the last admin can't be disabled.
    for subject in ["bob", "ada"] {
        provider.claim("sub", subject);
        signed_in(&app, &provider).await;
    }
    let id = app.read("/operators").await.text("/0/id");
    let path = format!("/operators/{id}");
    let disable = |request: reqwest::RequestBuilder| {
        request.bearer_auth(&app.operator).json(&json!({ "disabled": true }))
    };
    app.client.send(Method::PATCH, &path, disable).await.expect(204);
    assert_eq!(refused(&app, &provider).await, "OPERATOR_DISABLED");
    provider.claim("groups", json!(["others"]));
    assert_eq!(refused(&app, &provider).await, "NO_ROLE");
    app.settle().await;
    let noted = entries_of(&app, "operator.sign_in_refused");
    let why = |entry: &Value| {
        let changes = entry["changes"].as_array().unwrap();
        changes.iter().find(|change| change["path"] == "/code").unwrap()["to"].clone()
    };
    assert_eq!(noted.iter().map(why).collect::<Vec<_>>(), ["OPERATOR_DISABLED", "NO_ROLE"]);
    for entry in &noted {
        assert_eq!(entry["actor"], json!({ "type": "operator", "id": id }));
        assert_eq!(entry["target"]["type"], "operator");
    }
    assert!(!json!(noted).to_string().contains("arker"), "the log has no name and no address");

    // A person learns of the refusal even if it cannot be noted.
    app.set_failing("PutItem", true);
    assert_eq!(refused(&app, &provider).await, "NO_ROLE");
}
