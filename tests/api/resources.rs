//! Reports with more resources than one transaction can hold.

use std::collections::BTreeSet;

use domain::{JobId, TenantId};
use local::Fault;
use serde_json::{Value, json};
use support::{App, SignedMessage, join_all};

/// A report of `count` resources, the first of them twice.
fn report(tenant: TenantId, status: u8, count: usize) -> Value {
    let resource = |n: usize| {
        let arn = format!("arn:aws:lambda:eu-west-1:123456789012:function:acme-{n:04}");
        json!({ "type": "function", "externalIdentifier": arn, "metadata": { "n": n } })
    };
    let resources: Vec<_> = std::iter::once(0).chain(0..count - 1).map(resource).collect();
    json!({ "initiatorId": tenant, "type": 0, "data": { "status": status, "resources": resources } })
}

async fn send(app: &App, tenant: TenantId, job: JobId, body: &Value) -> u16 {
    SignedMessage::new(&app.keys, tenant, job, body).send(&app.client).await.status
}

/// Returns the identifiers of all resources of a tenant, over all pages.
async fn listed(app: &App, tenant: TenantId) -> Vec<String> {
    let mut path = Some(format!("/tenants/{tenant}/resources?limit=400"));
    let mut all = Vec::new();
    while let Some(next) = path {
        let page = app.read(&next).await;
        let names = page.each("externalIdentifier").into_iter();
        all.extend(names.map(|name| name.as_str().unwrap().to_owned()));
        path = page.next_page();
    }
    all
}

#[tokio::test]
async fn a_report_of_a_thousand_resources_is_taken_whole_and_once() {
    let app = App::start_silent().await;
    let (tenant, job) = app.provisioning("acme", "PREMIUM").await;
    let body = report(tenant, 1, 1000);
    assert_eq!(join_all((0..2).map(|_| send(&app, tenant, job, &body))).await, [204; 2]);
    let names = listed(&app, tenant).await;
    assert_eq!((names.len(), names.iter().collect::<BTreeSet<_>>().len()), (999, 999));
    assert_eq!(app.read(&format!("/tenants/{tenant}")).await.body["status"], 0);
    let wire = app.read(&format!("/tenants/{tenant}/resources?limit=1")).await;
    assert_eq!((wire.body[0].get("batch"), wire.body[0].get("attempt")), (None, None));
    app.settle().await;
    assert_eq!(app.items_of("resource").len(), 999);
    let refused = SignedMessage::new(&app.keys, tenant, job, &report(tenant, 1, 1001));
    let refused = refused.send(&app.client).await.expect(422);
    assert_eq!(refused.violations(), ["/data/resources maxItems"]);
}

#[tokio::test]
async fn a_large_report_that_stops_halfway_shows_nothing_and_can_go_on() {
    let app = App::start_silent().await;
    let (tenant, job) = app.provisioning("acme", "PREMIUM").await;
    let (first, second) = (report(tenant, 1, 300), report(tenant, 1, 250));
    for written in [1, 3] {
        app.settle().await;
        app.local().calls().fail("TransactWriteItems", Fault::RejectAfter(written));
        assert_eq!(send(&app, tenant, job, &first).await, 500);
        app.local().calls().restore("TransactWriteItems");
        assert!(!app.items_of("resource").is_empty());
        assert_eq!(listed(&app, tenant).await, Vec::<String>::new());
        let included = app.read(&format!("/tenants/{tenant}?filter[include][0]=resources")).await;
        assert_eq!(included.body["resources"], json!([]));
        assert_eq!(app.job(tenant, job).await["state"], "running");
    }
    // Another report takes the place of the first, whose resources are deleted.
    assert_eq!(send(&app, tenant, job, &second).await, 204);
    assert_eq!(listed(&app, tenant).await.len(), 249);
    app.settle().await;
    assert_eq!((app.items_of("resource").len(), app.dead_letters()), (249, 0));
}

#[tokio::test]
async fn the_resources_of_an_abandoned_report_are_deleted_when_the_job_ends() {
    let app = App::start_silent().await;
    let (tenant, job) = app.provisioning("acme", "PREMIUM").await;
    app.settle().await;
    app.local().calls().fail("TransactWriteItems", Fault::RejectAfter(2));
    assert_eq!(send(&app, tenant, job, &report(tenant, 1, 300)).await, 500);
    app.local().calls().restore("TransactWriteItems");
    // Changing the tenant does not lose the resources.
    let path = format!("/tenants/{tenant}");
    app.client.patch(&app.operator, &path, &json!({ "name": "New" })).await.expect(204);
    let failure = json!({ "initiatorId": tenant, "type": 0, "status": "failure" });
    assert_eq!(send(&app, tenant, job, &failure).await, 204);
    app.settle().await;
    assert_eq!(app.items_of("resource").len(), 0);
    let another = app.provision(tenant, "PREMIUM").await;
    assert_eq!(send(&app, tenant, another, &report(tenant, 1, 3)).await, 204);
    assert_eq!(listed(&app, tenant).await.len(), 2);
}

#[tokio::test]
async fn a_later_attempt_replaces_the_resources_that_it_reports_again() {
    let app = App::start_silent().await;
    let (tenant, first) = app.provisioning("acme", "PREMIUM").await;
    assert_eq!(send(&app, tenant, first, &report(tenant, 0, 120)).await, 204);
    assert_eq!(listed(&app, tenant).await.len(), 119);
    let second = app.provision(tenant, "PREMIUM").await;
    assert_eq!(send(&app, tenant, second, &report(tenant, 0, 20)).await, 204);
    let third = app.provision(tenant, "PREMIUM").await;
    assert_eq!(send(&app, tenant, third, &report(tenant, 1, 150)).await, 204);
    app.settle().await;
    let names = listed(&app, tenant).await;
    assert_eq!((names.len(), names.iter().collect::<BTreeSet<_>>().len()), (149, 149));
}
