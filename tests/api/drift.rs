//! Consistency of routes and permissions that are declared in several places.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use reqwest::Method;
use serde_json::{Value, json};
use support::App;

use crate::tokens::{PUBLIC, ROUTES};

/// An ID that does not exist.
const ID: &str = "01931f6e-0000-7000-8000-000000000001";

/// Returns the routes of `template.yaml`, each as `GET /ping`, without `$default`, and without those
/// for HEAD, which belong to a route for GET.
fn template_routes(app: &App) -> BTreeSet<String> {
    let routes = app.local().template().functions.iter().flat_map(|function| &function.routes);
    let routes = routes.filter(|route| route.path != "$default" && route.method != "HEAD");
    routes.map(|route| format!("{} {}", route.method, route.path)).collect()
}

/// Returns the routes of `cargo lambda watch`, from the workspace's metadata.
fn watch_routes() -> BTreeSet<String> {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .output();
    let metadata: Value = serde_json::from_slice(&cargo.unwrap().stdout).unwrap();
    let router = metadata["metadata"]["lambda"]["watch"]["router"].as_object().unwrap();
    let routes = router.iter().flat_map(|(path, targets)| {
        let targets = targets.as_array().unwrap().iter();
        targets.map(move |target| format!("{} {path}", target["method"].as_str().unwrap()))
    });
    routes.collect()
}

/// Returns the operations of the OpenAPI document that `home` serves, by route.
pub(crate) async fn document_operations(app: &App) -> BTreeMap<String, Value> {
    let document = app.send(Method::GET, "/openapi.json").await.expect(200).body;
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, operations)| {
        let operations = operations.as_object().unwrap().iter();
        operations.map(move |(method, operation)| {
            (format!("{} {path}", method.to_uppercase()), operation.clone())
        })
    });
    operations.collect()
}

#[tokio::test]
async fn the_openapi_document_has_all_routes_with_their_permissions() {
    let app = App::start().await;
    let document = document_operations(&app).await;
    assert_eq!(document.keys().cloned().collect::<BTreeSet<_>>(), template_routes(&app));
    for (method, path, codes) in ROUTES {
        let codes: Vec<_> = codes.split(' ').collect();
        assert_eq!(document[&format!("{method} {path}")]["x-permissions"], json!(codes), "{path}");
    }
    for route in PUBLIC {
        assert_eq!(document[*route]["x-permissions"], Value::Null, "{route}");
    }
}

#[tokio::test]
async fn an_unsupported_method_is_answered_with_the_allowed_ones() {
    let app = App::start().await;
    let lead = format!("/leads/{ID}");
    for (method, path, allowed) in [
        ("TRACE", "/leads", "GET, POST"),
        ("PATCH", "/leads", "GET, POST"),
        ("DELETE", &lead, "GET"),
        ("OPTIONS", "/tenants/x/provision", "POST"),
        ("PUT", "/ping", "GET"),
        ("DELETE", "/contacts/count", "GET"),
        ("OPTIONS", "/contacts/count", "GET"),
        ("POST", "/contacts/x", "DELETE, GET, PATCH, PUT"),
    ] {
        let verb = Method::from_bytes(method.as_bytes()).unwrap();
        let refused = app.client.send(verb, path, |request| request.bearer_auth(&app.operator));
        let refused = refused.await.expect(405);
        assert_eq!(refused.body["error"]["name"], "MethodNotAllowedError", "{method} {path}");
        let mut found: Vec<_> = refused.header("allow").split([',', ' ']).collect();
        found.retain(|method| !method.is_empty() && *method != "HEAD");
        found.sort_unstable();
        assert_eq!(found.join(", "), allowed, "{method} {path}");
    }
    app.send(Method::TRACE, "/nowhere").await.expect(404);
}

#[tokio::test]
async fn the_template_the_watch_router_and_the_tests_have_the_same_routes() {
    let app = App::start().await;
    let template = template_routes(&app);
    assert_eq!(template, watch_routes());
    let guarded = ROUTES.iter().map(|(method, path, _)| format!("{method} {path}"));
    let known: BTreeSet<_> = guarded.chain(PUBLIC.iter().map(ToString::to_string)).collect();
    assert_eq!(template, known, "a route is missing from the token tests");
}

#[tokio::test]
async fn every_route_of_the_template_is_served_by_its_function() {
    let app = App::start().await;
    let page = app.send(Method::GET, &format!("/validate/{ID}")).await.expect(200).body;
    let asset = page.as_str().unwrap().split("/assets/").nth(1).unwrap();
    let asset = asset.split('"').next().unwrap();
    for route in template_routes(&app) {
        let (method, path) = route.split_once(' ').unwrap();
        let path = path.replace("{id}", ID).replace("{leadId}", ID).replace("{jobId}", ID);
        let path = path.replace("{sessionId}", ID);
        let path = path.replace("{file}", asset);
        let reply = app.send(Method::from_bytes(method.as_bytes()).unwrap(), &path).await;
        let message = reply.body["error"]["message"].as_str().unwrap_or_default();
        assert!(!message.starts_with("Endpoint"), "{route}: {message}");
    }
}

/// API Gateway would pass them to `home` if a function had no route for HEAD.
#[tokio::test]
async fn head_is_answered_like_get_on_every_route() {
    let app = App::start().await;
    for route in template_routes(&app) {
        let Some(path) = route.strip_prefix("GET ") else { continue };
        let path = path.replace("{key}", "free");
        let [get, head] = [Method::GET, Method::HEAD].map(|method| {
            app.client.send(method, &path, |request| request.bearer_auth(&app.operator))
        });
        let (get, head) = (get.await, head.await);
        assert_eq!((head.status, head.raw.as_str()), (get.status, ""), "{route}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{route}");
    }
    for path in ["/webhook", "/leads/x/verify"] {
        let refused = app.client.send(Method::HEAD, path, |request| request).await;
        assert_eq!((refused.status, refused.header("allow")), (405, "POST"), "{path}");
    }
    app.send(Method::HEAD, "/nowhere").await.expect(404);
}

#[test]
fn every_function_logs_at_the_configured_level() {
    let folders = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../functions")).unwrap();
    let folders = folders.map(Result::unwrap).filter(|entry| entry.path().is_dir());
    let crates = folders.map(|entry| entry.file_name().into_string().unwrap().replace('-', "_"));
    assert_eq!(crates.collect::<BTreeSet<_>>(), lambda::FUNCTIONS.map(str::to_owned).into());
}
