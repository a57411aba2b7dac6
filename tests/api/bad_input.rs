use domain::TenantId;
use reqwest::Method;
use serde_json::{Value, json};
use support::{App, lead, tenant};

async fn send_raw(
    app: &App,
    path: &str,
    kind: Option<&str>,
    body: impl Into<String>,
) -> support::Reply {
    let body: String = body.into();
    app.client
        .send(Method::POST, path, |request| {
            let request = request.bearer_auth(&app.operator).body(body);
            match kind {
                Some(kind) => request.header("content-type", kind),
                None => request,
            }
        })
        .await
}

#[tokio::test]
async fn an_unreadable_body_is_refused_with_its_cause_and_changes_nothing() {
    let app = App::start().await;
    let before = app.settled().await.len();
    let json_type = Some("application/json");
    for (what, kind, body, status, message) in [
        ("broken", json_type, "{\"key\":".to_owned(), 400, "EOF while parsing"),
        ("empty", json_type, String::new(), 400, "empty"),
        ("trailing", json_type, "{} {}".to_owned(), 400, "trailing characters"),
        ("deep", json_type, "[".repeat(200_000), 400, "EOF"),
        ("no type", None, "{}".to_owned(), 415, "application/json"),
        ("text", Some("text/plain"), "{}".to_owned(), 415, "application/json"),
        ("large", json_type, format!("\"{}\"", "x".repeat(262_144)), 413, "262144"),
        ("a list", json_type, "[]".to_owned(), 422, "invalid"),
    ] {
        let refused = send_raw(&app, "/tenants", kind, body).await;
        assert_eq!(refused.status, status, "{what}: {}", refused.body);
        assert!(refused.text("/error/message").contains(message), "{what}: {}", refused.body);
        assert!(!refused.header("x-request-id").is_empty());
    }
    assert_eq!(app.items().len(), before);
}

#[tokio::test]
async fn all_violations_of_a_lead_are_in_one_response() {
    let app = App::start().await;
    let body = json!({
        "firstName": "", "lastName": "a\u{7}b", "email": "nobody", "id": TenantId::generate(),
        "address": { "zip": "x".repeat(26), "country": 7, "planet": "earth" },
    });
    let refused = app.client.post_without_token("/leads", &body).await.expect(422);
    assert_eq!(
        refused.violations(),
        [
            "/firstName minLength",
            "/lastName pattern",
            " required",
            "/email format",
            "/address/zip maxLength",
            "/address/country type",
            "/address additionalProperties",
            " additionalProperties",
        ]
    );
    insta::assert_json_snapshot!(refused.body["error"]["details"][2], @r#"
    {
      "code": "required",
      "info": {
        "missingProperty": "companyName"
      },
      "message": "must have required property 'companyName'",
      "path": ""
    }
    "#);
    let long = json!({
        "firstName": "x".repeat(101), "lastName": "L", "companyName": "C",
        "email": format!("{}@acme.test", "x".repeat(100)),
    });
    let refused = app.client.post_without_token("/leads", &long).await.expect(422);
    assert_eq!(refused.violations(), ["/firstName maxLength", "/email maxLength"]);
    assert_eq!(app.items_of("lead").len(), 0);
}

#[tokio::test]
async fn all_violations_of_a_tenant_are_in_one_response() {
    let app = App::start().await;
    let body = json!({
        "key": "Acme!", "domains": ["a_b", "acme.test", "ACME.test"], "name": null,
        "contact": { "firstName": "Ada", "email": "ada@acme.test", "isPrimary": "yes" },
        "status": 0,
    });
    let refused = app.client.post(&app.operator, "/tenants", &body).await.expect(422);
    assert_eq!(
        refused.violations(),
        [
            "/key pattern",
            "/domains/0 format",
            "/name type",
            "/contact required",
            "/contact/isPrimary type",
            " additionalProperties",
        ]
    );
    let mut twice = tenant("acme");
    twice["domains"] = json!(["acme.test", "ACME.test"]);
    let refused = app.client.post(&app.operator, "/tenants", &twice).await.expect(422);
    assert_eq!(refused.violations(), ["/domains uniqueItems"]);
    twice["domains"] = json!([]);
    let refused = app.client.post(&app.operator, "/tenants", &twice).await.expect(422);
    assert_eq!(refused.violations(), ["/domains minItems"]);
    twice["domains"] = json!(["acme.test"]);
    twice["key"] = json!("elevenchars");
    let refused = app.client.post(&app.operator, "/tenants", &twice).await.expect(422);
    assert_eq!(refused.violations(), ["/key maxLength"]);
}

#[tokio::test]
async fn a_subscription_is_validated_and_an_unknown_tenant_is_not_found() {
    let app = App::start().await;
    let made = app.client.post(&app.operator, "/tenants", &tenant("acme")).await.expect(200);
    let path = format!("/tenants/{}/provision", made.text("/id"));
    let refused = app.client.post(&app.operator, &path, &json!({})).await.expect(400);
    assert_eq!(refused.text("/error/message"), "Subscription ID is required");
    let no_tier = json!({ "id": "s1", "plan": { "id": "p1" } });
    let refused = app.client.post(&app.operator, &path, &no_tier).await.expect(422);
    assert_eq!(refused.violations(), ["/plan required"]);
    let bad_tier = json!({ "id": "s1", "plan": { "tier": "" } });
    let refused = app.client.post(&app.operator, &path, &bad_tier).await.expect(422);
    assert_eq!(refused.violations(), ["/plan/tier minLength"]);
    assert_eq!(app.items_of("job").len(), 0);

    for id in ["not-a-uuid", "6b2f0d5c-6b1e-4a55-9d2c-0d3b1f9a7e21", "%00", "..%2f.."] {
        let reply = app.client.get(&app.operator, &format!("/tenants/{id}")).await;
        assert_eq!(reply.status, 404, "{id}: {}", reply.body);
    }
    let missing = app.client.get(&app.operator, "/tenants/not-a-uuid").await.expect(404);
    assert_eq!(missing.text("/error/code"), "ENTITY_NOT_FOUND");
    assert_eq!(missing.text("/error/message"), "Entity not found: Tenant with id \"not-a-uuid\"");
}

#[tokio::test]
async fn an_unknown_route_is_answered_with_an_error_envelope() {
    let app = App::start().await;
    let missing = app.client.get(&app.operator, "/nowhere").await.expect(404);
    assert_eq!(missing.text("/error/name"), "NotFoundError");
}

#[tokio::test]
async fn a_hostile_name_is_escaped_in_an_email() {
    let app = App::start().await;
    let hostile =
        json!({ "firstName": "<img src=x onerror=alert(1)>", "lastName": "\u{202e}evil" });
    let mut body = lead("eve@acme.test");
    for (name, value) in hostile.as_object().unwrap() {
        body[name] = value.clone();
    }
    app.client.post_without_token("/leads", &body).await.expect(200);
    app.settle().await;
    let mails = app.emails_to("eve@acme.test");
    assert!(mails.iter().all(|mail| !mail["html"].as_str().unwrap().contains("<img")));
    assert_ne!(mails, Vec::<Value>::new());
}
