use serde_json::{Value, json};

use crate::idp::{FACADE, Idp, MASTER, body};

fn ours(key: &str, id: &str) -> Value {
    let mut body = body("none", key, "PREMIUM", "ada@acme.test");
    body["tenant"]["id"] = id.into();
    body["tenant"]["identityProvider"] = Value::Null;
    body
}

#[tokio::test]
async fn a_tenant_without_a_provider_needs_no_set_up() {
    let idp = Idp::start(&[]).await;
    let answer = idp.manage(&ours("acme", "0199aa00-0000-7000-8000-000000000001")).await;
    assert_eq!((answer.status.as_u16(), answer.body), (200, json!({ "authId": "" })));
    assert_eq!(answer.headers["x-ratelimit-limit"], "60");
}

#[tokio::test]
async fn the_secret_of_a_tenant_is_only_valid_for_that_tenant() {
    let idp = Idp::start(&[]).await;
    let (acme, other) = (idp.tenant("acme").await, idp.tenant("other").await);
    let secret = idp.keys.idp_secret(acme);
    let send = async |key: &str, id: &str| {
        let answer = idp.signed(secret.clone(), ours(key, id).to_string().as_bytes()).await;
        answer.status.as_u16()
    };
    assert_eq!(send("acme", &acme.to_string()).await, 200);
    assert_eq!(send("acme", &other.to_string()).await, 401);
    assert_eq!(send("other", &acme.to_string()).await, 400);
    assert_eq!(send("acme", "no-id").await, 401);
    let stranger = "0199aa00-0000-7000-8000-000000000009";
    let body = ours("acme", stranger).to_string();
    let secret = idp.keys.idp_secret(stranger.parse().unwrap());
    assert_eq!(idp.signed(secret, body.as_bytes()).await.status, 401);
}

#[tokio::test]
async fn a_signature_covers_the_bytes_and_the_time() {
    let idp = Idp::start(&[]).await;
    let body = ours("acme", "0199aa00-0000-7000-8000-000000000001").to_string();
    let now = lambda::now().millis();
    assert_eq!(idp.signed_at(FACADE, body.as_bytes(), now - 19_000).await.status, 200);
    assert_eq!(idp.signed_at(FACADE, body.as_bytes(), now - 21_000).await.status, 401);
    assert_eq!(idp.signed("another", body.as_bytes()).await.status, 401);
    let json = ("content-type", "application/json");
    assert_eq!(idp.send(&[json], body.as_bytes()).await.status, 401);
    let (now, bad) = (now.to_string(), "0".repeat(64));
    let headers = [json, ("x-timestamp", now.as_str()), ("x-signature", bad.as_str())];
    assert_eq!(idp.send(&headers, body.as_bytes()).await.status, 401);
}

#[tokio::test]
async fn a_body_is_validated_after_its_signature() {
    let idp = Idp::start(&[]).await;
    assert_eq!(idp.signed(FACADE, b"{").await.status, 400);
    assert_eq!(idp.signed("another", b"{").await.status, 401);
    let huge = vec![b' '; 256 * 1024 + 1];
    assert_eq!(idp.signed(FACADE, &huge).await.status, 413);
    let answer = idp.manage(&json!({ "tenant": { "identityProvider": "okta" } })).await;
    assert_eq!(answer.status, 422);
    let details = answer.body["error"]["details"].as_array().unwrap().clone();
    let paths: Vec<_> = details.iter().map(|detail| detail["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/tenant", "/tenant/identityProvider", "/tenant", "/tenant", "/tenant", ""]);
}

#[tokio::test]
async fn a_provider_without_its_variables_is_not_configured() {
    let idp = Idp::start(&[("COGNITO_ENABLED", "true")]).await;
    let answer = idp.manage(&body("auth0", "acme", "PREMIUM", "ada@acme.test")).await;
    assert_eq!(answer.status, 422);
    let expected = json!([{
        "path": "/tenant/identityProvider",
        "code": "enum",
        "message": "is not configured",
        "info": { "allowedValues": ["cognito"] },
    }]);
    assert_eq!(answer.body["error"]["details"], expected);
}

#[tokio::test]
async fn the_rate_limit_is_checked_first() {
    let idp = Idp::start(&[("WEBHOOK_API_MAX_ATTEMPTS", "1")]).await;
    assert_eq!(idp.signed("another", b"{").await.status, 401);
    assert_eq!(idp.signed("another", b"{").await.status, 429);
}

/// Returns the error with which the function fails to start with these additional variables.
async fn refusal(variables: &[(&str, &str)]) -> String {
    let aws = [("AWS_REGION", "x"), ("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x")];
    let rest =
        [("TABLE_NAME", "t"), ("MASTER_KEYS", MASTER), ("AWS_ENDPOINT_URL", "http://127.0.0.1:1")];
    let given = variables.iter().copied();
    let env = aws.into_iter().chain(rest).chain(given).collect();
    ::idp::router(&env).await.unwrap_err().to_string()
}

#[tokio::test]
async fn an_incomplete_configuration_stops_the_function() {
    for (given, missing) in [
        (("AUTH0_DOMAIN", "a.test"), "AUTH0_CLIENT_ID"),
        (("KEYCLOAK_HOST", "https://k.test"), "KEYCLOAK_ADMIN_USERNAME"),
    ] {
        let error = refusal(&[given]).await;
        assert!(error.contains(missing), "{error}");
    }
}

#[tokio::test]
async fn a_secret_under_256_bits_stops_the_function() {
    for name in ["IDP_WEBHOOK_SECRET", "MASTER_KEYS"] {
        for weak in ["weak-marker", &"s".repeat(31), &" ".repeat(64)] {
            let error = refusal(&[(name, weak)]).await;
            let rule = format!("{name} must have keys of at least 32 bytes");
            assert!(error.contains(&rule) && !error.contains(weak), "{error}");
        }
    }
}
