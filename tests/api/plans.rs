use domain::{Error, Plan, PlanId};
use lambda::aws::Aws;
use reqwest::Method;
use serde_json::{Value, json};
use store::Store;
use support::{App, Reply, plan, subscription, with_query};

use crate::lead_data::onboarded;

fn store(app: &App) -> Store {
    let env = app.local().env();
    Store::from_env(&env, &Aws::from_env(&env).unwrap()).unwrap()
}

/// Creates a plan with these members and activates it. Returns its ID.
async fn active(app: &App, given: Value) -> String {
    let id = app.create("/plans", &plan(given)).await;
    act(app, &id, "activate").await.expect(204);
    id
}

async fn act(app: &App, id: &str, action: &str) -> Reply {
    app.client.post(&app.operator, &format!("/plans/{id}/{action}"), &json!(null)).await
}

#[tokio::test]
async fn a_plan_is_a_draft_until_it_is_activated() {
    let app = App::start().await;
    let given = json!({ "price": 49.90, "features": { "seats": 25, "sso": true },
                        "metaData": { "erp": 1.10 } });
    let made = app.client.post(&app.operator, "/plans", &plan(given)).await.expect(200);
    let id = made.text("/id");
    let path = format!("/plans/{id}");
    let read = app.read(&path).await;
    assert_eq!((&read.raw, read.header("etag")), (&made.raw, "\"1\""));
    let mut shown = made.body.clone();
    for (name, redacted) in [("id", "ID"), ("createdOn", "NOW"), ("modifiedOn", "NOW")] {
        shown[name] = json!(redacted);
    }
    insta::assert_snapshot!(shown, @r#"{"billingCycle":{"duration":1,"durationUnit":"month"},"createdBy":"local-operator","createdOn":"NOW","currencyCode":"EUR","deleted":false,"deletedBy":null,"deletedOn":null,"description":null,"effectOfNonPayment":"suspend","features":{"seats":25,"sso":true},"graceDays":7,"id":"ID","isolation":null,"metaData":{"erp":1.1},"modifiedBy":"local-operator","modifiedOn":"NOW","name":"Standard","price":49.9,"public":false,"revision":1,"state":"draft","tier":"STANDARD","trialDays":0}"#);

    let mut states = Vec::new();
    for action in ["activate", "activate", "archive", "archive", "activate"] {
        let tag = act(&app, &id, action).await.expect(204).header("etag").to_owned();
        let read = app.read(&path).await;
        assert_eq!(read.header("etag"), tag);
        states.push(format!("{} {tag}", read.text("/state")));
    }
    let expected =
        ["active \"2\"", "active \"2\"", "archived \"3\"", "archived \"3\"", "active \"4\""];
    assert_eq!(states, expected);
    let refused = app.client.patch(&app.operator, &path, &json!({ "state": "draft" })).await;
    assert_eq!(refused.expect(422).violations(), ["/state const"]);
    app.client.delete(&app.operator, &path).await.expect(204);
    app.client.get(&app.operator, &path).await.expect(404);
    act(&app, &id, "activate").await.expect(404);
}

#[tokio::test]
async fn other_terms_of_an_active_plan_are_a_new_revision() {
    let app = App::start().await;
    let id = active(&app, json!({})).await;
    let path = format!("/plans/{id}");
    let mut revisions = Vec::new();
    for change in [
        json!({ "description": "For teams" }),
        json!({ "price": 35 }),
        json!({ "graceDays": 7, "trialDays": 0 }),
        json!({ "features": { "seats": 5 } }),
    ] {
        app.client.patch(&app.operator, &path, &change).await.expect(204);
        revisions.push(app.read(&path).await.body["revision"].clone());
    }
    assert_eq!(revisions, [1, 2, 2, 3]);
    let read = app.read(&path).await;
    app.client.put(&app.operator, &path, &read.body).await.expect(204);
    assert_eq!(app.read(&path).await.body["revision"], 3, "nothing has changed");
    app.client.put(&app.operator, &path, &plan(json!({}))).await.expect(204);
    let cleared = app.read(&path).await.body;
    assert_eq!((&cleared["features"], &cleared["revision"]), (&json!({}), &json!(4)));
}

#[tokio::test]
async fn the_tier_of_a_plan_is_known() {
    let app = App::with_variables(&[("TIERS", "Gold,Silver")]).await;
    let created = app.create("/plans", &plan(json!({ "tier": "gold" }))).await;
    let unknown = json!({ "tier": "STANDARD", "price": -1 });
    let refused = app.client.post(&app.operator, "/plans", &plan(unknown.clone())).await;
    assert_eq!(refused.expect(422).violations(), ["/price minimum", "/tier enum"]);
    let unknown = json!({ "tier": "STANDARD" });
    let one = format!("/plans/{created}");
    for (method, path, body) in [
        (Method::PATCH, one.as_str(), unknown.clone()),
        (Method::PUT, &one, plan(unknown.clone())),
        (Method::PATCH, "/plans?where={}", unknown),
    ] {
        let refused = app.client.send_text(method, &app.operator, path, &body.to_string()).await;
        assert_eq!(refused.expect(422).violations(), ["/tier enum"], "{path}");
    }
    assert_eq!(app.read(&one).await.header("etag"), "\"1\"");
}

#[tokio::test]
async fn a_lead_sees_public_active_plans_only() {
    let app = App::start().await;
    let lead = app.verified_lead("ada@acme.test").await;
    let shown = json!({ "name": "Shown", "public": true, "metaData": { "erp": "A-1" } });
    let on_offer = active(&app, shown).await;
    let private = active(&app, json!({ "name": "Private" })).await;
    let draft = app.create("/plans", &plan(json!({ "public": true }))).await;
    let archived = active(&app, json!({ "public": true })).await;
    act(&app, &archived, "archive").await.expect(204);

    let listed = app.client.get(&lead.token, "/plans").await.expect(200);
    assert_eq!(listed.each("name"), ["Shown"]);
    assert_eq!(listed.each("metaData"), [json!(null)]);
    let all =
        with_query("/plans", "filter", &json!({ "where": { "id": { "inq": [private, draft] } } }));
    assert_eq!(app.client.get(&lead.token, &all).await.expect(200).items().len(), 0);
    assert_eq!(app.read(&all).await.items().len(), 2);
    let hidden = with_query("/plans/count", "where", &json!({ "metaData": { "exists": true } }));
    assert_eq!(app.client.get(&lead.token, &hidden).await.expect(200).body["count"], 0);
    let count = app.client.get(&lead.token, "/plans/count").await.expect(200);
    assert_eq!((&count.body["count"], app.count("/plans").await), (&json!(1), 4));
    let one = app.client.get(&lead.token, &format!("/plans/{on_offer}")).await.expect(200);
    assert_eq!((one.text("/name").as_str(), &one.body["metaData"]), ("Shown", &json!(null)));
    for id in [&private, &draft, &archived] {
        let refused = app.client.get(&lead.token, &format!("/plans/{id}")).await.expect(403);
        assert_eq!(refused.text("/error/code"), "FORBIDDEN");
    }
    let none = app.client.get(&lead.token, &format!("/plans/{}", PlanId::generate())).await;
    none.expect(404);
    app.client.post(&lead.token, "/plans", &plan(json!({}))).await.expect(403);
}

#[tokio::test]
async fn the_catalog_shows_everybody_the_plans_on_offer() {
    let app = App::start().await;
    let empty = app.send(Method::GET, "/catalog").await.expect(200);
    assert_eq!(empty.body, json!([]));
    let large = json!({ "name": "Large", "price": 100, "public": true, "metaData": { "a": 1 } });
    let large = active(&app, large).await;
    active(&app, json!({ "name": "Small", "price": 9.5, "public": true })).await;
    active(&app, json!({ "name": "Private" })).await;
    app.create("/plans", &plan(json!({ "name": "Draft", "public": true }))).await;

    let shown = app.send(Method::GET, "/catalog").await.expect(200);
    assert_eq!(shown.each("name"), ["Small", "Large"], "the cheapest first");
    assert_eq!(shown.header("cache-control"), "public, max-age=60");
    let mut members: Vec<_> = shown.body[1].as_object().unwrap().keys().cloned().collect();
    members.sort();
    let expected = "billingCycle currencyCode description features graceDays id isolation name price \
                    revision tier trialDays";
    assert_eq!(members.join(" "), expected);

    let tag = shown.header("etag").to_owned();
    let again = async || {
        let known = |request: reqwest::RequestBuilder| request.header("if-none-match", &tag);
        app.client.send(Method::GET, "/catalog", known).await
    };
    let same = again().await.expect(304);
    assert_eq!(
        (same.header("etag"), same.header("cache-control")),
        (tag.as_str(), "public, max-age=60")
    );
    act(&app, &large, "archive").await.expect(204);
    assert_eq!(again().await.expect(200).each("name"), ["Small"]);
}

#[tokio::test]
async fn the_catalog_is_limited_and_takes_one_read() {
    let app = App::with_variables(&[("PUBLIC_API_MAX_ATTEMPTS", "2")]).await;
    active(&app, json!({ "public": true })).await;
    app.local().calls().meter();
    let before = (app.table_calls(), app.table_cost());
    app.send(Method::GET, "/catalog").await.expect(200);
    let (calls, cost) = (app.table_calls() - before.0, app.table_cost() - before.1);
    assert_eq!((calls, cost.to_string().as_str()), (2, "R 0.5 W 1"));
    app.send(Method::GET, "/catalog").await.expect(200);
    app.send(Method::GET, "/catalog").await.expect(429);
}

/// A deletion and the first subscription exclude each other, whichever comes first.
#[tokio::test]
async fn a_plan_that_had_a_subscriber_is_not_deleted() {
    let app = App::start().await;
    let (store, id) = (store(&app), active(&app, json!({})).await);
    let subscribed = |plan: &Plan| Plan { subscribed: true, ..plan.clone() };
    let before = store.plan(id.parse().unwrap()).await.unwrap();
    store.replace_plan(&before, &subscribed(&before.item)).await.unwrap();
    let refused = app.client.delete(&app.operator, &format!("/plans/{id}")).await.expect(409);
    assert_eq!(refused.text("/error/code"), "PLAN_IN_USE");

    let id = active(&app, json!({})).await;
    let before = store.plan(id.parse().unwrap()).await.unwrap();
    app.client.delete(&app.operator, &format!("/plans/{id}")).await.expect(204);
    let late = store.replace_plan(&before, &subscribed(&before.item)).await;
    assert!(matches!(late, Err(Error::Stale)), "{late:?}");
}

#[tokio::test]
async fn changes_of_plans_are_in_the_audit_log() {
    let app = App::start().await;
    let id = active(&app, json!({ "metaData": { "erp": "marker" } })).await;
    let path = format!("/plans/{id}");
    app.client.patch(&app.operator, &path, &json!({ "price": 35 })).await.expect(204);
    act(&app, &id, "archive").await.expect(204);
    app.client.delete(&app.operator, &path).await.expect(204);
    app.settle().await;
    let listed =
        app.read(&with_query("/audit", "filter", &json!({ "where": { "chain": "plans" } }))).await;
    let expected =
        ["plan.deleted", "plan.archived", "plan.updated", "plan.activated", "plan.created"];
    assert_eq!(listed.each("action"), expected);
    assert!(!listed.raw.contains("marker"));
    let changes = listed.items()[2]["changes"].as_array().unwrap();
    assert!(
        changes.contains(&json!({ "path": "/price", "from": "30", "to": "35" })),
        "{changes:?}"
    );
    assert_eq!(app.read("/audit/verify?chain=plans").await.body["ok"], true);
}

/// Provisions a new lead's tenant with terms of its own, by the lead. Returns the path of the tenant.
async fn provisioned(app: &App, key: &str) -> (Reply, String) {
    let (lead, tenant) = onboarded(app, key).await;
    let tenant = format!("/tenants/{tenant}");
    let path = format!("{tenant}/provision");
    (app.client.post(&lead.token, &path, &subscription("BASIC")).await, tenant)
}

#[tokio::test]
async fn the_first_public_plan_opens_the_catalog_for_good() {
    let app = App::start_silent().await;
    provisioned(&app, "early").await.0.expect(204);
    let id = active(&app, json!({})).await;
    app.create("/plans", &plan(json!({ "public": true }))).await;
    provisioned(&app, "second").await.0.expect(204);
    let path = format!("/plans/{id}");
    app.client.patch(&app.operator, &path, &json!({ "public": true })).await.expect(204);
    act(&app, &id, "archive").await.expect(204);
    app.client.delete(&app.operator, &path).await.expect(204);
    let (refused, tenant) = provisioned(&app, "late").await;
    assert_eq!(refused.expect(403).text("/error/code"), "PLAN_NOT_PUBLIC");
    assert_eq!(app.read(&tenant).await.body["status"], 1);
    let path = format!("{tenant}/provision");
    app.client.post(&app.operator, &path, &subscription("BASIC")).await.expect(204);
}

#[tokio::test]
async fn lead_plans_decides_whether_leads_send_their_own_terms() {
    for (value, opened, status) in [("catalog", false, 403), ("free", true, 204)] {
        let app = App::with_variables(&[("LEAD_PLANS", value)]).await;
        if opened {
            active(&app, json!({ "public": true })).await;
        }
        provisioned(&app, "acme").await.0.expect(status);
    }
}

#[tokio::test]
async fn an_answer_from_before_the_catalog_opened_is_repeated() {
    let app = App::start_silent().await;
    let (lead, tenant) = onboarded(&app, "acme").await;
    let provision = async || {
        let with_key = |request: reqwest::RequestBuilder| {
            let request = request.bearer_auth(&lead.token).header("idempotency-key", "k");
            request.json(&subscription("BASIC"))
        };
        app.client
            .send(Method::POST, &format!("/tenants/{tenant}/provision"), with_key)
            .await
            .expect(204)
    };
    let first = provision().await;
    active(&app, json!({ "public": true })).await;
    assert_eq!(provision().await.header("location"), first.header("location"));
}
