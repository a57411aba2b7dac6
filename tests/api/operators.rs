//! `/operators`: people, and who may see and end what.

use domain::Permission;
use reqwest::Method;
use serde_json::{Value, json};
use support::{
    App, Browser,
    provider::Provider,
    token::{OPERATOR, claims, token, with},
    with_query,
};

use crate::{
    sign_in::{app_of, open_sessions, signed_in},
    tokens::ROUTES,
};

/// A person that has signed in.
struct Person {
    id: String,
    token: String,
    browser: Browser,
}

/// Signs a person with this subject and group in.
async fn person(app: &App, provider: &Provider, subject: &str, group: &str) -> Person {
    provider.claim("sub", subject);
    provider.claim("name", subject);
    provider.claim("groups", json!([group]));
    let browser = signed_in(app, provider).await;
    let issued = browser.post("/auth/token").await.expect(200).body;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Person { id: text(&issued["operator"]["id"]), token: text(&issued["token"]), browser }
}

async fn set_disabled(app: &App, by: &str, id: &str, disabled: bool) -> support::Reply {
    app.client.patch(by, &format!("/operators/{id}"), &json!({ "disabled": disabled })).await
}

#[tokio::test]
async fn people_are_listed_and_found() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    let ada = person(&app, &provider, "ada", "tenantry-admins").await;
    let bob = person(&app, &provider, "bob", "tenantry-viewers").await;
    let list = app.client.get(&ada.token, "/operators").await.expect(200);
    assert_eq!(list.each("name"), ["bob", "ada"]);
    let one = app.client.get(&ada.token, &format!("/operators/{}", bob.id)).await.expect(200).body;
    assert_eq!((&one["roles"], &one["issuer"]), (&json!(["viewer"]), &json!(provider.url)));
    assert_eq!(list.items()[0], one);
    for filter in [json!({ "where": { "id": bob.id } }), json!({ "where": { "name": "bob" } })] {
        let found = app.client.get(&ada.token, &with_query("/operators", "filter", &filter)).await;
        assert_eq!(found.expect(200).each("id"), [json!(bob.id)]);
    }
    assert_eq!(app.count("/operators").await, 2);
    let missing = format!("/operators/{}", domain::OperatorId::generate());
    app.client.get(&ada.token, &missing).await.expect(404);
}

#[tokio::test]
async fn a_disabled_person_is_out() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    let ada = person(&app, &provider, "ada", "tenantry-admins").await;
    let bob = person(&app, &provider, "bob", "tenantry-admins").await;
    person(&app, &provider, "bob", "tenantry-admins").await;
    set_disabled(&app, &ada.token, &bob.id, true).await.expect(204);
    assert_eq!(bob.browser.post("/auth/token").await.expect(401).code(), "SIGN_IN_REQUIRED");
    assert_eq!(open_sessions(&app), 1, "both sessions of Bob ended");

    let again = Browser::new(app.local().base_url());
    let start = again.open("/auth/sign-in").await.expect(302);
    let refused = again.open(&provider.authorize(&start.location)).await.expect(403);
    assert_eq!((refused.code(), again.session()), ("OPERATOR_DISABLED", None));
    let one = app.client.get(&ada.token, &format!("/operators/{}", bob.id)).await.expect(200).body;
    assert_eq!((&one["disabled"], &one["modifiedBy"]), (&json!(true), &json!(ada.id)));

    let path = format!("/operators/{}", bob.id);
    let at = async |tag: String| {
        let build = |request: reqwest::RequestBuilder| {
            let request = request.bearer_auth(&ada.token).header("if-match", tag);
            request.json(&json!({ "disabled": false }))
        };
        app.client.send(Method::PATCH, &path, build).await
    };
    let tag = app.client.get(&ada.token, &path).await.expect(200).header("etag").to_owned();
    at("\"1\"".to_owned()).await.expect(412);
    at(tag).await.expect(204);
    person(&app, &provider, "bob", "tenantry-admins").await;
    set_disabled(&app, &ada.token, &bob.id, false).await.expect(204);
    let nobody = domain::OperatorId::generate().to_string();
    set_disabled(&app, &ada.token, &nobody, true).await.expect(404);
    app.client.patch(&ada.token, &path, &json!({ "disabled": "yes" })).await.expect(422);
    app.client.patch(&ada.token, &path, &json!({})).await.expect(422);
}

#[tokio::test]
async fn the_last_admin_stays() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    let ada = person(&app, &provider, "ada", "tenantry-admins").await;
    let eve = person(&app, &provider, "eve", "tenantry-viewers").await;
    let refused = set_disabled(&app, &ada.token, &ada.id, true).await.expect(409);
    assert_eq!(refused.text("/error/code"), "LAST_ADMIN");
    set_disabled(&app, &ada.token, &eve.id, true).await.expect(204);

    let bob = person(&app, &provider, "bob", "tenantry-admins").await;
    let (first, second) = tokio::join!(
        set_disabled(&app, &ada.token, &bob.id, true),
        set_disabled(&app, &bob.token, &ada.id, true),
    );
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409], "two admins cannot disable each other");
}

#[tokio::test]
async fn a_listed_admin_counts_before_the_first_sign_in() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[("OPERATOR_ADMINS", "bob, ada")]).await;
    let ada = person(&app, &provider, "ada", "tenantry-admins").await;
    set_disabled(&app, &ada.token, &ada.id, true).await.expect(204);
    let bob = person(&app, &provider, "bob", "none").await;
    let refused = set_disabled(&app, &bob.token, &bob.id, true).await.expect(409);
    assert_eq!(refused.text("/error/code"), "LAST_ADMIN");
}

#[tokio::test]
async fn people_see_and_end_their_own_sessions() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    let eve = person(&app, &provider, "eve", "tenantry-viewers").await;
    let other = person(&app, &provider, "eve", "tenantry-viewers").await;
    let bob = person(&app, &provider, "bob", "tenantry-viewers").await;
    let ada = person(&app, &provider, "ada", "tenantry-admins").await;
    let path = format!("/operators/{}/sessions", eve.id);
    let sessions = app.client.get(&eve.token, &path).await.expect(200);
    assert_eq!(sessions.each("current"), [json!(false), json!(true)]);
    assert_eq!(sessions.items()[0]["address"], "127.0.0.1");
    let id = sessions.items()[0]["id"].as_str().unwrap();
    let one = format!("{path}/{id}");
    app.client.get(&bob.token, &path).await.expect(403);
    app.client.delete(&bob.token, &one).await.expect(403);
    app.client.delete(&eve.token, &one).await.expect(204);
    app.client.delete(&eve.token, &one).await.expect(404);
    other.browser.post("/auth/token").await.expect(401);
    eve.browser.post("/auth/token").await.expect(200);
    let left = app.client.get(&ada.token, &path).await.expect(200);
    let last = format!("{path}/{}", left.items()[0]["id"].as_str().unwrap());
    app.client.delete(&ada.token, &last).await.expect(204);
    eve.browser.post("/auth/token").await.expect(401);
}

#[tokio::test]
async fn an_answer_has_the_newest_100_sessions() {
    let provider = Provider::start().await;
    let app = app_of(&provider, &[]).await;
    let ada = person(&app, &provider, "ada", "tenantry-admins").await;
    let own = app.items_of("session").remove(0);
    let older = lambda::now() - std::time::Duration::from_secs(60);
    let sessions = (0..100).map(|_| {
        let (mut session, id) = (own.clone(), domain::SessionId::generate().to_string());
        session["sk"] = json!({ "S": format!("SESSION#{id}") });
        session["id"] = json!({ "S": id });
        session["createdOn"] = json!({ "S": older });
        session
    });
    app.import(sessions.collect());
    let listed = app.client.get(&ada.token, &format!("/operators/{}/sessions", ada.id)).await;
    assert_eq!((app.items_of("session").len(), listed.items().len()), (101, 100));
    assert_eq!(listed.items()[0]["current"], json!(true), "the newest is the first");
}

/// Every operation, for every role: allowed exactly if the role has one of its permissions.
#[tokio::test]
async fn a_role_opens_the_operations_of_its_permissions() {
    let app = App::start().await;
    let roles = domain::Roles::new(&Default::default()).unwrap();
    for role in ["viewer", "support", "billing", "catalog", "auditor", "admin"] {
        let permissions = roles.permissions(&[role.to_owned()]);
        let codes: Vec<_> = permissions.iter().map(ToString::to_string).collect();
        let bearer = token(OPERATOR, &with(claims(&[]), "permissions", codes.clone()).to_string());
        for (method, route, needed) in ROUTES {
            let id = domain::TenantId::generate().to_string();
            let path = ["{id}", "{jobId}", "{sessionId}"]
                .iter()
                .fold((*route).to_owned(), |path, name| path.replace(name, &id));
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let sent = app.client.send(method.clone(), &path, |request| {
                request.bearer_auth(&bearer).json(&json!({}))
            });
            let mut allowed = needed.split(' ').any(|code| codes.iter().any(|own| own == code));
            // A bulk update also needs the permission to view, and so does a configuration's tenant.
            if method == Method::PATCH && !route.contains("{id}") || route.ends_with("/tenant") {
                allowed &= !["auditor"].contains(&role);
            }
            let status = sent.await.status;
            assert_eq!(status != 403, allowed, "{role} {method} {route}: {status}");
        }
        assert!(codes.len() < Permission::ALL.len() || role == "admin");
    }
}
