//! An identity provider that a test controls: what it signs, answers and refuses. It checks
//! requests as RFC 6749, RFC 7636 and OpenID Connect Core 1.0 demand.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json, Router,
    extract::State as Shared,
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as BASE64},
};
use ring::{
    digest,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

/// The ID of the client.
pub const CLIENT_ID: &str = "console";

/// The secret of the client.
pub const CLIENT_SECRET: &str = "client-secret-marker-2f8d";

/// A running provider.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The issuer.
    pub url: String,
    state: Arc<Mutex<State>>,
}

/// The answers of the provider, and the requests that it has seen.
#[derive(Debug)]
pub struct State {
    /// Claims of ID tokens, besides those that follow from the request. `null` removes one.
    pub claims: Value,
    /// The header of tokens. Without `alg`, it is ES256 with the current key.
    pub header: Value,
    /// The answer of `userinfo`. `null` if the provider publishes none.
    pub userinfo: Value,
    /// Members of the metadata that differ. `null` removes one.
    pub metadata: Value,
    /// Whether refresh tokens are issued. Each can be used once.
    pub refreshes: bool,
    /// The status of the token endpoint, if it fails.
    pub failing: Option<u16>,
    /// The number of requests by path.
    pub calls: BTreeMap<String, usize>,
    keys: Vec<Key>,
    codes: BTreeMap<String, Code>,
    tokens: BTreeMap<String, Value>,
    issued: usize,
    url: String,
}

#[derive(Clone, Debug)]
struct Code {
    challenge: String,
    nonce: String,
    redirect_uri: String,
}

#[derive(Debug)]
struct Key {
    kid: String,
    pair: Arc<EcdsaKeyPair>,
}

type Form = BTreeMap<String, String>;
type Answer = (StatusCode, Json<Value>);

impl Provider {
    /// Starts a provider that signs Ada in, who is in the group `tenantry-admins`.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut state = State {
            claims: json!({
                "sub": "ada", "name": "Ada Marker-Name", "email": "ada-marker@acme.test",
                "groups": ["tenantry-admins"],
            }),
            header: json!({}),
            userinfo: Value::Null,
            metadata: json!({}),
            refreshes: false,
            failing: None,
            calls: BTreeMap::new(),
            keys: Vec::new(),
            codes: BTreeMap::new(),
            tokens: BTreeMap::new(),
            issued: 0,
            url: url.clone(),
        };
        state.rotate();
        let state = Arc::new(Mutex::new(state));
        let provider = Self { url, state };
        let router: Router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/revoke", post(revoke))
            .route("/userinfo", get(userinfo))
            .with_state(provider.clone());
        tokio::spawn(async { axum::serve(listener, router).await });
        provider
    }

    /// Returns the variables of a control plane that uses this provider.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let grants = json!({ "grants": [
            { "claim": "groups", "value": "tenantry-admins", "role": "admin" },
            { "claim": "groups", "value": "tenantry-viewers", "role": "viewer" },
        ] });
        vec![
            ("OIDC_ISSUER", self.url.clone()),
            ("OIDC_CLIENT_ID", CLIENT_ID.to_owned()),
            ("OIDC_CLIENT_SECRET", CLIENT_SECRET.to_owned()),
            ("OIDC_NAME", "Acme SSO".to_owned()),
            ("OPERATOR_ROLES", grants.to_string()),
        ]
    }

    /// Returns the state.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Sets a claim of ID tokens.
    pub fn claim(&self, name: &str, value: impl Into<Value>) {
        self.state().claims[name] = value.into();
    }

    /// Replaces the key that signs.
    pub fn rotate(&self) {
        self.state().rotate();
    }

    /// Forgets all access tokens and refresh tokens.
    pub fn forget(&self) {
        self.state().tokens.clear();
    }

    /// Returns the number of requests to `path`.
    pub fn calls(&self, path: &str) -> usize {
        self.state().calls.get(path).copied().unwrap_or_default()
    }

    /// Signs the person in who was sent to `location`. Returns the address of the callback.
    pub fn authorize(&self, location: &str) -> String {
        let url = Url::parse(location).unwrap();
        assert!(location.starts_with(&format!("{}/authorize?", self.url)), "{location}");
        let asked: Form = url.query_pairs().into_owned().collect();
        for (name, value) in
            [("response_type", "code"), ("client_id", CLIENT_ID), ("code_challenge_method", "S256")]
        {
            assert_eq!(asked[name], value, "{name}");
        }
        assert!(asked["scope"].split(' ').any(|scope| scope == "openid"));
        let mut state = self.state();
        let code = state.next("code-marker");
        let redirect_uri = asked["redirect_uri"].clone();
        let entry = Code {
            challenge: asked["code_challenge"].clone(),
            nonce: asked["nonce"].clone(),
            redirect_uri: redirect_uri.clone(),
        };
        state.codes.insert(code.clone(), entry);
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("code", &code), ("state", &asked["state"]), ("iss", &self.url)])
            .finish();
        format!("{redirect_uri}?{query}")
    }

    /// Signs a token with these claims.
    pub fn sign(&self, claims: &Value) -> String {
        self.state().sign(claims)
    }
}

impl State {
    fn rotate(&mut self) {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap();
        let kid = self.next("key");
        self.keys = vec![Key { kid, pair: Arc::new(pair) }];
    }

    fn next(&mut self, kind: &str) -> String {
        self.issued += 1;
        format!("{kind}-{}", self.issued)
    }

    fn sign(&self, claims: &Value) -> String {
        let key = &self.keys[0];
        let mut header = json!({ "alg": "ES256", "kid": key.kid, "typ": "JWT" });
        merge(&mut header, &self.header);
        let message =
            format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        let signature = key.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", BASE64.encode(signature))
    }

    fn id_token(&self, nonce: Option<&str>) -> String {
        let now = lambda::now().seconds();
        let mut claims = json!({ "iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 300 });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        merge(&mut claims, &self.claims);
        self.sign(&claims)
    }

    fn tokens(&mut self, nonce: Option<&str>) -> Value {
        let access = self.next("access-marker");
        let mut answer =
            json!({ "access_token": access, "token_type": "Bearer", "expires_in": 60 });
        answer["id_token"] = self.id_token(nonce).into();
        if self.refreshes {
            let refresh = self.next("refresh-marker");
            self.tokens.insert(refresh.clone(), Value::Null);
            answer["refresh_token"] = refresh.into();
        }
        self.tokens.insert(access, Value::Null);
        answer
    }

    fn count(&mut self, path: &str) {
        *self.calls.entry(path.to_owned()).or_default() += 1;
    }
}

/// Sets the members of `changes`. `null` removes one.
fn merge(object: &mut Value, changes: &Value) {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(object.as_object_mut().unwrap().remove(name)),
            value => object[name] = value.clone(),
        }
    }
}

async fn metadata(Shared(provider): Shared<Provider>) -> Json<Value> {
    let mut state = provider.state();
    state.count("/.well-known/openid-configuration");
    let url = |path: &str| format!("{}{path}", state.url);
    let mut metadata = json!({
        "issuer": state.url,
        "authorization_endpoint": url("/authorize"),
        "token_endpoint": url("/token"),
        "jwks_uri": url("/keys"),
        "revocation_endpoint": url("/revoke"),
        "end_session_endpoint": url("/end"),
        "authorization_response_iss_parameter_supported": true,
    });
    if !state.userinfo.is_null() {
        metadata["userinfo_endpoint"] = url("/userinfo").into();
    }
    merge(&mut metadata, &state.metadata);
    Json(metadata)
}

async fn keys(Shared(provider): Shared<Provider>) -> Json<Value> {
    let mut state = provider.state();
    state.count("/keys");
    let keys = state.keys.iter().map(|key| {
        let point = key.pair.public_key().as_ref();
        let (x, y) = (BASE64.encode(&point[1..33]), BASE64.encode(&point[33..]));
        json!({ "kty": "EC", "crv": "P-256", "kid": key.kid, "use": "sig", "x": x, "y": y })
    });
    Json(json!({ "keys": keys.collect::<Vec<_>>() }))
}

async fn token(Shared(provider): Shared<Provider>, headers: HeaderMap, body: String) -> Answer {
    let mut state = provider.state();
    state.count("/token");
    let refused = |code: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": code })));
    if let Some(status) = state.failing {
        let status = StatusCode::from_u16(status).unwrap();
        return (status, Json(json!({ "error": "server_error" })));
    }
    if !is_client(&headers) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid_client" })));
    }
    let form: Form = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let of = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    match of("grant_type") {
        "authorization_code" => {
            let Some(code) = state.codes.remove(of("code")) else {
                return refused("invalid_grant");
            };
            let verifier = digest::digest(&digest::SHA256, of("code_verifier").as_bytes());
            if BASE64.encode(verifier) != code.challenge || of("redirect_uri") != code.redirect_uri
            {
                return refused("invalid_grant");
            }
            (StatusCode::OK, Json(state.tokens(Some(&code.nonce))))
        }
        "refresh_token" => match state.tokens.remove(of("refresh_token")) {
            Some(_) => (StatusCode::OK, Json(state.tokens(None))),
            None => refused("invalid_grant"),
        },
        _ => refused("unsupported_grant_type"),
    }
}

async fn revoke(
    Shared(provider): Shared<Provider>,
    headers: HeaderMap,
    body: String,
) -> StatusCode {
    let mut state = provider.state();
    state.count("/revoke");
    let form: Form = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    state.tokens.remove(&form["token"]);
    if is_client(&headers) { StatusCode::OK } else { StatusCode::UNAUTHORIZED }
}

async fn userinfo(Shared(provider): Shared<Provider>, headers: HeaderMap) -> Answer {
    let mut state = provider.state();
    state.count("/userinfo");
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok());
    let token = bearer.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    match state.tokens.contains_key(token) {
        true => (StatusCode::OK, Json(state.userinfo.clone())),
        false => (StatusCode::UNAUTHORIZED, Json(Value::Null)),
    }
}

fn is_client(headers: &HeaderMap) -> bool {
    let pair = BASE64_STANDARD.encode(format!("{CLIENT_ID}:{CLIENT_SECRET}"));
    headers.get("authorization").is_some_and(|value| *value == *format!("Basic {pair}"))
}
