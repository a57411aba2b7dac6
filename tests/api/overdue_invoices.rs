//! Overdue invoices, and the suspensions that end when none is left.

use reqwest::Method;
use serde_json::{Value, json};
use support::{App, Reply, invoice, join_all};

/// A tenant that is suspended because an invoice is overdue.
struct Debtor {
    tenant: String,
    subscription: String,
    invoice: String,
}

impl Debtor {
    /// Returns a tenant whose payment has failed.
    async fn in_grace(app: &App, key: &str) -> Self {
        let tenant = app.tenant_in_use(key).await;
        let plan = app.active_plan(&json!({ "graceDays": 7 })).await;
        let subscription = app.subscribe(&tenant, &plan).await.expect(200).text("/id");
        let failed = json!({ "outcome": "failed", "reference": "first" });
        let read = app.act_on(&subscription, "payments", &failed).await.expect(200).body;
        let invoice = read["overdue"][0].as_str().unwrap().to_owned();
        Self { tenant, subscription, invoice }
    }

    async fn new(app: &App, key: &str) -> Self {
        let one = Self::in_grace(app, key).await;
        app.let_days_pass(8).await;
        app.reconcile().await;
        assert_eq!(one.state(app).await, ("suspended".into(), 6, 1));
        one
    }

    async fn act(&self, app: &App, action: &str, body: &Value) -> Reply {
        let path = format!("/tenants/{}/{action}", self.tenant);
        app.client.post(&app.operator, &path, body).await
    }

    /// Returns the phase of the subscription, the status of the tenant, and how many invoices are overdue.
    async fn state(&self, app: &App) -> (String, u64, usize) {
        let subscription = app.subscription(&self.subscription).await;
        let tenant = app.read(&format!("/tenants/{}", self.tenant)).await.body;
        let overdue = subscription["overdue"].as_array().unwrap().len();
        let phase = subscription["phase"].as_str().unwrap().to_owned();
        (phase, tenant["status"].as_u64().unwrap(), overdue)
    }

    /// Settles an invoice by one of the routes.
    async fn settle(&self, app: &App, route: &str, invoice: &str) -> Reply {
        let own = format!("/invoices/{invoice}");
        let (client, operator) = (&app.client, &app.operator);
        match route {
            "paid" => client.patch(operator, &own, &json!({ "status": 1 })).await,
            "cancelled" => client.patch(operator, &own, &json!({ "status": 2 })).await,
            "replaced" => {
                let mut read = app.read(&own).await.body;
                read["status"] = json!(1);
                client.put(operator, &own, &read).await
            }
            "in bulk" => {
                let some = format!("/invoices?where[id]={invoice}");
                client.patch(operator, &some, &json!({ "status": 1 })).await
            }
            "deleted" => client.delete(operator, &own).await,
            _ => {
                let paid = json!({ "outcome": "succeeded", "reference": format!("{route} {invoice}"),
                    "invoiceId": invoice });
                app.act_on(&self.subscription, "payments", &paid).await
            }
        }
    }
}

const ROUTES: [&str; 6] = ["paid", "cancelled", "replaced", "in bulk", "deleted", "signal"];

#[tokio::test]
async fn a_tenant_is_active_again_by_whatever_route_its_last_invoice_is_settled() {
    let app = App::start().await;
    for (n, route) in ROUTES.into_iter().enumerate() {
        let one = Debtor::new(&app, &format!("a{n}")).await;
        let own = format!("/invoices/{}", one.invoice);
        app.client.patch(&app.operator, &own, &json!({ "amount": 7 })).await.expect(204);
        assert_eq!(one.state(&app).await, ("suspended".into(), 6, 1), "the amount changed");
        let settled = one.settle(&app, route, &one.invoice).await;
        assert!(settled.status < 300, "{route}: {}", settled.raw);
        assert_eq!(one.state(&app).await, ("active".into(), 0, 0), "{route}");
        let read = app.subscription(&one.subscription).await;
        assert_eq!((&read["pastDueSince"], &read["graceEndsOn"]), (&Value::Null, &Value::Null));
        app.settle().await;
        for kind in ["TENANT_SUSPENDED", "TENANT_REACTIVATED", "SUBSCRIPTION_CHANGED"] {
            assert_eq!(app.events_of(kind).len(), n + 1, "{kind} {route}");
        }
        let event = app.events_of("SUBSCRIPTION_CHANGED").remove(0);
        assert!(event["detail"]["requestId"].is_string(), "{event}");
    }
    app.reconcile().await;
    app.settle().await;
    assert_eq!((app.events_of("TENANT_REACTIVATED").len(), app.dead_letters()), (6, 0));
}

#[tokio::test]
async fn a_tenant_stays_suspended_while_another_invoice_is_overdue() {
    let app = App::start().await;
    for (n, route) in ROUTES.into_iter().enumerate() {
        let one = Debtor::new(&app, &format!("b{n}")).await;
        // An invoice of no subscription is overdue, too.
        let other = app.create("/invoices", &invoice(&one.tenant)).await;
        let failed = json!({ "outcome": "failed", "reference": "other", "invoiceId": other });
        app.act_on(&one.subscription, "payments", &failed).await.expect(200);
        let (first, last) =
            if n % 2 == 0 { (&one.invoice, &other) } else { (&other, &one.invoice) };
        assert!(one.settle(&app, route, first).await.status < 300);
        assert_eq!(one.state(&app).await, ("suspended".into(), 6, 1), "{route}");
        let read = app.subscription(&one.subscription).await;
        assert_eq!((&read["overdue"], &read["modifiedBy"]), (&json!([last]), &read["modifiedBy"]));
        assert_eq!(read["modifiedBy"], app.operator_id(), "{route}");
        assert!(one.settle(&app, route, last).await.status < 300);
        assert_eq!(one.state(&app).await, ("active".into(), 0, 0), "{route}");
    }
}

#[tokio::test]
async fn an_invoice_never_reactivates_a_tenant_that_was_suspended_by_hand() {
    let app = App::start().await;
    for (n, route) in ["paid", "deleted", "signal"].into_iter().enumerate() {
        let one = Debtor::new(&app, &format!("c{n}")).await;
        one.act(&app, "suspend", &json!({ "reason": "abuse" })).await.expect(204);
        assert!(one.settle(&app, route, &one.invoice).await.status < 300);
        assert_eq!(one.state(&app).await, ("active".into(), 6, 0), "{route}");
    }
    app.settle().await;
    assert_eq!(app.events_of("TENANT_REACTIVATED").len(), 0);
}

#[tokio::test]
async fn a_job_delays_the_reactivation_until_it_has_closed() {
    let app = App::start().await;
    let one = Debtor::new(&app, "acme").await;
    app.settle().await;
    app.local().end_pipelines_with(local::Outcome::Silent);
    one.act(&app, "deprovision", &json!({})).await.expect(204);
    one.settle(&app, "paid", &one.invoice).await.expect(204);
    assert_eq!(one.state(&app).await, ("active".into(), 4, 0));
    app.settle().await;
    let mut job = app.items_of("job");
    job.retain(|job| job["kind"]["S"] == "deprovision");
    let late = "2026-01-01T00:00:00.000Z";
    job[0]["deadline"]["S"] = json!(late);
    job[0]["gsi1sk"]["S"] = json!(format!("{late}#{}", job[0]["id"]["S"].as_str().unwrap()));
    app.import(job);
    for _ in 0..2 {
        app.reconcile().await;
    }
    assert_eq!(one.state(&app).await, ("active".into(), 0, 0));
    app.settle().await;
    assert_eq!(app.events_of("TENANT_REACTIVATED").len(), 1);
}

#[tokio::test]
async fn a_reactivation_by_hand_lasts_for_another_grace_period() {
    let app = App::start().await;
    let one = Debtor::new(&app, "acme").await;
    one.act(&app, "reactivate", &json!(null)).await.expect(204);
    assert_eq!(one.state(&app).await, ("past_due".into(), 0, 1));
    for _ in 0..3 {
        app.reconcile().await;
    }
    assert_eq!(one.act(&app, "reactivate", &json!(null)).await.status, 409);
    app.settle().await;
    assert_eq!(one.state(&app).await, ("past_due".into(), 0, 1), "nobody takes it back at once");
    for (kind, times) in
        [("TENANT_SUSPENDED", 1), ("TENANT_REACTIVATED", 1), ("SUBSCRIPTION_PAST_DUE", 2)]
    {
        assert_eq!(app.events_of(kind).len(), times, "{kind}");
    }
    let event = app.events_of("SUBSCRIPTION_PAST_DUE").remove(0);
    assert!(event["detail"]["requestId"].is_string(), "{event}");
    app.let_days_pass(6).await;
    app.reconcile().await;
    assert_eq!(one.state(&app).await, ("past_due".into(), 0, 1));
    app.let_days_pass(2).await;
    app.reconcile().await;
    assert_eq!(one.state(&app).await, ("suspended".into(), 6, 1), "the invoice is still overdue");
    one.settle(&app, "paid", &one.invoice).await.expect(204);
    assert_eq!(one.state(&app).await, ("active".into(), 0, 0));
}

#[tokio::test]
async fn a_reactivation_by_hand_counts_whoever_suspended_the_tenant() {
    let app = App::start().await;
    let one = Debtor::new(&app, "acme").await;
    one.act(&app, "suspend", &json!({ "reason": "abuse" })).await.expect(204);
    one.act(&app, "reactivate", &json!(null)).await.expect(204);
    assert_eq!(one.state(&app).await, ("past_due".into(), 0, 1));
    one.act(&app, "suspend", &json!({})).await.expect(204);
    assert_eq!(one.state(&app).await, ("past_due".into(), 6, 1), "the subscription stays");
    one.act(&app, "reactivate", &json!(null)).await.expect(204);
    assert_eq!(one.state(&app).await, ("past_due".into(), 0, 1));
    app.settle().await;
    assert_eq!(app.events_of("SUBSCRIPTION_PAST_DUE").len(), 2, "the grace period goes on");
}

#[tokio::test]
async fn an_invoice_that_is_paid_while_a_failure_arrives_is_not_overdue() {
    let app = App::start().await;
    let tenant = app.tenant_in_use("acme").await;
    let plan = app.active_plan(&json!({})).await;
    let id = app.subscribe(&tenant, &plan).await.expect(200).text("/id");
    for round in 0..6 {
        let invoice = app.create("/invoices", &invoice(&tenant)).await;
        let own = format!("/invoices/{invoice}");
        let all = (0..8).map(async |n: u32| {
            let failed = json!({ "outcome": "failed", "reference": format!("{round} {n}"),
                "invoiceId": invoice });
            match n % 4 {
                3 => app.client.patch(&app.operator, &own, &json!({ "status": 1 })).await,
                _ => app.act_on(&id, "payments", &failed).await,
            }
        });
        let answers = join_all(all).await;
        let known = [200, 204, 409, 503];
        assert!(answers.iter().all(|reply| known.contains(&reply.status)), "{round}");
        app.client
            .send(Method::PATCH, &own, |request| {
                request.bearer_auth(&app.operator).json(&json!({ "status": 1 }))
            })
            .await
            .expect(204);
        let read = app.subscription(&id).await;
        assert_eq!((&read["phase"], &read["overdue"]), (&json!("active"), &json!([])), "{round}");
    }
}

#[tokio::test]
async fn all_overdue_invoices_of_a_tenant_are_settled_in_bulk() {
    let app = App::start().await;
    let one = Debtor::new(&app, "acme").await;
    for n in 0..7 {
        let other = app.create("/invoices", &invoice(&one.tenant)).await;
        let failed = json!({ "outcome": "failed", "reference": n.to_string(),
            "invoiceId": other });
        app.act_on(&one.subscription, "payments", &failed).await.expect(200);
    }
    let all = format!("/invoices?where[tenantId]={}", one.tenant);
    let done = app.client.patch(&app.operator, &all, &json!({ "status": 1 })).await.expect(200);
    assert_eq!(done.body["count"], 8);
    assert_eq!(one.state(&app).await, ("active".into(), 0, 0));
    app.settle().await;
    assert_eq!(app.events_of("TENANT_REACTIVATED").len(), 1);
}
