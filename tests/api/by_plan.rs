//! Provisioning by plan: the tenant, its subscription and its job in one transaction.

use std::time::Duration;

use domain::{
    Context, Decision, Error, Isolation, Job, JobKind, Subscription, SubscriptionText, TenantId,
    Tiers, UserId, Work,
};
use lambda::aws::Aws;
use serde_json::{Value, json};
use store::{PlannedJob, Store};
use support::{App, Options, Reply, join_all, subscription};

use crate::{lead_data::onboarded, overdue::expire};

async fn provision(app: &App, token: &str, tenant: &str, body: &Value) -> Reply {
    app.client.post(token, &format!("/tenants/{tenant}/provision"), body).await
}

/// Returns the only subscription, as an operator reads it.
async fn only_subscription(app: &App) -> Value {
    let items = app.items_of("subscription");
    let [item] = items.as_slice() else { panic!("{items:?}") };
    app.subscription(item["id"]["S"].as_str().unwrap()).await
}

#[tokio::test]
async fn a_plan_decides_the_pipeline_the_job_and_the_subscription() {
    let app = App::start().await;
    let terms = json!({ "tier": "premium", "isolation": "pool", "price": 49.90, "trialDays": 14 });
    let (tenant, plan) = (app.tenant("acme").await, app.active_plan(&terms).await);
    app.warm().await;
    app.local().calls().meter();
    let (calls, cost) = (app.table_calls(), app.table_cost());
    let body = json!({ "planId": plan });
    let accepted = provision(&app, &app.operator, &tenant, &body).await.expect(204);
    let (calls, cost) = (app.table_calls() - calls, app.table_cost() - cost);
    insta::assert_snapshot!(format!("{calls}, {cost}"), @"3, R 2 W 25");
    assert_eq!(accepted.header("etag"), "\"2\"");
    app.wait_for_status(&tenant, 0).await;
    app.settle().await;

    let read = only_subscription(&app).await;
    assert_eq!((&read["phase"], &read["planId"]), (&json!("trialing"), &json!(plan)));
    let sent = json!({
        "id": read["id"], "subscriberId": tenant, "planId": plan, "status": 0, "plan": read["plan"],
    });
    let job = app.read(accepted.header("location")).await.body;
    assert_eq!((&job["tier"], &job["isolation"]), (&json!("PREMIUM"), &json!("pool")));
    assert_eq!(job["subscription"], sent);
    for kind in ["TENANT_PROVISIONING", "TENANT_PROVISIONING_SUCCESS"] {
        let detail = &app.events_of(kind)[0]["detail"];
        assert_eq!((&detail["subscription"], &detail["job"]["isolation"]), (&sent, &json!("pool")));
    }
    let execution = &app.local().state().executions().unwrap()[0];
    assert_eq!(execution.pipeline, "tenantry-pool");
    assert_eq!(execution.variables["TIER"], "PREMIUM");
    assert_eq!(json!(execution.variables["SUBSCRIPTION_ID"]), read["id"]);
    for (kind, times) in
        [("SUBSCRIPTION_CREATED", 1), ("SUBSCRIPTION_ACTIVATED", 1), ("ENTITLEMENTS_CHANGED", 1)]
    {
        assert_eq!(app.events_of(kind).len(), times, "{kind}");
    }
    let granted = app.read(&format!("/tenants/{tenant}/entitlements")).await.body;
    assert_eq!(granted["features"]["seats"], json!({ "value": 5, "source": "plan" }));
    let again = provision(&app, &app.operator, &tenant, &body).await.expect(409);
    assert_eq!(again.text("/error/code"), "ILLEGAL_TRANSITION");
}

#[tokio::test]
async fn a_pending_subscription_to_the_plan_is_used_on_its_own_terms() {
    let app = App::start().await;
    let (tenant, plan) = (app.tenant("acme").await, app.active_plan(&json!({})).await);
    let pending = app.subscribe(&tenant, &plan).await.expect(200).text("/id");
    let path = format!("/plans/{plan}");
    let dearer = json!({ "price": 99, "isolation": "silo" });
    app.client.patch(&app.operator, &path, &dearer).await.expect(204);
    app.client.post(&app.operator, &format!("{path}/archive"), &json!({})).await.expect(204);
    let other = json!({ "planId": app.active_plan(&json!({ "name": "Other" })).await });
    let refused = provision(&app, &app.operator, &tenant, &other).await.expect(409);
    assert_eq!(refused.text("/error/code"), "SUBSCRIPTION_EXISTS");
    assert!(app.items_of("job").is_empty());

    let body = json!({ "planId": plan });
    let accepted = provision(&app, &app.operator, &tenant, &body).await.expect(204);
    app.wait_for_status(&tenant, 0).await;
    let job = app.read(accepted.header("location")).await.body;
    assert_eq!((&job["subscription"]["id"], &job["isolation"]), (&json!(pending), &json!("pool")));
    let read = only_subscription(&app).await;
    assert_eq!((&read["phase"], &read["plan"]["price"]), (&json!("active"), &json!(30)));
    assert_eq!(app.items_of("invoice")[0]["amount"], json!({ "S": "30" }));
}

#[tokio::test]
async fn a_plan_that_cannot_be_had_opens_no_job() {
    let app = App::start_silent().await;
    let (lead, tenant) = onboarded(&app, "acme").await;
    let [public, draft, archived] = [(); 3].map(|()| json!({ "public": true }));
    let public = app.active_plan(&public).await;
    let private = app.active_plan(&json!({})).await;
    let draft = app.create("/plans", &support::basic_plan(&draft)).await;
    let archived = app.active_plan(&archived).await;
    app.client.post(&app.operator, &format!("/plans/{archived}/archive"), &json!({})).await;
    let before = app.settled().await;
    let unknown = TenantId::generate().to_string();
    for (by, plan, status, code) in [
        ("lead", &unknown, 404, "ENTITY_NOT_FOUND"),
        ("lead", &private, 403, "PLAN_NOT_PUBLIC"),
        ("lead", &draft, 403, "PLAN_NOT_PUBLIC"),
        ("lead", &archived, 403, "PLAN_NOT_PUBLIC"),
        ("operator", &unknown, 404, "ENTITY_NOT_FOUND"),
        ("operator", &draft, 409, "PLAN_NOT_ACTIVE"),
        ("operator", &archived, 409, "PLAN_NOT_ACTIVE"),
    ] {
        let token = if by == "lead" { &lead.token } else { &app.operator };
        let refused = provision(&app, token, &tenant, &json!({ "planId": plan })).await;
        assert_eq!(refused.expect(status).text("/error/code"), code, "{by} {plan}");
    }
    let both = json!({ "planId": public, "price": 0 });
    let refused = provision(&app, &app.operator, &tenant, &both).await.expect(422);
    assert_eq!(refused.violations(), [" additionalProperties"]);
    let refused = provision(&app, &app.operator, &tenant, &json!({ "planId": "plan-1" })).await;
    assert_eq!(refused.expect(422).violations(), ["/planId format"]);
    assert_eq!(app.settled().await, before);
    provision(&app, &lead.token, &tenant, &json!({ "planId": public })).await.expect(204);
    assert_eq!(only_subscription(&app).await["createdBy"], json!(lead.id));

    let other = app.tenant("other").await;
    provision(&app, &app.operator, &other, &json!({ "planId": private })).await.expect(204);
}

#[tokio::test]
async fn terms_of_an_operator_make_no_subscription_whatever_the_plan_id_says() {
    let app = App::start().await;
    let plan = app.active_plan(&json!({ "public": true })).await;
    let draft = app.create("/plans", &support::basic_plan(&json!({}))).await;
    for (key, named) in [("a", json!(plan)), ("b", json!(draft)), ("c", json!("plan-1"))] {
        let (tenant, mut body) = (app.tenant(key).await, subscription("PREMIUM"));
        body["planId"] = named;
        let accepted = provision(&app, &app.operator, &tenant, &body).await.expect(204);
        app.wait_for_status(&tenant, 0).await;
        let job = app.read(accepted.header("location")).await.body;
        assert_eq!((&job["subscription"], &job["isolation"]), (&body, &json!("silo")));
    }
    assert!(app.items_of("subscription").is_empty());
}

#[tokio::test]
async fn after_a_failed_build_and_a_time_out_the_subscription_waits_for_a_retry() {
    let app = App::with_options(Options::failing()).await;
    let plan = app.active_plan(&json!({ "public": true })).await;
    let (lead, tenant) = onboarded(&app, "acme").await;
    let body = json!({ "planId": plan });
    provision(&app, &lead.token, &tenant, &body).await.expect(204);
    app.wait_for_status(&tenant, 3).await;
    let first = only_subscription(&app).await;
    assert_eq!(first["phase"], "pending");
    let other = json!({ "planId": app.active_plan(&json!({ "public": true })).await });
    let refused = provision(&app, &lead.token, &tenant, &other).await.expect(409);
    assert_eq!(refused.text("/error/code"), "SUBSCRIPTION_EXISTS");

    app.pipelines_succeed();
    provision(&app, &lead.token, &tenant, &body).await.expect(204);
    app.wait_for_status(&tenant, 0).await;
    let read = only_subscription(&app).await;
    assert_eq!((&read["id"], &read["phase"]), (&first["id"], &json!("active")));
    assert_eq!(app.items_of("invoice").len(), 1);
    app.settle().await;
    assert_eq!(app.events_of("SUBSCRIPTION_CREATED").len(), 1);
    app.stop().await;

    let app = App::start_silent().await;
    let (tenant, plan) = (app.tenant("acme").await, app.active_plan(&json!({})).await);
    let body = json!({ "planId": plan });
    for status in [204, 409] {
        provision(&app, &app.operator, &tenant, &body).await.expect(status);
    }
    app.settle().await;
    expire(&app, tenant.parse().unwrap()).await;
    app.reconcile().await;
    app.wait_for_status(&tenant, 3).await;
    assert_eq!(only_subscription(&app).await["phase"], "pending");
    app.pipelines_succeed();
    provision(&app, &app.operator, &tenant, &body).await.expect(204);
    app.wait_for_status(&tenant, 0).await;
    assert_eq!(only_subscription(&app).await["phase"], "active");
}

/// Eight callers of two kinds: one job, one subscription, and no other error than that of a conflict.
#[tokio::test]
async fn concurrent_calls_open_one_job_with_one_subscription() {
    let app = App::start_silent().await;
    let (tenant, plan) = (app.tenant("acme").await, app.active_plan(&json!({})).await);
    let body = json!({ "planId": plan });
    let (opened, subscribed) = tokio::join!(
        join_all((0..8).map(|_| provision(&app, &app.operator, &tenant, &body))),
        join_all((0..8).map(|_| app.subscribe(&tenant, &plan))),
    );
    let accepted = opened.iter().filter(|reply| reply.status == 204).count();
    assert_eq!(accepted, 1, "{opened:?}");
    let others = opened.iter().chain(&subscribed).filter(|reply| reply.status >= 300);
    others.for_each(|reply| assert_eq!(reply.status, 409, "{}", reply.body));
    assert_eq!((app.items_of("job").len(), app.items_of("subscription").len()), (1, 1));
    let job = &app.items_of("job")[0];
    assert_eq!(job["subscriptionId"], app.items_of("subscription")[0]["id"]);
}

/// A job by plan that was prepared by reading the table.
struct Prepared {
    store: Store,
    from: store::TenantToBuild,
    plan: store::Stored<domain::Plan>,
    job: Job,
    decision: Decision,
}

impl Prepared {
    async fn new(app: &App, tenant: &str, plan: &str) -> Self {
        let env = app.local().env();
        let store = Store::from_env(&env, &Aws::from_env(&env).unwrap()).unwrap();
        let from = store.tenant_to_build(tenant.parse().unwrap()).await.unwrap();
        let plan = store.plan(plan.parse().unwrap()).await.unwrap();
        let (now, by, item) = (lambda::now(), UserId::from("test"), &from.tenant.item);
        let at = Context { tenant: item.standing(), now, by: &by };
        let current = from.current.as_ref().map(|current| &current.item);
        let terms = plan.item.terms(&Tiers::default());
        let decision = Subscription::provision(item.id, terms, current, at).unwrap();
        let work = Work {
            kind: JobKind::Provision,
            subscription: SubscriptionText::planned(&decision.subscription).unwrap(),
            isolation: Isolation::Pool,
            identity_provider: None,
        };
        let job = Job::open(item, Vec::new(), work, Duration::from_secs(60), now, &by).unwrap();
        Self { store, from, plan, job, decision }
    }

    async fn open(&self) -> Result<(), Error> {
        let Self { store, from, plan, job, decision } = self;
        let planned = PlannedJob { job, plan, waiting: from.current.as_ref(), decision };
        store.open_planned_job(&from.tenant, planned, "test").await
    }
}

#[tokio::test]
async fn a_job_by_plan_is_stale_if_the_tenant_its_subscription_or_the_plan_has_changed() {
    let app = App::start_silent().await;
    let plan = app.active_plan(&json!({})).await;
    let tenants = [app.tenant("a").await, app.tenant("b").await, app.tenant("c").await];
    let waiting = app.subscribe(&tenants[0], &plan).await.expect(200).text("/id");
    let waits = Prepared::new(&app, &tenants[0], &plan).await;
    app.act_on(&waiting, "cancel", &json!({ "when": "now" })).await.expect(200);

    let renamed = Prepared::new(&app, &tenants[1], &plan).await;
    let path = format!("/tenants/{}", tenants[1]);
    app.client.patch(&app.operator, &path, &json!({ "name": "New" })).await.expect(204);

    let archived = Prepared::new(&app, &tenants[2], &plan).await;
    app.client.post(&app.operator, &format!("/plans/{plan}/archive"), &json!({})).await.expect(204);
    let before = app.settled().await;
    for (what, prepared) in [("subscription", waits), ("tenant", renamed), ("plan", archived)] {
        let opened = prepared.open().await;
        assert!(matches!(opened, Err(Error::Stale)), "{what}: {opened:?}");
    }
    assert_eq!(app.items(), before);
}
