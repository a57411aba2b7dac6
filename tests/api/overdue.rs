//! Jobs past their deadline. A job that cannot be closed does not block the others.

use std::time::Duration;

use domain::{JobId, TenantId};
use serde_json::{Value, json};
use support::{App, SignedMessage};

/// Returns the item of a tenant's only job.
fn job_item(app: &App, tenant: TenantId) -> Value {
    let mut jobs = app.items_of("job");
    jobs.retain(|job| job["tenantId"]["S"] == tenant.to_string());
    jobs.remove(0)
}

/// Pads a job's item by `bytes`. Returns whether the table accepted it.
async fn pad(app: &App, tenant: TenantId, bytes: usize) -> bool {
    let mut job = job_item(app, tenant);
    let plan = json!({ "tier": "BASIC", "x": "y".repeat(bytes) });
    job["subscription"]["S"] = json!({ "id": "s1", "plan": plan }).to_string().into();
    app.put_item(&job).await
}

/// Pads a job's item to the maximum size of an item.
async fn fill(app: &App, tenant: TenantId) {
    let (mut fits, mut too_large) = (300_000, 410_000);
    while too_large - fits > 1 {
        let middle = usize::midpoint(fits, too_large);
        if pad(app, tenant, middle).await {
            fits = middle;
        } else {
            too_large = middle;
        }
    }
    assert!(pad(app, tenant, fits).await);
}

/// Moves the deadline of a tenant's only job one minute into the past.
pub(crate) async fn expire(app: &App, tenant: TenantId) {
    let mut job = job_item(app, tenant);
    let deadline = (lambda::now() - Duration::from_secs(60)).to_string();
    job["gsi1sk"]["S"] = format!("{deadline}#{}", job["id"]["S"].as_str().unwrap()).into();
    job["deadline"]["S"] = deadline.into();
    assert!(app.put_item(&job).await);
}

async fn state(app: &App, (tenant, job): (TenantId, JobId)) -> String {
    app.job(tenant, job).await["state"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_job_of_the_maximum_item_size_is_shortened_and_closed() {
    let app = App::start_silent().await;
    let (poison, innocent) =
        (app.provisioning("poison", "BASIC").await, app.provisioning("acme", "BASIC").await);
    fill(&app, poison.0).await;
    expire(&app, poison.0).await;
    expire(&app, innocent.0).await;
    app.reconcile().await;
    for (tenant, job) in [poison, innocent] {
        assert_eq!(state(&app, (tenant, job)).await, "timed_out");
        app.wait_for_status(&tenant.to_string(), 3).await;
    }
    let closed = app.job(poison.0, poison.1).await;
    assert_eq!(closed["subscription"], json!({ "id": "s1", "plan": { "tier": "BASIC" } }));
    app.settle().await;
    assert_eq!(app.events_of("TENANT_PROVISIONING_FAILURE").len(), 2);
}

#[tokio::test]
async fn a_failure_of_a_job_of_the_maximum_item_size_can_be_reported() {
    let app = App::start_silent().await;
    let (tenant, job) = app.provisioning("acme", "BASIC").await;
    fill(&app, tenant).await;
    let failed = json!({ "initiatorId": tenant, "type": 0, "status": "failure" });
    SignedMessage::new(&app.keys, tenant, job, &failed).send(&app.client).await.expect(204);
    assert_eq!(state(&app, (tenant, job)).await, "failed");
}

#[tokio::test]
async fn one_run_closes_the_jobs_on_all_pages() {
    let app = App::start_silent().await;
    let mut jobs = Vec::new();
    for key in ["one", "two", "three", "four", "five"] {
        jobs.push(app.provisioning(key, "BASIC").await);
    }
    // Three jobs fill a page of 1 MB.
    for (tenant, _) in &jobs {
        assert!(pad(&app, *tenant, 350_000).await);
        expire(&app, *tenant).await;
    }
    app.local().calls().clear();
    app.reconcile().await;
    for job in jobs {
        assert_eq!(state(&app, job).await, "timed_out");
    }
    let queries =
        app.local().calls().by("reconciler").iter().filter(|call| *call == "Query").count();
    assert!(queries > 2, "{queries} queries: more than a page of jobs, and the timers");
}

#[tokio::test]
async fn a_job_that_cannot_be_closed_is_postponed_and_does_not_block_others() {
    let app = App::start_silent().await;
    let (poison, innocent) =
        (app.provisioning("poison", "BASIC").await, app.provisioning("acme", "BASIC").await);
    for code in ["ValidationException", "AccessDeniedException"] {
        let tenant = poison.0.to_string();
        app.local().calls().reject_with("TransactWriteItems", &tenant, code);
    }
    expire(&app, poison.0).await;
    expire(&app, innocent.0).await;
    app.reconcile().await;
    assert_eq!(state(&app, innocent).await, "timed_out");
    assert_eq!(state(&app, poison).await, "running");
    let place = job_item(&app, poison.0)["gsi1sk"]["S"].as_str().unwrap().to_owned();
    let soon = (lambda::now() + Duration::from_secs(30)).to_string();
    assert!(place > soon && place.ends_with(&poison.1.to_string()), "{place}");

    // The job is retried, but after the others.
    app.local().calls().clear();
    app.reconcile().await;
    let reads = app.local().calls().by("reconciler");
    assert_eq!(reads, ["Query", "Query"], "the jobs, then the timers");
    app.local().calls().restore("TransactWriteItems");
    let mut job = job_item(&app, poison.0);
    job["gsi1sk"] = job_item(&app, innocent.0)["createdOn"].clone();
    assert!(app.put_item(&job).await);
    app.reconcile().await;
    assert_eq!(state(&app, poison).await, "timed_out");
}

#[tokio::test]
async fn an_unreadable_job_is_postponed_and_does_not_block_others() {
    let app = App::start_silent().await;
    let (poison, innocent) =
        (app.provisioning("poison", "BASIC").await, app.provisioning("acme", "BASIC").await);
    expire(&app, poison.0).await;
    expire(&app, innocent.0).await;
    let mut job = job_item(&app, poison.0);
    let before = job["gsi1sk"].clone();
    job["kind"]["S"] = "unknown".into();
    assert!(app.put_item(&job).await);
    app.reconcile().await;
    assert_eq!(state(&app, innocent).await, "timed_out");
    assert_ne!(job_item(&app, poison.0)["gsi1sk"], before);
}
