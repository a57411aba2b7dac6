use serde_json::json;
use shared::domain::TenantId;
use support::{App, Signed, lead, subscription, tenant};

/// How many calls to DynamoDB an endpoint makes; one more is the rate counter's, where there is one.
#[tokio::test]
async fn each_endpoint_makes_as_few_calls_as_it_can() {
    let app = App::silent().await;
    app.warm().await;
    let mut counted = Vec::new();
    let mut last = app.table_calls();
    let mut count = |what: &str, app: &App| {
        let now = app.table_calls();
        counted.push(format!("{what}: {}", now - last));
        last = now;
    };

    let id = app.client.post_openly("/leads", &lead("ada@acme.test")).await.expect(200).text("/id");
    count("POST /leads (limited)", &app);
    let (key, path) = (app.lead_key(&id), format!("/leads/{id}/verify"));
    app.client.post("0".repeat(32).as_str(), &path, &json!(null)).await.expect(401);
    count("verify, forged", &app);
    let token = app.client.post(&key, &path, &json!(null)).await.expect(200).text("/token");
    count("verify", &app);
    app.client.post(&key, &path, &json!(null)).await.expect(200);
    count("verify again", &app);
    app.client.get(&token, &format!("/leads/{id}")).await.expect(200);
    count("GET /leads/{id}", &app);
    let body = json!({ "key": "acme", "domains": ["acme.test"] });
    let made = app.client.post(&token, &format!("/leads/{id}/tenants"), &body).await.expect(200);
    count("POST /leads/{id}/tenants (limited)", &app);
    let tenant_id: TenantId = made.text("/id").parse().unwrap();
    app.client.post(&app.operator, "/tenants", &tenant("other")).await.expect(200);
    count("POST /tenants", &app);
    app.client.get(&app.operator, &format!("/tenants/{tenant_id}")).await.expect(200);
    count("GET /tenants/{id}", &app);
    app.client.get(&app.operator, "/tenants").await.expect(200);
    count("GET /tenants", &app);
    let path = format!("/tenants/{tenant_id}/provision");
    let accepted = app.client.post(&token, &path, &subscription("BASIC")).await.expect(204);
    count("provision", &app);
    let location = accepted.header("location").to_owned();
    app.client.get(&app.operator, &location).await.expect(200);
    count("GET /tenants/{id}/jobs/{jobId}", &app);
    app.client.get(&app.operator, &format!("/tenants/{tenant_id}/jobs")).await.expect(200);
    count("GET /tenants/{id}/jobs", &app);
    app.client.get(&app.operator, &format!("/tenants/{tenant_id}/resources")).await.expect(200);
    count("GET /tenants/{id}/resources", &app);
    let job = location.rsplit('/').next().unwrap().parse().unwrap();
    let done = json!({ "initiatorId": tenant_id, "type": 0, "status": "success" });
    let message = Signed::new(&app.keys, tenant_id, job, &done);
    message.tampered(&json!({ "initiatorId": tenant_id })).send(&app.client).await.expect(401);
    count("POST /webhook, forged (limited)", &app);
    message.send(&app.client).await.expect(204);
    count("POST /webhook (limited)", &app);

    insta::assert_debug_snapshot!(counted, @r#"
    [
        "POST /leads (limited): 3",
        "verify, forged: 0",
        "verify: 2",
        "verify again: 1",
        "GET /leads/{id}: 1",
        "POST /leads/{id}/tenants (limited): 3",
        "POST /tenants: 1",
        "GET /tenants/{id}: 1",
        "GET /tenants: 1",
        "provision: 2",
        "GET /tenants/{id}/jobs/{jobId}: 1",
        "GET /tenants/{id}/jobs: 1",
        "GET /tenants/{id}/resources: 1",
        "POST /webhook, forged (limited): 2",
        "POST /webhook (limited): 3",
    ]
    "#);
}
