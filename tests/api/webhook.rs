use domain::{JobId, TenantId};
use serde_json::{Value, json};
use support::{App, SignedMessage, join_all};

fn success(tenant: TenantId) -> Value {
    json!({
        "initiatorId": tenant, "type": 0,
        "data": {
            "status": 1,
            "appPlaneUrl": "https://acme.example",
            "resources": [
                { "type": "bucket", "metadata": { "bucket": "acme-files" } },
                { "type": "database", "externalIdentifier": "acme-db", "metadata": { "size": 5 } },
                { "type": "dns", "externalIdentifier": "acme.example" },
            ],
        },
    })
}

fn failure(tenant: TenantId) -> Value {
    json!({
        "initiatorId": tenant, "type": 0,
        "data": { "status": 0, "reason": "no address left" },
    })
}

#[tokio::test]
async fn six_concurrent_repetitions_of_a_message_have_one_effect() {
    let app = App::start_silent().await;
    let (tenant, job) = app.provisioning("acme", "PREMIUM").await;
    let message = SignedMessage::new(&app.keys, tenant, job, &success(tenant));
    let send = |_| {
        let (client, message) = (app.client.clone(), message.clone());
        async move { message.send(&client).await.status }
    };
    assert_eq!(join_all((0..6).map(send)).await, [204; 6]);

    let read = app.client.get(&app.operator, &format!("/tenants/{tenant}")).await.expect(200);
    assert_eq!(read.body["status"], 0);
    let path = format!("/tenants/{tenant}/resources");
    let resources = app.client.get(&app.operator, &path).await.expect(200);
    let mut names: Vec<_> = resources.body.as_array().unwrap().iter().map(name_of).collect();
    names.sort();
    assert_eq!(names, ["bucket acme-files", "database acme-db", "dns acme.example"]);
    let closed = app.job(tenant, job).await;
    let steps: Vec<_> = closed["steps"].as_array().unwrap().iter().map(|s| &s["name"]).collect();
    assert_eq!(steps.last(), Some(&&json!("succeeded")));
    assert_eq!(steps.iter().filter(|name| **name == "succeeded").count(), 1);
    app.settle().await;
    assert_eq!(app.events_of("TENANT_PROVISIONING_SUCCESS").len(), 1);
    assert_eq!(app.emails_to("ops@acme.test").len(), 1, "one welcome email");
}

#[tokio::test]
async fn a_contradicting_message_is_refused_and_changes_nothing() {
    let app = App::start_silent().await;
    let (tenant, job) = app.provisioning("acme", "BASIC").await;
    SignedMessage::new(&app.keys, tenant, job, &success(tenant))
        .send(&app.client)
        .await
        .expect(204);
    let refused =
        SignedMessage::new(&app.keys, tenant, job, &failure(tenant)).send(&app.client).await;
    assert_eq!(refused.expect(409).text("/error/name"), "ConflictError");
    let deprovisioned = json!({ "initiatorId": tenant, "type": 1, "status": "success" });
    SignedMessage::new(&app.keys, tenant, job, &deprovisioned).send(&app.client).await.expect(409);
    assert_eq!(app.job(tenant, job).await["state"], "succeeded");
}

#[tokio::test]
async fn a_message_of_an_earlier_attempt_does_not_affect_a_later_one() {
    let app = App::start_silent().await;
    let (tenant, first) = app.provisioning("acme", "BASIC").await;
    let short = json!({ "initiatorId": tenant, "type": 0, "status": "failure" });
    SignedMessage::new(&app.keys, tenant, first, &short).send(&app.client).await.expect(204);
    let second = app.provision(tenant, "BASIC").await;
    for message in [success(tenant), failure(tenant), short] {
        SignedMessage::new(&app.keys, tenant, first, &message).send(&app.client).await.expect(401);
    }
    let read = app.client.get(&app.operator, &format!("/tenants/{tenant}")).await.expect(200);
    assert_eq!(read.body["status"], 2);
    assert_eq!(app.job(tenant, second).await["attempt"], 2);
    SignedMessage::new(&app.keys, tenant, second, &success(tenant))
        .send(&app.client)
        .await
        .expect(204);
    assert_eq!(app.job(tenant, first).await["state"], "failed");
}

#[tokio::test]
async fn every_invalid_signature_gets_the_same_response() {
    let app = App::start_silent().await;
    let (tenant, job) = app.provisioning("acme", "BASIC").await;
    let now = lambda::now().millis();
    let (body, stranger) = (success(tenant), TenantId::generate());
    let good = SignedMessage::new(&app.keys, tenant, job, &body);
    let mut answers = Vec::new();
    for bad in [
        good.tampered(&failure(tenant)),
        SignedMessage::new(&app.keys, tenant, JobId::generate(), &body),
        SignedMessage::new(&app.keys, stranger, job, &success(stranger)),
        SignedMessage::at(&app.keys, tenant, job, &body, now - 21_000),
        SignedMessage::at(&app.keys, tenant, job, &body, now + 25_000),
        SignedMessage::new(&app.keys, tenant, job, &json!({ "type": 0, "status": "success" })),
        SignedMessage::new(&app.keys, tenant, job, &json!([])),
        SignedMessage::new(&app.keys, tenant, job, &json!({ "initiatorId": "x", "type": 0 })),
    ] {
        answers.push(bad.send(&app.client).await.expect(401).body);
    }
    answers.push(app.client.post_without_token("/webhook", &body).await.expect(401).body);
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(app.job(tenant, job).await["state"], "running");
}

#[tokio::test]
async fn a_signed_message_is_validated() {
    let app = App::start_silent().await;
    let (tenant, job) = app.provisioning("acme", "BASIC").await;
    for (body, violations) in [
        (json!({ "initiatorId": tenant, "type": 4, "status": "success" }), vec!["/type enum"]),
        (json!({ "initiatorId": tenant, "type": 0 }), vec![" required"]),
        (
            json!({ "initiatorId": tenant, "type": 0, "status": "perhaps", "colour": 1 }),
            vec!["/status enum"],
        ),
        (
            json!({ "initiatorId": tenant, "type": 0, "data": { "status": 1, "resources": [{}] } }),
            vec!["/data/resources/0 required", "/data/resources/0 required"],
        ),
    ] {
        let refused = SignedMessage::new(&app.keys, tenant, job, &body).send(&app.client).await;
        assert_eq!(refused.expect(422).violations(), violations);
    }
    assert_eq!(app.job(tenant, job).await["state"], "running");
}

fn name_of(resource: &Value) -> String {
    let text = |name: &str| resource[name].as_str().unwrap().to_owned();
    format!("{} {}", text("type"), text("externalIdentifier"))
}
