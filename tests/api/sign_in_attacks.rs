//! Attacks on the sign-in, each of which must fail.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use support::{
    App, Browser,
    provider::{CLIENT_SECRET, Provider},
};

use crate::sign_in::{app_of, signed_in};

/// Starts a sign-in and returns the browser with the address of the callback.
async fn at_callback(app: &App, provider: &Provider) -> (Browser, String) {
    let browser = Browser::new(app.local().base_url());
    let start = browser.open("/auth/sign-in").await.expect(302);
    let callback = provider.authorize(&start.location);
    (browser, callback)
}

/// Checks that a callback ends without a session, with this code.
async fn assert_refused(browser: &Browser, callback: &str, code: &str, what: &str) {
    let refused = browser.open(callback).await;
    assert_eq!(refused.code(), code, "{what}: {}", refused.text);
    assert_eq!(browser.session(), None, "{what}");
}

#[tokio::test]
async fn a_callback_belongs_to_the_browser_and_the_tab_that_started_it() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    let (mine, callback) = at_callback(&app, &provider).await;
    let other = Browser::new(app.local().base_url());
    assert_refused(&other, &callback, "SIGN_IN_EXPIRED", "another browser").await;

    // The state of another tab, with the cookie of the first under its name.
    let second = provider.authorize(&mine.open("/auth/sign-in").await.expect(302).location);
    let cookies = mine.cookies();
    assert_eq!(cookies.len(), 2, "one cookie for each tab");
    let values: Vec<_> = cookies.values().rev().collect();
    for (name, value) in cookies.keys().zip(values) {
        other.set_cookie(name, value);
    }
    assert_refused(&other, &callback, "SIGN_IN_EXPIRED", "the cookie of another tab").await;

    // Both tabs come back.
    mine.open(&second).await.expect(303);
    mine.open(&callback).await.expect(303);
}

#[tokio::test]
async fn a_state_that_shares_its_start_is_another_one() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    let (browser, callback) = at_callback(&app, &provider).await;
    let at = callback.find("state=").unwrap() + "state=".len() + 8;
    let changed = format!("{}{}{}", &callback[..at], "00000000", &callback[at + 8..]);
    assert_refused(&browser, &changed, "SIGN_IN_INVALID", "another state").await;
}

#[tokio::test]
async fn a_cookie_that_was_changed_is_refused() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    let (browser, callback) = at_callback(&app, &provider).await;
    let (name, value) = browser.cookies().into_iter().next().unwrap();
    let middle = value.len() / 2;
    let flipped = if value.as_bytes()[middle] == b'A' { "B" } else { "A" };
    let changed = format!("{}{flipped}{}", &value[..middle], &value[middle + 1..]);
    browser.set_cookie(&name, &changed);
    assert_refused(&browser, &callback, "SIGN_IN_EXPIRED", "a changed cookie").await;
}

#[tokio::test]
async fn a_code_is_used_once() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    let (browser, callback) = at_callback(&app, &provider).await;
    let cookies = browser.cookies();
    browser.open(&callback).await.expect(303);
    let thief = Browser::new(app.local().base_url());
    assert_refused(&thief, &callback, "SIGN_IN_EXPIRED", "no cookie").await;
    for (name, value) in cookies {
        thief.set_cookie(&name, &value);
    }
    assert_refused(&thief, &callback, "SIGN_IN_INVALID", "a replayed code").await;
}

/// A code that another client's sign-in got is bound to that sign-in's verifier.
#[tokio::test]
async fn a_code_without_its_verifier_is_refused() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    let (browser, callback) = at_callback(&app, &provider).await;
    let (_, stolen) = at_callback(&app, &provider).await;
    let code = |url: &str| {
        let start = url.find("code=").unwrap();
        url[start..].split('&').next().unwrap().to_owned()
    };
    let injected = callback.replace(&code(&callback), &code(&stolen));
    assert_refused(&browser, &injected, "SIGN_IN_INVALID", "an injected code").await;
}

#[tokio::test]
async fn another_issuer_is_refused() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    let (browser, callback) = at_callback(&app, &provider).await;
    let (start, _) = callback.split_once("&iss=").unwrap();
    let mixed = format!("{start}&iss=https://evil.test");
    assert_refused(&browser, &mixed, "SIGN_IN_INVALID", "another iss").await;
    let (browser, callback) = at_callback(&app, &provider).await;
    let (start, _) = callback.split_once("&iss=").unwrap();
    assert_refused(&browser, start, "SIGN_IN_INVALID", "no iss").await;
    let (browser, callback) = at_callback(&app, &provider).await;
    let twice = format!("{callback}&state=1");
    assert_refused(&browser, &twice, "SIGN_IN_INVALID", "two states").await;
    let (browser, callback) = at_callback(&app, &provider).await;
    let refused = callback.replace("code=", "error=access_denied&x=");
    assert_refused(&browser, &refused, "SIGN_IN_REFUSED", "an error").await;
}

#[tokio::test]
async fn forged_claims_are_refused() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    let now = lambda::now().seconds();
    for (claim, value) in [
        ("nonce", json!("another")),
        ("nonce", Value::Null),
        ("iss", json!("https://evil.test")),
        ("iss", json!([provider.url])),
        ("iss", json!(format!("{}/", provider.url))),
        ("aud", json!("another")),
        ("aud", json!([])),
        ("aud", json!(["console", "another"])),
        ("aud", Value::Null),
        ("azp", json!("another")),
        ("exp", json!(now - 61)),
        ("exp", Value::Null),
        ("exp", json!("9999999999")),
        ("iat", json!(now + 120)),
        ("iat", Value::Null),
        ("nbf", json!(now + 120)),
        ("sub", Value::Null),
        ("sub", json!("")),
        ("sub", json!("x".repeat(256))),
        ("sub", json!(7)),
    ] {
        let before = provider.state().claims.clone();
        provider.state().claims[claim] = value.clone();
        let (browser, callback) = at_callback(&app, &provider).await;
        assert_refused(&browser, &callback, "SIGN_IN_INVALID", &format!("{claim} {value}")).await;
        provider.state().claims = before;
    }
    for (claim, value) in [
        ("aud", json!(["console"])),
        ("exp", json!(now - 30)),
        ("iat", json!(now + 30)),
        ("azp", json!("console")),
    ] {
        let before = provider.state().claims.clone();
        provider.state().claims[claim] = value.clone();
        let (browser, callback) = at_callback(&app, &provider).await;
        let end = browser.open(&callback).await;
        assert_eq!(end.status, 303, "{claim} {value}: {}", end.text);
        provider.state().claims = before;
    }
}

#[tokio::test]
async fn other_algorithms_and_keys_are_refused() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    for header in [
        json!({ "alg": "none" }),
        json!({ "alg": "None" }),
        json!({ "alg": "HS256" }),
        json!({ "alg": "RS256" }),
        json!({ "alg": "RS384" }),
        json!({ "alg": "ES384" }),
        json!({ "alg": null }),
        json!({ "kid": "unknown" }),
        json!({ "crit": ["exp"] }),
    ] {
        provider.state().header = header.clone();
        let (browser, callback) = at_callback(&app, &provider).await;
        assert_refused(&browser, &callback, "SIGN_IN_INVALID", &header.to_string()).await;
    }
    // A header without a `kid` fits the key of its algorithm.
    provider.state().header = json!({ "kid": null });
    let (browser, callback) = at_callback(&app, &provider).await;
    browser.open(&callback).await.expect(303);
}

/// Starts an app that exchanges access tokens of the provider.
async fn trusting(provider: &Provider) -> App {
    let trusted = json!([{
        "issuer": provider.url, "audiences": ["api"],
        "grants": [{ "claim": "scope", "value": "ops", "role": "viewer" }],
    }]);
    app_of(provider, &[("TOKEN_ISSUERS", &trusted.to_string())]).await
}

#[tokio::test]
async fn a_hundred_unknown_keys_cause_one_request() {
    let provider = Provider::start().await;
    let app = trusting(&provider).await;
    for number in 0..100 {
        provider.state().header = json!({ "kid": format!("unknown-{number}") });
        let token = provider.sign(&json!({ "iss": provider.url }));
        app.client.post(&token, "/auth/exchange", &Value::Null).await.expect(401);
    }
    assert_eq!(provider.calls("/keys"), 1);
    let elsewhere = provider.sign(&json!({ "iss": "https://evil.test" }));
    app.client.post(&elsewhere, "/auth/exchange", &Value::Null).await.expect(401);
}

#[tokio::test]
async fn known_keys_bridge_an_outage_of_an_hour() {
    let provider = Provider::start().await;
    let mut app = trusting(&provider).await;
    let exchange = async |app: &App| {
        let now = lambda::now().seconds();
        let token = provider.sign(&json!({
            "iss": provider.url, "sub": "machine-1", "aud": "api", "iat": now, "exp": now + 300,
            "scope": "ops",
        }));
        app.client.post(&token, "/auth/exchange", &Value::Null).await
    };
    exchange(&app).await.expect(200);
    provider.state().metadata = json!({ "jwks_uri": "http://127.0.0.1:9/keys" });
    app.skip(Duration::from_secs(360)).await;
    for _ in 0..3 {
        exchange(&app).await.expect(200);
    }
    assert_eq!(provider.calls("/.well-known/openid-configuration"), 2, "read again once");
    app.skip(Duration::from_secs(3600)).await;
    let refused = exchange(&app).await.expect(502);
    assert_eq!(refused.body["error"]["code"], "PROVIDER_UNREACHABLE");
}

#[tokio::test]
async fn only_access_tokens_of_trusted_issuers_are_exchanged() {
    let provider = Provider::start().await;
    let app = trusting(&provider).await;
    let now = lambda::now().seconds();
    let good = json!({
        "iss": provider.url, "sub": "machine-1", "aud": "api", "iat": now, "exp": now + 300,
        "scope": "read ops",
    });
    let exchange = async |claims: &Value| {
        let token = provider.sign(claims);
        app.client.post(&token, "/auth/exchange", &Value::Null).await
    };
    let issued = exchange(&good).await.expect(200).body;
    assert!(issued["expiresIn"].as_i64().unwrap() <= 300, "{issued}");
    assert_eq!(issued["sessionEndsOn"], Value::Null);
    app.client.get(issued["token"].as_str().unwrap(), "/tenants").await.expect(200);
    assert_eq!(app.items_of("operator"), Vec::<Value>::new());
    for (claim, value) in [
        ("aud", json!("another")),
        ("aud", json!(["api", "console"])),
        ("nonce", json!("n")),
        ("at_hash", json!("h")),
        ("token_use", json!("id")),
        ("exp", json!(now - 1)),
        ("iat", json!(now + 120)),
        ("sub", Value::Null),
    ] {
        let mut forged = good.clone();
        forged[claim] = value.clone();
        assert_eq!(exchange(&forged).await.status, 401, "{claim} {value}");
    }
    let mut other = good.clone();
    other["scope"] = json!("read");
    assert_eq!(exchange(&other).await.expect(403).text("/error/code"), "NO_ROLE");
    // A token of ours is none of a trusted issuer.
    app.client.post(&app.operator, "/auth/exchange", &Value::Null).await.expect(401);
}

#[tokio::test]
async fn a_rotated_key_is_fetched() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    signed_in(&app, &provider).await;
    provider.rotate();
    let (browser, callback) = at_callback(&app, &provider).await;
    // Within 30 seconds of the last request for the keys, an unknown key causes none.
    assert_refused(&browser, &callback, "SIGN_IN_INVALID", "a new key").await;
    assert_eq!(provider.calls("/keys"), 1);
    app.local().skip(Duration::from_secs(30)).unwrap();
    signed_in(&app, &provider).await;
    assert_eq!(provider.calls("/keys"), 2);
}

#[tokio::test]
async fn a_cookie_is_worth_nothing_on_another_site() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    let browser = signed_in(&app, &provider).await;
    let own = app.local().base_url().trim_end_matches('/').to_owned();
    for path in ["/auth/token", "/auth/sign-out"] {
        for headers in [
            vec![("sec-fetch-site", "cross-site")],
            vec![("sec-fetch-site", "same-site"), ("origin", own.as_str())],
            vec![("origin", "https://evil.test")],
            vec![("origin", "null")],
            vec![],
        ] {
            let page = browser.send(Method::POST, path, |request| {
                headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
            });
            assert_eq!(page.await.expect(403).code(), "CROSS_SITE", "{path} {headers:?}");
        }
    }
    let by_origin = |request: reqwest::RequestBuilder| request.header("origin", &own);
    browser.send(Method::POST, "/auth/token", by_origin).await.expect(200);
    // No other route takes the cookie.
    browser.open("/operators/me").await.expect(401);
    browser.open("/tenants").await.expect(401);
}

#[tokio::test]
async fn a_session_of_another_operator_is_not_found() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    let browser = signed_in(&app, &provider).await;
    let (name, value) = browser.session().unwrap();
    let (operator, secret) = value.split_once('.').unwrap();
    let other = "01931f6e-0000-7000-8000-000000000001";
    for forged in [
        format!("{other}.{secret}"),
        format!("{operator}.{}", "A".repeat(43)),
        operator.to_owned(),
        String::new(),
    ] {
        browser.set_cookie(&name, &forged);
        assert_eq!(browser.post("/auth/token").await.expect(401).code(), "SIGN_IN_REQUIRED");
    }
}

/// Markers of everything secret or personal are searched in the table and in the log.
#[tokio::test]
async fn nothing_secret_is_stored() {
    let provider = Provider::start().await;
    provider.state().refreshes = true;
    let app = app_of(&provider, &[]).await;
    let browser = signed_in(&app, &provider).await;
    let issued = browser.post("/auth/token").await.expect(200).body;
    let (_, value) = browser.session().unwrap();
    let secret = value.split_once('.').unwrap().1;
    let stored = json!(app.settled().await).to_string();
    let token = issued["token"].as_str().unwrap();
    let markers = [secret, token, CLIENT_SECRET, "code-marker", "access-marker", "refresh-marker"];
    for marker in markers {
        assert!(!stored.contains(marker), "{marker}");
    }
    assert!(stored.contains("sealedToken"));
}

#[tokio::test]
async fn metadata_of_another_issuer_is_refused() {
    for (member, value) in [
        ("issuer", json!("https://evil.test")),
        ("token_endpoint", json!("http://evil.test/token")),
        ("jwks_uri", json!("file:///etc/passwd")),
        ("jwks_uri", Value::Null),
        ("authorization_endpoint", Value::Null),
    ] {
        let provider = Provider::start().await;
        provider.state().metadata[member] = value.clone();
        let app = app_of(&provider, &[]).await;
        let browser = Browser::new(app.local().base_url());
        let refused = browser.open("/auth/sign-in").await.expect(502);
        assert_eq!(refused.code(), "PROVIDER_MISCONFIGURED", "{member} {value}");
    }
}
