//! What is said in several places is the same in all of them.

use std::{collections::BTreeSet, process::Command};

use reqwest::Method;
use serde_json::Value;
use support::App;

use crate::tokens::{PUBLIC, ROUTES};

/// An id of nothing.
const ID: &str = "01931f6e-0000-7000-8000-000000000001";

/// The routes of `template.yaml`, as `GET /ping`; without `$default`, which no client asks for.
fn of_template(app: &App) -> BTreeSet<String> {
    let routes = app.local().template().functions.iter().flat_map(|function| &function.routes);
    let routes = routes.filter(|route| route.path != "$default");
    routes.map(|route| format!("{} {}", route.method, route.path)).collect()
}

/// The routes of `cargo lambda watch`, from the workspace's metadata.
fn of_watch() -> BTreeSet<String> {
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

#[tokio::test]
async fn the_template_the_watch_router_and_the_tests_know_the_same_routes() {
    let app = App::start().await;
    let template = of_template(&app);
    assert_eq!(template, of_watch());
    let guarded = ROUTES.iter().map(|(method, path, _)| format!("{method} {path}"));
    let known: BTreeSet<_> = guarded.chain(PUBLIC.iter().map(ToString::to_string)).collect();
    assert_eq!(template, known, "a route is in no test of tokens");
}

#[tokio::test]
async fn every_route_of_the_template_is_one_of_its_function() {
    let app = App::start().await;
    let page = app.send(Method::GET, &format!("/validate/{ID}")).await.expect(200).body;
    let asset = page.as_str().unwrap().split("/assets/").nth(1).unwrap();
    let asset = asset.split('"').next().unwrap();
    for route in of_template(&app) {
        let (method, path) = route.split_once(' ').unwrap();
        let path = path.replace("{id}", ID).replace("{leadId}", ID).replace("{jobId}", ID);
        let path = path.replace("{file}", asset);
        let reply = app.send(Method::from_bytes(method.as_bytes()).unwrap(), &path).await;
        let message = reply.body["error"]["message"].as_str().unwrap_or_default();
        assert!(!message.starts_with("Endpoint"), "{route}: {message}");
    }
}
