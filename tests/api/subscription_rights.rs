//! The rights of a lead on subscriptions.

use serde_json::json;
use support::{App, VerifiedLead, tenant};

/// Onboards the tenant of a lead and returns its ID.
async fn tenant_of(app: &App, lead: &VerifiedLead, key: &str) -> String {
    let mut body = tenant(key);
    body.as_object_mut().unwrap().remove("contact");
    let path = format!("/leads/{}/tenants", lead.id);
    app.client.post(&lead.token, &path, &body).await.expect(200).text("/id")
}

#[tokio::test]
async fn a_lead_reads_its_own_subscription_and_changes_none() {
    let app = App::start().await;
    let plan = app.active_plan(&json!({})).await;
    let (ada, bob) =
        (app.verified_lead("ada@acme.test").await, app.verified_lead("bob@acme.test").await);
    let (of_ada, of_bob) = (tenant_of(&app, &ada, "ada").await, tenant_of(&app, &bob, "bob").await);
    let own = app.subscribe(&of_ada, &plan).await.expect(200).text("/id");
    let other = app.subscribe(&of_bob, &plan).await.expect(200).text("/id");
    app.settle().await;

    let get = |path: String| {
        let (app, ada) = (&app, &ada);
        async move { app.client.get(&ada.token, &path).await }
    };
    assert_eq!(get(format!("/subscriptions/{own}")).await.expect(200).body["id"], json!(own));
    get(format!("/subscriptions/{other}")).await.expect(403);
    assert_eq!(get("/subscriptions".to_owned()).await.expect(200).each("id"), [json!(own)]);
    assert_eq!(get("/subscriptions/count".to_owned()).await.expect(200).body["count"], 1);
    for list in ["expire-soon?days=366", "expired?days=366"] {
        assert!(get(format!("/subscriptions/{list}")).await.expect(200).items().is_empty());
    }
    let body = json!({ "subscriberId": of_ada, "planId": plan });
    app.client.post(&ada.token, "/subscriptions", &body).await.expect(403);
    for (action, body) in [
        ("change", json!({ "planId": plan })),
        ("cancel", json!({})),
        ("resume", json!({})),
        ("payments", json!({ "outcome": "succeeded", "reference": "1" })),
    ] {
        let path = format!("/subscriptions/{own}/{action}");
        app.client.post(&ada.token, &path, &body).await.expect(403);
    }
    let path = format!("/subscriptions/{own}");
    app.client.patch(&ada.token, &path, &json!({ "autoRenew": false })).await.expect(403);
    assert_eq!(app.subscription(&own).await["autoRenew"], json!(true));
}
