//! Idempotency keys: a request that is sent again has no second effect and gets the same answer.

use std::collections::BTreeSet;

use domain::TenantId;
use reqwest::Method;
use serde_json::{Value, json};
use support::{
    App, Reply, SignedMessage, config, contact, invoice, join_all, lead, plan,
    provider::Provider,
    subscription, tenant,
    token::{OPERATOR, claims, token},
    with_query,
};

use crate::{
    audit::entries,
    drift::document_operations,
    sign_in::{app_of, open_sessions, signed_in},
};

/// A request with a key.
#[derive(Clone, Debug)]
struct Keyed {
    /// The route, as in the OpenAPI document.
    route: &'static str,
    path: String,
    bearer: String,
    body: Value,
}

impl Keyed {
    fn new(route: &'static str, bearer: &str, id: &str, body: Value) -> Self {
        let path = route.split_once(' ').unwrap().1.replace("{id}", id);
        Self { route, path, bearer: bearer.to_owned(), body }
    }

    async fn send(&self, app: &App, key: &str) -> Reply {
        let method: Method = self.route.split(' ').next().unwrap().parse().unwrap();
        let with_key = |request: reqwest::RequestBuilder| {
            let request = request.header("idempotency-key", key).json(&self.body);
            if self.bearer.is_empty() { request } else { request.bearer_auth(&self.bearer) }
        };
        app.client.send(method, &self.path, with_key).await
    }
}

fn new_contact(app: &App, tenant: &str) -> Keyed {
    Keyed::new("POST /contacts", &app.operator, "", contact(tenant))
}

fn is_replay(reply: &Reply) -> bool {
    reply.header("idempotency-replayed") == "true"
}

fn code(reply: &Reply) -> String {
    reply.text("/error/code")
}

/// Returns what is stored, without counters of calls.
async fn stored(app: &App) -> Vec<Value> {
    let items = app.settled().await.into_iter();
    items.filter(|item| item["entity"]["S"] != "rate").collect()
}

/// Operations whose effect is not in the audit log: another link is recorded when it is sent, a session
/// that an operator ends has no writer, and some requests find nothing to change.
const UNRECORDED: [&str; 3] = [
    "POST /leads/resend",
    "DELETE /operators/{id}/sessions/{sessionId}",
    "POST /subscriptions/{id}/resume",
];

/// Checks that the audit log names the request of an answer.
fn assert_recorded(app: &App, request: &Keyed, answer: &Reply) {
    let id = answer.header("x-request-id");
    let is_recorded = entries(app).iter().any(|entry| entry["request"]["id"] == id);
    assert!(
        is_recorded || UNRECORDED.contains(&request.route),
        "{request:?} is not in the audit log"
    );
}

/// Sends `request` twice with one key, and checks that only the first has an effect, which the audit log
/// names.
async fn assert_once(app: &App, request: &Keyed) -> Reply {
    let key = format!("key of {}", request.route).replace(' ', "-");
    let first = request.send(app, &key).await;
    assert!(first.status < 300 || first.status == 409, "{request:?}: {}", first.body);
    assert!(!is_replay(&first), "{request:?}");
    let before = stored(app).await;
    if first.status < 300 {
        assert_recorded(app, request, &first);
    }
    let second = request.send(app, &key).await;
    assert!(is_replay(&second), "{request:?}");
    let parts = |reply: &Reply| {
        let headers =
            ["etag", "location", "content-type"].map(|name| reply.header(name).to_owned());
        (reply.status, headers)
    };
    assert_eq!(parts(&first), parts(&second), "{request:?}");
    assert_eq!(first.body["id"], second.body["id"], "{request:?}");
    if !request.route.ends_with("/verify") {
        assert_eq!(first.raw, second.raw, "{request:?}");
    }
    assert_eq!(stored(app).await, before, "{request:?}");
    first
}

/// Sends every operation on leads and tenants twice. Returns the routes.
async fn tenants_once(app: &App, routes: &mut BTreeSet<String>) {
    let operator = app.operator.clone();
    let mut once = async |route: &'static str, bearer: &str, id: &str, body: Value| {
        routes.insert(route.to_owned());
        assert_once(app, &Keyed::new(route, bearer, id, body)).await
    };
    let email = "ada@acme.test";
    let ada = once("POST /leads", "", "", lead(email)).await.text("/id");
    once("POST /leads/resend", "", "", json!({ "email": email })).await;
    let key = app.verification_key(&ada);
    let token = once("POST /leads/{id}/verify", &key, &ada, json!(null)).await.text("/token");
    let body = json!({ "key": "lead", "domains": ["acme.test"] });
    once("POST /leads/{id}/tenants", &token, &ada, body).await;
    let acme = once("POST /tenants", &operator, "", tenant("acme")).await.text("/id");
    once("PATCH /tenants/{id}", &operator, &acme, json!({ "name": "New" })).await;
    let mut read = app.read(&format!("/tenants/{acme}")).await.body;
    read["name"] = json!("Newer");
    once("PUT /tenants/{id}", &operator, &acme, read).await;
    let plan = subscription("BASIC");
    let opened = once("POST /tenants/{id}/provision", &operator, &acme, plan).await;
    once("POST /tenants/{id}/identity", &operator, &acme, json!(null)).await;
    once("POST /tenants/{id}/retire", &operator, &acme, json!(null)).await;
    let job = opened.header("location").rsplit('/').next().unwrap().parse().unwrap();
    let (id, done) =
        (acme.parse().unwrap(), json!({ "initiatorId": acme, "type": 0, "status": "success" }));
    SignedMessage::new(&app.keys, id, job, &done).send(&app.client).await.expect(204);
    once("POST /tenants/{id}/suspend", &operator, &acme, json!({})).await.expect(204);
    once("POST /tenants/{id}/reactivate", &operator, &acme, json!(null)).await.expect(204);
    once("POST /tenants/{id}/deprovision", &operator, &acme, json!(null)).await.expect(204);
    let doomed = app.tenant("doomed").await;
    once("DELETE /tenants/{id}", &operator, &doomed, json!(null)).await.expect(204);
}

/// Sends every operation on subscriptions twice.
async fn subscriptions_once(app: &App, routes: &mut BTreeSet<String>) {
    let operator = app.operator.clone();
    let mut once = async |route: &'static str, id: &str, body: Value| {
        routes.insert(route.to_owned());
        assert_once(app, &Keyed::new(route, &operator, id, body)).await
    };
    let (tenant, plan) = (app.tenant("third").await, app.active_plan(&json!({})).await);
    let new = json!({ "subscriberId": tenant, "planId": plan });
    let id = once("POST /subscriptions", "", new).await.expect(200).text("/id");
    once("PATCH /subscriptions/{id}", &id, json!({ "autoRenew": false })).await.expect(204);
    once("POST /subscriptions/{id}/change", &id, json!({ "planId": plan })).await;
    let signal = json!({ "outcome": "failed", "reference": "evt-1" });
    once("POST /subscriptions/{id}/payments", &id, signal).await;
    once("POST /subscriptions/{id}/resume", &id, json!(null)).await.expect(200);
    once("POST /subscriptions/{id}/cancel", &id, json!({})).await.expect(200);
}

/// Sends every operation on a kind of children twice.
async fn children_once(
    app: &App,
    routes: &mut BTreeSet<String>,
    names: [&'static str; 4],
    new: Value,
    change: Value,
) {
    let operator = &app.operator;
    for name in names {
        routes.insert(name.to_owned());
    }
    let [post, patch, put, delete] = names;
    let made = assert_once(app, &Keyed::new(post, operator, "", new.clone())).await;
    let id = made.expect(200).text("/id");
    assert_once(app, &Keyed::new(patch, operator, &id, change)).await.expect(204);
    assert_once(app, &Keyed::new(put, operator, &id, new)).await.expect(204);
    assert_once(app, &Keyed::new(delete, operator, &id, json!(null))).await.expect(204);
}

/// Sends a bulk update twice.
async fn bulk_once(app: &App, routes: &mut BTreeSet<String>, route: &'static str, change: Value) {
    routes.insert(route.to_owned());
    let mut request = Keyed::new(route, &app.operator, "", change);
    request.path = with_query(&request.path, "where", &json!({ "deleted": false }));
    assert_once(app, &request).await.expect(200);
}

/// Sends every operation on operators and their sessions twice.
async fn operators_once(routes: &mut BTreeSet<String>) {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    for subject in ["ada", "bob"] {
        provider.claim("sub", subject);
        signed_in(&app, &provider).await;
        signed_in(&app, &provider).await;
    }
    let bob = app.read("/operators").await.text("/0/id");
    let sessions = app.read(&format!("/operators/{bob}/sessions")).await;
    let mut once = async |route: &'static str, session: &str, body: Value| {
        routes.insert(route.to_owned());
        let mut request = Keyed::new(route, &app.operator, &bob, body);
        request.path = request.path.replace("{sessionId}", session);
        assert_once(&app, &request).await.expect(204);
    };
    let session = sessions.text("/0/id");
    once("DELETE /operators/{id}/sessions/{sessionId}", &session, json!(null)).await;
    assert_eq!(open_sessions(&app), 3);
    once("PATCH /operators/{id}", "", json!({ "disabled": true })).await;
    assert_eq!(open_sessions(&app), 2, "those of the other operator");
}

/// A new route takes part, or this test fails.
#[tokio::test]
async fn every_operation_sent_twice_with_one_key_has_one_effect() {
    let app = App::start_silent().await;
    let mut routes = BTreeSet::new();
    tenants_once(&app, &mut routes).await;
    operators_once(&mut routes).await;
    let other = app.tenant("other").await;
    let seats = json!({ "value": 25 });
    for (route, body) in [
        ("PUT /tenants/{id}/entitlements/{key}", seats),
        ("DELETE /tenants/{id}/entitlements/{key}", json!(null)),
    ] {
        routes.insert(route.to_owned());
        let mut request = Keyed::new(route, &app.operator, &other, body);
        request.path = request.path.replace("{key}", "seats");
        assert_once(&app, &request).await.expect(204);
    }
    app.create("/invoices", &invoice(&other)).await;
    app.create("/tenant-configs", &config(&other, "locale")).await;
    app.create("/plans", &plan(json!({}))).await;
    bulk_once(&app, &mut routes, "PATCH /contacts", json!({ "type": "all" })).await;
    bulk_once(&app, &mut routes, "PATCH /invoices", json!({ "status": 1 })).await;
    bulk_once(&app, &mut routes, "PATCH /tenant-configs", json!({ "configValue": {} })).await;
    bulk_once(&app, &mut routes, "PATCH /tenants", json!({ "name": "All" })).await;
    let contacts =
        ["POST /contacts", "PATCH /contacts/{id}", "PUT /contacts/{id}", "DELETE /contacts/{id}"];
    children_once(&app, &mut routes, contacts, contact(&other), json!({ "type": "one" })).await;
    let invoices =
        ["POST /invoices", "PATCH /invoices/{id}", "PUT /invoices/{id}", "DELETE /invoices/{id}"];
    children_once(&app, &mut routes, invoices, invoice(&other), json!({ "amount": 1 })).await;
    let configs = [
        "POST /tenant-configs",
        "PATCH /tenant-configs/{id}",
        "PUT /tenant-configs/{id}",
        "DELETE /tenant-configs/{id}",
    ];
    let change = json!({ "configValue": { "dark": true } });
    children_once(&app, &mut routes, configs, config(&other, "theme"), change).await;

    bulk_once(&app, &mut routes, "PATCH /plans", json!({ "price": 5 })).await;
    let plans = ["POST /plans", "PATCH /plans/{id}", "PUT /plans/{id}", "DELETE /plans/{id}"];
    children_once(&app, &mut routes, plans, plan(json!({})), json!({ "price": 7 })).await;
    let standard = app.create("/plans", &plan(json!({}))).await;
    for route in ["POST /plans/{id}/activate", "POST /plans/{id}/archive"] {
        routes.insert(route.to_owned());
        let action = Keyed::new(route, &app.operator, &standard, json!(null));
        assert_once(&app, &action).await.expect(204);
    }

    subscriptions_once(&app, &mut routes).await;

    // They are idempotent by themselves and only take a lock, see below.
    routes.extend(["POST /webhook", "POST /manage/users"].map(str::to_owned));
    let mut documented = BTreeSet::new();
    for (route, operation) in document_operations(&app).await {
        let answers =
            ["200", "204"].iter().any(|status| operation["responses"][status].is_object());
        // A sign-in has no key: its cookie is what makes it happen once.
        if route.starts_with("GET") || route.contains(" /auth/") || !answers {
            continue;
        }
        let reference = json!({ "$ref": "#/components/parameters/Idempotency-Key" });
        let parameters = operation["parameters"].as_array();
        assert!(parameters.is_some_and(|all| all.contains(&reference)), "{route}");
        documented.insert(route);
    }
    assert_eq!(documented, routes);
}

#[tokio::test]
async fn sixty_four_requests_with_one_key_at_once_have_one_effect() {
    let app = App::start().await;
    let request = new_contact(&app, &app.tenant("acme").await);
    let sent = join_all((0..64).map(|_| request.send(&app, "k"))).await;
    assert_eq!(app.items_of("contact").len(), 2, "that of the tenant, and one more");
    let (done, busy): (Vec<_>, Vec<_>) = sent.iter().partition(|reply| reply.status == 200);
    assert_eq!(done.iter().filter(|reply| !is_replay(reply)).count(), 1);
    assert!(done.iter().all(|reply| reply.raw == done[0].raw));
    for reply in busy {
        assert_eq!((reply.status, code(reply).as_str()), (409, "IDEMPOTENCY_IN_PROGRESS"));
        assert_eq!(reply.header("retry-after"), "1");
    }
    let last = request.send(&app, "k").await.expect(200);
    assert!(is_replay(&last) && last.raw == done[0].raw);
}

#[tokio::test]
async fn a_key_belongs_to_one_caller_route_and_content() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    let request = new_contact(&app, &acme);
    let first = request.send(&app, "k").await.expect(200);
    let mut other = request.clone();
    other.body["type"] = json!("other");
    assert_eq!(code(&other.send(&app, "k").await.expect(422)), "IDEMPOTENCY_KEY_REUSED");
    let query = Keyed { path: "/contacts?x=1".to_owned(), ..request.clone() };
    assert_eq!(code(&query.send(&app, "k").await.expect(422)), "IDEMPOTENCY_KEY_REUSED");
    let bill = Keyed::new("POST /invoices", &app.operator, "", invoice(&acme));
    assert!(!is_replay(&bill.send(&app, "k").await.expect(200)), "another route");
    let colleague = token(OPERATOR, &claims(&["10208"]).to_string());
    let colleague = Keyed { bearer: colleague, ..request.clone() };
    let theirs = colleague.send(&app, "k").await.expect(200);
    assert_ne!(theirs.text("/id"), first.text("/id"), "another caller");
    let forged = Keyed { bearer: "x".to_owned(), ..request.clone() };
    let before = app.settled().await;
    forged.send(&app, "k").await.expect(401);
    for key in ["", "a b", &"k".repeat(256)] {
        let refused = request.send(&app, key).await.expect(400);
        assert_eq!(code(&refused), "IDEMPOTENCY_KEY_INVALID", "{key}");
    }
    let malformed = Keyed { body: json!({ "type": 1 }), ..request };
    malformed.send(&app, "fresh").await.expect(422);
    assert_eq!(app.items(), before, "no key is stored for a request that is refused at once");
}

#[tokio::test]
async fn answers_that_follow_from_the_state_are_repeated_and_others_are_decided_again() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    let theme = app.create("/tenant-configs", &config(&acme, "theme")).await;
    let again = Keyed::new("POST /tenant-configs", &app.operator, "", config(&acme, "theme"));
    again.send(&app, "k").await.expect(409);
    app.client.delete(&app.operator, &format!("/tenant-configs/{theme}")).await.expect(204);
    let repeated = again.send(&app, "k").await.expect(409);
    assert!(is_replay(&repeated) && code(&repeated) == "CONFIG_KEY_TAKEN");
    again.send(&app, "another").await.expect(200);

    let none = TenantId::generate().to_string();
    let missing = Keyed::new("DELETE /contacts/{id}", &app.operator, &none, json!(null));
    assert!(!is_replay(&missing.send(&app, "k").await.expect(404)));
    assert!(is_replay(&missing.send(&app, "k").await.expect(404)));

    let path = format!("/tenants/{acme}");
    let operator = &app.operator;
    let at = |tag: &'static str| {
        app.client.send(Method::PATCH, &path, move |request| {
            let request = request.bearer_auth(operator).header("if-match", tag);
            request.header("idempotency-key", "k").json(&json!({ "name": "New" }))
        })
    };
    at("\"9\"").await.expect(412);
    assert!(!is_replay(&at("\"1\"").await.expect(204)), "a version is not part of a request");
    assert!(is_replay(&at("\"1\"").await.expect(204)));
}

#[tokio::test]
async fn a_failed_request_can_be_sent_again_at_once_even_with_another_body() {
    let app = App::start().await;
    let request = new_contact(&app, &app.tenant("acme").await);
    app.set_failing("TransactWriteItems", true);
    request.send(&app, "k").await.expect(500);
    app.set_failing("TransactWriteItems", false);
    let mut other = request.clone();
    other.body["type"] = json!("other");
    let made = other.send(&app, "k").await.expect(200);
    assert_eq!((is_replay(&made), made.text("/type").as_str()), (false, "other"));
    assert!(is_replay(&other.send(&app, "k").await.expect(200)));
}

/// Changes the only record of a key.
async fn with_record(app: &App, change: impl Fn(&mut Value)) {
    app.settle().await;
    let is_record =
        |item: &Value| item["pk"]["S"].as_str().unwrap().starts_with("IDEMPOTENCY#api#");
    let mut record = app.items().into_iter().find(is_record).unwrap();
    change(&mut record);
    app.import(vec![record]);
}

#[tokio::test]
async fn a_key_is_free_when_the_lease_of_an_unanswered_request_or_its_day_is_over() {
    let app = App::start().await;
    let request = new_contact(&app, &app.tenant("acme").await);
    request.send(&app, "k").await.expect(200);
    let lease = |until: &'static str| {
        move |record: &mut Value| {
            record["done"] = json!({ "BOOL": false });
            record["leaseUntil"] = json!({ "S": until });
            record.as_object_mut().unwrap().remove("answer");
        }
    };
    with_record(&app, lease("9999-01-01T00:00:00.000Z")).await;
    let held = request.send(&app, "k").await.expect(409);
    assert_eq!(code(&held), "IDEMPOTENCY_IN_PROGRESS");
    with_record(&app, lease("2000-01-01T00:00:00.000Z")).await;
    assert!(!is_replay(&request.send(&app, "k").await.expect(200)));
    assert!(is_replay(&request.send(&app, "k").await.expect(200)));
    with_record(&app, |record| record["expiresAt"] = json!({ "N": "1" })).await;
    assert!(!is_replay(&request.send(&app, "k").await.expect(200)));
}

#[tokio::test]
async fn a_large_answer_is_made_again_from_its_entity() {
    let app = App::start().await;
    let mut body = config(&app.tenant("acme").await, "theme");
    body["configValue"] = json!({ "text": "x".repeat(90_000) });
    let request = Keyed::new("POST /tenant-configs", &app.operator, "", body);
    let first = assert_once(&app, &request).await.expect(200);
    assert!(first.raw.len() > 90_000);
    with_record(&app, |record| assert!(record.to_string().len() < 1_000, "{record}")).await;
}

#[tokio::test]
async fn a_credential_is_derived_again_and_never_stored() {
    let app = App::with_variables(&[("LEAD_KEY_IN_RESPONSE", "true")]).await;
    let create = Keyed::new("POST /leads", "", "", lead("ada@acme.test"));
    let made = assert_once(&app, &create).await;
    let (id, key) = (made.text("/id"), made.text("/key"));
    let verify = Keyed::new("POST /leads/{id}/verify", &key, &id, json!(null));
    let token = assert_once(&app, &verify).await.text("/token");
    let again = verify.send(&app, "key-of-POST-/leads/{id}/verify").await.text("/token");
    for token in [&token, &again] {
        app.client.get(token, &format!("/leads/{id}")).await.expect(200);
    }
    let everything = json!(app.items()).to_string();
    for secret in [&key, &token, &again, token.rsplit('.').next().unwrap()] {
        assert!(!everything.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_report_of_a_build_only_takes_a_lock() {
    let app = App::start_silent().await;
    let (tenant, job) = app.provisioning("acme", "BASIC").await;
    let step = |name: &str| {
        let body = json!({ "initiatorId": tenant, "type": 0, "progress": { "name": name } });
        SignedMessage::new(&app.keys, tenant, job, &body)
    };
    for name in ["Build", "Test", "Test"] {
        let sent = step(name).send_with_key(&app.client, "k").await.expect(204);
        assert!(!is_replay(&sent), "another body runs, and so does a repeated one");
    }
    let steps = app.job(tenant, job).await["steps"].to_string();
    assert!(steps.contains("Build") && steps.contains("Test"), "{steps}");
    with_record(&app, |record| {
        record["leaseUntil"] = json!({ "S": "9999-01-01T00:00:00.000Z" });
        record["expiresAt"] = json!({ "N": "99999999999" });
    })
    .await;
    let held = step("Deploy").send_with_key(&app.client, "k").await.expect(409);
    assert_eq!(code(&held), "IDEMPOTENCY_IN_PROGRESS");
}
