use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use reqwest::Method;
use serde_json::{Value, json};
use support::{Client, contact, invoice, lead, subscription, tenant, with_query};

use crate::{
    gateway::function_of,
    load::{Load, Request, median},
    options::Options,
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

/// Measures every endpoint with 1 and with 16 connections, then the table calls of one request. The
/// functions that follow the stream wait meanwhile: on AWS they run elsewhere.
pub(crate) async fn measure(options: &Options) -> Vec<Value> {
    let mut stack = Stack::start(options).await;
    let operator = stack.aws.operator().to_owned();
    let endpoints = all(&stack.client, &operator).await;
    stack.aws.command(&format!("fill {TENANTS}")).await;
    stack.aws.command("hold").await;
    let mut measured = Vec::new();
    for endpoint in &endpoints {
        let function = function_of(&(endpoint.request)().path).to_owned();
        let pids = [stack.lambdas[&*function].pid()];
        let figures = of(options, &stack.url, &pids, endpoint).await;
        let refused = [&figures["at_1"]["refused"], &figures["at_16"]["refused"]];
        assert_eq!(refused, [&Value::Null; 2], "{}", endpoint.name);
        measured.push(figures);
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

/// Measures one endpoint with 1 and with 16 connections.
pub(crate) async fn of(options: &Options, url: &str, pids: &[u32], endpoint: &Endpoint) -> Value {
    let mut figures = json!({ "endpoint": endpoint.name });
    Load::run(url, pids, (options.at_most(WARM), 1), &*endpoint.request).await;
    for (connections, at) in [(1, "at_1"), (16, "at_16")] {
        let mut rounds = Vec::new();
        for _ in 0..options.rounds {
            let load = (options.requests, connections);
            rounds.push(Load::run(url, pids, load, &*endpoint.request).await.figures());
        }
        figures[at] = median(rounds);
    }
    figures
}

/// Creates a tenant with children and returns all endpoints to measure. An entity that a service
/// refuses to create has the nil UUID, so that its rows are refused as well.
pub(crate) async fn all(client: &Client, operator: &str) -> Vec<Endpoint> {
    let create = async |path: &str, body: Value| {
        let made = client.post(operator, path, &body).await;
        made.body["id"].as_str().unwrap_or("00000000-0000-0000-0000-000000000000").to_owned()
    };
    let key = fresh_key();
    let acme = create("/tenants", tenant(&key)).await;
    let mut own = Vec::new();
    for _ in 0..CONTACTS {
        own.push(format!("/contacts/{}", create("/contacts", contact(&acme)).await));
    }
    let bill = create("/invoices", invoice(&acme)).await;
    let building = create("/tenants", tenant(&fresh_key())).await;
    let provision = format!("/tenants/{building}/provision");
    client.post(operator, &provision, &subscription("BASIC")).await;
    let acme = format!("/tenants/{acme}");
    let by_key = with_query("/tenants", "filter", &json!({ "where": { "key": key } }));
    let page = with_query("/tenants", "filter", &json!({ "limit": 20 }));
    let get = |name, path: String, bearer: &str, status| {
        let request = Request { status, ..Request::new(Method::GET, path, bearer, None) };
        Endpoint { name, request: Box::new(move || request.clone()) }
    };
    let create_each = |name, path: &'static str, body: fn() -> Value| {
        let bearer = operator.to_owned();
        let request = move || Request::new(Method::POST, path.to_owned(), &bearer, Some(body()));
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
        create_each("POST /leads, with an address", "/leads", || lead(&fresh_email())),
        create_each("POST /leads, without an address", "/leads", || {
            let mut body = lead(&fresh_email());
            body.as_object_mut().unwrap().remove("address");
            body
        }),
        create_each("POST /tenants", "/tenants", || tenant(&fresh_key())),
        Endpoint { name: "POST /webhook, wrong signature", request: Box::new(forged(building)) },
    ]
}

/// Reports about a tenant with an open job, so that the service looks up the secret before it
/// refuses the signature.
fn forged(tenant: String) -> impl Fn() -> Request + Send + Sync {
    move || Request {
        headers: vec![
            ("x-timestamp", lambda::now().millis().to_string()),
            ("x-signature", "0".repeat(64)),
        ],
        status: 401,
        ..Request::new(
            Method::POST,
            "/webhook".into(),
            "",
            Some(
                json!({ "initiatorId": tenant, "type": 0, "data": { "status": 1, "resources": [] } }),
            ),
        )
    }
}

/// Changes the contacts in turn, so that concurrent requests do not conflict.
fn change_one_of(own: Vec<String>, bearer: &str) -> impl Fn() -> Request + Send + Sync + use<> {
    let (next, bearer) = (AtomicUsize::new(0), bearer.to_owned());
    move || {
        let path = own[next.fetch_add(1, Ordering::Relaxed) % own.len()].clone();
        let body = json!({ "type": fresh_key() });
        Request { status: 204, ..Request::new(Method::PATCH, path, &bearer, Some(body)) }
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
