//! Tests of `GET /overview`, the dashboard statistics.

use std::time::Duration;

use domain::Permission;
use schema::Timestamp;
use serde_json::{Value, json};
use support::{App, Options, SignedMessage, renumber, tenant, with_query};

use crate::paging::{created, with_tenants};

async fn overview(app: &App) -> Value {
    app.settle().await;
    app.read("/overview").await.body
}

fn today(overview: &Value) -> &Value {
    overview["days"].as_array().unwrap().last().unwrap()
}

#[tokio::test]
async fn the_overview_counts_leads_tenants_and_the_activity_of_today() {
    let app = App::start_silent().await;
    let empty = overview(&app).await;
    assert_eq!(empty["days"].as_array().unwrap().len(), 30);
    assert_eq!(
        (&empty["tenants"], &empty["medianSeconds"]),
        (&json!([0, 0, 0, 0, 0, 0, 0]), &Value::Null)
    );

    app.verified_lead("ada@acme.test").await;
    let (acme, job) = app.provisioning("acme", "BASIC").await;
    let deleted = app.tenant("deleted").await;
    app.client.delete(&app.operator, &format!("/tenants/{deleted}")).await.expect(204);
    app.tenant("waiting").await;
    let done = json!({ "initiatorId": acme, "type": 0, "status": "success" });
    SignedMessage::new(&app.keys, acme, job, &done).send(&app.client).await.expect(204);

    let figures = overview(&app).await;
    assert_eq!(figures["leads"], json!({ "total": 1, "validated": 1 }));
    assert_eq!(figures["tenants"], json!([1, 1, 0, 0, 0, 0, 0]));
    let day = today(&figures);
    assert_eq!(day["date"], json!(lambda::now().to_string()[..10]));
    assert_eq!((&day["onboarded"], &day["activated"]), (&json!(3), &json!(1)));
    let median = figures["medianSeconds"].as_f64().unwrap();
    assert!(median < 60.0 && Some(median) == day["medianSeconds"].as_f64(), "{figures}");

    // Processing the same records twice more, in reverse order, changes nothing.
    let mut records = app.local().records("upkeep").unwrap();
    records.reverse();
    for batch in records.chunks(5) {
        let twice = [batch, batch].concat();
        app.invoke("upkeep", json!({ "Records": twice })).await.unwrap();
    }
    assert_eq!(overview(&app).await, figures);
}

#[tokio::test]
async fn the_overview_shows_what_subscriptions_bring_in() {
    let app = App::start().await;
    let empty = json!({ "trialing": 0, "pastDue": 0, "cancelled": 0, "revenue": [] });
    assert_eq!(overview(&app).await["subscriptions"], empty);
    let cycle = |duration, unit| json!({ "duration": duration, "durationUnit": unit });
    let mut ids = Vec::new();
    for (key, price, currency, cycle, trial) in [
        ("month", json!(49.9), "EUR", cycle(1, "month"), 0),
        ("quarter", json!(100), "EUR", cycle(3, "month"), 0),
        ("week", json!(1000), "JPY", cycle(1, "week"), 0),
        ("trial", json!(10), "EUR", cycle(1, "year"), 14),
    ] {
        let plan = json!({ "price": price, "currencyCode": currency, "billingCycle": cycle, "trialDays": trial });
        let (tenant, plan) = (app.tenant_in_use(key).await, app.active_plan(&plan).await);
        ids.push(app.subscribe(&tenant, &plan).await.expect(200).text("/id"));
    }
    let revenue = |euros: f64| {
        json!([
            { "currencyCode": "EUR", "amount": euros }, { "currencyCode": "JPY", "amount": 4333 },
        ])
    };
    let figures = overview(&app).await["subscriptions"].clone();
    let expected =
        json!({ "trialing": 1, "pastDue": 0, "cancelled": 0, "revenue": revenue(83.23) });
    assert_eq!(figures, expected);
    let failed = json!({ "outcome": "failed", "reference": "1" });
    app.act_on(&ids[0], "payments", &failed).await.expect(200);
    app.act_on(&ids[1], "cancel", &json!({ "when": "now" })).await.expect(200);
    let figures = overview(&app).await["subscriptions"].clone();
    let expected = json!({ "trialing": 1, "pastDue": 1, "cancelled": 1, "revenue": revenue(49.9) });
    assert_eq!(figures, expected);
}

#[tokio::test]
async fn a_failed_tenant_needs_attention_until_it_is_active() {
    let app = App::with_options(Options::failing().variable("WEBHOOK_SECRET_EXPIRY", "2000")).await;
    let (acme, _) = app.provisioning("acme", "BASIC").await;
    app.wait_for_status(&acme.to_string(), 3).await;
    let figures = overview(&app).await;
    assert_eq!(figures["attention"].as_array().unwrap().len(), 1);
    let first = &figures["attention"][0];
    assert_eq!(
        (&first["key"], &first["reason"], &first["status"]),
        (&json!("acme"), &json!("failed"), &json!(3))
    );

    app.pipelines_succeed();
    app.provision(acme, "BASIC").await;
    app.wait_for_status(&acme.to_string(), 0).await;
    assert_eq!(overview(&app).await["attention"], json!([]));
}

#[tokio::test]
async fn a_tenant_whose_job_timed_out_needs_attention() {
    let app = App::with_options(Options::silent().variable("WEBHOOK_SECRET_EXPIRY", "1")).await;
    let made = app.create("/tenants", &tenant("acme")).await;
    let body = support::subscription("BASIC");
    app.client.post(&app.operator, &format!("/tenants/{made}/provision"), &body).await.expect(204);
    tokio::time::sleep(Duration::from_millis(20)).await;
    app.reconcile().await;
    app.wait_for_status(&made, 3).await;
    assert_eq!(overview(&app).await["attention"][0]["reason"], "timed_out");
}

/// Returns an item of a kind with a creation time `minutes` ago.
fn aged(app: &App, kind: &str, minutes: u64) -> Value {
    let before = lambda::now().millis() - i64::try_from(minutes).unwrap() * 60_000;
    let mut item = app.items_of(kind).remove(0);
    item["createdOn"]["S"] = json!(Timestamp::from_millis(before).to_string());
    item
}

#[tokio::test]
async fn a_tenant_pending_for_a_day_or_provisioning_for_ten_minutes_needs_attention() {
    let app = App::start_silent().await;
    app.tenant("waiting").await;
    let reason = async || overview(&app).await["attention"].clone();
    for (minutes, named) in [(24 * 60 - 1, json!([])), (24 * 60 + 1, json!(["pending"]))] {
        let waiting = aged(&app, "tenant", minutes);
        app.import(vec![waiting]);
        let figures: Vec<_> =
            reason().await.as_array().unwrap().iter().map(|each| each["reason"].clone()).collect();
        assert_eq!(json!(figures), named);
    }

    let app = App::start_silent().await;
    app.provisioning("acme", "BASIC").await;
    for (minutes, many) in [(9, 0), (11, 1)] {
        app.settle().await;
        let open = aged(&app, "job", minutes);
        app.import(vec![open]);
        let figures = overview(&app).await["attention"].clone();
        assert_eq!(figures.as_array().unwrap().len(), many);
        if many == 1 {
            let named = (&figures[0]["key"], &figures[0]["reason"], &figures[0]["status"]);
            assert_eq!(named, (&json!("acme"), &json!("slow"), &json!(2)));
        }
    }
}

#[tokio::test]
async fn a_tenant_that_failed_deprovisioning_needs_attention_until_the_next_attempt() {
    let app = App::start().await;
    let (acme, _) = app.provisioning("acme", "BASIC").await;
    let id = acme.to_string();
    app.wait_for_status(&id, 0).await;
    app.local().end_pipelines_with(local::Outcome::Failure);
    let path = format!("/tenants/{id}/deprovision");
    app.client.post(&app.operator, &path, &json!({})).await.expect(204);
    app.settle().await;
    let figures = overview(&app).await;
    let first = &figures["attention"][0];
    assert_eq!(figures["attention"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&first["key"], &first["reason"], &first["status"]),
        (&json!("acme"), &json!("failed"), &json!(0))
    );
    app.pipelines_succeed();
    app.client.post(&app.operator, &path, &json!({})).await.expect(204);
    app.wait_for_status(&id, 5).await;
    assert_eq!(overview(&app).await["attention"], json!([]));
}

#[tokio::test]
async fn console_requests_cost_the_same_for_30_and_for_10_000_tenants() {
    let mut costs = Vec::new();
    for many in [30, 10_000] {
        let app = App::start_silent().await;
        app.warm().await;
        with_tenants(&app, many).await;
        let narrowed = |conditions| json!({ "where": conditions, "limit": 20 });
        let lists = [
            json!({ "limit": 20 }),
            narrowed(json!({ "status": 3 })),
            narrowed(json!({ "key": "acme" })),
        ];
        let lists = lists.map(|filter| with_query("/tenants", "filter", &filter));
        for path in lists.iter().map(String::as_str).chain(["/overview"]) {
            let before = app.table_calls();
            app.read(path).await;
            costs.push(app.table_calls() - before);
        }
    }
    assert_eq!(costs, [1, 1, 2, 5].repeat(2));
}

/// A DynamoDB query ends after 1 MB of items, regardless of its projection.
#[tokio::test]
async fn large_items_do_not_hide_tenants_that_need_attention() {
    let app = App::start_silent().await;
    app.provisioning("acme", "BASIC").await;
    app.settle().await;
    let (mut item, job) = (app.items_of("tenant").remove(0), app.items_of("job").remove(0));
    let (mut large, mut jobs) = (Vec::new(), Vec::new());
    item["padding"] = json!({ "S": "x".repeat(300_000) });
    for status in [1, 3] {
        item["status"] = json!({ "N": status.to_string() });
        item["gsi2pk"] = json!({ "S": format!("tenant-status#{status}") });
        for n in 0..20 {
            renumber(&mut item, 100 * status + n, created(n));
            large.push(item.clone());
        }
    }
    for n in 0..20 {
        let mut open = job.clone();
        open["sk"] = json!({ "S": format!("JOB#{:06}", n + 2) });
        open["createdOn"] = json!({ "S": created(n) });
        open["gsi1sk"] = json!({ "S": format!("{}#{n}", created(n)) });
        open["subscription"] = json!({ "S": json!({ "x": "y".repeat(300_000) }).to_string() });
        jobs.push(open);
    }
    app.import([large, jobs].concat());
    let figures = overview(&app).await;
    let attention = figures["attention"].as_array().unwrap();
    for (reason, many) in [("failed", 20), ("pending", 20), ("slow", 20)] {
        let named = attention.iter().filter(|each| each["reason"] == reason).count();
        assert_eq!(named, many, "{reason}");
    }
}

#[tokio::test]
async fn the_overview_requires_an_operator() {
    let app = App::start_silent().await;
    let ada = app.verified_lead("ada@acme.test").await;
    app.client.get(&ada.token, "/overview").await.expect(403);
    assert!(!Permission::LEAD.contains(&"10207"));
}
