use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};
use support::{Client, contact, invoice, lead, tenant, with_query};

use crate::{
    gateway::function_of,
    load::{Load, Request},
    options::{Options, Service},
    stack::Stack,
};

/// Tenants in the table.
const TENANTS: usize = 10_000;

/// Contacts to change.
const CONTACTS: usize = 64;

/// Warm-up requests per endpoint.
const WARM: usize = 300;

/// An endpoint with its requests.
pub(crate) struct Endpoint {
    pub(crate) name: &'static str,
    pub(crate) request: Box<dyn Fn() -> Request + Send + Sync>,
}

/// Measures every endpoint with 1 and with 16 connections, then the table calls of one request.
pub(crate) async fn measure(options: &Options) -> Vec<Value> {
    let mut stack = Stack::start(options).await;
    let operator = stack.aws.operator().to_owned();
    let endpoints = all(&stack.client, &operator).await;
    stack.aws.command(&format!("fill {TENANTS}")).await;
    let mut measured = Vec::new();
    for endpoint in &endpoints {
        let function = function_of(&(endpoint.request)().path).to_owned();
        let pids = [stack.lambdas[&*function].pid()];
        measured.push(of(options, &stack.url, &pids, endpoint).await);
        settle(&mut stack).await;
    }
    stack.aws.command("meter").await;
    for (endpoint, figures) in endpoints.iter().zip(&mut measured) {
        let function = function_of(&(endpoint.request)().path).to_owned();
        let before = stack.cost(&function).await;
        Load::run(&stack.url, &[], (1, 1), &*endpoint.request).await;
        let after = stack.cost(&function).await;
        for (n, what) in ["calls", "read_units", "write_units"].into_iter().enumerate() {
            figures[what] = (after[n] - before[n]).into();
        }
    }
    measured
}

/// Measures the same endpoints of a running service.
pub(crate) async fn measure_service(options: &Options, service: &Service) -> Value {
    let client = Client::new(&service.url);
    let mut measured = Vec::new();
    for endpoint in all(&client, &service.token).await {
        measured.push(of(options, &service.url, &service.pid, &endpoint).await);
    }
    measured.into()
}

async fn of(options: &Options, url: &str, pids: &[u32], endpoint: &Endpoint) -> Value {
    let mut figures = json!({ "endpoint": endpoint.name });
    Load::run(url, pids, (options.at_most(WARM), 1), &*endpoint.request).await;
    for (connections, at) in [(1, "at_1"), (16, "at_16")] {
        let load = Load::run(url, pids, (options.requests, connections), &*endpoint.request).await;
        figures[at] = load.figures();
    }
    figures
}

/// Waits until the control plane is idle.
pub(crate) async fn settle(stack: &mut Stack) {
    while stack.aws.command("settled").await != true {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Creates a tenant with children and returns all endpoints to measure.
pub(crate) async fn all(client: &Client, operator: &str) -> Vec<Endpoint> {
    let create = async |path: &str, body: Value| {
        client.post(operator, path, &body).await.expect(200).text("/id")
    };
    let key = fresh_key();
    let acme = create("/tenants", tenant(&key)).await;
    let mut own = Vec::new();
    for _ in 0..CONTACTS {
        own.push(format!("/contacts/{}", create("/contacts", contact(&acme)).await));
    }
    let bill = create("/invoices", invoice(&acme)).await;
    let acme = format!("/tenants/{acme}");
    let by_key = with_query("/tenants", "filter", &json!({ "where": { "key": key } }));
    let page = with_query("/tenants", "filter", &json!({ "limit": 20 }));
    let get = |name, path: String, bearer: &str, status| {
        let request =
            Request { method: Method::GET, path, bearer: bearer.into(), body: None, status };
        Endpoint { name, request: Box::new(move || request.clone()) }
    };
    let send = |name, method: Method, path: String, status, body: fn() -> Value| {
        let bearer = operator.to_owned();
        let request = move || Request {
            method: method.clone(),
            path: path.clone(),
            bearer: bearer.clone(),
            body: Some(body().to_string()),
            status,
        };
        Endpoint { name, request: Box::new(request) }
    };
    vec![
        get("GET /ping", "/ping".into(), "", 200),
        get("GET /tenants/{id}", acme.clone(), operator, 200),
        get("GET /tenants/{id}, forged token", acme, "a.b.c", 401),
        get("GET /tenants, a page of 20", page, operator, 200),
        get("GET /tenants, by key", by_key, operator, 200),
        get("GET /tenants/count", "/tenants/count".into(), operator, 200),
        get("GET /contacts/{id}", own[0].clone(), operator, 200),
        Endpoint { name: "PATCH /contacts/{id}", request: Box::new(change_one_of(own, operator)) },
        get("GET /invoices/{id}/download", format!("/invoices/{bill}/download"), operator, 200),
        send("POST /leads", Method::POST, "/leads".into(), 200, || lead(&fresh_email())),
        send("POST /tenants", Method::POST, "/tenants".into(), 200, || tenant(&fresh_key())),
        send(
            "POST /webhook, refused",
            Method::POST,
            "/webhook".into(),
            401,
            || json!({ "initiatorId": "00000000-0000-4000-8000-000000000000", "type": 0, "status": "success" }),
        ),
    ]
}

/// Changes the contacts in turn, so that concurrent requests do not conflict.
fn change_one_of(own: Vec<String>, bearer: &str) -> impl Fn() -> Request + Send + Sync + use<> {
    let (next, bearer) = (AtomicUsize::new(0), bearer.to_owned());
    move || Request {
        method: Method::PATCH,
        path: own[next.fetch_add(1, Ordering::Relaxed) % own.len()].clone(),
        bearer: bearer.clone(),
        body: Some(json!({ "type": fresh_key() }).to_string()),
        status: 204,
    }
}

/// Returns a tenant key that neither this nor an earlier run has used.
pub(crate) fn fresh_key() -> String {
    format!("b{:08x}", fresh() & 0xffff_ffff)
}

/// Returns an email address that no other lead has.
pub(crate) fn fresh_email() -> String {
    format!("ada{}@acme.test", fresh())
}

fn fresh() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let millis = u64::try_from(lambda::now().millis()).unwrap();
    let _ = NEXT.compare_exchange(0, millis, Ordering::Relaxed, Ordering::Relaxed);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
