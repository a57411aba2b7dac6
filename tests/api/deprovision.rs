use domain::{JobId, TenantId};
use serde_json::{Value, json};
use support::{App, Options, Reply, SignedMessage, eventually, subscription};

async fn ask(app: &App, tenant: TenantId) -> Reply {
    app.client.post(&app.operator, &format!("/tenants/{tenant}/deprovision"), &json!({})).await
}

/// Starts deprovisioning and waits until the pipeline runs.
async fn deprovision(app: &App, tenant: TenantId) -> JobId {
    let accepted = ask(app, tenant).await.expect(204);
    let location = accepted.header("location").to_owned();
    eventually("a running job", async || {
        (app.read(&location).await.body["state"] != "queued").then_some(())
    })
    .await;
    location.rsplit('/').next().unwrap().parse().unwrap()
}

async fn report(app: &App, tenant: TenantId, job: JobId, message: Value) -> Reply {
    let mut body = json!({ "initiatorId": tenant });
    body.as_object_mut().unwrap().extend(message.as_object().unwrap().clone());
    SignedMessage::new(&app.keys, tenant, job, &body).send(&app.client).await
}

async fn status(app: &App, tenant: TenantId) -> Value {
    app.read(&format!("/tenants/{tenant}")).await.body["status"].clone()
}

#[tokio::test]
async fn an_active_tenant_is_deprovisioned_by_the_pipeline_that_built_it() {
    for (tier, isolation) in [("PREMIUM", "silo"), ("BASIC", "pool")] {
        let app = App::start().await;
        let (tenant, _) = app.provisioning("acme", tier).await;
        app.wait_for_status(&tenant.to_string(), 0).await;
        let accepted = ask(&app, tenant).await.expect(204);
        assert_eq!(accepted.raw, "");
        app.wait_for_status(&tenant.to_string(), 5).await;
        let job = app.read(accepted.header("location")).await.body;
        assert_eq!(
            (&job["kind"], &job["attempt"], &job["state"], &job["isolation"], &job["tier"]),
            (
                &json!("deprovision"),
                &json!(2),
                &json!("succeeded"),
                &json!(isolation),
                &json!(tier)
            )
        );
        assert_eq!(job["subscription"], subscription(tier));
        app.settle().await;
        assert_eq!(
            (app.executions(), app.dead_letters()),
            (2, 0),
            "deprovisioning starts a second execution"
        );
        assert_eq!(app.job_secrets(), Vec::<String>::new());
        for kind in ["", "DE"] {
            for what in ["PROVISIONING", "PROVISIONING_SUCCESS"] {
                assert_eq!(app.events_of(&format!("TENANT_{kind}{what}")).len(), 1, "{kind}{what}");
            }
        }
        assert_eq!(app.emails().len(), 1, "only the welcome email");
    }
}

#[tokio::test]
async fn a_tenant_is_active_again_after_deprovisioning_failed() {
    let app = App::start_silent().await;
    let (tenant, first) = app.provisioning("acme", "BASIC").await;
    report(&app, tenant, first, json!({ "type": 0, "status": "success" })).await.expect(204);
    let second = deprovision(&app, tenant).await;
    assert_eq!(status(&app, tenant).await, 4);
    let provisioned = json!({ "type": 0, "status": "success" });
    report(&app, tenant, second, provisioned).await.expect(409);
    let earlier = json!({ "type": 0, "status": "success" });
    report(&app, tenant, first, earlier).await.expect(401);
    assert_eq!(status(&app, tenant).await, 4);

    let failed = json!({ "type": 1, "data": { "status": 0, "reason": "the bucket is not empty" } });
    for _ in 0..2 {
        report(&app, tenant, second, failed.clone()).await.expect(204);
    }
    assert_eq!(status(&app, tenant).await, 0);
    let job = app.job(tenant, second).await;
    assert_eq!(
        (&job["state"], &job["reason"]),
        (&json!("failed"), &json!("the bucket is not empty"))
    );

    let third = deprovision(&app, tenant).await;
    report(&app, tenant, third, json!({ "type": 1, "status": "success" })).await.expect(204);
    assert_eq!(status(&app, tenant).await, 5);
    let jobs = app.read(&format!("/tenants/{tenant}/jobs")).await;
    assert_eq!(jobs.each("attempt"), [3, 2, 1]);
    app.settle().await;
    for (kind, many) in [("", 2), ("_FAILURE", 1), ("_SUCCESS", 1)] {
        let kind = format!("TENANT_DEPROVISIONING{kind}");
        assert_eq!(app.events_of(&kind).len(), many, "{kind}");
    }
    assert_eq!(app.executions(), 3);
}

#[tokio::test]
async fn only_an_active_tenant_can_be_deprovisioned() {
    let app = App::with_options(Options::silent()).await;
    let pending: TenantId = app.tenant("pending").await.parse().unwrap();
    let (tenant, first) = app.provisioning("acme", "BASIC").await;
    let refused = async |tenant: TenantId, status_before: u8| {
        let before = app.settled().await;
        let refused = ask(&app, tenant).await.expect(409);
        assert_eq!(refused.text("/error/name"), "ConflictError");
        assert_eq!(status(&app, tenant).await, status_before);
        assert_eq!(app.items(), before);
    };
    app.settle().await;
    refused(pending, 1).await;
    refused(tenant, 2).await;
    report(&app, tenant, first, json!({ "type": 0, "status": "failure" })).await.expect(204);
    app.settle().await;
    refused(tenant, 3).await;
    let second = app.provision(tenant, "BASIC").await;
    report(&app, tenant, second, json!({ "type": 0, "status": "success" })).await.expect(204);
    let third = deprovision(&app, tenant).await;
    app.settle().await;
    refused(tenant, 4).await;
    report(&app, tenant, third, json!({ "type": 1, "status": "success" })).await.expect(204);
    app.settle().await;
    refused(tenant, 5).await;
    let path = format!("/tenants/{tenant}/provision");
    app.client.post(&app.operator, &path, &subscription("BASIC")).await.expect(409);
    let unknown = TenantId::generate();
    ask(&app, unknown).await.expect(404);
}

#[tokio::test]
async fn six_concurrent_deprovision_requests_open_one_job() {
    let app = App::start_silent().await;
    let (tenant, first) = app.provisioning("acme", "BASIC").await;
    report(&app, tenant, first, json!({ "type": 0, "status": "success" })).await.expect(204);
    let asked = support::join_all((0..6).map(|_| ask(&app, tenant))).await;
    let mut statuses: Vec<_> = asked.iter().map(|asked| asked.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409, 409, 409, 409, 409]);
    assert_eq!(app.items_of("job").len(), 2);
}

/// Returns the names of a tenant's resources, listed and included alike.
async fn resources(app: &App, tenant: TenantId) -> Vec<Value> {
    let listed = app.read(&format!("/tenants/{tenant}/resources")).await.each("externalIdentifier");
    let included = app.read(&format!("/tenants/{tenant}?filter[include][0]=resources")).await.body;
    let included = included["resources"].as_array().unwrap().iter();
    let included: Vec<_> = included.map(|one| one["externalIdentifier"].clone()).collect();
    assert_eq!(listed, included);
    listed
}

fn built(kind: u8, status: u8, name: &str) -> Value {
    let resource = json!({ "type": "bucket", "externalIdentifier": name });
    json!({ "type": kind, "data": { "status": status, "resources": [resource] } })
}

async fn delete(app: &App, tenant: TenantId) -> Reply {
    app.client.delete(&app.operator, &format!("/tenants/{tenant}")).await
}

#[tokio::test]
async fn resources_of_a_failed_build_are_removed_before_the_tenant_is_deleted() {
    let app = App::start_silent().await;
    let (tenant, first) = app.provisioning("acme", "PREMIUM").await;
    report(&app, tenant, first, built(0, 0, "left")).await.expect(204);
    assert_eq!(
        (status(&app, tenant).await, resources(&app, tenant).await),
        (json!(3), vec![json!("left")])
    );
    let refused = delete(&app, tenant).await.expect(409);
    assert_eq!(refused.text("/error/code"), "TENANT_HAS_RESOURCES");

    // The pipeline of the pool would not find the resources of the silo.
    let before = app.settled().await;
    let path = format!("/tenants/{tenant}/provision");
    let refused = app.client.post(&app.operator, &path, &subscription("BASIC")).await.expect(409);
    assert_eq!(refused.text("/error/code"), "TENANT_STATE");
    assert!(refused.text("/error/message").contains("deprovision it first"), "{}", refused.raw);
    let pool = app.active_plan(&json!({})).await;
    app.provision_by_plan(&tenant.to_string(), &pool).await.expect(409);
    assert_eq!((app.items_of("subscription").len(), app.items_of("job").len()), (0, 1));
    assert_eq!(resources(&app, tenant).await, [json!("left")]);
    let tenants = |items: Vec<Value>| -> Vec<Value> {
        items.into_iter().filter(|item| item["entity"]["S"] == "tenant").collect()
    };
    assert_eq!(tenants(app.settled().await), tenants(before));

    // A later attempt without resources does not hide the resources of the first and their silo.
    let second = app.provision(tenant, "PREMIUM").await;
    report(&app, tenant, second, json!({ "type": 0, "status": "failure" })).await.expect(204);
    delete(&app, tenant).await.expect(409);
    let third = deprovision(&app, tenant).await;
    assert_eq!(app.job(tenant, third).await["isolation"], "silo");
    delete(&app, tenant).await.expect(409);

    // After a failure, everything is as before, and the tenant is listed once for attention.
    report(&app, tenant, third, json!({ "type": 1, "status": "failure" })).await.expect(204);
    assert_eq!((status(&app, tenant).await, resources(&app, tenant).await.len()), (json!(3), 1));
    delete(&app, tenant).await.expect(409);
    app.settle().await;
    let attention = app.read("/overview").await.body["attention"].clone();
    assert_eq!(attention.as_array().unwrap().len(), 1, "{attention}");

    let fourth = deprovision(&app, tenant).await;
    report(&app, tenant, fourth, built(1, 1, "reported by mistake")).await.expect(204);
    assert_eq!((status(&app, tenant).await, resources(&app, tenant).await), (json!(5), vec![]));
    delete(&app, tenant).await.expect(204);
}

#[tokio::test]
async fn an_active_tenant_cannot_be_deleted_even_without_resources() {
    let app = App::start_silent().await;
    let success = json!({ "type": 0, "status": "success" });
    for (key, message, many) in [("with", built(0, 1, "b"), 1), ("without", success, 0)] {
        let (tenant, job) = app.provisioning(key, "BASIC").await;
        report(&app, tenant, job, message).await.expect(204);
        assert_eq!(resources(&app, tenant).await.len(), many);
        let before = app.settled().await;
        assert_eq!(
            delete(&app, tenant).await.expect(409).text("/error/code"),
            "TENANT_HAS_RESOURCES"
        );
        assert_eq!(app.items(), before);
        let failed = deprovision(&app, tenant).await;
        report(&app, tenant, failed, json!({ "type": 1, "status": "failure" })).await.expect(204);
        assert_eq!(
            (status(&app, tenant).await, resources(&app, tenant).await.len()),
            (json!(0), many)
        );
        delete(&app, tenant).await.expect(409);
        let gone = deprovision(&app, tenant).await;
        report(&app, tenant, gone, json!({ "type": 1, "status": "success" })).await.expect(204);
        assert_eq!(resources(&app, tenant).await, [Value::Null; 0]);
        delete(&app, tenant).await.expect(204);
    }
}

#[tokio::test]
async fn a_concurrent_deletion_succeeds_only_after_the_failed_build_is_removed() {
    let app = App::start_silent().await;
    for n in 0..4 {
        let (tenant, job) = app.provisioning(&format!("t{n}"), "BASIC").await;
        report(&app, tenant, job, built(0, 0, "left")).await.expect(204);
        let gone = deprovision(&app, tenant).await;
        let (deleted, reported) = tokio::join!(
            delete(&app, tenant),
            report(&app, tenant, gone, json!({ "type": 1, "status": "success" })),
        );
        assert!(matches!((deleted.status, reported.status), (409 | 204, 204)));
        assert!(deleted.status == 204 || status(&app, tenant).await == 5);
    }
}
