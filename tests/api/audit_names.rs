//! The names of operators in the audit log.

use std::collections::BTreeSet;

use serde_json::json;
use support::{
    provider::Provider,
    token::{OPERATOR, claims, token},
};

use crate::{
    audit::log,
    sign_in::{app_of, signed_in},
};

#[tokio::test]
async fn operators_are_named_to_callers_that_may_view_them() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    let browser = signed_in(&app, &provider).await;
    let issued = browser.post("/auth/token").await.expect(200).body;
    let tenant = app.tenant("acme").await;
    let body = json!({ "name": "By Ada" });
    let path = format!("/tenants/{tenant}");
    app.client.patch(issued["token"].as_str().unwrap(), &path, &body).await.expect(204);
    app.settle().await;
    let id = &issued["operator"]["id"];
    let names = async |permissions: &[&str], path: &str| {
        let bearer = token(OPERATOR, &claims(permissions).to_string());
        let listed = app.client.get(&bearer, path).await.expect(200);
        let actors = listed.items().iter().map(|entry| &entry["actor"]);
        let (ours, others): (Vec<_>, Vec<_>) = actors.partition(|actor| actor["id"] == *id);
        assert!(others.iter().all(|actor| actor.get("name").is_none()), "{others:?}");
        assert!(!ours.is_empty(), "{path}");
        ours.iter().map(|actor| actor["name"].to_string()).collect::<BTreeSet<_>>()
    };
    let history = format!("{path}/audit");
    for path in ["/audit", &history] {
        let named = names(&["10310", "10300"], path).await;
        assert_eq!(named, ["\"Ada Marker-Name\"".to_owned()].into(), "{path}");
        assert_eq!(names(&["10310"], path).await, ["null".to_owned()].into(), "{path}");
    }
    let exported = app.read("/audit/export").await.raw;
    assert!(exported.contains(id.as_str().unwrap()) && !exported.contains("Marker-Name"));
    assert!(!json!(log(&app)).to_string().contains("Marker-Name"), "names are not stored");
}
