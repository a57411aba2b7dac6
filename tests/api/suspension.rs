//! Suspended tenants.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use support::{App, Reply, config, contact, invoice, join_all};

use crate::{
    drift::document_operations,
    lead_data::Party,
    lead_scope::body,
    tokens::{PUBLIC, ROUTES},
};

const SUSPENDED: &str = "Your workspace is suspended: Acme on Tenantry";
const REACTIVATED: &str = "Your workspace is active again: Acme on Tenantry";

async fn act(app: &App, tenant: &str, action: &str, body: &Value) -> Reply {
    app.client.post(&app.operator, &format!("/tenants/{tenant}/{action}"), body).await
}

/// Returns the status of an answer, with the code of its error.
fn shown(reply: &Reply) -> String {
    let code = reply.body["error"]["code"].as_str().unwrap_or_default();
    format!("{} {code}", reply.status)
}

/// Creates an active tenant.
async fn active(app: &App, key: &str) -> String {
    let (tenant, _) = app.provisioning(key, "BASIC").await;
    app.wait_for_status(&tenant.to_string(), 0).await;
    tenant.to_string()
}

#[tokio::test]
async fn a_tenant_is_suspended_with_a_reason_and_reactivated() {
    let app = App::start().await;
    let acme = active(&app, "acme").await;
    let own = format!("/tenants/{acme}");
    let tag = app.read(&own).await.header("etag").trim_matches('"').parse::<u64>().unwrap();
    assert_eq!(app.read(&own).await.body["suspension"], Value::Null);

    let new = json!({ "reason": "request", "note": "Closed for the winter" });
    let suspended = act(&app, &acme, "suspend", &new).await.expect(204);
    assert_eq!(suspended.header("etag"), format!("\"{}\"", tag + 1));
    let mut read = app.read(&own).await.body;
    assert_eq!(read["status"], 6);
    assert_eq!(read["suspension"]["since"], read["modifiedOn"]);
    read["suspension"].as_object_mut().unwrap().remove("since");
    let shown = json!({
        "reason": "request", "note": "Closed for the winter", "by": app.operator_id(),
        "deprovisionOn": null,
    });
    assert_eq!(read["suspension"], shown);
    app.settle().await;
    let filter = "/tenants?filter[where][status]=6&filter[fields][0]=key";
    assert_eq!(app.read(filter).await.body, json!([{ "key": "acme" }]));
    assert_eq!(app.read("/tenants/count?where[status]=6").await.body["count"], 1);
    assert_eq!(app.read("/overview").await.body["tenants"], json!([0, 0, 0, 0, 0, 0, 1]));
    assert_eq!(app.read("/search?q=acme").await.body[0]["status"], 6);

    let reactivated = act(&app, &acme, "reactivate", &json!(null)).await.expect(204);
    assert_eq!(reactivated.header("etag"), format!("\"{}\"", tag + 2));
    let read = app.read(&own).await.body;
    assert_eq!((&read["status"], &read["suspension"]), (&json!(0), &Value::Null));
    app.settle().await;
    for (kind, version) in [("TENANT_SUSPENDED", tag + 1), ("TENANT_REACTIVATED", tag + 2)] {
        let events = app.events_of(kind);
        assert_eq!(events.len(), 1, "{kind}");
        let detail = &events[0]["detail"];
        assert_eq!(detail["id"], format!("{acme}#{version}"));
        assert_eq!(detail["tenant"]["key"], "acme");
        assert!(detail["requestId"].is_string(), "{detail}");
    }
    let detail = &app.events_of("TENANT_SUSPENDED")[0]["detail"];
    assert_eq!(
        (&detail["tenant"]["status"], &detail["tenant"]["suspension"]["reason"]),
        (&json!(6), &json!("request"))
    );
    let subjects: Vec<_> =
        app.emails_to("ops@acme.test").iter().map(|mail| mail["subject"].clone()).collect();
    for subject in [SUSPENDED, REACTIVATED] {
        let sent = subjects.iter().filter(|sent| *sent == subject).count();
        assert!(sent <= 1, "{subjects:?}");
    }
    assert!(subjects.contains(&json!(REACTIVATED)), "{subjects:?}");
    let log = app.read(&format!("{own}/audit")).await;
    assert_eq!(log.each("action")[..2], ["tenant.reactivated", "tenant.suspended"]);
    assert_eq!(app.dead_letters(), 0);
}

#[tokio::test]
async fn an_email_about_a_suspension_goes_to_the_primary_contact_once_while_it_lasts() {
    let app = App::start().await;
    let acme = active(&app, "acme").await;
    app.settle().await;
    let mut grace = contact(&acme);
    grace["isPrimary"] = json!(true);
    let old = app.read(&format!("/contacts?filter[where][tenantId]={acme}")).await.each("id");
    let old = format!("/contacts/{}", old[0].as_str().unwrap());
    app.client.patch(&app.operator, &old, &json!({ "isPrimary": false })).await.expect(204);
    app.create("/contacts", &grace).await;
    let new = json!({ "reason": "other", "note": "Until Monday" });
    act(&app, &acme, "suspend", &new).await.expect(204);
    app.settle().await;
    let event = app.events_of("TENANT_SUSPENDED").remove(0);
    for _ in 0..2 {
        app.invoke("mailer", event.clone()).await.unwrap();
    }
    let mails = app.emails_to("grace@acme.test");
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert!(mails[0].to_string().contains("Note: Until Monday"), "{}", mails[0]);
    act(&app, &acme, "reactivate", &json!(null)).await.expect(204);
    app.settle().await;
    assert_eq!(app.emails_to("grace@acme.test").len(), 2);
    let mut late = event;
    late["detail"]["id"] = json!("another#1");
    app.invoke("mailer", late.clone()).await.unwrap();
    late["detail"]["id"] = json!("a third#1");
    late["detail"]["tenant"]["id"] = json!(domain::TenantId::generate());
    app.invoke("mailer", late).await.unwrap();
    assert_eq!(app.emails_to("grace@acme.test").len(), 2, "the tenant is active, or unknown");
}

#[tokio::test]
async fn only_an_active_tenant_without_an_open_job_is_suspended() {
    let app = App::start_silent().await;
    let pending = app.tenant("pending").await;
    let (busy, _) = app.provisioning("busy", "BASIC").await;
    app.settle().await;
    let before = app.items();
    for (tenant, action, body, answer) in [
        (pending.as_str(), "suspend", json!({}), "409 TENANT_STATE"),
        (&pending, "reactivate", json!(null), "409 TENANT_STATE"),
        (&busy.to_string(), "suspend", json!({}), "409 JOB_OPEN"),
        (&busy.to_string(), "reactivate", json!(null), "409 JOB_OPEN"),
        (&pending, "suspend", json!({ "reason": "non_payment" }), "422 VALIDATION_FAILED"),
        (&pending, "suspend", json!({ "reason": "rain" }), "422 VALIDATION_FAILED"),
        (&pending, "suspend", json!({ "note": "x".repeat(1001) }), "422 VALIDATION_FAILED"),
        (&pending, "suspend", json!({ "since": 1 }), "422 VALIDATION_FAILED"),
        ("x", "suspend", json!({}), "404 ENTITY_NOT_FOUND"),
    ] {
        assert_eq!(shown(&act(&app, tenant, action, &body).await), answer, "{action} {body}");
    }
    assert_eq!(app.items(), before);
    app.pipelines_succeed();
    let acme = active(&app, "acme").await;
    let plain = json!({ "note": null });
    act(&app, &acme, "suspend", &plain).await.expect(204);
    assert_eq!(app.read(&format!("/tenants/{acme}")).await.body["suspension"]["reason"], "other");
    assert_eq!(shown(&act(&app, &acme, "suspend", &plain).await), "409 TENANT_STATE");
    app.client.delete(&app.operator, &format!("/tenants/{acme}")).await.expect(409);
}

#[tokio::test]
async fn a_suspended_tenant_is_deprovisioned_or_stays_suspended() {
    let app = App::start().await;
    let acme = active(&app, "acme").await;
    act(&app, &acme, "suspend", &json!({ "reason": "abuse" })).await.expect(204);
    app.local().end_pipelines_with(local::Outcome::Failure);
    act(&app, &acme, "deprovision", &json!(null)).await.expect(204);
    app.settle().await;
    let read = app.read(&format!("/tenants/{acme}")).await.body;
    assert_eq!((&read["status"], &read["suspension"]["reason"]), (&json!(6), &json!("abuse")));
    assert_eq!(app.read("/overview").await.body["attention"][0]["status"], 6);
    app.pipelines_succeed();
    act(&app, &acme, "deprovision", &json!(null)).await.expect(204);
    app.wait_for_status(&acme, 5).await;
    let read = app.read(&format!("/tenants/{acme}")).await.body;
    assert_eq!(read["suspension"], Value::Null);
    app.settle().await;
    assert_eq!(app.events_of("TENANT_SUSPENDED").len(), 1, "a failed job suspends nobody again");
    assert_eq!(app.events_of("TENANT_REACTIVATED").len(), 0);
}

/// A new operation takes part, or this test fails.
#[tokio::test]
async fn a_lead_of_a_suspended_tenant_reads_everything_and_changes_nothing() {
    let app = App::with_variables(&[("LEAD_INVOICES", "true")]).await;
    let zoe = Party::new(&app, "zoe").await;
    app.wait_for_status(&zoe.tenant, 0).await;
    let plan = app.active_plan(&json!({})).await;
    let subscription = app.subscribe(&zoe.tenant, &plan).await.expect(200).text("/id");
    let token = zoe.token_with_all_permissions();
    let reads = async || {
        let mut answers = Vec::new();
        for (_, route, _) in ROUTES.iter().filter(|(method, ..)| *method == "GET") {
            let reply = app.client.get(&token, &zoe.path(route)).await;
            answers.push((*route, reply.status));
        }
        answers
    };
    let before = reads().await;
    act(&app, &zoe.tenant, "suspend", &json!({})).await.expect(204);
    assert_eq!(reads().await, before);

    let items = app.settled().await;
    let (mut refused, mut documented) = (BTreeSet::new(), BTreeSet::new());
    for (route, operation) in document_operations(&app).await {
        let (method, path) = route.split_once(' ').unwrap();
        let codes = &operation["x-error-codes"]["409"];
        if codes.as_array().is_some_and(|codes| codes.contains(&json!("TENANT_SUSPENDED"))) {
            documented.insert(route.clone());
        }
        // Plans belong to no tenant.
        let is_other = path.starts_with("/plans") || PUBLIC.contains(&route.as_str());
        if method == "GET" || is_other {
            continue;
        }
        let bulk = if path.contains('{') { "" } else { "?where={}" };
        let path = path.replace("/subscriptions/{id}", &format!("/subscriptions/{subscription}"));
        let sent = zoe.path(&path).replace("{sessionId}", &zoe.tenant) + bulk;
        let body = body(method, &path, &zoe.tenant);
        let verb = Method::from_bytes(method.as_bytes()).unwrap();
        let reply = app.client.send_text(verb, &token, &sent, &body.to_string()).await;
        match shown(&reply).as_str() {
            "409 TENANT_SUSPENDED" => drop(refused.insert(route)),
            other => {
                let for_others = other == "403 FORBIDDEN" || other == "405 METHOD_NOT_ALLOWED";
                assert!(for_others, "{route}: {other} {}", reply.raw);
            }
        }
    }
    assert_eq!(refused, documented);
    assert!(refused.len() >= 20, "{refused:?}");
    assert_eq!(app.settled().await, items);

    let own = json!({ "type": "admin" });
    let contacts = format!("/contacts/{}", zoe.contact);
    app.client.patch(&app.operator, &contacts, &own).await.expect(204);
    act(&app, &zoe.tenant, "reactivate", &json!(null)).await.expect(204);
    app.client.patch(&token, &contacts, &own).await.expect(204);
    for (path, body) in [
        ("/contacts", contact(&zoe.tenant)),
        ("/invoices", invoice(&zoe.tenant)),
        ("/tenant-configs", config(&zoe.tenant, "own")),
    ] {
        app.client.post(&token, path, &body).await.expect(200);
    }
}

#[tokio::test]
async fn sixteen_requests_at_once_suspend_and_deprovision_a_tenant_at_most_once() {
    let app = App::start().await;
    let acme = active(&app, "acme").await;
    app.settle().await;
    app.local().end_pipelines_with(local::Outcome::Silent);
    let actions = ["suspend", "deprovision"].into_iter().cycle().take(16);
    let empty = json!({});
    let sent = actions.map(async |action| (action, act(&app, &acme, action, &empty).await));
    let answers = join_all(sent).await;
    let done = |action| {
        answers.iter().filter(|(each, reply)| *each == action && reply.status == 204).count()
    };
    assert_eq!(done("deprovision"), 1);
    let suspensions = done("suspend");
    assert!(suspensions <= 1, "{suspensions}");
    for (_, reply) in answers.iter().filter(|(_, reply)| reply.status != 204) {
        let known = ["409 TENANT_STATE", "409 JOB_OPEN", "409 ILLEGAL_TRANSITION", "503 BUSY"];
        assert!(known.contains(&shown(reply).as_str()), "{}", shown(reply));
    }
    let read = app.read(&format!("/tenants/{acme}")).await.body;
    assert_eq!(read["status"], 4);
    assert_eq!(
        read["suspension"].is_object(),
        suspensions == 1,
        "suspended before the job, or never"
    );
}

#[tokio::test]
async fn suspending_takes_two_calls() {
    let app = App::start().await;
    app.warm().await;
    let acme = active(&app, "acme").await;
    app.settle().await;
    app.local().calls().meter();
    // A reactivation also looks for a subscription.
    for (action, body, reads) in [("suspend", json!({}), 1), ("reactivate", json!(null), 2)] {
        let (calls, cost) = (app.table_calls(), app.table_cost());
        act(&app, &acme, action, &body).await.expect(204);
        let (calls, cost) = (app.table_calls() - calls, app.table_cost() - cost);
        assert_eq!(format!("{calls}, {cost}"), format!("2, R {reads} W 4"), "{action}");
        app.settle().await;
    }
}
