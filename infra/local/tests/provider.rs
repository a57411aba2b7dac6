//! Tests of the identity provider of operators, with plain HTTP.

#![expect(clippy::unwrap_used, reason = "a broken test setup should panic")]

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use lambda::Env;
use local::{Local, Options};
use reqwest::{Response, redirect::Policy};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");

/// The verifier and the challenge of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "http://127.0.0.1:3000/auth/callback";

/// A request with some parameters changed, or removed if their new value is empty.
fn changed<'a>(all: &[(&'a str, &'a str)], changes: &[(&'a str, &'a str)]) -> String {
    let is_changed = |name: &str| changes.iter().any(|(changed, _)| *changed == name);
    let kept = all.iter().filter(|(name, _)| !is_changed(name));
    let pairs = kept.chain(changes).filter(|(_, value)| !value.is_empty());
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

struct Tested {
    local: Local,
    http: reqwest::Client,
}

impl Tested {
    async fn start() -> Self {
        let local = Local::start(Options::private(TEMPLATE), Env::default()).await.unwrap();
        let http = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        Self { local, http }
    }

    fn url(&self, rest: &str) -> String {
        format!("{}/_local/idp/{rest}", self.local.base_url())
    }

    async fn get(&self, rest: &str) -> Response {
        self.http.get(self.url(rest)).send().await.unwrap()
    }

    async fn authorize(&self, changes: &[(&str, &str)]) -> Response {
        let all = [
            ("response_type", "code"),
            ("client_id", "tenantry-local"),
            ("redirect_uri", CALLBACK),
            ("scope", "openid profile email"),
            ("state", "a state & more"),
            ("nonce", "n1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("person", "ada"),
        ];
        self.get(&format!("authorize?{}", changed(&all, changes))).await
    }

    /// Returns the parameters that signing in returns to the callback with.
    async fn returned(&self, changes: &[(&str, &str)]) -> Vec<(String, String)> {
        let answer = self.authorize(changes).await;
        assert_eq!(answer.status(), 303, "{changes:?}");
        let location = answer.headers()["location"].to_str().unwrap();
        let location = Url::parse(location).unwrap();
        assert!(location.as_str().starts_with(&format!("{CALLBACK}?")), "{location}");
        location.query_pairs().into_owned().collect()
    }

    async fn code(&self, changes: &[(&str, &str)]) -> String {
        let returned = self.returned(changes).await;
        let code = returned.into_iter().find(|(name, _)| name == "code");
        code.unwrap().1
    }

    async fn exchange(&self, code: &str, changes: &[(&str, &str)]) -> (u16, Value) {
        let all = [
            ("grant_type", "authorization_code"),
            ("client_id", "tenantry-local"),
            ("redirect_uri", CALLBACK),
            ("code", code),
            ("code_verifier", VERIFIER),
        ];
        let form = "application/x-www-form-urlencoded";
        let request = self.http.post(self.url("token")).header("content-type", form);
        let answer = request.body(changed(&all, changes)).send().await.unwrap();
        assert_eq!(answer.headers()["cache-control"], "no-store");
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

fn decoded(part: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(part).unwrap()
}

#[tokio::test]
async fn one_click_signs_in_with_a_signed_token() {
    let tested = Tested::start().await;
    let discovered: Value =
        tested.get(".well-known/openid-configuration").await.json().await.unwrap();
    let issuer = tested.url("").trim_end_matches('/').to_owned();
    assert_eq!(discovered["issuer"], issuer);
    assert_eq!(discovered["authorization_endpoint"], tested.url("authorize"));
    assert_eq!(discovered["token_endpoint"], tested.url("token"));
    let keys: Value = tested
        .http
        .get(discovered["jwks_uri"].as_str().unwrap())
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let key = &keys["keys"][0];

    let page = tested.authorize(&[("person", "")]).await;
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    for (person, role) in [
        ("Ada Lovelace", "admin"),
        ("Grace Hopper", "support"),
        ("Alan Turing", "viewer"),
        ("Edgar Codd", "no role"),
    ] {
        assert!(page.contains(&format!("{person}</a>: {role}")), "{person}");
    }

    let returned = tested.returned(&[]).await;
    let value = |wanted: &str| returned.iter().find(|(name, _)| name == wanted).unwrap().1.as_str();
    assert_eq!((value("state"), value("iss")), ("a state & more", issuer.as_str()));
    let (status, answer) = tested.exchange(value("code"), &[]).await;
    assert_eq!(status, 200, "{answer}");

    let token: Vec<_> = answer["id_token"].as_str().unwrap().split('.').collect();
    let header: Value = serde_json::from_slice(&decoded(token[0])).unwrap();
    assert_eq!(header, json!({ "alg": "ES256", "typ": "JWT", "kid": key["kid"] }));
    let [x, y] = ["x", "y"].map(|name| decoded(key[name].as_str().unwrap()));
    let point = [vec![4], x, y].concat();
    let signed = format!("{}.{}", token[0], token[1]);
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    key.verify(signed.as_bytes(), &decoded(token[2])).unwrap();

    let mut claims: Value = serde_json::from_slice(&decoded(token[1])).unwrap();
    for time in ["iat", "exp", "auth_time"] {
        assert!(claims.as_object_mut().unwrap().remove(time).unwrap().is_i64(), "{time}");
    }
    assert_eq!(
        claims,
        json!({
            "iss": issuer, "sub": "ada", "aud": "tenantry-local", "nonce": "n1", "name": "Ada Lovelace",
            "email": "ada@tenantry.test", "email_verified": true, "groups": ["tenantry-admin"],
        })
    );
}

#[tokio::test]
async fn a_code_is_exchanged_once_by_its_client_with_its_verifier() {
    let tested = Tested::start().await;
    let refused = |status: u16, error: &str| (status, json!({ "error": error }));
    let code = tested.code(&[]).await;
    assert_eq!(tested.exchange(&code, &[]).await.0, 200);
    assert_eq!(tested.exchange(&code, &[]).await, refused(400, "invalid_grant"), "used twice");

    let cases = [
        (("code_verifier", ""), refused(400, "invalid_grant")),
        (("code_verifier", CHALLENGE), refused(400, "invalid_grant")),
        (("redirect_uri", "http://localhost:3000/auth/callback"), refused(400, "invalid_grant")),
        (("redirect_uri", ""), refused(400, "invalid_grant")),
        (("code", "unknown"), refused(400, "invalid_grant")),
        (("code", ""), refused(400, "invalid_request")),
        (("client_id", "other"), refused(401, "invalid_client")),
        (("client_secret", "some"), refused(401, "invalid_client")),
        (("grant_type", "password"), refused(400, "unsupported_grant_type")),
    ];
    for (change, expected) in cases {
        let code = tested.code(&[]).await;
        assert_eq!(tested.exchange(&code, &[change]).await, expected, "{change:?}");
    }
    // A failed exchange uses the code up.
    let code = tested.code(&[]).await;
    tested.exchange(&code, &[("code_verifier", CHALLENGE)]).await;
    assert_eq!(tested.exchange(&code, &[]).await, refused(400, "invalid_grant"));
}

#[tokio::test]
async fn requests_are_checked_before_anybody_signs_in() {
    let tested = Tested::start().await;
    // The address of the client is in doubt, so it is not returned to.
    for change in [
        ("client_id", "other"),
        ("client_id", ""),
        ("redirect_uri", "http://evil.test/auth/callback"),
        ("redirect_uri", "http://127.0.0.1:3000/console"),
        ("redirect_uri", ""),
    ] {
        let answer = tested.authorize(&[change]).await;
        assert_eq!(
            (answer.status().as_u16(), answer.headers().get("location")),
            (400, None),
            "{change:?}"
        );
    }
    let twice = tested
        .get(&format!("authorize?client_id=tenantry-local&client_id=x&redirect_uri={CALLBACK}"))
        .await;
    assert_eq!(twice.status(), 400);

    let cases = [
        (("response_type", "token"), "unsupported_response_type"),
        (("scope", "profile"), "invalid_scope"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge_method", ""), "invalid_request"),
        (("person", "nobody"), "access_denied"),
    ];
    for (change, error) in cases {
        let returned = tested.returned(&[change]).await;
        let names = returned.iter().map(|(name, value)| match name.as_str() {
            "error" => value.as_str(),
            name => name,
        });
        let names: Vec<_> = names.collect();
        assert_eq!(names, [error, "state", "iss"], "{change:?}");
    }
}
