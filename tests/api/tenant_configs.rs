use serde_json::json;
use support::{App, config, join_all, with_query};

const TAKEN: &str = "Unique constraint violation error ! Key (configKey)=(theme) already exists.";

#[tokio::test]
async fn a_tenant_has_one_configuration_per_key() {
    let app = App::start().await;
    let (acme, other) = (app.tenant("acme").await, app.tenant("other").await);
    let theme = app.create("/tenant-configs", &config(&acme, "theme")).await;
    let before = app.settled().await;
    let taken = app.client.post(&app.operator, "/tenant-configs", &config(&acme, "theme")).await;
    assert_eq!(taken.expect(409).text("/error/message"), TAKEN);
    assert_eq!(app.items(), before);
    app.create("/tenant-configs", &config(&other, "theme")).await;
    app.create("/tenant-configs", &config(&acme, "Theme")).await;

    app.client.delete(&app.operator, &format!("/tenant-configs/{theme}")).await.expect(204);
    app.create("/tenant-configs", &config(&acme, "theme")).await;
    app.client.delete(&app.operator, &format!("/tenant-configs/{theme}")).await.expect(404);
    let taken = app.client.post(&app.operator, "/tenant-configs", &config(&acme, "theme")).await;
    taken.expect(409);
}

#[tokio::test]
async fn renaming_a_key_claims_the_new_one_and_releases_the_old_one() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    app.create("/tenant-configs", &config(&acme, "theme")).await;
    let other = app.create("/tenant-configs", &config(&acme, "other")).await;
    let own = format!("/tenant-configs/{other}");
    let before = app.settled().await;
    let mut whole = config(&acme, "theme");
    for refused in [
        app.client.patch(&app.operator, &own, &json!({ "configKey": "theme" })).await,
        app.client.put(&app.operator, &own, &whole).await,
        app.client
            .patch(
                &app.operator,
                &format!("/tenant-configs?where[id]={other}"),
                &json!({ "configKey": "theme" }),
            )
            .await,
    ] {
        assert_eq!(refused.expect(409).text("/error/message"), TAKEN);
    }
    assert_eq!(app.items(), before);

    app.client.patch(&app.operator, &own, &json!({ "configKey": "free" })).await.expect(204);
    assert_eq!(app.read(&own).await.body["configKey"], "free");
    app.create("/tenant-configs", &config(&acme, "other")).await;
    let taken = app.client.post(&app.operator, "/tenant-configs", &config(&acme, "free")).await;
    taken.expect(409);
    whole["configKey"] = json!("put");
    app.client.put(&app.operator, &own, &whole).await.expect(204);
    app.create("/tenant-configs", &config(&acme, "free")).await;
    app.client.put(&app.operator, &own, &whole).await.expect(204);
}

#[tokio::test]
async fn eight_concurrent_requests_for_one_key_create_one_configuration() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    let body = config(&acme, "theme");
    let made =
        join_all((0..8).map(|_| app.client.post(&app.operator, "/tenant-configs", &body))).await;
    let mut statuses: Vec<_> = made.iter().map(|made| made.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(app.items_of("config").len(), 1);
    assert_eq!(app.items_of("owner").len(), 2, "of the configuration and of the first contact");
}

#[tokio::test]
async fn a_bulk_update_can_change_the_key_of_only_one_configuration() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    for key in ["a", "b"] {
        app.create("/tenant-configs", &config(&acme, key)).await;
    }
    let all = with_query("/tenant-configs", "where", &json!({}));
    let before = app.settled().await;
    let change = json!({ "configKey": "c" });
    let refused = app.client.patch(&app.operator, &all, &change).await.expect(400);
    assert!(refused.text("/error/message").contains("one entity at a time"), "{}", refused.body);
    assert_eq!(app.items(), before);
    let one = with_query("/tenant-configs", "where", &json!({ "configKey": "a" }));
    let changed = app.client.patch(&app.operator, &one, &change).await.expect(200);
    assert_eq!(changed.body, json!({ "count": 1 }));
    let value = json!({ "configValue": { "a": 1 } });
    let changed = app.client.patch(&app.operator, &all, &value).await.expect(200);
    assert_eq!(changed.body, json!({ "count": 2 }));
}

#[tokio::test]
async fn the_tenant_of_a_configuration_can_be_read() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    let theme = app.create("/tenant-configs", &config(&acme, "theme")).await;
    let path = format!("/tenant-configs/{theme}/tenant");
    assert_eq!(app.read(&path).await.body, app.read(&format!("/tenants/{acme}")).await.body);
    let filter = json!({ "include": ["contacts"], "fields": ["key"] });
    let read = app.read(&with_query(&path, "filter", &filter)).await.body;
    assert_eq!((&read["key"], read["contacts"].as_array().unwrap().len()), (&json!("acme"), 1));
    assert_eq!(read.get("name"), None);
    app.client.get(&app.operator, &format!("{path}?filter[include][0]=configs")).await.expect(400);
    app.client.delete(&app.operator, &format!("/tenant-configs/{theme}")).await.expect(204);
    app.client.get(&app.operator, &path).await.expect(404);
}

#[tokio::test]
async fn all_violations_of_a_configuration_are_in_one_response() {
    let app = App::start().await;
    let body = json!({ "configKey": "x".repeat(101), "configValue": "red", "colour": 1 });
    let refused = app.client.post(&app.operator, "/tenant-configs", &body).await.expect(422);
    let mut violations = refused.violations();
    violations.sort();
    assert_eq!(
        violations,
        [" additionalProperties", " required", "/configKey maxLength", "/configValue type"]
    );
}

/// DynamoDB cannot represent these values, or represents them in another form.
#[tokio::test]
async fn any_json_value_is_returned_unchanged() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    let deep = format!("{}1{}", "[".repeat(60), "]".repeat(60));
    for (number, value) in [
        "{}",
        r#"{"":"","a":null,"b":[null,true,{}],"c":{"d":[]}}"#,
        r#"{"huge":9.99e125,"tiny":1e-130,"exact":12345678901234567.89,"long":0.123456789012345678901234567890123456789012345}"#,
        r#"{"text":"\u0000 \"quoted\" \ud83d\ude00","ünicode/~1":"日本"}"#,
        &format!(r#"{{"deep":{deep}}}"#),
        &format!(r#"{{"large":"{}"}}"#, "x".repeat(102_388)),
    ]
    .into_iter()
    .enumerate()
    {
        let body = format!(r#"{{"configKey":"k{number}","configValue":{value},"tenantId":"{acme}"}}"#);
        let made = app
            .client
            .send_text(reqwest::Method::POST, &app.operator, "/tenant-configs", &body)
            .await
            .expect(200);
        let own = format!("/tenant-configs/{}", made.text("/id"));
        for method in [reqwest::Method::PATCH, reqwest::Method::PUT] {
            let read = app.read(&own).await.raw;
            assert!(read.contains(&format!("\"configValue\":{value},")), "{read:.300}");
            app.client.send_text(method, &app.operator, &own, &read).await.expect(204);
        }
    }
}

#[tokio::test]
async fn a_value_can_only_be_filtered_as_a_whole() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    let theme = app.create("/tenant-configs", &config(&acme, "theme")).await;
    let other = json!({ "configKey": "o", "configValue": { "colour": "blue" }, "tenantId": acme });
    app.create("/tenant-configs", &other).await;
    let value = json!({ "limits": [1, 2.0], "colour": "red" });
    let filter = json!({ "where": { "configValue": { "eq": value } } });
    let found = app.read(&with_query("/tenant-configs", "filter", &filter)).await;
    assert_eq!(found.each("id"), [json!(theme)]);
    let filter = json!({ "where": { "configValue": { "neq": value } } });
    let found = app.read(&with_query("/tenant-configs", "filter", &filter)).await;
    assert_eq!(found.each("configKey"), [json!("o")]);
}
