//! Validation of a token's header and claims, with hand-signed tokens.

use domain::{LeadId, TenantId};
use reqwest::Method;
use serde_json::{Value, json};
use support::{
    App,
    token::{LEAD, OPERATOR, claims, token, with, without},
};

/// Requests a tenant that does not exist. A valid token gets 404.
async fn ask(app: &App, token: &str) -> u16 {
    let refused = app.client.get(token, &format!("/tenants/{}", TenantId::generate())).await;
    if refused.status == 401 {
        assert_eq!(refused.text("/error/message"), "Unauthorized");
    }
    refused.status
}

fn viewer() -> Value {
    claims(&["10207"])
}

/// Returns the time `later` seconds from now, in seconds since the epoch.
fn at(later: f64) -> Value {
    json!(lambda::now().millis() as f64 / 1000.0 + later)
}

#[tokio::test]
async fn claims_are_validated() {
    let app = App::start().await;
    let now = lambda::now().seconds();
    for (name, value, good) in [
        ("exp", json!(now), true),
        ("exp", json!(now - 30), true),
        ("exp", json!(now - 61), false),
        ("exp", at(-30.25), true),
        ("exp", at(600.75), true),
        ("exp", at(-61.5), false),
        ("exp", json!(1e15), true),
        ("exp", json!(u64::MAX), true),
        ("exp", json!(0), false),
        ("exp", json!(-1.5), false),
        ("exp", json!((now + 60).to_string()), false),
        ("exp", json!(null), false),
        ("exp", json!(true), false),
        ("exp", json!([now + 60]), false),
        ("nbf", json!(now - 5), true),
        ("nbf", json!(now + 30), true),
        ("nbf", at(30.5), true),
        ("nbf", at(120.5), false),
        ("nbf", json!(now + 120), false),
        ("nbf", json!("0"), false),
        ("iss", json!("somebody"), false),
        ("iss", json!(["tenantry"]), false),
        ("iss", json!("Tenantry"), false),
        ("iss", json!(null), false),
        ("iat", json!(now + 3600), true),
        ("aud", json!("any"), true),
        ("aud", json!(["any", "other"]), true),
        ("aud", json!([]), true),
        ("aud", json!(5), true),
        ("aud", json!({ "any": [null] }), true),
        ("id", json!(null), true),
        ("id", json!(""), true),
        ("id", json!("x".repeat(255)), true),
        ("id", json!("x".repeat(256)), false),
        ("id", json!(5), false),
        ("userTenantId", json!(null), true),
        ("userTenantId", json!(["op-1"]), true),
        ("userTenantId", json!("op-1"), true),
        ("permissions", json!("10207"), false),
        ("permissions", json!([10207]), false),
        ("permissions", json!(["10207", null]), false),
        ("permissions", json!({ "10207": true }), false),
        ("permissions", json!(null), false),
    ] {
        let bearer = token(OPERATOR, &with(viewer(), name, value.clone()).to_string());
        assert_eq!(ask(&app, &bearer).await, if good { 404 } else { 401 }, "{name}: {value}");
    }
    for (name, good) in [
        ("exp", false),
        ("iss", false),
        ("permissions", false),
        ("id", true),
        ("userTenantId", true),
    ] {
        let bearer = token(OPERATOR, &without(viewer(), name).to_string());
        assert_eq!(ask(&app, &bearer).await, if good { 404 } else { 401 }, "without {name}");
    }
}

#[tokio::test]
async fn headers_are_validated() {
    let app = App::start().await;
    for (header, good) in [
        (r#"{"alg":"HS256"}"#, true),
        (r#"{"alg":"HS256","typ":"jwt"}"#, true),
        (r#"{"alg":"HS256","typ":"application/JWT"}"#, true),
        (r#"{"alg":"HS256","typ":"at+jwt"}"#, true),
        (r#"{"alg":"HS256","typ":"JWT","kid":"default"}"#, true),
        (r#"{"alg":"HS256","typ":"JWT","of-yours":{"a":[1]}}"#, true),
        (r#"{"alg":"HS256","typ":"JWT","kid":"k9"}"#, false),
        (r#"{"alg":"HS256","typ":"JWT","kid":5}"#, false),
        (r#"{"alg":"HS256","typ":"JWT","crit":["of-yours"],"of-yours":1}"#, false),
        (r#"{"alg":"HS256","typ":"JWT","crit":["b64"],"b64":true}"#, false),
        (r#"{"alg":"HS256","typ":"JWT","crit":["exp"]}"#, false),
        (r#"{"alg":"HS256","typ":"JWT","crit":[]}"#, false),
        (r#"{"alg":"HS256","typ":"JWT","crit":null}"#, false),
        (r#"{"alg":"HS256","typ":"JWT","crit":"exp"}"#, false),
        (r#"{"alg":"HS256","typ":"logout+jwt"}"#, false),
        (r#"{"alg":"HS256","typ":"JOSE"}"#, false),
        (r#"{"alg":"HS256","typ":5}"#, false),
        (r#"{"alg":"none","typ":"JWT"}"#, false),
        (r#"{"alg":"None","typ":"JWT"}"#, false),
        (r#"{"alg":"hs256","typ":"JWT"}"#, false),
        (r#"{"alg":"HS384","typ":"JWT"}"#, false),
        (r#"{"alg":"HS512","typ":"JWT"}"#, false),
        (r#"{"alg":"RS256","typ":"JWT"}"#, false),
        (r#"{"alg":["HS256"],"typ":"JWT"}"#, false),
        (r#"{"alg":"none","alg":"HS256","typ":"JWT"}"#, false),
        (r#"{"typ":"JWT"}"#, false),
        ("{}", false),
        ("", false),
        ("[]", false),
    ] {
        let bearer = token(header, &viewer().to_string());
        assert_eq!(ask(&app, &bearer).await, if good { 404 } else { 401 }, "{header}");
    }
}

#[tokio::test]
async fn an_invalid_token_causes_no_call_to_the_table() {
    let app = App::start().await;
    let good = token(OPERATOR, &viewer().to_string());
    assert_eq!(ask(&app, &good).await, 404);
    let parts: Vec<_> = good.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!() };
    let other = token(OPERATOR, &with(viewer(), "id", "op-2").to_string());
    let twice = viewer().to_string().replacen('{', r#"{"exp":9999999999,"#, 1);
    let padding = |length: usize| {
        let claims = with(viewer(), "of-yours", "x".repeat(length)).to_string();
        token(OPERATOR, &claims)
    };
    assert_eq!(ask(&app, &padding(5_800)).await, 404, "{} bytes", padding(5_800).len());
    app.settle().await;
    let before = app.table_calls();
    for (what, bearer) in [
        ("no token", String::new()),
        ("not a JWT", "abc".into()),
        ("no signature", format!("{header}.{claims}.")),
        ("no third part", format!("{header}.{claims}")),
        ("four parts", format!("{good}.{signature}")),
        ("a padded signature", format!("{good}=")),
        ("half a signature", format!("{header}.{claims}.{}", &signature[..20])),
        ("another's signature", format!("{header}.{claims}.{}", other.rsplit('.').next().unwrap())),
        ("claims that are not an object", token(OPERATOR, "[]")),
        ("claims that are not JSON", token(OPERATOR, "{")),
        ("a duplicate claim", token(OPERATOR, &twice)),
        (
            "a number out of range",
            token(OPERATOR, &viewer().to_string().replacen("\"exp\":", "\"exp\":1e999", 1)),
        ),
        ("a token in a token", token(OPERATOR, &good)),
        ("more than 8 KB", padding(6_200)),
    ] {
        assert_eq!(ask(&app, &bearer).await, 401, "{what}");
    }
    assert_eq!(app.table_calls(), before);
}

#[tokio::test]
async fn permissions_must_match_exactly() {
    let app = App::start().await;
    for code in
        ["+10207", " 10207", "10207 ", "010207", "10207.0", "1.0207e4", "0x27DF", "１０２０７", ""]
    {
        let bearer = token(OPERATOR, &claims(&[code]).to_string());
        assert_eq!(ask(&app, &bearer).await, 403, "{code:?}");
    }
    let bearer = token(OPERATOR, &claims(&["+10207", "7008", "ViewTenant", "10207"]).to_string());
    assert_eq!(ask(&app, &bearer).await, 404);
}

#[tokio::test]
async fn the_audience_is_required_if_it_is_configured() {
    let app = App::with_variables(&[("JWT_AUDIENCE", "control-plane")]).await;
    for (aud, good) in [
        (json!("control-plane"), true),
        (json!(["other", "control-plane"]), true),
        (json!(["control-plane", 5]), true),
        (json!("other"), false),
        (json!("control-plane "), false),
        (json!(["other"]), false),
        (json!([["control-plane"]]), false),
        (json!({ "control-plane": true }), false),
        (json!([]), false),
        (json!(5), false),
        (json!(null), false),
    ] {
        let bearer = token(OPERATOR, &with(viewer(), "aud", aud.clone()).to_string());
        assert_eq!(ask(&app, &bearer).await, if good { 404 } else { 401 }, "{aud}");
    }
    assert_eq!(ask(&app, &token(OPERATOR, &viewer().to_string())).await, 401);
    // Tenantry's own tokens have the audience.
    let ada = app.verified_lead("ada@acme.test").await;
    app.client.get(&ada.token, &format!("/leads/{}", ada.id)).await.expect(200);
    app.read("/tenants").await;
}

#[tokio::test]
async fn the_authorization_header_must_have_exactly_one_bearer_token() {
    let app = App::start().await;
    let good = token(OPERATOR, &viewer().to_string());
    let path = format!("/tenants/{}", TenantId::generate());
    let send = async |headers: &[&str]| {
        let sent = app.client.send(Method::GET, &path, |request| {
            headers
                .iter()
                .fold(request, |request, value| request.header("authorization", value.as_bytes()))
        });
        sent.await.status
    };
    for scheme in ["Bearer ", "bearer ", "BEARER ", "Bearer    "] {
        assert_eq!(send(&[&format!("{scheme}{good}")]).await, 404, "{scheme:?}");
    }
    for bad in [
        format!("Bearer\t{good}"),
        format!("Bearer \t {good}"),
        format!("Bearer{good}"),
        format!("Bearer {good} {good}"),
        format!("Bearer {good}, Bearer {good}"),
        format!("Bearer \"{good}\""),
        format!("Bearer {good}é"),
        format!("Basic {good}"),
        format!("Token {good}"),
        good.clone(),
        "Bearer".to_owned(),
        String::new(),
    ] {
        assert_eq!(send(&[&bad]).await, 401, "{bad:?}");
    }
    let bearer = format!("Bearer {good}");
    assert_eq!(send(&[&bearer, &bearer]).await, 401);
    assert_eq!(send(&["Basic YTpi", &bearer]).await, 401);

    let lead =
        app.client.post_without_token("/leads", &support::lead("ada@acme.test")).await.text("/id");
    let (key, path) = (app.verification_key(&lead), format!("/leads/{lead}/verify"));
    for (value, status) in [
        (format!("bearer   {key}"), 200),
        (format!("Bearer\t{key}"), 401),
        (format!("Bearer {key} {key}"), 401),
        (format!("Bearer {}", key.to_uppercase()), 401),
        (format!("Bearer {key}ä"), 401),
    ] {
        let sent = app
            .client
            .send(Method::POST, &path, |request| request.header("authorization", value.as_bytes()));
        assert_eq!(sent.await.status, status, "{value:?}");
    }
}

#[tokio::test]
async fn a_lead_token_needs_a_lead_id() {
    let app = App::start().await;
    let path = "/tenants";
    for id in ["op-1", "", "00000000", &LeadId::generate().to_string().replace('-', "")] {
        let bearer = token(LEAD, &with(viewer(), "id", id).to_string());
        app.client.get(&bearer, path).await.expect(401);
    }
    let bearer = token(LEAD, &without(viewer(), "id").to_string());
    app.client.get(&bearer, path).await.expect(401);
    let bearer = token(LEAD, &with(viewer(), "id", LeadId::generate().to_string()).to_string());
    assert_eq!(app.client.get(&bearer, path).await.expect(200).body, json!([]));
}
