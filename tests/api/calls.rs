use domain::TenantId;
use serde_json::json;
use support::{
    App, SignedMessage, config, contact, invoice, lead, subscription, tenant, with_query,
};

/// Counts the DynamoDB calls of each endpoint and their capacity units. On a rate-limited endpoint,
/// one of the calls updates the rate counter.
#[tokio::test]
async fn each_endpoint_makes_a_minimum_of_calls() {
    let app = App::start_silent().await;
    app.warm().await;
    let mut counted = Vec::new();
    app.local().calls().meter();
    let mut last = (app.table_calls(), app.table_cost());
    let mut count = |what: &str, app: &App| {
        let now = (app.table_calls(), app.table_cost());
        counted.push(format!("{what}: {}, {}", now.0 - last.0, now.1 - last.1));
        last = now;
    };

    let id = app
        .client
        .post_without_token("/leads", &lead("ada@acme.test"))
        .await
        .expect(200)
        .text("/id");
    count("POST /leads (limited)", &app);
    let (key, path) = (app.verification_key(&id), format!("/leads/{id}/verify"));
    app.client.post("0".repeat(32).as_str(), &path, &json!(null)).await.expect(401);
    count("verify, forged", &app);
    for (what, email) in
        [("POST /leads/resend (limited)", "ada@acme.test"), ("the same, unknown", "a@b.test")]
    {
        let request = json!({ "email": email });
        app.client.post_without_token("/leads/resend", &request).await.expect(204);
        count(what, &app);
    }
    app.client.get(&app.operator, "/keys/acme").await.expect(200);
    count("GET /keys/{key} (limited)", &app);
    app.client.get(&app.operator, "/overview").await.expect(200);
    count("GET /overview", &app);
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
    app.settle().await;
    app.client.get(&app.operator, "/search?q=acme").await.expect(200);
    count("GET /search", &app);
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
    let message = SignedMessage::new(&app.keys, tenant_id, job, &done);
    message.tampered(&json!({ "initiatorId": tenant_id })).send(&app.client).await.expect(401);
    count("POST /webhook, forged (limited)", &app);
    let step = json!({ "initiatorId": tenant_id, "type": 0, "progress": { "name": "Build" } });
    SignedMessage::new(&app.keys, tenant_id, job, &step).send(&app.client).await.expect(204);
    count("POST /webhook, progress (limited)", &app);
    message.send(&app.client).await.expect(204);
    count("POST /webhook (limited)", &app);

    insta::assert_debug_snapshot!(counted, @r#"
    [
        "POST /leads (limited): 4, R 1 W 5",
        "verify, forged: 0, nothing",
        "POST /leads/resend (limited): 2, W 2",
        "the same, unknown: 2, W 2",
        "GET /keys/{key} (limited): 2, R 1 W 1",
        "GET /overview: 5, R 7",
        "verify: 2, R 1 W 6",
        "verify again: 1, R 1",
        "GET /leads/{id}: 1, R 1",
        "POST /leads/{id}/tenants (limited): 3, R 1 W 16",
        "POST /tenants: 1, W 11",
        "GET /tenants/{id}: 1, R 1",
        "GET /tenants: 1, R 0.5",
        "GET /search: 2, R 4.5",
        "provision: 3, R 2 W 11",
        "GET /tenants/{id}/jobs/{jobId}: 2, R 2",
        "GET /tenants/{id}/jobs: 2, R 2",
        "GET /tenants/{id}/resources: 2, R 2",
        "POST /webhook, forged (limited): 2, R 1 W 1",
        "POST /webhook, progress (limited): 4, R 2 W 5",
        "POST /webhook (limited): 3, R 1 W 12",
    ]
    "#);
}

/// Concurrent calls are counted individually.
#[tokio::test]
async fn each_method_of_each_entity_makes_a_minimum_of_calls() {
    let app = App::start_silent().await;
    app.warm().await;
    app.local().calls().meter();
    let acme = app.tenant("acme").await;
    let own = app.create("/contacts", &contact(&acme)).await;
    let theme = app.create("/tenant-configs", &config(&acme, "theme")).await;
    let bill = app.create("/invoices", &invoice(&acme)).await;
    let (own, theme) = (format!("/contacts/{own}"), format!("/tenant-configs/{theme}"));
    let with = |path: &str, filter| with_query(path, "filter", &filter);
    let mut counted = Vec::new();
    for (what, method, path, body) in [
        ("POST child", "POST", "/contacts".to_owned(), contact(&acme)),
        ("POST config", "POST", "/tenant-configs".to_owned(), config(&acme, "other")),
        ("GET child", "GET", own.clone(), json!({})),
        (
            "GET child with its tenant",
            "GET",
            with(&own, json!({ "include": ["tenant"] })),
            json!({}),
        ),
        ("PATCH child", "PATCH", own.clone(), json!({ "type": "admin" })),
        ("PUT child", "PUT", own.clone(), contact(&acme)),
        ("PATCH config, another key", "PATCH", theme.clone(), json!({ "configKey": "new" })),
        (
            "PATCH config, a key that is taken",
            "PATCH",
            theme.clone(),
            json!({ "configKey": "other" }),
        ),
        ("GET config's tenant", "GET", format!("{theme}/tenant"), json!({})),
        ("GET download", "GET", format!("/invoices/{bill}/download"), json!({})),
        ("GET list", "GET", "/contacts".to_owned(), json!({})),
        (
            "GET list by tenant",
            "GET",
            with("/contacts", json!({ "where": { "tenantId": acme } })),
            json!({}),
        ),
        ("GET list by id", "GET", with("/contacts", json!({ "where": { "id": acme } })), json!({})),
        (
            "GET list with tenants",
            "GET",
            with("/contacts", json!({ "include": ["tenant"] })),
            json!({}),
        ),
        ("GET count", "GET", "/contacts/count".to_owned(), json!({})),
        ("GET count of some", "GET", "/contacts/count?where[type]=admin".to_owned(), json!({})),
        ("PATCH all three", "PATCH", "/contacts?where={}".to_owned(), json!({ "type": "all" })),
        ("PATCH none", "PATCH", "/contacts?where[type]=none".to_owned(), json!({ "type": "all" })),
        ("DELETE child", "DELETE", own.clone(), json!({})),
        ("DELETE config", "DELETE", theme.clone(), json!({})),
        (
            "GET tenants by key",
            "GET",
            with("/tenants", json!({ "where": { "key": "acme" } })),
            json!({}),
        ),
        (
            "GET tenants by status",
            "GET",
            with("/tenants", json!({ "where": { "status": 1 } })),
            json!({}),
        ),
        (
            "GET tenant with contacts",
            "GET",
            with(&format!("/tenants/{acme}"), json!({ "include": ["contacts"] })),
            json!({}),
        ),
        ("PATCH tenant", "PATCH", format!("/tenants/{acme}"), json!({ "name": "New" })),
        ("PATCH tenant, another key", "PATCH", format!("/tenants/{acme}"), json!({ "key": "new" })),
        (
            "GET leads by email",
            "GET",
            with("/leads", json!({ "where": { "email": "a@b.test" } })),
            json!({}),
        ),
        ("PATCH lead", "PATCH", "/leads/x".to_owned(), json!({})),
        ("DELETE tenant", "DELETE", format!("/tenants/{acme}"), json!({})),
    ] {
        let (calls, cost) = (app.table_calls(), app.table_cost());
        let method = method.parse().unwrap();
        let reply = app.client.send_text(method, &app.operator, &path, &body.to_string()).await;
        let (calls, cost) = (app.table_calls() - calls, app.table_cost() - cost);
        counted.push(format!("{what}: {}, {calls}, {cost}", reply.status));
    }
    insta::assert_debug_snapshot!(counted, @r#"
    [
        "POST child: 200, 1, W 7",
        "POST config: 200, 1, W 9",
        "GET child: 200, 2, R 3",
        "GET child with its tenant: 200, 3, R 4",
        "PATCH child: 204, 3, R 3 W 2",
        "PUT child: 204, 3, R 3 W 2",
        "PATCH config, another key: 204, 3, R 3 W 7",
        "PATCH config, a key that is taken: 409, 3, R 3 W 6",
        "GET config's tenant: 200, 2, R 3",
        "GET download: 200, 2, R 3",
        "GET list: 200, 1, R 0.5",
        "GET list by tenant: 200, 2, R 2",
        "GET list by id: 200, 1, R 1",
        "GET list with tenants: 200, 2, R 1.5",
        "GET count: 200, 1, R 1",
        "GET count of some: 200, 1, R 0.5",
        "PATCH all three: 200, 4, R 0.5 W 6",
        "PATCH none: 200, 1, R 0.5",
        "DELETE child: 204, 3, R 3 W 2",
        "DELETE config: 204, 3, R 3 W 5",
        "GET tenants by key: 200, 2, R 2",
        "GET tenants by status: 200, 1, R 0.5",
        "GET tenant with contacts: 200, 2, R 2",
        "PATCH tenant: 204, 2, R 1 W 3",
        "PATCH tenant, another key: 204, 2, R 1 W 6",
        "GET leads by email: 200, 1, R 0.5",
        "PATCH lead: 405, 0, nothing",
        "DELETE tenant: 204, 3, R 2 W 16",
    ]
    "#);
}

/// With a key, a write takes one call more, which claims the key, and records its answer in its own
/// transaction. A repeated request takes one call.
#[tokio::test]
async fn an_idempotency_key_takes_one_call_more_and_a_repeated_request_takes_one() {
    let app = App::start_silent().await;
    app.warm().await;
    app.local().calls().meter();
    let acme = app.tenant("acme").await;
    let own = format!("/contacts/{}", app.create("/contacts", &contact(&acme)).await);
    let mut counted = Vec::new();
    for (what, method, path, body) in [
        ("POST /tenants", "POST", "/tenants".to_owned(), tenant("other")),
        ("POST child", "POST", "/contacts".to_owned(), contact(&acme)),
        ("PATCH child", "PATCH", own.clone(), json!({ "type": "admin" })),
        ("PATCH all", "PATCH", "/contacts?where={}".to_owned(), json!({ "type": "all" })),
        ("PATCH tenant", "PATCH", format!("/tenants/{acme}"), json!({ "name": "New" })),
        ("provision", "POST", format!("/tenants/{acme}/provision"), subscription("BASIC")),
        ("DELETE child", "DELETE", own, json!({})),
        ("a child that is missing", "DELETE", format!("/contacts/{acme}"), json!({})),
    ] {
        for again in ["", ", again"] {
            let (calls, cost) = (app.table_calls(), app.table_cost());
            let with_key = |request: reqwest::RequestBuilder| {
                request.bearer_auth(&app.operator).header("idempotency-key", "k").json(&body)
            };
            let reply = app.client.send(method.parse().unwrap(), &path, with_key).await;
            let (calls, cost) = (app.table_calls() - calls, app.table_cost() - cost);
            counted.push(format!("{what}{again}: {}, {calls}, {cost}", reply.status));
        }
    }
    insta::assert_debug_snapshot!(counted, @r#"
    [
        "POST /tenants: 200, 2, W 16",
        "POST /tenants, again: 200, 1, W 2",
        "POST child: 200, 2, W 10",
        "POST child, again: 200, 1, W 1",
        "PATCH child: 204, 4, R 3 W 6",
        "PATCH child, again: 204, 1, W 1",
        "PATCH all: 200, 7, R 0.5 W 10",
        "PATCH all, again: 200, 1, W 1",
        "PATCH tenant: 204, 3, R 1 W 7",
        "PATCH tenant, again: 204, 1, W 1",
        "provision: 204, 3, R 1 W 14",
        "provision, again: 204, 1, W 1",
        "DELETE child: 204, 4, R 3 W 6",
        "DELETE child, again: 204, 1, W 1",
        "a child that is missing: 404, 3, R 1 W 2",
        "a child that is missing, again: 404, 1, W 1",
    ]
    "#);
}
