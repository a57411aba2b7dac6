//! Moves of tenants to another tier or isolation, and the retirement of what they leave behind.

use domain::{JobId, TenantId};
use serde_json::{Value, json};
use support::{
    App, Reply, SignedMessage, eventually, join_all, run_alone,
    token::{OPERATOR, claims, token},
};

/// A tenant in use of the tier BASIC, with a subscription, and a plan of the tier PREMIUM.
struct Subscriber {
    tenant: String,
    subscription: String,
    basic: String,
    premium: String,
}

impl Subscriber {
    async fn new(app: &App) -> Self {
        let tenant = app.tenant_in_use("acme").await;
        let basic = app.active_plan(&json!({})).await;
        let silo = json!({ "name": "Large", "tier": "PREMIUM", "price": 90,
            "features": { "seats": 50 } });
        let premium = app.active_plan(&silo).await;
        let subscription = app.subscribe(&tenant, &basic).await.expect(200).text("/id");
        app.settle().await;
        Self { tenant, subscription, basic, premium }
    }

    async fn change(&self, app: &App, plan: &str) -> Reply {
        app.act_on(&self.subscription, "change", &json!({ "planId": plan })).await
    }

    async fn act(&self, app: &App, action: &str) -> Reply {
        let path = format!("/tenants/{}/{action}", self.tenant);
        app.client.post(&app.operator, &path, &json!({})).await
    }

    async fn read(&self, app: &App) -> Value {
        app.read(&format!("/tenants/{}", self.tenant)).await.body
    }

    async fn resources(&self, app: &App) -> Vec<Value> {
        let mut types = app.read(&format!("/tenants/{}/resources", self.tenant)).await.each("type");
        types.sort_by_key(Value::to_string);
        types
    }

    /// Returns the tenant and its items, without its jobs, the words of the search and the audit log.
    fn left(&self, app: &App) -> Vec<Value> {
        let mut items = app.items();
        items.retain(|item| {
            let own = ["tenant", "subscription", "entitlements", "resource", "timer", "invoice"];
            own.contains(&item["entity"]["S"].as_str().unwrap_or_default())
        });
        for item in items.iter_mut().filter(|item| item["entity"]["S"] == "tenant") {
            let members = item.as_object_mut().unwrap();
            for changed in ["latestJob", "version", "modifiedOn", "modifiedBy", "trace"] {
                members.remove(changed);
            }
        }
        items
    }
}

/// Reports the end of a tenant's job, as its build does.
pub(crate) async fn report(app: &App, tenant: &str, job: &str, mut message: Value) -> Reply {
    message["initiatorId"] = json!(tenant);
    let (tenant, job): (TenantId, JobId) = (tenant.parse().unwrap(), job.parse().unwrap());
    SignedMessage::new(&app.keys, tenant, job, &message).send(&app.client).await
}

/// Returns the job that an answer names.
pub(crate) fn job_of(accepted: &Reply) -> String {
    accepted.header("location").rsplit('/').next().unwrap().to_owned()
}

fn code(reply: &Reply) -> String {
    format!("{} {}", reply.status, reply.body["error"]["code"].as_str().unwrap_or_default())
}

async fn wait_for(app: &App, accepted: &Reply, state: &str) -> Value {
    eventually(state, async || {
        let job = app.read(accepted.header("location")).await.body;
        (job["state"] == state).then_some(job)
    })
    .await
}

#[tokio::test]
async fn a_tenant_moves_to_a_silo_and_back_and_stays_in_use() {
    let app = App::start().await;
    let one = Subscriber::new(&app).await;
    let (silo, pool) = (
        json!({ "tier": "PREMIUM", "isolation": "silo", "planId": one.premium }),
        json!({ "tier": "BASIC", "isolation": "pool", "planId": one.basic }),
    );
    for (plan, from, to, built) in [
        (&one.premium, &pool, &silo, json!(["bucket", "cluster", "database"])),
        (&one.basic, &silo, &pool, json!(["bucket-prefix", "schema"])),
    ] {
        let accepted = one.change(&app, plan).await.expect(202);
        assert_eq!(accepted.body["id"], json!(one.subscription));
        let job = wait_for(&app, &accepted, "succeeded").await;
        assert_eq!((&job["kind"], &job["from"], &job["to"]), (&json!("change"), from, to));
        assert_eq!(job["subscription"]["plan"]["tier"], to["tier"]);
        let read = one.read(&app).await;
        assert_eq!((&read["status"], &read["tier"]), (&json!(0), &to["tier"]));
        let left = &read["previous"];
        assert_eq!((&left["isolation"], &left["tier"]), (&from["isolation"], &from["tier"]));
        assert!(left["retireOn"].as_str().unwrap() > job["modifiedOn"].as_str().unwrap());
        assert_eq!(json!(one.resources(&app).await), built);
        assert_eq!(app.subscription(&one.subscription).await["planId"], json!(plan));
    }
    let retired = one.act(&app, "retire").await.expect(204);
    let job = wait_for(&app, &retired, "succeeded").await;
    assert_eq!((&job["kind"], &job["isolation"]), (&json!("retire"), &json!("silo")));
    let read = one.read(&app).await;
    assert_eq!((&read["status"], &read["previous"]), (&json!(0), &Value::Null));
    assert_eq!(json!(one.resources(&app).await), json!(["bucket-prefix", "schema"]));
    app.settle().await;
    assert_eq!(code(&one.act(&app, "retire").await), "409 TENANT_STATE");
    for (kind, times) in [
        ("TENANT_CHANGING", 2),
        ("TENANT_CHANGING_SUCCESS", 2),
        ("TENANT_RETIRING", 1),
        ("TENANT_RETIRING_SUCCESS", 1),
        ("SUBSCRIPTION_CHANGED", 2),
        ("ENTITLEMENTS_CHANGED", 3),
    ] {
        assert_eq!(app.events_of(kind).len(), times, "{kind}");
    }
    let event = &app.events_of("TENANT_RETIRING")[0]["detail"];
    assert_eq!(event["job"]["from"]["isolation"], "silo");
    assert_eq!(event["tenant"]["status"], 0);
    assert_eq!((app.job_secrets().len(), app.dead_letters()), (0, 0));
    assert!(app.items_of("timer").iter().all(|timer| timer["action"]["S"] != "retire"));
}

#[tokio::test]
async fn the_pipeline_of_the_target_is_started_with_both_ends_of_the_move() {
    let app = App::start().await;
    let one = Subscriber::new(&app).await;
    let accepted = one.change(&app, &one.premium).await.expect(202);
    wait_for(&app, &accepted, "succeeded").await;
    let retired = one.act(&app, "retire").await.expect(204);
    wait_for(&app, &retired, "succeeded").await;
    let executions = app.local().state().executions().unwrap();
    let mut moves = Vec::new();
    for kind in ["provision", "change", "retire"] {
        let mut all = executions.iter();
        let found = all.find(|given| given.variables["JOB_KIND"] == kind).unwrap();
        let value = |name| found.variables.get(name).map_or("-", String::as_str);
        let names = ["FROM_TIER", "TO_TIER", "FROM_ISOLATION", "TO_ISOLATION"].map(value);
        moves.push(format!("{kind} {} {} {}", found.pipeline, value("TIER"), names.join(" ")));
    }
    assert_eq!(
        moves,
        [
            "provision tenantry-pool BASIC - - - -",
            "change tenantry-silo PREMIUM BASIC PREMIUM pool silo",
            "retire tenantry-pool BASIC BASIC PREMIUM pool silo",
        ]
    );
}

#[tokio::test]
async fn a_failed_move_leaves_everything_as_it_was_and_can_be_repeated() {
    let app = App::start().await;
    let one = Subscriber::new(&app).await;
    app.local().end_pipelines_with(local::Outcome::Silent);
    let before = one.left(&app);
    let failed = json!({ "type": 2, "data": { "status": 0, "reason": "no room",
        "resources": [{ "type": "bucket", "externalIdentifier": "half" }] } });
    let first = job_of(&one.change(&app, &one.premium).await.expect(202));
    assert_eq!(one.read(&app).await["status"], 0);
    let wrong = json!({ "type": 0, "status": "success" });
    assert_eq!(code(&report(&app, &one.tenant, &first, wrong).await), "409 JOB_CONTRADICTION");
    report(&app, &one.tenant, &first, failed.clone()).await.expect(204);
    report(&app, &one.tenant, &first, failed).await.expect(204);
    let succeeded = json!({ "type": 2, "status": "success" });
    let contradicting = report(&app, &one.tenant, &first, succeeded.clone()).await;
    assert_eq!(code(&contradicting), "409 JOB_CONTRADICTION");
    app.settle().await;
    assert_eq!(one.left(&app), before);
    let shown = app.read(&format!("/tenants/{}/jobs/{first}", one.tenant)).await.body;
    assert_eq!((&shown["state"], &shown["reason"]), (&json!("failed"), &json!("no room")));
    assert_eq!(app.events_of("TENANT_CHANGING_FAILURE").len(), 1);

    let second = job_of(&one.change(&app, &one.premium).await.expect(202));
    report(&app, &one.tenant, &first, succeeded.clone()).await.expect(401);
    for _ in 0..2 {
        report(&app, &one.tenant, &second, succeeded.clone()).await.expect(204);
    }
    assert_eq!(one.read(&app).await["tier"], "PREMIUM");
    app.settle().await;
    assert_eq!(app.events_of("TENANT_CHANGING_SUCCESS").len(), 1);
    assert_eq!(app.subscription(&one.subscription).await["planId"], json!(one.premium));
}

#[tokio::test]
async fn an_overdue_move_times_out_and_leaves_everything_as_it_was() {
    let app = App::start().await;
    let one = Subscriber::new(&app).await;
    app.local().end_pipelines_with(local::Outcome::Silent);
    let before = one.left(&app);
    let accepted = one.change(&app, &one.premium).await.expect(202);
    app.settle().await;
    let mut job = app.items_of("job").into_iter().find(|job| job["kind"]["S"] == "change").unwrap();
    let late = "2026-01-01T00:00:00.000Z";
    job["deadline"]["S"] = json!(late);
    job["gsi1sk"]["S"] = json!(format!("{late}#{}", job_of(&accepted)));
    assert!(app.put_item(&job).await);
    app.reconcile().await;
    wait_for(&app, &accepted, "timed_out").await;
    app.settle().await;
    assert_eq!(one.left(&app), before);
}

#[tokio::test]
async fn a_subscription_of_another_tier_begins_when_the_tenant_has_moved() {
    let app = App::start().await;
    let tenant = app.tenant_in_use("acme").await;
    let silo = app.active_plan(&json!({ "tier": "PREMIUM" })).await;
    let accepted = app.subscribe(&tenant, &silo).await.expect(202);
    assert_eq!(accepted.body["phase"], "pending");
    let id = accepted.text("/id");
    wait_for(&app, &accepted, "succeeded").await;
    assert_eq!(app.subscription(&id).await["phase"], "active");
    app.settle().await;
    assert_eq!(app.items_of("invoice").len(), 1);
    assert_eq!(app.events_of("SUBSCRIPTION_ACTIVATED").len(), 1);
}

#[tokio::test]
async fn a_change_at_the_end_of_the_period_moves_the_tenant_after_the_renewal() {
    let app = App::start().await;
    let one = Subscriber::new(&app).await;
    let later = json!({ "planId": one.premium, "when": "period_end" });
    app.act_on(&one.subscription, "change", &later).await.expect(200);
    app.let_days_pass(32).await;
    join_all((0..3).map(|_| app.reconcile())).await;
    eventually("the move", async || (one.read(&app).await["tier"] == "PREMIUM").then_some(()))
        .await;
    app.settle().await;
    let read = app.subscription(&one.subscription).await;
    assert_eq!((&read["planId"], &read["pendingChange"]), (&json!(one.premium), &Value::Null));
    assert_eq!(app.events_of("TENANT_CHANGING").len(), 1);
    let lines: Vec<_> = read["adjustments"].as_array().unwrap().iter().collect();
    assert_eq!((lines.len(), &lines[1]["type"]), (2, &json!("charge")), "{lines:?}");
}

#[tokio::test]
async fn the_previous_resources_are_retired_a_week_later_and_once() {
    run_alone!(the_previous_resources_are_retired_a_week_later_and_once);
    let mut app = App::start().await;
    let one = Subscriber::new(&app).await;
    let accepted = one.change(&app, &one.premium).await.expect(202);
    wait_for(&app, &accepted, "succeeded").await;
    app.advance("6d").await;
    assert_eq!(one.read(&app).await["previous"]["isolation"], "pool");
    app.advance("2d").await;
    eventually("the retirement", async || one.read(&app).await["previous"].is_null().then_some(()))
        .await;
    app.settle().await;
    join_all((0..3).map(|_| app.reconcile())).await;
    app.settle().await;
    assert_eq!(app.events_of("TENANT_RETIRING").len(), 1);
    assert_eq!(app.events_of("TENANT_RETIRING_SUCCESS").len(), 1);
    assert_eq!((one.read(&app).await["status"].clone(), app.dead_letters()), (json!(0), 0));
}

#[tokio::test]
async fn an_open_move_is_the_lock_of_everything_else() {
    let app = App::start().await;
    let one = Subscriber::new(&app).await;
    app.local().end_pipelines_with(local::Outcome::Silent);
    let races = (0..8).map(async |_| one.change(&app, &one.premium).await);
    let answers = join_all(races).await;
    let accepted: Vec<_> = answers.iter().filter(|reply| reply.status == 202).collect();
    assert_eq!(accepted.len(), 1);
    for refused in answers.iter().filter(|reply| reply.status != 202) {
        assert!(
            ["409 JOB_OPEN", "503 BUSY"].contains(&code(refused).as_str()),
            "{}",
            code(refused)
        );
    }
    for action in ["suspend", "deprovision", "retire"] {
        assert_eq!(code(&one.act(&app, action).await), "409 JOB_OPEN", "{action}");
    }
    let now = json!({ "when": "now" });
    let cancelled = app.act_on(&one.subscription, "cancel", &now).await;
    assert_eq!(code(&cancelled), "409 JOB_OPEN");
    assert_eq!(app.items_of("job").len(), 2);
}

#[tokio::test]
async fn of_changes_suspensions_and_deprovisionings_at_once_one_counts() {
    let app = App::start().await;
    let one = Subscriber::new(&app).await;
    app.local().end_pipelines_with(local::Outcome::Silent);
    let actions = ["change", "suspend", "deprovision"].into_iter().cycle().take(24);
    let sent = actions.map(async |action| match action {
        "change" => (action, one.change(&app, &one.premium).await),
        _ => (action, one.act(&app, action).await),
    });
    let answers = join_all(sent).await;
    let done = |wanted: &str| {
        let counts = |(action, reply): &&(&str, Reply)| *action == wanted && reply.status < 300;
        answers.iter().filter(counts).count()
    };
    let (changes, removals) = (done("change"), done("deprovision"));
    assert_eq!(changes + removals, 1, "one job is open");
    assert!(done("suspend") <= 1);
    assert_eq!(app.items_of("job").len(), 2);
    let read = one.read(&app).await;
    assert_eq!(read["status"], if removals == 1 { 4 } else { 0 });
}

#[tokio::test]
async fn a_move_also_needs_the_permission_to_provision() {
    let app = App::start().await;
    let one = Subscriber::new(&app).await;
    let path = format!("/subscriptions/{}/change", one.subscription);
    let body = json!({ "planId": one.premium });
    let only = |permissions: &[&str]| token(OPERATOR, &claims(permissions).to_string());
    let dry = format!("{path}?dryRun=true");
    let quote = app.client.post(&only(&["7002"]), &dry, &body).await.expect(200).body;
    assert_eq!(quote["needsJob"], json!(true));
    app.client.post(&only(&["7002"]), &path, &body).await.expect(403);
    assert_eq!(app.items_of("job").len(), 1);
    app.client.post(&only(&["7002", "10216"]), &path, &body).await.expect(202);
}

#[tokio::test]
async fn a_deprovisioned_tenant_keeps_its_previous_resources_until_they_are_retired() {
    let app = App::start().await;
    let one = Subscriber::new(&app).await;
    let accepted = one.change(&app, &one.premium).await.expect(202);
    wait_for(&app, &accepted, "succeeded").await;
    let removed = one.act(&app, "deprovision").await.expect(204);
    assert_eq!(wait_for(&app, &removed, "succeeded").await["isolation"], "silo");
    let path = format!("/tenants/{}", one.tenant);
    let refused = app.client.delete(&app.operator, &path).await;
    assert_eq!(code(&refused), "409 TENANT_HAS_RESOURCES");
    let retired = one.act(&app, "retire").await.expect(204);
    assert_eq!(wait_for(&app, &retired, "succeeded").await["isolation"], "pool");
    assert_eq!(one.read(&app).await["status"], 5);
    app.client.delete(&app.operator, &path).await.expect(204);
}

#[tokio::test]
async fn a_move_within_an_isolation_leaves_nothing_behind() {
    let app = App::start().await;
    let one = Subscriber::new(&app).await;
    let standard = app.active_plan(&json!({ "name": "More", "tier": "STANDARD" })).await;
    let accepted = one.change(&app, &standard).await.expect(202);
    wait_for(&app, &accepted, "succeeded").await;
    let read = one.read(&app).await;
    assert_eq!((&read["tier"], &read["previous"]), (&json!("STANDARD"), &Value::Null));
    assert!(app.items_of("timer").iter().all(|timer| timer["action"]["S"] != "retire"));
}
