//! AWS calls that no other test makes. `tests/permissions_test.py` compares the recorded calls with
//! the permissions in `template.yaml`, so every permission must be exercised by a test.

use lambda::aws::Aws;
use serde_json::json;
use support::{App, Options, eventually, subscription, tenant};

/// The variables contain secret ARNs, as on AWS.
#[tokio::test]
async fn functions_read_their_secrets_by_arn() {
    let app = App::with_options(
        Options::succeeding().variable("JWT_SECRET", "").variable("MASTER_KEYS", ""),
    )
    .await;
    let lead = app.verified_lead("ada@acme.test").await;
    let body = json!({ "key": "acme", "domains": ["acme.test"] });
    let path = format!("/leads/{}/tenants", lead.id);
    let tenant = app.client.post(&lead.token, &path, &body).await.expect(200).text("/id");
    let path = format!("/tenants/{tenant}/provision");
    app.client.post(&lead.token, &path, &subscription("BASIC")).await.expect(204);
    app.wait_for_status(&tenant, 0).await;
    app.settle().await;
    assert_eq!(app.emails_to("ada@acme.test").len(), 2);
}

#[tokio::test]
async fn lists_use_every_index_and_every_relation() {
    let app = App::start().await;
    let lead = app.verified_lead("ada@acme.test").await;
    let body = json!({ "key": "acme", "domains": ["acme.test"] });
    let path = format!("/leads/{}/tenants", lead.id);
    app.client.post(&lead.token, &path, &body).await.expect(200);
    for (noun, filter) in [
        ("leads", r#"{"include":[{"relation":"tenant","scope":{"include":["contacts"]}}]}"#),
        ("leads", r#"{"where":{"email":"ada@acme.test"}}"#),
        ("tenants", r#"{"where":{"status":1},"include":["contacts","lead"]}"#),
    ] {
        let filter: String = filter.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let found = app.client.get(&app.operator, &format!("/{noun}?filter={filter}")).await;
        assert_eq!(found.expect(200).body.as_array().unwrap().len(), 1);
    }
}

/// The master keys were rotated after a delivery that only created the secret.
#[tokio::test]
async fn a_job_starts_even_if_its_secret_exists_with_another_value() {
    let app = App::start().await;
    app.set_failing("StartPipelineExecution", true);
    let made = app.client.post(&app.operator, "/tenants", &tenant("acme")).await.expect(200);
    let id = made.text("/id");
    let path = format!("/tenants/{id}/provision");
    app.client.post(&app.operator, &path, &subscription("PREMIUM")).await.expect(204);
    let name = eventually("a secret", async || app.job_secrets().pop()).await;
    let aws = Aws::from_env(&app.local().env()).unwrap();
    let secrets = aws_sdk_secretsmanager::Client::new(&aws.service("SECRETS_MANAGER"));
    let deleted = secrets.delete_secret().secret_id(&name).force_delete_without_recovery(true);
    deleted.send().await.unwrap();
    secrets.create_secret().name(&name).secret_string("another").send().await.unwrap();
    let found = async || {
        let calls = app.local().calls().by("pipelines");
        calls.iter().any(|action| action == "DescribeSecret").then_some(())
    };
    eventually("a lookup of the secret", found).await;
    app.set_failing("StartPipelineExecution", false);
    eventually("an execution", async || (app.executions() == 1).then_some(())).await;
}

#[tokio::test]
async fn a_failed_execution_of_the_silo_pipeline_closes_its_job() {
    let app = App::start_silent().await;
    let (tenant, job) = app.provisioning("acme", "PREMIUM").await;
    let execution = app.job(tenant, job).await["executionId"].as_str().unwrap().to_owned();
    let detail =
        json!({ "pipeline": "tenantry-silo", "execution-id": execution, "state": "FAILED" });
    let event = json!({
        "source": "aws.codepipeline",
        "detail-type": "CodePipeline Pipeline Execution State Change",
        "detail": detail,
    });
    app.invoke("pipelines", event).await.unwrap();
    app.wait_for_status(&tenant.to_string(), 3).await;
}
