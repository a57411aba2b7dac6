//! Random operations, replayed from the audit log. `TENANTRY_TEST_OPERATIONS` is their number.

use std::collections::{BTreeMap, BTreeSet};

use lambda::Env;
use reqwest::Method;
use serde_json::{Map, Value, json};
use support::{
    App, Reply, SignedMessage, config, contact, invoice, lead, plan, subscription, tenant,
};

use crate::{
    audit::{entries, replayed},
    random::Random,
    upkeep::deliver,
};

/// Operations in a run of all tests.
const OPERATIONS: usize = 150;

/// Kinds of items, with the members whose values are not in the log.
const KINDS: [(&str, &[&str]); 7] = [
    ("lead", &["firstName", "lastName", "email", "address", "origin", "takesOver", "unmailed"]),
    ("tenant", &["address", "latestJob", "stagedBy", "builtBy", "removedBy", "batches"]),
    ("contact", &["firstName", "lastName", "email"]),
    ("invoice", &[]),
    ("config", &["configValue"]),
    ("plan", &["subscribed"]),
    ("job", &["tenant", "steps", "progress", "deadline"]),
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
            "/plans" => plan(json!({ "name": format!("Plan {n}"), "features": { "seats": n } })),
            _ => config(&owner, &format!("key{n}")),
        };
        let reply = self.send(Method::POST, list, &body).await;
        if reply.status == 200 {
            self.made.entry(list).or_default().push(reply.text("/id"));
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

const LISTS: [&str; 6] =
    ["/leads", "/tenants", "/contacts", "/invoices", "/tenant-configs", "/plans"];

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
    let app = App::start_silent().await;
    let mut writer =
        Writer { app: &app, random: Random::new(9), made: BTreeMap::new(), created: 0 };
    for _ in 0..number.unwrap_or(OPERATIONS) {
        match writer.random.below(10) {
            0..=3 => writer.create().await,
            4..=7 => writer.change().await,
            8 => writer.build().await,
            _ => writer.delete().await,
        }
    }
    app.settle().await;
    assert_eq!(app.dead_letters(), 0);

    let mut by_target: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for entry in entries(&app) {
        let target = entry["target"]["id"].as_str().unwrap_or_default().to_owned();
        by_target.entry(target).or_default().push(entry);
    }
    let mut compared = BTreeSet::new();
    for (kind, hidden) in KINDS {
        for item in app.items_of(kind) {
            let id = item["id"]["S"].as_str().unwrap();
            let members = item.as_object().unwrap().iter();
            let members = members.map(|(name, value)| (name.clone(), plain(value))).collect();
            let mut stored = Map::new();
            flatten(&members, "", hidden, &mut stored);
            let rebuilt = replayed(&by_target[id], &item["id"]["S"]);
            assert_eq!(rebuilt, stored, "{kind} {id}");
            compared.extend(stored.keys().map(|path| format!("{kind} {path}")));
        }
    }
    assert!(compared.len() > 30, "{compared:?}");
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
