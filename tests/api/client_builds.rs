//! The signed requests of public clients of ARC SaaS, as they send them: the orchestrator of
//! `arc-saas-sandbox`, and the offboarding script of `terraform-aws-arc-eks-saas`.

use domain::{JobId, TenantId};
use lambda::keys::mac;
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use support::{App, Reply, eventually};

/// Sends a body signed with the secret of a job, as the orchestrator and the build scripts do.
async fn signed(
    app: &App,
    path: &str,
    of: (TenantId, JobId),
    context: &str,
    body: &Value,
) -> Reply {
    let (tenant, job) = of;
    let (body, timestamp) = (body.to_string(), lambda::now().millis().to_string());
    let secret = app.keys.webhook_secret(tenant, job).expose_secret().to_owned();
    let parts = [body.as_bytes(), context.as_bytes(), timestamp.as_bytes()];
    let signature = mac(&secret.into(), &parts);
    let hex: String = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let send = app.client.send(Method::POST, path, |request| {
        request
            .header("content-type", "application/json")
            .header("x-timestamp", timestamp)
            .header("x-signature", hex)
            .header("bypass-tunnel-reminder", "true")
            .body(body)
    });
    send.await
}

/// The orchestrator signs both requests with the secret of the job; only the report has a context.
#[tokio::test]
async fn the_orchestrator_sets_up_the_admin_and_reports_the_build() {
    let app = App::start_silent().await;
    let (acme, job) = app.provisioning("acme", "BASIC").await;
    let (other, of_other) = app.provisioning("other", "BASIC").await;
    let contacts = json!([{
        "id": TenantId::generate(), "firstName": "Grace", "lastName": "Hopper", "isPrimary": true,
        "email": "ops@acme.test", "type": null, "tenantId": acme, "deleted": false,
    }]);
    let users = json!({
        "tenant": {
            "id": acme, "key": "acme", "name": "Acme", "status": 2, "domains": ["acme.test"],
            "contacts": contacts, "addressId": null,
        },
        "plan": { "tier": "BASIC", "storage": "10" },
    });
    let set_up = signed(&app, "/manage/users", (acme, job), "", &users).await.expect(200);
    assert_eq!(set_up.body, json!({ "authId": "" }));
    for wrong in [(acme, JobId::generate()), (acme, of_other), (other, of_other)] {
        signed(&app, "/manage/users", wrong, "", &users).await.expect(401);
    }
    let mut foreign = users.clone();
    foreign["tenant"]["key"] = json!("other");
    signed(&app, "/manage/users", (acme, job), "", &foreign).await.expect(400);

    let context = job.to_string();
    let report = json!({
        "initiatorId": acme, "type": 0,
        "data": {
            "status": 1, "appPlaneUrl": "redirectUrl",
            "resources": [{ "type": "s3", "metadata": { "bucket": "state", "path": "acme.tfstate" } }],
        },
    });
    signed(&app, "/webhook", (acme, job), &context, &report).await.expect(204);
    app.wait_for_status(&acme.to_string(), 0).await;
    assert_eq!(app.job(acme, job).await["appPlaneUrl"], "redirectUrl");
    let mail =
        eventually("the welcome email", async || app.emails_to("ops@acme.test").into_iter().next());
    assert!(!mail.await.to_string().contains("redirectUrl"));
    // The secret stays valid for the set-up until the next job.
    signed(&app, "/manage/users", (acme, job), "", &users).await.expect(200);
    let path = format!("/tenants/{acme}/deprovision");
    app.client.post(&app.operator, &path, &json!({})).await.expect(204);
    signed(&app, "/manage/users", (acme, job), "", &users).await.expect(401);
}

/// No link and no unknown member of a report keeps its job open.
#[tokio::test]
async fn a_report_closes_its_job_with_any_link_and_other_members() {
    let app = App::start_silent().await;
    for (key, url, kept) in [
        ("empty", json!(""), Value::Null),
        ("blank", json!("  "), Value::Null),
        ("word", json!("redirectUrl"), json!("redirectUrl")),
        ("script", json!("javascript:alert(1)"), json!("javascript:alert(1)")),
        ("url", json!("HTTPS://acme.test"), json!("https://acme.test/")),
    ] {
        let (tenant, job) = app.provisioning(key, "BASIC").await;
        let report = json!({
            "initiatorId": tenant, "type": 0, "version": 2,
            "data": { "status": 1, "resources": [], "appPlaneUrl": url, "tier": "BASIC", "x": { "y": [] } },
        });
        signed(&app, "/webhook", (tenant, job), &job.to_string(), &report).await.expect(204);
        assert_eq!(app.job(tenant, job).await["appPlaneUrl"], kept, "{key}");
        app.wait_for_status(&tenant.to_string(), 0).await;
    }
}

#[tokio::test]
async fn the_offboarding_script_reports_that_a_tenant_was_removed() {
    let app = App::start_silent().await;
    let (acme, job) = app.provisioning("acme", "PREMIUM").await;
    let report = |kind: u8| {
        json!({
            "initiatorId": acme, "type": kind,
            "data": { "status": 1, "resources": [], "appPlaneUrl": "", "tier": "premium" },
        })
    };
    signed(&app, "/webhook", (acme, job), &job.to_string(), &report(0)).await.expect(204);
    app.wait_for_status(&acme.to_string(), 0).await;
    let path = format!("/tenants/{acme}/deprovision");
    let opened = app.client.post(&app.operator, &path, &json!({})).await.expect(204);
    let job: JobId = opened.header("location").rsplit('/').next().unwrap().parse().unwrap();
    signed(&app, "/webhook", (acme, job), &job.to_string(), &report(1)).await.expect(204);
    app.wait_for_status(&acme.to_string(), 5).await;
}
