//! Signing in: the flow, sessions and tokens.

use std::time::Duration;

use domain::OperatorId;
use reqwest::Method;
use serde_json::{Value, json};
use support::{App, Browser, Options, join_all, provider::Provider};

/// Starts a control plane whose operators sign in at `provider`.
pub(crate) async fn app_of(provider: &Provider, more: &[(&str, &str)]) -> App {
    let options = signing_in_at(provider, Options::succeeding());
    let with = |options: Options, (name, value): &(&str, &str)| options.variable(name, value);
    App::with_options(more.iter().fold(options, with)).await
}

/// Adds that operators sign in at `provider`.
pub(crate) fn signing_in_at(provider: &Provider, options: Options) -> Options {
    let with = |options: Options, (name, value): (&str, String)| options.variable(name, &value);
    provider.variables().into_iter().fold(options, with)
}

/// Opens a browser and signs Ada in.
pub(crate) async fn signed_in(app: &App, provider: &Provider) -> Browser {
    let browser = Browser::new(app.local().base_url());
    let start = browser.open("/auth/sign-in").await.expect(302);
    let end = browser.open(&provider.authorize(&start.location)).await.expect(303);
    assert_eq!(end.location, "/console");
    browser
}

/// Returns how many sessions nobody has ended. An ended one keeps no token.
pub(crate) fn open_sessions(app: &App) -> usize {
    let (ended, open): (Vec<_>, Vec<_>) =
        app.items_of("session").into_iter().partition(|session| !session["endedOn"].is_null());
    for session in ended {
        assert_eq!((&session["sealedToken"], &session["address"]), (&Value::Null, &Value::Null));
    }
    open.len()
}

#[tokio::test]
async fn a_person_signs_in_and_uses_the_api() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    let config = app.client.get("", "/auth/config").await.expect(200).body;
    assert_eq!(config, json!({ "signIn": true, "name": "Acme SSO", "pastedTokens": true }));

    let browser = Browser::new(app.local().base_url());
    let start = browser.open("/auth/sign-in?return=/console%23tenants").await.expect(302);
    let cookie = &start.set_cookies[0];
    assert!(cookie.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax"), "{cookie}");
    let end = browser.open(&provider.authorize(&start.location)).await.expect(303);
    assert_eq!(end.location, "/console#tenants");
    assert_eq!(browser.cookies().len(), 1, "the cookie of the sign-in is removed");
    let cookie = &end.set_cookies[0];
    assert!(cookie.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"), "{cookie}");

    let issued = browser.post("/auth/token").await.expect(200).body;
    assert_eq!(issued["expiresIn"], 600);
    assert_eq!(issued["operator"]["name"], "Ada Marker-Name");
    assert_eq!(issued["operator"]["email"], "ada-marker@acme.test");
    assert_eq!(issued["operator"]["roles"], json!(["admin"]));
    let token = issued["token"].as_str().unwrap();
    let made = app.client.post(token, "/tenants", &support::tenant("acme")).await.expect(200);
    assert_eq!(made.body["createdBy"], issued["operator"]["id"]);

    let me = app.client.get(token, "/operators/me").await.expect(200).body;
    assert_eq!(
        me["reasons"],
        json!([
            { "role": "admin", "claim": "groups", "value": "tenantry-admins" },
        ])
    );
    assert_eq!(me["permissions"], issued["operator"]["permissions"]);
    let own = app.client.get(&app.operator, "/operators/me").await.expect(200).body;
    assert_eq!((&own["id"], &own["reasons"]), (&json!("local-operator"), &json!([])));
}

#[tokio::test]
async fn signing_in_again_keeps_the_operator() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    let first = signed_in(&app, &provider).await.post("/auth/token").await.expect(200).body;
    let before = app.read("/operators").await.body;
    provider.claim("name", "Ada King");
    provider.claim("email", Value::Null);
    let second = signed_in(&app, &provider).await.post("/auth/token").await.expect(200).body;
    assert_eq!(first["operator"]["id"], second["operator"]["id"]);
    let after = app.read("/operators").await.body;
    assert_eq!(after[0]["createdOn"], before[0]["createdOn"]);
    assert_eq!((&after[0]["name"], &after[0]["email"]), (&json!("Ada King"), &Value::Null));
    assert!(after[0]["lastSignInOn"].as_str() > before[0]["lastSignInOn"].as_str());
    assert_eq!(after.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_person_without_a_role_sees_why() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    provider.claim("groups", json!(["others"]));
    let browser = Browser::new(app.local().base_url());
    let start = browser.open("/auth/sign-in").await.expect(302);
    let callback = provider.authorize(&start.location);
    let html = |request: reqwest::RequestBuilder| request.header("accept", "text/html");
    let page = browser.send(Method::GET, &callback, html).await.expect(403);
    for part in ["NO_ROLE", "403", "Ada Marker-Name", "<dd>ada</dd>", "<dd>groups</dd>"] {
        assert!(page.text.contains(part), "{part} in {}", page.text);
    }
    assert!(!page.text.contains("too many groups"));
    assert_eq!(browser.session(), None);
    assert_eq!(app.items_of("operator"), Vec::<Value>::new());

    provider.claim("_claim_names", json!({ "groups": "src1" }));
    let start = browser.open("/auth/sign-in").await.expect(302);
    let page = browser.send(Method::GET, &provider.authorize(&start.location), html).await;
    assert!(page.text.contains("too many groups"), "{}", page.text);
}

#[tokio::test]
async fn the_listed_admins_need_no_group() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[("OPERATOR_ADMINS", "Ada-Marker@acme.test, s-2")]).await;
    provider.claim("groups", Value::Null);
    let refused = async || {
        let browser = Browser::new(app.local().base_url());
        let start = browser.open("/auth/sign-in").await.expect(302);
        browser.open(&provider.authorize(&start.location)).await.code().to_owned()
    };
    assert_eq!(refused().await, "NO_ROLE", "the email address is not verified");
    provider.claim("email_verified", true);
    assert_eq!(refused().await, "");
    provider.claim("email", "eve@acme.test");
    assert_eq!(refused().await, "NO_ROLE");
    provider.claim("sub", "s-2");
    assert_eq!(refused().await, "");
    provider.claim("sub", "Ada-Marker@acme.test");
    assert_eq!(refused().await, "NO_ROLE", "a subject that looks like a listed email address");
}

#[tokio::test]
async fn an_unverified_email_address_counts_at_a_trusted_provider_only() {
    let provider = Provider::start().await;
    provider.claim("groups", Value::Null);
    provider.claim("email", "ada@acme.test");
    let grant = json!({ "claim": "email", "value": "ada@acme.test", "role": "support" });
    let grants = json!({ "grants": [grant] }).to_string();
    for (trust, code) in [("false", "NO_ROLE"), ("true", "")] {
        for more in [("OPERATOR_ROLES", grants.as_str()), ("OPERATOR_ADMINS", "ada@acme.test")] {
            let app = app_of(&provider, &[more, ("OIDC_TRUST_EMAIL", trust)]).await;
            let browser = Browser::new(app.local().base_url());
            let start = browser.open("/auth/sign-in").await.expect(302);
            let end = browser.open(&provider.authorize(&start.location)).await;
            assert_eq!(end.code(), code, "{more:?}");
        }
    }
}

#[tokio::test]
async fn claims_come_from_userinfo_if_the_id_token_has_none() {
    let provider = Provider::start().await;
    provider.claim("groups", Value::Null);
    provider.state().userinfo = json!({ "sub": "ada", "groups": ["tenantry-viewers"] });
    let app = app_of(&provider, &[]).await;
    let issued = signed_in(&app, &provider).await.post("/auth/token").await.expect(200).body;
    assert_eq!(issued["operator"]["roles"], json!(["viewer"]));

    provider.state().userinfo["sub"] = json!("eve");
    let browser = Browser::new(app.local().base_url());
    let start = browser.open("/auth/sign-in").await.expect(302);
    let end = browser.open(&provider.authorize(&start.location)).await.expect(400);
    assert_eq!(end.code(), "SIGN_IN_INVALID");
}

#[tokio::test]
async fn a_viewer_may_look_and_not_touch() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    provider.claim("groups", json!(["tenantry-viewers"]));
    let issued = signed_in(&app, &provider).await.post("/auth/token").await.expect(200).body;
    let token = issued["token"].as_str().unwrap();
    app.client.get(token, "/tenants").await.expect(200);
    app.client.post(token, "/tenants", &support::tenant("acme")).await.expect(403);
    app.client.get(token, "/operators").await.expect(403);
}

#[tokio::test]
async fn a_session_ends_when_its_time_is_over() {
    let provider = Provider::start().await;
    for variable in ["SESSION_LIFETIME", "SESSION_IDLE"] {
        let app = app_of(&provider, &[(variable, "1")]).await;
        let browser = signed_in(&app, &provider).await;
        let ended = support::eventually("the end of the session", async || {
            tokio::time::sleep(Duration::from_millis(1100)).await;
            Some(browser.post("/auth/token").await).filter(|page| page.status == 401)
        });
        assert_eq!(ended.await.code(), "SIGN_IN_REQUIRED", "{variable}");
    }
}

#[tokio::test]
async fn a_token_lasts_no_longer_than_its_session() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[("SESSION_LIFETIME", "100")]).await;
    let issued = signed_in(&app, &provider).await.post("/auth/token").await.expect(200).body;
    assert!((95..=100).contains(&issued["expiresIn"].as_i64().unwrap()), "{issued}");
}

#[tokio::test]
async fn signing_out_ends_the_session_here_and_there() {
    let provider = Provider::start().await;
    provider.state().refreshes = true;
    let app = app_of(&provider, &[]).await;
    let browser = signed_in(&app, &provider).await;
    let (name, value) = browser.session().unwrap();
    let out = browser.post("/auth/sign-out").await.expect(200);
    let redirect = out.body["redirect"].as_str().unwrap();
    let own = app.local().base_url().trim_end_matches('/');
    assert!(redirect.starts_with(&format!("{}/end?client_id=console&", provider.url)));
    assert!(redirect.ends_with("%2Fconsole") && redirect.contains(&own[7..].replace(':', "%3A")));
    assert_eq!((provider.calls("/revoke"), browser.session()), (1, None));
    browser.set_cookie(&name, &value);
    assert_eq!(browser.post("/auth/token").await.expect(401).code(), "SIGN_IN_REQUIRED");
    let again = browser.post("/auth/sign-out").await.expect(200);
    assert_eq!(again.body, json!({ "redirect": null }));
}

#[tokio::test]
async fn without_a_provider_nobody_signs_in() {
    let app = App::with_variables(&[("OIDC_ISSUER", "")]).await;
    let browser = Browser::new(app.local().base_url());
    assert_eq!(browser.open("/auth/config").await.expect(200).body["signIn"], json!(false));
    let refused = browser.open("/auth/sign-in").await.expect(404);
    assert_eq!(refused.code(), "SIGN_IN_NOT_CONFIGURED");
    assert_eq!(browser.open("/auth/sign-in?return=//evil.test").await.code(), "RETURN_INVALID");
    assert_eq!(browser.post("/auth/token").await.expect(401).code(), "SIGN_IN_REQUIRED");
    browser.post("/auth/sign-out").await.expect(200);
}

#[tokio::test]
async fn an_unreachable_provider_is_named() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[("OIDC_ISSUER", "http://127.0.0.1:9")]).await;
    let browser = Browser::new(app.local().base_url());
    assert_eq!(browser.open("/auth/sign-in").await.expect(502).code(), "PROVIDER_UNREACHABLE");
    let app = app_of(&provider, &[("OIDC_CLIENT_SECRET", "wrong")]).await;
    let browser = Browser::new(app.local().base_url());
    let start = browser.open("/auth/sign-in").await.expect(302);
    let end = browser.open(&provider.authorize(&start.location)).await.expect(502);
    assert_eq!(end.code(), "PROVIDER_MISCONFIGURED");
    provider.state().failing = Some(503);
    let start = browser.open("/auth/sign-in").await.expect(302);
    let end = browser.open(&provider.authorize(&start.location)).await.expect(502);
    assert_eq!(end.code(), "PROVIDER_UNREACHABLE");
}

/// Makes the session's last check at the provider 20 minutes old.
pub(crate) fn outdate(app: &App) {
    let mut sessions = app.items_of("session");
    let old = lambda::now() - Duration::from_secs(1200);
    for session in &mut sessions {
        session["checkedOn"] = json!({ "S": old });
        session.as_object_mut().unwrap().remove("leasedOn");
    }
    app.import(sessions);
}

#[tokio::test]
async fn a_person_is_checked_again_every_15_minutes() {
    let provider = Provider::start().await;
    provider.state().refreshes = true;
    let app = app_of(&provider, &[]).await;
    let browser = signed_in(&app, &provider).await;
    browser.post("/auth/token").await.expect(200);
    assert_eq!(provider.calls("/token"), 1, "the session was checked at its start");

    outdate(&app);
    provider.claim("groups", json!(["tenantry-viewers"]));
    let issued = browser.post("/auth/token").await.expect(200).body;
    assert_eq!(issued["operator"]["roles"], json!(["viewer"]));
    assert_eq!(app.read("/operators").await.body[0]["roles"], json!(["viewer"]));

    // The provider does not answer: the session goes on.
    outdate(&app);
    provider.state().failing = Some(503);
    browser.post("/auth/token").await.expect(200);
    provider.state().failing = None;

    outdate(&app);
    provider.claim("groups", json!([]));
    assert_eq!(browser.post("/auth/token").await.expect(401).code(), "SIGN_IN_REQUIRED");
    provider.claim("groups", json!(["tenantry-admins"]));
    browser.post("/auth/token").await.expect(401);
}

#[tokio::test]
async fn a_refresh_token_is_used_once_by_eight_requests_at_once() {
    let provider = Provider::start().await;
    provider.state().refreshes = true;
    let app = app_of(&provider, &[]).await;
    let browser = signed_in(&app, &provider).await;
    outdate(&app);
    let pages = join_all((0..8).map(|_| browser.post("/auth/token"))).await;
    assert!(pages.iter().all(|page| page.status == 200));
    assert_eq!(provider.calls("/token"), 2, "one for the code and one for the refresh token");
    outdate(&app);
    browser.post("/auth/token").await.expect(200);
    assert_eq!(provider.calls("/token"), 3);
}

#[tokio::test]
async fn a_person_whom_the_provider_signed_out_is_signed_out() {
    let provider = Provider::start().await;
    provider.state().refreshes = true;
    let app = app_of(&provider, &[]).await;
    let browser = signed_in(&app, &provider).await;
    outdate(&app);
    provider.state().failing = Some(400);
    browser.post("/auth/token").await.expect(200);
    provider.state().failing = None;
    provider.forget();
    outdate(&app);
    assert_eq!(browser.post("/auth/token").await.expect(401).code(), "SIGN_IN_REQUIRED");
    assert_eq!(open_sessions(&app), 0);
}

#[tokio::test]
async fn calls_are_counted() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    app.warm().await;
    let browser = Browser::new(app.local().base_url());
    let start = browser.open("/auth/sign-in").await.expect(302);
    let before = app.table_calls();
    browser.open(&provider.authorize(&start.location)).await.expect(303);
    assert_eq!(app.table_calls() - before, 1, "the callback");
    let before = app.table_calls();
    browser.post("/auth/token").await.expect(200);
    assert_eq!(app.table_calls() - before, 1, "the token");
}

#[tokio::test]
async fn an_id_is_that_of_issuer_and_subject() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    let issued = signed_in(&app, &provider).await.post("/auth/token").await.expect(200).body;
    let id = issued["operator"]["id"].as_str().unwrap();
    assert!(id.parse::<OperatorId>().is_ok() && id.as_bytes()[14] == b'5', "{id}");
}
