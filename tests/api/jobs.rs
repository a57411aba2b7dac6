use serde_json::json;
use support::{App, Options, join_all, lead, subscription};

use crate::overdue::expire;

#[tokio::test]
async fn a_lead_becomes_an_active_tenant() {
    let app = App::start().await;
    let lead = app.verified_lead("ada@acme.test").await;
    let body = json!({ "key": "acme", "domains": ["acme.test"] });
    let made = app.client.post(&lead.token, &format!("/leads/{}/tenants", lead.id), &body).await;
    let id = made.expect(200).text("/id");
    let path = format!("/tenants/{id}/provision");
    let accepted = app.client.post(&lead.token, &path, &subscription("PREMIUM")).await.expect(204);
    let location = accepted.header("location").to_owned();
    assert!(location.starts_with(&format!("/tenants/{id}/jobs/")), "{location}");
    app.wait_for_status(&id, 0).await;

    let job = app.client.get(&app.operator, &location).await.expect(200).body;
    assert_eq!(
        (&job["state"], &job["attempt"], &job["isolation"]),
        (&json!("succeeded"), &json!(1), &json!("silo"))
    );
    let steps: Vec<_> = job["steps"].as_array().unwrap().iter().map(|s| &s["name"]).collect();
    assert_eq!(steps, ["queued", "running", "succeeded"]);
    assert_eq!(job["subscription"], subscription("PREMIUM"));
    let path = format!("/tenants/{id}/resources");
    let resources = app.client.get(&app.operator, &path).await.expect(200);
    assert!(!resources.body.as_array().unwrap().is_empty());

    app.settle().await;
    let mails = app.emails_to("ada@acme.test");
    assert_eq!(mails.len(), 2, "verification and welcome");
    for kind in ["LEAD_CREATED", "TENANT_PROVISIONING", "TENANT_PROVISIONING_SUCCESS"] {
        assert_eq!(app.events_of(kind).len(), 1, "{kind}");
    }
    assert_eq!(app.job_secrets().len(), 0, "the secret is deleted when the job ends");
}

#[tokio::test]
async fn a_failed_attempt_has_a_reason_and_a_second_one_succeeds() {
    let app = App::with_options(Options::failing()).await;
    let (tenant, first) = app.provisioning("acme", "BASIC").await;
    app.wait_for_status(&tenant.to_string(), 3).await;
    let job = app.job(tenant, first).await;
    assert_eq!((&job["state"], &job["isolation"]), (&json!("failed"), &json!("pool")));
    assert!(!job["reason"].as_str().unwrap().is_empty());

    app.pipelines_succeed();
    let second = app.provision(tenant, "BASIC").await;
    app.wait_for_status(&tenant.to_string(), 0).await;
    let jobs = app.client.get(&app.operator, &format!("/tenants/{tenant}/jobs")).await.expect(200);
    let attempts: Vec<_> = jobs.body.as_array().unwrap().iter().map(|j| &j["attempt"]).collect();
    assert_eq!(attempts, [2, 1]);
    assert_eq!(app.job(tenant, second).await["state"], "succeeded");
}

#[tokio::test]
async fn a_job_without_a_report_times_out() {
    let app = App::start_silent().await;
    let (tenant, job) = app.provisioning("acme", "BASIC").await;
    app.reconcile().await;
    assert_eq!(app.job(tenant, job).await["state"], "running", "not before the deadline");
    expire(&app, tenant).await;
    join_all((0..3).map(|_| app.reconcile())).await;
    let closed = app.job(tenant, job).await;
    assert_eq!(closed["state"], "timed_out");
    assert!(closed["reason"].as_str().unwrap().contains("deadline"));
    app.wait_for_status(&tenant.to_string(), 3).await;
    app.settle().await;
    assert_eq!(app.events_of("TENANT_PROVISIONING_FAILURE").len(), 1);
}

#[tokio::test]
async fn a_failed_pipeline_execution_closes_its_job() {
    let app = App::start_silent().await;
    let (tenant, job) = app.provisioning("acme", "BASIC").await;
    let execution = app.job(tenant, job).await["executionId"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        app.end_execution(&execution, "FAILED").await;
    }
    app.wait_for_status(&tenant.to_string(), 3).await;
    assert!(app.job(tenant, job).await["reason"].as_str().unwrap().contains(&execution));
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_concurrent_flows_all_end_active() {
    let app = App::start().await;
    let flow = |n: usize| {
        let app = &app;
        async move {
            let email = format!("ada@t{n}.test");
            let created = app.client.post_without_token("/leads", &lead(&email)).await.expect(200);
            let id = created.text("/id");
            let path = format!("/leads/{id}/verify");
            let verified =
                app.client.post(&app.verification_key(&id), &path, &json!(null)).await.expect(200);
            let token = verified.text("/token");
            let body = json!({ "key": format!("t{n}"), "domains": [format!("t{n}.test")] });
            let path = format!("/leads/{id}/tenants");
            let tenant = app.client.post(&token, &path, &body).await.expect(200).text("/id");
            let path = format!("/tenants/{tenant}/provision");
            let tier = if n.is_multiple_of(2) { "PREMIUM" } else { "BASIC" };
            app.client.post(&token, &path, &subscription(tier)).await.expect(204);
            app.wait_for_status(&tenant, 0).await;
        }
    };
    join_all((0..64).map(flow)).await;
    app.settle().await;
    for kind in ["LEAD_CREATED", "TENANT_PROVISIONING", "TENANT_PROVISIONING_SUCCESS"] {
        assert_eq!(app.events_of(kind).len(), 64, "{kind}");
    }
    assert_eq!(app.emails().len(), 128);
}
