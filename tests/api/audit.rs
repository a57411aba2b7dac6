//! The audit log: what it records, what it never shows, and that it cannot be changed unnoticed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use support::{
    App, config, contact, eventually, invoice, join_all,
    token::{OPERATOR, claims, token},
    with_query,
};

use crate::upkeep::{create_history, deliver};

/// Returns the items of the audit log that are its own, by key.
pub(crate) fn log(app: &App) -> BTreeMap<String, Value> {
    let items = app.items().into_iter().filter_map(|item| {
        let (pk, sk) = (item["pk"]["S"].as_str()?, item["sk"]["S"].as_str()?);
        let is_own = pk.starts_with("AUDIT#") && sk != "DONE";
        is_own.then(|| (format!("{pk} {sk}"), item.clone()))
    });
    items.collect()
}

/// Returns every entry of the audit log, oldest first within its chain.
pub(crate) fn entries(app: &App) -> Vec<Value> {
    let items = log(app).into_values();
    let texts = items.filter_map(|item| Some(item["entry"]["S"].as_str()?.to_owned()));
    texts.map(|text| serde_json::from_str(&text).unwrap()).collect()
}

fn chains(app: &App) -> BTreeSet<String> {
    entries(app).iter().map(|entry| entry["chain"].as_str().unwrap().to_owned()).collect()
}

/// Verifies a chain.
async fn verify(app: &App, chain: &str) -> Value {
    app.read(&format!("/audit/verify?chain={chain}")).await.body
}

/// Creates and changes entities of every kind, and waits until all is recorded.
async fn history(app: &App) -> String {
    create_history(app).await;
    let tenant = app.tenant("edited").await;
    let path = format!("/tenants/{tenant}");
    let body = json!({ "name": "Edited", "city": "Paris", "domains": ["edited.test", "b.test"] });
    app.client.patch(&app.operator, &path, &body).await.expect(204);
    for (list, body, change) in [
        ("/contacts", contact(&tenant), json!({ "firstName": "Edith", "isPrimary": true })),
        ("/invoices", invoice(&tenant), json!({ "status": 1, "amount": 12.5 })),
        (
            "/tenant-configs",
            config(&tenant, "theme"),
            json!({ "configValue": { "colour": "blue" } }),
        ),
    ] {
        let id = app.create(list, &body).await;
        app.client.patch(&app.operator, &format!("{list}/{id}"), &change).await.expect(204);
    }
    app.settle().await;
    tenant
}

#[tokio::test]
async fn a_change_is_recorded_with_who_made_it_and_how() {
    let app = App::start_silent().await;
    let tenant = app.tenant("acme").await;
    let path = format!("/tenants/{tenant}");
    let patched = app.client.patch(&app.operator, &path, &json!({ "name": "Acme Inc." })).await;
    let request = patched.expect(204).header("x-request-id").to_owned();
    app.settle().await;
    let listed = app.read(&format!("{path}/audit")).await;
    let mut entry = listed.items()[0].clone();
    assert_eq!(entry["id"], format!("tenant#{tenant}#2"));
    for computed in ["id", "mac", "prev", "time"] {
        assert!(entry.as_object_mut().unwrap().remove(computed).unwrap().is_string(), "{computed}");
    }
    let expected = json!({
        "chain": format!("tenant:{tenant}"), "seq": 3,
        "actor": { "type": "operator", "id": "local-operator" }, "via": "api",
        "action": "tenant.updated", "tenantId": tenant,
        "target": { "type": "tenant", "id": tenant, "name": "acme" },
        "changes": [{ "path": "/name", "from": "Acme", "to": "Acme Inc." }], "reason": null,
        "request": { "id": request, "ip": "127.0.0.0", "agent": entry["request"]["agent"] },
        "key": "default",
    });
    assert_eq!(entry, expected);
    let created: BTreeSet<_> = listed.each("action")[1..]
        .iter()
        .map(|action| action.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(created, ["contact.created", "tenant.created"].map(str::to_owned).into());

    app.client.delete(&app.operator, &path).await.expect(204);
    app.settle().await;
    let deleted = app.read(&format!("{path}/audit")).await;
    let last = |entry: &Value| (entry["action"].clone(), entry["actor"]["type"].clone());
    let last: Vec<_> = deleted.items()[..2].iter().map(last).collect();
    assert!(last.contains(&(json!("tenant.deleted"), json!("operator"))), "{last:?}");
    assert!(last.contains(&(json!("contact.deleted"), json!("operator"))), "{last:?}");
}

#[tokio::test]
async fn leads_builds_and_the_system_are_named_as_actors() {
    let app = App::start_silent().await;
    create_history(&app).await;
    let seen: BTreeSet<_> = entries(&app)
        .iter()
        .map(|entry| format!("{} {}", entry["action"].as_str().unwrap(), entry["actor"]["type"]))
        .collect();
    for expected in [
        "lead.created \"lead\"",
        "lead.verified \"lead\"",
        "tenant.provisioning_started \"operator\"",
        "job.opened \"operator\"",
        "job.started \"system\"",
        "tenant.activated \"build\"",
        "job.succeeded \"build\"",
        "configuration.deleted \"operator\"",
    ] {
        assert!(seen.contains(expected), "{expected} is not in {seen:#?}");
    }
    let lead = &app.items_of("lead")[0]["id"]["S"];
    let recorded = entries(&app);
    let created = recorded.iter().find(|entry| entry["target"]["id"] == *lead).unwrap();
    assert_eq!((&created["actor"]["id"], &created["chain"]), (lead, &json!("leads")));
}

#[tokio::test]
async fn no_personal_or_secret_value_is_in_the_audit_log() {
    let app = App::start_silent().await;
    history(&app).await;
    let text = json!(log(&app)).to_string().to_lowercase();
    assert!(text.contains("/firstname") && text.contains("/configvalue"));
    for hidden in [
        "lovelace",
        "grace",
        "hopper",
        "edith",
        "ada@",
        "ops@",
        "@acme.test",
        "a0@",
        "st james",
        "london",
        "paris",
        "colour",
        "\"red",
        "blue",
    ] {
        assert!(!text.contains(hidden), "{hidden}");
    }
}

/// Applies the changes of an item's entries, in order.
pub(crate) fn replayed(entries: &[Value], id: &Value) -> Map<String, Value> {
    let mut item = Map::new();
    let of_item = entries.iter().filter(|entry| entry["target"]["id"] == *id);
    for change in of_item.flat_map(|entry| entry["changes"].as_array().unwrap()) {
        let path = change["path"].as_str().unwrap().to_owned();
        if change.get("personal").is_some() || change.get("secret").is_some() {
            continue;
        }
        match change.get("to") {
            Some(to) => item.insert(path, to.clone()),
            None => item.remove(&path),
        };
    }
    item
}

#[tokio::test]
async fn replaying_the_changes_of_an_item_rebuilds_what_they_show() {
    let app = App::start_silent().await;
    history(&app).await;
    let entries = entries(&app);
    let mut compared = 0;
    for (kind, members) in [
        ("tenant", &["key", "name", "status", "deleted"][..]),
        ("contact", &["isPrimary", "type", "deleted", "tenantId"]),
        ("invoice", &["amount", "currencyCode", "status", "startDate", "deleted"]),
        ("config", &["configKey", "deleted"]),
        ("job", &["state", "attempt", "kind", "tier"]),
        ("lead", &["companyName", "isValidated", "deleted"]),
    ] {
        for item in app.items_of(kind) {
            let rebuilt = replayed(&entries, &item["id"]["S"]);
            for member in members {
                let stored =
                    item[*member].as_object().map(|typed| match typed.iter().next().unwrap() {
                        (kind, value) if kind == "N" => {
                            serde_json::from_str(value.as_str().unwrap()).unwrap()
                        }
                        (_, value) => value.clone(),
                    });
                assert_eq!(rebuilt.get(&format!("/{member}")), stored.as_ref(), "{kind} {member}");
                compared += 1;
            }
        }
    }
    assert!(compared > 60, "{compared}");
}

#[tokio::test]
async fn repeated_and_shuffled_records_give_the_same_chains() {
    let (app, one, two) =
        (App::start_silent().await, App::start_silent().await, App::start_silent().await);
    history(&app).await;
    let before = log(&app);
    let mut records = app.local().records("upkeep").unwrap();
    deliver(&one, &records).await;
    let mut random = 7_usize;
    let mut shuffled: Vec<_> = records.iter().chain(&records).cloned().collect();
    shuffled.sort_by_cached_key(|_| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        random >> 8
    });
    deliver(&two, &shuffled).await;
    // These depend on when they were appended.
    let lasting = |app: &App| {
        let mut log = log(app);
        for attributes in log.values_mut().filter_map(Value::as_object_mut) {
            attributes
                .retain(|name, _| !["expiresAt", "latestExpiresAt", "day"].contains(&&**name));
        }
        log
    };
    assert_eq!(lasting(&two), lasting(&one));
    for chain in chains(&one) {
        assert_eq!(verify(&one, &chain).await["ok"], true, "{chain}");
    }
    let ids = |app: &App| {
        entries(app).iter().map(|entry| entry["id"].to_string()).collect::<BTreeSet<_>>()
    };
    assert_eq!(ids(&one), ids(&app));

    // Records that come again append nothing, in batches of any size and order.
    deliver(&app, &records).await;
    records.reverse();
    for batch in records.chunks(7) {
        deliver(&app, &[batch, batch].concat()).await;
    }
    assert_eq!(log(&app), before);
}

#[tokio::test]
async fn concurrent_consumers_append_each_change_once() {
    let (app, other) = (App::start_silent().await, App::start_silent().await);
    history(&app).await;
    let records = app.local().records("upkeep").unwrap();
    // Two batches overlap, as when a consumer times out and its batch is delivered again.
    let halves = [&records[..records.len() * 2 / 3], &records[records.len() / 3..], &records[..]];
    let batches = halves.map(|batch| Box::pin(other.invoke("upkeep", json!({ "Records": batch }))));
    for answer in join_all(batches).await {
        let failed = answer.unwrap()["batchItemFailures"].as_array().cloned().unwrap();
        assert!(failed.len() <= 1, "{failed:?}");
    }
    deliver(&other, &records).await;
    let mut ids: Vec<_> = entries(&other).iter().map(|entry| entry["id"].to_string()).collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), all), (all, entries(&app).len()));
    for chain in chains(&other) {
        assert_eq!(verify(&other, &chain).await["ok"], true, "{chain}");
    }
}

#[tokio::test]
async fn a_lost_answer_appends_nothing_twice() {
    let app = App::start_silent().await;
    app.local().calls().fail("TransactWriteItems", local::Fault::LoseAnswers(6));
    for n in 0..5 {
        app.client
            .post_without_token("/leads", &support::lead(&format!("a{n}@acme.test")))
            .await
            .expect(200);
    }
    app.settle().await;
    let verified = verify(&app, "leads").await;
    assert_eq!(
        verified,
        json!({ "chain": "leads", "from": 1, "to": 5, "entries": 5, "ok": true, "brokenAt": null })
    );
}

#[tokio::test]
async fn a_changed_missing_or_added_entry_is_found_where_it_is() {
    let app = App::start_silent().await;
    for n in 0..5 {
        app.client
            .post_without_token("/leads", &support::lead(&format!("a{n}@acme.test")))
            .await
            .expect(200);
    }
    app.settle().await;
    let whole = log(&app);
    let item = |seq: u64| whole[&format!("AUDIT#leads {seq:012}")].clone();
    let is_broken_at = async |what: &str, at: u64| {
        let verified = verify(&app, "leads").await;
        assert_eq!((&verified["ok"], &verified["brokenAt"]), (&json!(false), &json!(at)), "{what}");
        app.import(whole.values().cloned().collect());
        assert_eq!(verify(&app, "leads").await["ok"], true, "restored after {what}");
    };
    let mut forged = item(2);
    let text = forged["entry"]["S"].as_str().unwrap().replace("lead.created", "lead.deleted");
    forged["entry"]["S"] = text.into();
    app.import(vec![forged]);
    is_broken_at("another action", 2).await;

    let mut moved = item(3);
    moved["entry"] = item(4)["entry"].clone();
    moved["mac"] = item(4)["mac"].clone();
    app.import(vec![moved]);
    is_broken_at("another entry in its place", 3).await;

    let mut cut = whole["AUDIT#leads HEAD"].clone();
    cut["seq"]["N"] = json!("6");
    app.import(vec![cut]);
    is_broken_at("a missing newest entry", 6).await;

    let mut without_key = item(5);
    let text = without_key["entry"]["S"].as_str().unwrap().replace("\"default\"", "\"k9\"");
    without_key["entry"]["S"] = text.into();
    app.import(vec![without_key]);
    is_broken_at("an unknown key", 5).await;
}

#[tokio::test]
async fn entries_that_retention_deletes_in_any_order_are_not_missing() {
    let app = App::start_silent().await;
    for n in 0..5 {
        let lead = support::lead(&format!("a{n}@acme.test"));
        app.client.post_without_token("/leads", &lead).await.expect(200);
    }
    app.settle().await;
    let whole = log(&app);
    let after = async |expired: &[&str], deleted: &[&str]| {
        let other = App::start_silent().await;
        let mut items = whole.clone();
        items.retain(|key, _| !deleted.iter().any(|place| key.ends_with(place)));
        for (key, item) in &mut items {
            if expired.iter().any(|place| key.ends_with(place)) {
                let name = if key.ends_with("HEAD") { "latestExpiresAt" } else { "expiresAt" };
                assert!(item[name]["N"].is_string(), "{item}");
                item[name]["N"] = json!("1");
            }
        }
        other.import(items.into_values().collect());
        let verified = verify(&other, "leads").await;
        (
            verified["brokenAt"].as_u64(),
            verified["from"].as_u64(),
            other.read("/audit").await.items().len(),
        )
    };
    assert_eq!(after(&[], &[]).await, (None, Some(1), 5));
    assert_eq!(after(&["01", "02", "03"], &["02"]).await, (None, Some(4), 2));
    let all = ["01", "02", "03", "04", "05", "HEAD"];
    assert_eq!(after(&all, &["02", "04"]).await, (None, None, 0));
    assert_eq!(after(&all, &all[..5]).await, (None, None, 0));
    // Entries that have not expired are missing.
    assert_eq!(after(&["01"], &["03"]).await.0, Some(3));
    assert_eq!(after(&["01"], &["05"]).await.0, Some(5));
    assert_eq!(after(&all[..5], &["05"]).await.0, Some(1));
    assert_eq!(after(&[], &all[..5]).await.0, Some(1));
}

#[tokio::test]
async fn a_change_that_is_recorded_late_does_not_expire_before_older_entries() {
    let app = App::start_silent().await;
    app.client.post_without_token("/leads", &support::lead("ada@acme.test")).await.expect(200);
    app.settle().await;
    let mut records = app.local().records("upkeep").unwrap();
    records.retain(|record| record["dynamodb"]["NewImage"]["entity"]["S"] == "lead");
    for record in &mut records {
        record["dynamodb"]["NewImage"]["modifiedOn"]["S"] = json!("2020-01-01T00:00:00.000Z");
    }
    let late = App::with_variables(&[("AUDIT_RETENTION_DAYS", "1")]).await;
    deliver(&late, &records).await;
    let entry = log(&late).into_values().find(|item| item["entry"].is_object()).unwrap();
    assert!(entry["entry"]["S"].as_str().unwrap().contains("\"time\":\"2020-"), "{entry}");
    let expiry: i64 = entry["expiresAt"]["N"].as_str().unwrap().parse().unwrap();
    let expected = lambda::now().seconds() + 24 * 3600;
    assert!((expiry - expected).abs() < 600, "{expiry} instead of {expected}");
}

#[tokio::test]
async fn an_unreadable_entry_hides_no_other() {
    let app = App::start_silent().await;
    create_history(&app).await;
    app.settle().await;
    let whole = log(&app);
    let shown = async || app.read("/audit?limit=100").await.items().len();
    let before = shown().await;
    for broken in [json!({ "S": "{" }), json!({ "S": "[]" }), json!({ "N": "1" })] {
        let mut item = whole["AUDIT#leads 000000000001"].clone();
        item["entry"] = broken.clone();
        app.import(vec![item]);
        assert_eq!(shown().await, before - 1, "{broken}");
        assert_eq!(verify(&app, "leads").await["brokenAt"], 1, "{broken}");
    }
}

#[tokio::test]
async fn entries_are_found_by_tenant_actor_action_and_target() {
    let app = App::start_silent().await;
    let tenant = history(&app).await;
    let ada = token(OPERATOR, &claims(&["10205"]).to_string());
    let body = json!({ "name": "By Ada" });
    app.client.patch(&ada, &format!("/tenants/{tenant}"), &body).await.expect(204);
    app.settle().await;
    let all = entries(&app);
    let list = async |conditions: Value| {
        let mut path = with_query("/audit", "filter", &json!({ "where": conditions, "limit": 3 }));
        let mut found = Vec::new();
        loop {
            let page = app.read(&path).await;
            assert!(page.items().len() <= 3);
            found.extend(page.each("id"));
            let Some(next) = page.next_page() else { return found };
            path = next;
        }
    };
    let expected = |matches: &dyn Fn(&Value) -> bool| {
        let mut ids: Vec<_> =
            all.iter().filter(|entry| matches(entry)).map(|entry| entry["id"].clone()).collect();
        ids.sort_by_key(Value::to_string);
        ids
    };
    let contact = app.items_of("contact")[0]["id"]["S"].clone();
    for (conditions, matches) in [
        (json!({}), &(|_: &Value| true) as &dyn Fn(&Value) -> bool),
        (json!({ "tenantId": tenant }), &|entry| entry["tenantId"] == tenant),
        (json!({ "actorId": "op-1" }), &|entry| entry["actor"]["id"] == "op-1"),
        (json!({ "action": "tenant.created" }), &|entry| entry["action"] == "tenant.created"),
        (json!({ "chain": "leads" }), &|entry| entry["chain"] == "leads"),
        (json!({ "targetId": contact }), &|entry| entry["target"]["id"] == contact),
        (json!({ "tenantId": tenant, "action": { "like": "invoice.%" } }), &|entry| {
            entry["tenantId"] == tenant && entry["target"]["type"] == "invoice"
        }),
    ] {
        let mut found = list(conditions.clone()).await;
        found.sort_by_key(Value::to_string);
        assert!(!found.is_empty(), "{conditions}");
        assert_eq!(found, expected(matches), "{conditions}");
    }
    let newest = app.read(&format!("/tenants/{tenant}/audit?limit=1")).await;
    assert_eq!(newest.text("/0/actor/id"), "op-1");
    let rest = app.read(&newest.next_page().unwrap()).await;
    assert_eq!(
        rest.items()[0]["seq"].as_u64().unwrap() + 1,
        newest.items()[0]["seq"].as_u64().unwrap()
    );
}

#[tokio::test]
async fn an_invalid_query_of_the_audit_log_is_refused() {
    let app = App::start_silent().await;
    for path in [
        "/audit?filter[order]=time%20ASC",
        "/audit?filter[where][colour]=red",
        "/audit?filter[fields][0]=id",
        "/audit/verify",
        "/audit/verify?tenantId=x",
        "/audit/verify?chain=leads&chain=leads",
        "/audit/verify?chain=leads&cursor=x",
        "/audit/export?format=xml",
        "/audit/export?from=yesterday",
        "/audit/export?tenantId=1",
        "/audit/export?cursor=x",
    ] {
        let refused = app.client.get(&app.operator, path).await.expect(400);
        assert_eq!(refused.text("/error/code"), "INVALID_PARAMETER_VALUE", "{path}");
    }
    app.client.get(&app.operator, "/tenants/x/audit").await.expect(404);
    let lead = app.verified_lead("ada@acme.test").await;
    app.client.get(&lead.token, "/audit").await.expect(403);
}

#[tokio::test]
async fn an_export_has_every_entry_and_is_recorded() {
    let app = App::start_silent().await;
    let tenant = history(&app).await;
    let all = entries(&app);
    // Exports are recorded too, about a second later.
    let lines = |text: &str| -> Vec<Value> {
        let entries = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        entries.filter(|entry| entry["action"] != "audit.exported").collect()
    };
    let exported = app.read("/audit/export").await;
    assert_eq!(exported.header("content-type"), "application/x-ndjson");
    assert_eq!(lines(&exported.raw).len(), all.len());
    let own = app.read(&format!("/audit/export?tenantId={tenant}")).await;
    let of_tenant: Vec<_> = all.iter().filter(|entry| entry["tenantId"] == tenant).collect();
    assert_eq!(lines(&own.raw).len(), of_tenant.len());
    let time = of_tenant[2]["time"].as_str().unwrap();
    let later = lines(&app.read(&format!("/audit/export?tenantId={tenant}&from={time}")).await.raw);
    let earlier = lines(&app.read(&format!("/audit/export?tenantId={tenant}&to={time}")).await.raw);
    assert_eq!(later.len() + earlier.len(), of_tenant.len());
    assert!(later.iter().all(|entry| entry["time"].as_str().unwrap() >= time));

    let csv = app.read(&format!("/audit/export?tenantId={tenant}&format=csv")).await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert!(csv.raw.starts_with("time,chain,seq,id,action,"), "{}", csv.raw);
    let columns: Vec<&str> = csv.raw.lines().next().unwrap().split(',').collect();
    for (name, value) in later[0].as_object().unwrap() {
        let parts = value.as_object().into_iter().flat_map(Map::keys);
        let mut names = parts.map(|part| format!("{name}.{part}")).collect::<Vec<_>>();
        if names.is_empty() {
            names.push(name.clone());
        }
        for name in names {
            let camel = name.replace(".id", "Id").replace(".type", "Type").replace(".name", "Name");
            let column = camel.replace("request.", "");
            assert!(columns.contains(&column.as_str()), "{name} is not in {columns:?}");
        }
    }
    let noted = eventually("the export in the audit log", async || {
        let noted = app.read(&format!("/tenants/{tenant}/audit?limit=1")).await;
        (noted.text("/0/action") == "audit.exported").then_some(noted)
    });
    let noted = noted.await;
    assert_eq!(noted.text("/0/actor/id"), "local-operator");
    app.settle().await;
    assert_eq!(app.dead_letters(), 0);
}

#[tokio::test]
async fn the_audit_log_keeps_of_an_address_what_is_configured() {
    for (detail, kept) in [("full", json!("127.0.0.1")), ("none", Value::Null)] {
        let app = App::with_variables(&[("AUDIT_IP", detail), ("AUDIT_RETENTION_DAYS", "1")]).await;
        let tenant = app.tenant("acme").await;
        app.settle().await;
        let listed = app.read(&format!("/tenants/{tenant}/audit")).await;
        assert_eq!(listed.body[0]["request"]["ip"], kept, "{detail}");
        let entry = log(&app).into_values().find(|item| item["entry"].is_object()).unwrap();
        let expiry: i64 = entry["expiresAt"]["N"].as_str().unwrap().parse().unwrap();
        assert!((expiry - lambda::now().seconds() - 24 * 3600).abs() < 600, "{expiry}");
    }
}
