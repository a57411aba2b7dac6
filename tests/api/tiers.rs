//! The tiers of plans: `TIERS` and `SILO_TIERS`.

use serde_json::json;
use support::{App, with_query};

#[tokio::test]
async fn a_tier_in_another_spelling_is_the_same_tier() {
    let app = App::start_silent().await;
    for (key, sent, tier, isolation) in [
        ("a", "premium", "PREMIUM", "silo"),
        ("b", "Premium", "PREMIUM", "silo"),
        ("c", "PREMIUM", "PREMIUM", "silo"),
        ("d", "standard", "STANDARD", "pool"),
        ("e", "bAsIc", "BASIC", "pool"),
    ] {
        let (tenant, job) = app.provisioning(key, sent).await;
        let job = app.job(tenant, job).await;
        assert_eq!((&job["tier"], &job["isolation"]), (&json!(tier), &json!(isolation)), "{sent}");
        assert_eq!(job["subscription"]["plan"]["tier"], tier);
        assert_eq!(job["subscription"]["plan"]["price"], 99.5, "the rest is kept");
        assert_eq!(app.read(&format!("/tenants/{tenant}")).await.body["tier"], tier, "{sent}");
    }
    let premium =
        json!({ "where": { "tier": "PREMIUM" }, "fields": ["key"], "order": ["key DESC"] });
    let listed = app.read(&with_query("/tenants", "filter", &premium)).await.body;
    assert_eq!(listed, json!([{ "key": "c" }, { "key": "b" }, { "key": "a" }]));
    app.settle().await;
    for event in app.events_of("TENANT_PROVISIONING") {
        let (subscription, job) = (&event["detail"]["subscription"], &event["detail"]["job"]);
        assert_eq!(subscription["plan"]["tier"], job["tier"], "{event}");
    }
}

#[tokio::test]
async fn an_unknown_tier_is_refused_with_the_known_ones() {
    let variables = [("TIERS", "Free, Team"), ("SILO_TIERS", "team,Enterprise")];
    let app = App::with_variables(&variables).await;
    let tenant = app.tenant("acme").await;
    let path = format!("/tenants/{tenant}/provision");
    let before = app.settled().await;
    for sent in ["BASIC", "freee", "free ", "Fre\u{435}"] {
        let body = json!({ "id": "s1", "plan": { "tier": sent } });
        let refused = app.client.post(&app.operator, &path, &body).await.expect(422);
        assert_eq!(refused.body["error"]["details"][0]["path"], "/plan/tier", "{sent}");
    }
    let body = json!({ "id": "s1", "plan": { "tier": "gold" } });
    let refused = app.client.post(&app.operator, &path, &body).await.expect(422);
    assert_eq!(refused.violations(), ["/plan/tier enum"]);
    let reason = refused.text("/error/details/0/message");
    assert_eq!(reason, "must be one of Enterprise, Free, Team");
    assert_eq!(app.settled().await, before);
    for (key, sent, isolation) in [("t", "TEAM", "silo"), ("e", "enterprise", "silo")] {
        let (tenant, job) = app.provisioning(key, sent).await;
        assert_eq!(app.job(tenant, job).await["isolation"], isolation, "{sent}");
    }
}
