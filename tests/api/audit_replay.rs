//! Random operations, replayed from the audit log. `TENANTRY_TEST_OPERATIONS` is their number.

use std::collections::{BTreeMap, BTreeSet};

use lambda::Env;
use reqwest::Method;
use serde_json::{Map, Value, json};
use support::{
    App, Browser, Options, Reply, SignedMessage, config, contact, invoice, lead, plan,
    provider::Provider, subscription, tenant,
};

use crate::{
    audit::{entries, replayed},
    random::Random,
    sign_in::signing_in_at,
    upkeep::deliver,
};

/// Operations in a run of all tests.
const OPERATIONS: usize = 200;

/// Kinds of items, with the members whose values are not in the log.
const KINDS: [(&str, &[&str]); 10] = [
    ("lead", &["firstName", "lastName", "email", "address", "origin", "takesOver", "unmailed"]),
    ("tenant", &["address", "latestJob", "stagedBy", "builtBy", "removedBy", "batches"]),
    ("contact", &["firstName", "lastName", "email"]),
    ("invoice", &[]),
    ("config", &["configValue"]),
    ("plan", &["subscribed"]),
    ("job", &["tenant", "steps", "progress", "deadline"]),
    ("subscription", &["events"]),
    ("entitlements", &[]),
    ("operator", &["name", "email", "subject", "reasons"]),
];

/// Members that an entry shows elsewhere or not at all, of every kind.
const TECHNICAL: [&str; 20] = [
    "pk",
    "sk",
    "gsi1pk",
    "gsi1sk",
    "gsi2pk",
    "gsi2sk",
    "entity",
    "version",
    "expiresAt",
    "trace",
    "requestId",
    "id",
    "createdOn",
    "createdBy",
    "modifiedOn",
    "modifiedBy",
    "deletedOn",
    "deletedBy",
    "metaData",
    "metadata",
];

/// Sends random requests, and knows what they have created.
struct Writer<'a> {
    app: &'a App,
    provider: &'a Provider,
    random: Random,
    made: BTreeMap<&'static str, Vec<String>>,
    created: usize,
}

impl Writer<'_> {
    fn one(&mut self, list: &str) -> Option<String> {
        let made = self.made.get(list)?;
        Some(self.random.of(made).clone())
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Reply {
        let operator = &self.app.operator;
        let sent = self.app.client.send(method, path, |request| {
            let request = if path == "/leads" { request } else { request.bearer_auth(operator) };
            request.json(body)
        });
        let reply = sent.await;
        assert!(reply.status < 500, "{path} {body}: {}", reply.raw);
        reply
    }

    async fn create(&mut self) {
        self.created += 1;
        let (n, list) = (self.created, *self.random.of(&LISTS));
        let Some(owner) = self.one("/tenants").or_else(|| Some(String::new())) else { return };
        let body = match list {
            "/leads" => lead(&format!("lead{n}@acme.test")),
            "/tenants" => tenant(&format!("tenant{n}")),
            "/contacts" => contact(&owner),
            "/invoices" => invoice(&owner),
            "/subscriptions" => {
                let Some(plan) = self.one("/plans") else { return };
                json!({ "subscriberId": owner, "planId": plan })
            }
            "/plans" => plan(json!({ "name": format!("Plan {n}"), "features": { "seats": n } })),
            _ => config(&owner, &format!("key{n}")),
        };
        let reply = self.send(Method::POST, list, &body).await;
        if [200, 202].contains(&reply.status) {
            let id = reply.text("/id");
            if list == "/plans" {
                self.send(Method::POST, &format!("/plans/{id}/activate"), &json!(null)).await;
            }
            self.made.entry(list).or_default().push(id);
        }
    }

    async fn change(&mut self) {
        let list = *self.random.of(&LISTS);
        let Some(id) = self.one(list) else { return };
        let (n, path) = (self.random.below(1000), format!("{list}/{id}"));
        let change = match list {
            "/leads" => json!({ "companyName": format!("Company {n}") }),
            "/tenants" if n % 2 == 0 => json!({ "domains": [format!("d{n}.test"), "acme.test"] }),
            "/tenants" => json!({ "name": format!("Name {n}"), "city": format!("City {n}") }),
            "/contacts" => json!({ "type": format!("type {n}"), "isPrimary": n % 2 == 0 }),
            "/invoices" if n % 2 == 0 => json!({ "amount": format!("{n}.25").parse::<f64>().ok() }),
            "/invoices" => json!({ "currencyCode": "GBP", "status": n % 3 }),
            "/plans" if n % 2 == 0 => json!({ "price": n, "trialDays": n % 30 }),
            "/plans" => json!({ "features": { "seats": n, "sso": n % 3 == 0 }, "public": true }),
            "/subscriptions" => json!({ "autoRenew": n % 2 == 0 }),
            _ => json!({ "configKey": format!("renamed{n}"), "configValue": { "n": n } }),
        };
        if self.random.chance(70) {
            self.send(Method::PATCH, &path, &change).await;
            return;
        }
        let read = self.send(Method::GET, &path, &json!(null)).await;
        if read.status == 200 {
            let mut whole = read.body;
            whole.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            self.send(Method::PUT, &path, &whole).await;
        }
    }

    async fn delete(&mut self) {
        let list = *self.random.of(&LISTS);
        if let Some(id) = self.one(list) {
            self.send(Method::DELETE, &format!("{list}/{id}"), &json!(null)).await;
        }
    }

    /// Changes what a customer may use, or for how long.
    async fn decide(&mut self) {
        let n = self.random.below(1000);
        if let (Some(id), true) = (self.one("/tenants"), self.random.chance(50)) {
            let (path, key) = (format!("/tenants/{id}"), self.random.of(&["seats", "sso", "api"]));
            let (method, path, body) = match n % 4 {
                0 => (
                    Method::POST,
                    format!("{path}/suspend"),
                    json!({ "note": format!("Note {n}") }),
                ),
                1 => (Method::POST, format!("{path}/reactivate"), json!(null)),
                2 => (Method::DELETE, format!("{path}/entitlements/{key}"), json!(null)),
                _ => (Method::PUT, format!("{path}/entitlements/{key}"), json!({ "value": n })),
            };
            self.send(method, &path, &body).await;
        }
        let (id, plan) = (self.one("/subscriptions"), self.one("/plans"));
        let (Some(id), Some(plan)) = (id, plan) else { return };
        let (action, body) = match n % 5 {
            0 => ("resume", json!(null)),
            1 => ("cancel", json!({ "when": "now", "reason": format!("Reason {n}") })),
            2 => ("cancel", json!({})),
            3 => ("payments", json!({ "outcome": "failed", "reference": format!("r{n}") })),
            _ => ("change", json!({ "planId": plan, "when": "period_end" })),
        };
        self.send(Method::POST, &format!("/subscriptions/{id}/{action}"), &body).await;
    }

    /// Signs an operator in, or disables or enables one.
    async fn people(&mut self) {
        let group = *self.random.of(&["tenantry-admins", "tenantry-viewers", "tenantry-support"]);
        self.provider.claim("sub", format!("subject{}", self.random.below(4)));
        self.provider.claim("groups", json!([group]));
        let browser = Browser::new(self.app.local().base_url());
        let start = browser.open("/auth/sign-in").await.expect(302);
        browser.open(&self.provider.authorize(&start.location)).await;
        let people = self.app.read("/operators").await.each("id");
        let id = self.random.of(&people).as_str().unwrap();
        let change = json!({ "disabled": self.random.chance(50) });
        self.send(Method::PATCH, &format!("/operators/{id}"), &change).await;
    }

    async fn build(&mut self) {
        let Some(id) = self.one("/tenants") else { return };
        let action = *self.random.of(&["provision", "provision", "deprovision"]);
        let tier = *self.random.of(&["BASIC", "PREMIUM"]);
        let body = subscription(tier);
        let opened = self.send(Method::POST, &format!("/tenants/{id}/{action}"), &body).await;
        if opened.status != 204 {
            return;
        }
        let job = opened.header("location").rsplit('/').next().unwrap().parse().unwrap();
        let status = if self.random.chance(70) { "success" } else { "failure" };
        let kind = i32::from(action == "deprovision");
        let report = json!({ "initiatorId": id, "type": kind, "status": status });
        let report = SignedMessage::new(&self.app.keys, id.parse().unwrap(), job, &report);
        assert!(report.send(&self.app.client).await.status < 500);
    }
}

const LISTS: [&str; 7] =
    ["/leads", "/tenants", "/contacts", "/invoices", "/tenant-configs", "/plans", "/subscriptions"];

/// Returns a stored value as entries show it.
fn plain(value: &Value) -> Value {
    let (kind, value) = value.as_object().and_then(|typed| typed.iter().next()).unwrap();
    match kind.as_str() {
        "N" => value.as_str().unwrap().parse::<i64>().map_or_else(|_| value.clone(), Value::from),
        "L" => value.as_array().unwrap().iter().map(plain).collect(),
        "M" => value.as_object().unwrap().iter().map(|(k, v)| (k.clone(), plain(v))).collect(),
        "NULL" => Value::Null,
        _ => value.clone(),
    }
}

/// Adds the values of `members` by path, without the hidden ones.
fn flatten(
    members: &Map<String, Value>,
    path: &str,
    hidden: &[&str],
    found: &mut Map<String, Value>,
) {
    for (name, value) in members {
        let path = format!("{path}/{name}");
        match value {
            _ if TECHNICAL.contains(&name.as_str()) && path.matches('/').count() == 1 => {}
            _ if hidden.contains(&name.as_str()) => {}
            Value::Object(inner) if !inner.is_empty() => flatten(inner, &path, &[], found),
            value => drop(found.insert(path, value.clone())),
        }
    }
}

#[tokio::test]
async fn random_operations_are_replayed_from_the_audit_log() {
    let number = Env::process().get("TENANTRY_TEST_OPERATIONS").map(|text| text.parse().unwrap());
    let provider = Provider::start().await;
    let app = App::with_options(signing_in_at(&provider, Options::silent())).await;
    let (random, made) = (Random::new(10), BTreeMap::new());
    let mut writer = Writer { app: &app, provider: &provider, random, made, created: 0 };
    for _ in 0..number.unwrap_or(OPERATIONS) {
        match writer.random.below(13) {
            0..=3 => writer.create().await,
            4..=6 => writer.change().await,
            7..=8 => writer.decide().await,
            9..=10 => writer.build().await,
            11 => writer.people().await,
            _ => writer.delete().await,
        }
    }
    app.settle().await;
    assert_eq!(app.dead_letters(), 0);

    // By whether they are about entitlements, because those have the ID of their tenant.
    let mut by_target: BTreeMap<(bool, String), Vec<Value>> = BTreeMap::new();
    for entry in entries(&app) {
        let target = &entry["target"];
        let is_about_entitlements = target["type"] == "entitlements";
        let id = target["id"].as_str().unwrap_or_default().to_owned();
        by_target.entry((is_about_entitlements, id)).or_default().push(entry);
    }
    let mut compared = BTreeSet::new();
    for (kind, hidden) in KINDS {
        for item in app.items_of(kind) {
            let id = item["id"]["S"].as_str().unwrap();
            let members = item.as_object().unwrap().iter();
            let members = members.map(|(name, value)| (name.clone(), plain(value))).collect();
            let mut stored = Map::new();
            flatten(&members, "", hidden, &mut stored);
            let entries = &by_target[&(kind == "entitlements", id.to_owned())];
            let shown = replayed(entries, &item["id"]["S"]);
            // Entries show the objects that are deep inside an item as a whole.
            let mut rebuilt = Map::new();
            for (path, value) in shown {
                match value {
                    Value::Object(inner) if !inner.is_empty() => {
                        flatten(&inner, &path, &[], &mut rebuilt);
                    }
                    value => drop(rebuilt.insert(path, value)),
                }
            }
            assert_eq!(rebuilt, stored, "{kind} {id}");
            compared.extend(stored.keys().map(|path| format!("{kind} {path}")));
        }
    }
    assert!(compared.len() > 60, "{compared:?}");
    for kind in KINDS.map(|(kind, _)| kind) {
        assert!(compared.iter().any(|path| path.starts_with(kind)), "{kind}: {compared:?}");
    }
}

/// A request notes its time before it writes, and another may write in between.
#[tokio::test]
async fn a_later_version_with_an_earlier_time_comes_later() {
    let (app, other) = (App::start_silent().await, App::start_silent().await);
    let id = app.tenant("acme").await;
    for name in ["Second", "Third"] {
        let path = format!("/tenants/{id}");
        app.client.patch(&app.operator, &path, &json!({ "name": name })).await.expect(204);
    }
    app.settle().await;
    let mut records = app.local().records("upkeep").unwrap();
    let last =
        records.iter_mut().rfind(|record| record["dynamodb"]["NewImage"]["name"]["S"] == "Third");
    let time = &mut last.unwrap()["dynamodb"]["NewImage"]["modifiedOn"]["S"];
    *time = "2026-01-01T00:00:00.000Z".into();
    deliver(&other, &records).await;
    assert_eq!(replayed(&entries(&other), &json!(id))["/name"], "Third");
}
