use std::{
    io,
    sync::{Arc, Mutex},
};

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use domain::{NewTenant, TenantId};
use dynoxide::{Database, server::serve_on};
use lambda::{
    Env,
    aws::Aws,
    keys::{MasterKeys, mac},
};
use schema::read;
use secrecy::SecretString;
use serde_json::{Value, json};
use store::Store;
use tower::ServiceExt;
use tracing::{level_filters::LevelFilter, subscriber::DefaultGuard};
use tracing_subscriber::{fmt::MakeWriter, layer::SubscriberExt};

/// The master key.
pub(crate) const MASTER: &str = "master-marker-0b1c-of-32-bytes-at-least";

/// The secret of a facade.
pub(crate) const FACADE: &str = "facade-marker-5d21-of-32-bytes-at-least";

/// The function, with its own table.
pub(crate) struct Idp {
    pub(crate) keys: MasterKeys,
    router: Router,
    store: Store,
    log: Log,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

/// A response of the function.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Idp {
    pub(crate) async fn start(variables: &[(&str, &str)]) -> Self {
        let log = Log::default();
        let ours = lambda::logged(LevelFilter::TRACE);
        let lines = tracing_subscriber::fmt::layer().json().with_writer(log.clone());
        let subscriber = tracing_subscriber::registry().with(lines).with(ours);
        let guard = tracing::subscriber::set_default(subscriber);

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let table = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(serve_on(listener, Database::memory().unwrap()));
        let env: Env = [
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_ENDPOINT_URL_DYNAMODB", table.as_str()),
            ("TABLE_NAME", "table"),
            ("MASTER_KEYS", MASTER),
            ("IDP_WEBHOOK_SECRET", FACADE),
            ("FROM_EMAIL", "noreply@tenantry.test"),
            ("DOMAIN_NAME", "saas.test"),
        ]
        .into_iter()
        .collect();
        let env = env.with(variables.iter().copied().collect());
        let aws = Aws::from_env(&env).unwrap();
        create_table(&aws).await;
        Self {
            keys: MasterKeys::load(&env, &aws).await.unwrap(),
            router: ::idp::router(&env).await.unwrap(),
            store: Store::from_env(&env, &aws).unwrap(),
            log,
            _guard: guard,
        }
    }

    /// Sends a request signed by the facade.
    pub(crate) async fn manage(&self, body: &Value) -> Response {
        self.signed(FACADE, body.to_string().as_bytes()).await
    }

    pub(crate) async fn signed(&self, secret: impl Into<SecretString>, body: &[u8]) -> Response {
        self.signed_at(secret, body, lambda::now().millis()).await
    }

    pub(crate) async fn signed_at(
        &self,
        secret: impl Into<SecretString>,
        body: &[u8],
        millis: i64,
    ) -> Response {
        let timestamp = millis.to_string();
        let signature = mac(&secret.into(), &[body, timestamp.as_bytes()]);
        let headers = [
            ("content-type", "application/json"),
            ("x-timestamp", &timestamp),
            ("x-signature", &hex::encode(signature)),
        ];
        self.send(&headers, body).await
    }

    pub(crate) async fn send(&self, headers: &[(&str, &str)], body: &[u8]) -> Response {
        let mut request = Request::post("/manage/users");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_vec())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&body).unwrap();
        Response { status: parts.status, headers: parts.headers, body }
    }

    /// Creates a tenant in the table.
    pub(crate) async fn tenant(&self, key: &str) -> TenantId {
        let new: NewTenant = read(&json!({
            "key": key,
            "name": "Acme",
            "domains": ["acme.test"],
            "contact": {
                "firstName": "Ada", "lastName": "L", "email": "ada@acme.test", "isPrimary": true
            },
        }))
        .unwrap();
        let onboarding = new.onboard(lambda::now(), &"operator".into()).unwrap();
        self.store.onboard(&onboarding).await.unwrap();
        onboarding.tenant.id
    }

    /// Returns the log so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8(self.log.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

async fn create_table(aws: &Aws) {
    let mut table =
        aws_sdk_dynamodb::Client::new(&aws.service("DYNAMODB")).create_table().table_name("table");
    for (name, kind) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let attribute = AttributeDefinition::builder().attribute_name(name);
        let attribute = attribute.attribute_type(ScalarAttributeType::S).build().unwrap();
        let key = KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
        table = table.attribute_definitions(attribute).key_schema(key);
    }
    table.billing_mode(BillingMode::PayPerRequest).send().await.unwrap();
}

/// Returns a request body for a tenant of `tier`.
pub(crate) fn body(provider: &str, key: &str, tier: &str, email: &str) -> Value {
    json!({
        "tenant": {
            "id": "0199aa00-0000-7000-8000-000000000001",
            "identityProvider": provider,
            "name": "Acme Ltd",
            "key": key,
            "contacts": [
                { "firstName": "Eve", "lastName": "X", "email": "eve@acme.test", "isPrimary": false },
                { "firstName": "Ada", "lastName": "L", "email": email, "isPrimary": true, "id": "c1" },
            ],
        },
        "plan": { "tier": tier, "price": 10 },
    })
}
