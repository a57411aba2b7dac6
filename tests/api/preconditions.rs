//! Entity tags, `If-Match` and `If-None-Match`.

use domain::TenantId;
use lambda::Env;
use reqwest::Method;
use serde_json::{Value, json};
use support::{App, Reply, config, contact, invoice, join_all, subscription, tenant, with_query};

use crate::drift::document_operations;

/// Sends a request with this value of `If-Match`.
async fn sent_at(app: &App, method: Method, path: &str, tag: &str, body: &Value) -> Reply {
    let send = |request: reqwest::RequestBuilder| {
        request.bearer_auth(&app.operator).header("if-match", tag).json(body)
    };
    app.client.send(method, path, send).await
}

async fn patch_at(app: &App, path: &str, tag: &str, body: &Value) -> Reply {
    sent_at(app, Method::PATCH, path, tag, body).await
}

/// Reads `path` with this value of `If-None-Match`.
async fn read_unless(app: &App, path: &str, tag: &str) -> Reply {
    let send = |request: reqwest::RequestBuilder| {
        request.bearer_auth(&app.operator).header("if-none-match", tag)
    };
    app.client.send(Method::GET, path, send).await
}

/// Creates a tenant and one of each of its children. Returns their paths, each with a change.
async fn one_of_each(app: &App) -> [(String, Value); 4] {
    let acme = app.tenant("acme").await;
    let child = async |path: &str, body: Value| format!("{path}/{}", app.create(path, &body).await);
    [
        (child("/contacts", contact(&acme)).await, json!({ "type": "admin" })),
        (child("/invoices", invoice(&acme)).await, json!({ "dueDate": "2026-02-28" })),
        (
            child("/tenant-configs", config(&acme, "theme")).await,
            json!({ "configValue": { "dark": true } }),
        ),
        (format!("/tenants/{acme}"), json!({ "name": "New" })),
    ]
}

fn code(reply: &Reply) -> String {
    reply.text("/error/code")
}

#[tokio::test]
async fn a_change_is_made_only_at_the_expected_version() {
    let app = App::start().await;
    for (path, change) in one_of_each(&app).await {
        assert_eq!(app.read(&path).await.header("etag"), "\"1\"", "{path}");
        let first = patch_at(&app, &path, "\"1\"", &change).await.expect(204);
        assert_eq!(first.header("etag"), "\"2\"", "{path}");
        let read = app.read(&path).await;
        assert_eq!(read.header("etag"), "\"2\"", "{path}");

        let before = app.settled().await;
        for tag in ["\"1\"", "W/\"2\"", "\"3\", \"x\"", "\"\""] {
            for method in [Method::PATCH, Method::PUT, Method::DELETE] {
                let body = if method == Method::PUT { read.body.clone() } else { change.clone() };
                let refused = sent_at(&app, method, &path, tag, &body).await.expect(412);
                assert_eq!(code(&refused), "PRECONDITION_FAILED", "{path} {tag}");
                assert_eq!(refused.header("etag"), "\"2\"", "{path} {tag}");
            }
        }
        for tag in ["", "2", "\"2", "*, \"2\""] {
            let refused = patch_at(&app, &path, tag, &change).await.expect(400);
            assert_eq!(code(&refused), "PRECONDITION_INVALID", "{path} {tag}");
        }
        assert_eq!(app.items(), before, "{path}");

        let put = sent_at(&app, Method::PUT, &path, "\"9\", \"2\"", &read.body).await.expect(204);
        assert_eq!(put.header("etag"), "\"3\"", "{path}");
        let any = patch_at(&app, &path, "*", &change).await.expect(204);
        assert_eq!(any.header("etag"), "\"4\"", "{path}");
        let without = app.client.patch(&app.operator, &path, &change).await.expect(204);
        assert_eq!(without.header("etag"), "\"5\"", "{path}");
        let deleted = sent_at(&app, Method::DELETE, &path, "\"5\"", &json!({})).await.expect(204);
        assert_eq!(deleted.header("etag"), "", "{path}");
    }
}

#[tokio::test]
async fn a_new_entity_has_the_tag_of_its_first_version() {
    let app = App::start().await;
    let made = app.client.post(&app.operator, "/tenants", &tenant("acme")).await.expect(200);
    let acme = made.text("/id");
    let lead = app.verified_lead("ada@acme.test").await;
    let body = json!({ "key": "lead", "domains": ["acme.test"] });
    let path = format!("/leads/{}/tenants", lead.id);
    let converted = app.client.post(&lead.token, &path, &body).await.expect(200);
    let child = app.client.post(&app.operator, "/contacts", &contact(&acme)).await.expect(200);
    for (path, made) in [("/tenants", made), ("/tenants", converted), ("/contacts", child)] {
        let read = app.read(&format!("{path}/{}", made.text("/id"))).await;
        assert_eq!((made.header("etag"), read.header("etag")), ("\"1\"", "\"1\""), "{path}");
    }
}

#[tokio::test]
async fn an_action_is_done_only_at_the_expected_version_and_answers_with_the_new_one() {
    let app = App::start_silent().await;
    let path = format!("/tenants/{}", app.tenant("acme").await);
    let action = format!("{path}/provision");
    let body = subscription("BASIC");
    let before = app.settled().await;
    let refused = sent_at(&app, Method::POST, &action, "\"2\"", &body).await.expect(412);
    assert_eq!(refused.header("etag"), "\"1\"");
    assert_eq!(app.items(), before);
    let opened = sent_at(&app, Method::POST, &action, "\"1\"", &body).await.expect(204);
    let (read, job) = (app.read(&path).await, app.read(opened.header("location")).await);
    assert_eq!((opened.header("etag"), read.header("etag")), ("\"2\"", "\"2\""));
    let known = read_unless(&app, opened.header("location"), job.header("etag")).await;
    assert!([200, 304].contains(&known.status), "the pipeline may have started since");
    for action in ["provision", "deprovision", "identity", "retire", "suspend", "reactivate"] {
        let path = format!("{path}/{action}");
        let body = if action == "suspend" { json!({}) } else { body.clone() };
        let refused = sent_at(&app, Method::POST, &path, "\"1\"", &body).await.expect(412);
        assert_eq!(code(&refused), "PRECONDITION_FAILED", "before the status is looked at");
    }
}

#[tokio::test]
async fn an_entity_that_the_caller_has_is_not_sent_again() {
    let app = App::start().await;
    for (path, change) in one_of_each(&app).await {
        for tag in ["\"1\"", "W/\"1\"", "\"0\", \"1\"", "*"] {
            let known = read_unless(&app, &path, tag).await.expect(304);
            assert_eq!((known.header("etag"), known.raw.as_str()), ("\"1\"", ""), "{path} {tag}");
        }
        for tag in ["\"2\"", "1", ""] {
            let read = read_unless(&app, &path, tag).await.expect(200);
            assert_eq!(read.header("etag"), "\"1\"", "{path} {tag}");
        }
        app.client.patch(&app.operator, &path, &change).await.expect(204);
        read_unless(&app, &path, "\"1\"").await.expect(200);
        for filter in [json!({ "fields": ["id"] }), json!({ "fields": ["id"], "include": [] })] {
            let part = read_unless(&app, &with_query(&path, "filter", &filter), "*").await;
            assert_eq!(part.expect(200).header("etag"), "", "{path} {filter}");
        }
    }
    let refused = read_unless(&app, &format!("/contacts/{}", TenantId::generate()), "*").await;
    refused.expect(404);
}

#[tokio::test]
async fn a_bulk_update_has_no_version() {
    let app = App::start().await;
    app.tenant("acme").await;
    let refused = patch_at(&app, "/tenants?where={}", "*", &json!({ "name": "New" })).await;
    assert_eq!(code(&refused.expect(400)), "PRECONDITION_INVALID");
}

#[tokio::test]
async fn the_version_is_checked_after_the_body_and_the_existence_and_before_the_state() {
    let app = App::with_variables(&[("REQUIRE_IF_MATCH", "true")]).await;
    let (acme, none) = (app.tenant("acme").await, TenantId::generate().to_string());
    for (path, status) in [(none, 404), (acme, 428)] {
        let own = format!("/tenants/{path}");
        let patch = async |change: Value| app.client.patch(&app.operator, &own, &change).await;
        patch(json!({ "name": "" })).await.expect(422);
        let refused = patch(json!({ "status": 0 })).await.expect(status);
        assert_eq!(refused.header("etag"), "");
        patch(json!({ "name": "New" })).await.expect(status);
        app.client.delete(&app.operator, &own).await.expect(status);
    }
    for (path, change) in one_of_each_of(&app).await {
        let refused = app.client.patch(&app.operator, &path, &change).await.expect(428);
        assert_eq!(code(&refused), "PRECONDITION_REQUIRED", "{path}");
        let body = app.read(&path).await.body;
        app.client.put(&app.operator, &path, &body).await.expect(428);
        app.client.delete(&app.operator, &path).await.expect(428);
        patch_at(&app, &path, "*", &change).await.expect(204);
    }
    let change = json!({ "name": "New" });
    app.client.patch(&app.operator, "/tenants?where={}", &change).await.expect(200);
    app.provisioning("other", "BASIC").await;
}

/// Same as [`one_of_each`], of a tenant with another key.
async fn one_of_each_of(app: &App) -> Vec<(String, Value)> {
    let acme = app.tenant("second").await;
    let id = app.create("/contacts", &contact(&acme)).await;
    let theme = app.create("/tenant-configs", &config(&acme, "theme")).await;
    vec![
        (format!("/contacts/{id}"), json!({ "type": "admin" })),
        (format!("/tenant-configs/{theme}"), json!({ "configKey": "other" })),
        (format!("/tenants/{acme}"), json!({ "key": "renamed" })),
    ]
}

/// Adds 1 to the number in a tenant's `spocUserId` as often as `times`, each time at the version it
/// knows.
async fn count_up(app: &App, path: &str, times: u32) {
    let read = app.read(path).await;
    let mut known = (read.text("/spocUserId"), read.header("etag").to_owned());
    for _ in 0..times {
        loop {
            let next = (known.0.parse::<u32>().unwrap() + 1).to_string();
            let sent = patch_at(app, path, &known.1, &json!({ "spocUserId": next })).await;
            if sent.status == 204 {
                known = (next, sent.header("etag").to_owned());
                break;
            }
            sent.expect(412);
            let read = app.read(path).await;
            known = (read.text("/spocUserId"), read.header("etag").to_owned());
        }
    }
}

/// Updates of each writer in a run of all tests. `TENANTRY_TEST_UPDATES` is another number.
const UPDATES: u32 = 200;

#[tokio::test]
async fn two_writers_lose_no_update() {
    let number = Env::process().get("TENANTRY_TEST_UPDATES").map(|text| text.parse().unwrap());
    let updates = number.unwrap_or(UPDATES);
    let app = App::start().await;
    let path = format!("/tenants/{}", app.tenant("acme").await);
    app.client.patch(&app.operator, &path, &json!({ "spocUserId": "0" })).await.expect(204);
    join_all((0..2).map(|_| count_up(&app, &path, updates))).await;
    let read = app.read(&path).await;
    let (counted, tag) = (2 * updates, format!("\"{}\"", 2 * updates + 2));
    assert_eq!((read.text("/spocUserId"), read.header("etag")), (counted.to_string(), &*tag));
}

/// Fails for a new route that reads, changes or deletes one entity without a version.
#[tokio::test]
async fn every_operation_on_one_entity_is_conditional() {
    let app = App::start().await;
    let mut found = 0;
    for (route, operation) in document_operations(&app).await {
        let (method, path) = route.split_once(' ').unwrap();
        let success = |status: &str| operation["responses"][status].is_object();
        // Sessions have no tag, because nobody edits them.
        let of_one =
            path.ends_with("Id}") && !path.ends_with("{sessionId}") || path.ends_with("{id}");
        let is_action = method == "POST" && path.contains("{id}/") && success("204");
        let header = match method {
            "GET" if of_one => "If-None-Match",
            "PATCH" | "PUT" | "DELETE" if of_one && success("204") => "If-Match",
            "POST" if is_action => "If-Match",
            _ => continue,
        };
        // Pages and files are not entities.
        if method == "GET"
            && !operation["responses"]["200"]["content"]["application/json"].is_object()
        {
            continue;
        }
        let reference = json!({ "$ref": format!("#/components/parameters/{header}") });
        let parameters = operation["parameters"].as_array().unwrap();
        assert!(parameters.contains(&reference), "{route} does not read {header}");
        found += 1;
    }
    assert!(found >= 20, "{found}");
}
