use domain::{Permission, TenantId};
use reqwest::Method;
use serde_json::json;
use support::{
    App, subscription, tenant,
    token::{LEAD, OPERATOR, claims, token, with},
};

/// Every route that requires a token, with the permissions of which it requires one.
pub(crate) const ROUTES: &[(&str, &str, &str)] = &[
    ("POST", "/contacts", "10208"),
    ("GET", "/contacts", "10211"),
    ("GET", "/contacts/count", "10211"),
    ("PATCH", "/contacts", "10209"),
    ("GET", "/contacts/{id}", "10211"),
    ("PATCH", "/contacts/{id}", "10209"),
    ("PUT", "/contacts/{id}", "10209"),
    ("DELETE", "/contacts/{id}", "10210"),
    ("POST", "/invoices", "10212"),
    ("GET", "/invoices", "10215"),
    ("GET", "/invoices/count", "10215"),
    ("PATCH", "/invoices", "10213"),
    ("GET", "/invoices/{id}", "10215"),
    ("PATCH", "/invoices/{id}", "10213"),
    ("PUT", "/invoices/{id}", "10213"),
    ("DELETE", "/invoices/{id}", "10214"),
    ("GET", "/invoices/download", "10215 10212"),
    ("GET", "/invoices/{id}/download", "10215 10212"),
    ("POST", "/tenant-configs", "10220"),
    ("GET", "/tenant-configs", "10221"),
    ("GET", "/tenant-configs/count", "10221"),
    ("PATCH", "/tenant-configs", "10222"),
    ("GET", "/tenant-configs/{id}", "10221"),
    ("PATCH", "/tenant-configs/{id}", "10222"),
    ("PUT", "/tenant-configs/{id}", "10222"),
    ("DELETE", "/tenant-configs/{id}", "10223"),
    ("GET", "/tenant-configs/{id}/tenant", "10221"),
    ("GET", "/leads", "10203"),
    ("GET", "/leads/count", "10203"),
    ("GET", "/leads/{id}", "10203"),
    ("PATCH", "/leads", "10201"),
    ("PATCH", "/leads/{id}", "10201"),
    ("PUT", "/leads/{id}", "10201"),
    ("DELETE", "/leads/{id}", "10202"),
    ("POST", "/subscriptions", "7001"),
    ("GET", "/subscriptions", "7004"),
    ("GET", "/subscriptions/count", "7004"),
    ("GET", "/subscriptions/expire-soon", "7004"),
    ("GET", "/subscriptions/expired", "7004"),
    ("GET", "/subscriptions/{id}", "7004"),
    ("PATCH", "/subscriptions/{id}", "7002"),
    ("POST", "/subscriptions/{id}/change", "7002"),
    ("POST", "/subscriptions/{id}/cancel", "7003"),
    ("POST", "/subscriptions/{id}/resume", "7002"),
    ("POST", "/subscriptions/{id}/payments", "7002"),
    ("POST", "/tenants", "10204"),
    ("GET", "/tenants", "10207"),
    ("GET", "/tenants/count", "10207"),
    ("PATCH", "/tenants", "10205"),
    ("GET", "/tenants/{id}", "10207"),
    ("PATCH", "/tenants/{id}", "10205"),
    ("PUT", "/tenants/{id}", "10205"),
    ("DELETE", "/tenants/{id}", "10206"),
    ("POST", "/tenants/{id}/provision", "10216"),
    ("POST", "/tenants/{id}/identity", "10216"),
    ("POST", "/tenants/{id}/deprovision", "10217"),
    ("POST", "/tenants/{id}/retire", "10216"),
    ("POST", "/tenants/{id}/suspend", "10320"),
    ("POST", "/tenants/{id}/reactivate", "10320"),
    ("GET", "/tenants/{id}/entitlements", "7004"),
    ("PUT", "/tenants/{id}/entitlements/{key}", "7002"),
    ("DELETE", "/tenants/{id}/entitlements/{key}", "7002"),
    ("GET", "/tenants/{id}/jobs", "10207 10216"),
    ("GET", "/tenants/{id}/jobs/{jobId}", "10207 10216"),
    ("GET", "/tenants/{id}/resources", "10207"),
    ("GET", "/tenants/{id}/audit", "10310"),
    ("GET", "/audit", "10310"),
    ("GET", "/audit/export", "10311"),
    ("GET", "/audit/verify", "10310"),
    ("POST", "/plans", "7005"),
    ("GET", "/plans", "7008"),
    ("GET", "/plans/count", "7008"),
    ("GET", "/plans/{id}", "7008"),
    ("PATCH", "/plans", "7006"),
    ("PATCH", "/plans/{id}", "7006"),
    ("PUT", "/plans/{id}", "7006"),
    ("DELETE", "/plans/{id}", "7007"),
    ("POST", "/plans/{id}/activate", "7006"),
    ("POST", "/plans/{id}/archive", "7006"),
    ("GET", "/overview", "10207"),
    ("GET", "/search", "10207"),
    ("GET", "/operators", "10300"),
    ("GET", "/operators/count", "10300"),
    ("GET", "/operators/{id}", "10300"),
    ("PATCH", "/operators/{id}", "10301"),
    ("GET", "/operators/{id}/sessions", "10300"),
    ("DELETE", "/operators/{id}/sessions/{sessionId}", "10301"),
];

/// Every other route: public, or authenticated with a key, a signature, a cookie or any token.
pub(crate) const PUBLIC: &[&str] = &[
    "GET /",
    "GET /assets/{file}",
    "GET /auth/callback",
    "GET /auth/config",
    "GET /auth/sign-in",
    "GET /catalog",
    "GET /console",
    "GET /explorer",
    "GET /keys/{key}",
    "GET /openapi.json",
    "GET /operators/me",
    "GET /ping",
    "GET /signup",
    "GET /validate/{leadId}",
    "POST /auth/exchange",
    "POST /auth/sign-out",
    "POST /auth/token",
    "POST /leads",
    "POST /leads/resend",
    "POST /leads/{id}/tenants",
    "POST /leads/{id}/verify",
    "POST /manage/users",
    "POST /webhook",
];

#[tokio::test]
async fn every_route_requires_a_token_and_its_permission() {
    let app = App::start().await;
    app.warm().await;
    let before = app.table_calls();
    for (method, route, permission) in ROUTES {
        let path = route.replace("{id}", &TenantId::generate().to_string());
        let path = path.replace("{jobId}", &TenantId::generate().to_string());
        let path = path.replace("{sessionId}", &TenantId::generate().to_string());
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let body = json!({});
        let send = |token: String| {
            app.client.send(method.clone(), &path, |request| request.bearer_auth(token).json(&body))
        };
        assert_eq!(send(String::new()).await.status, 401, "{route}");
        let granting: Vec<_> = permission.split(' ').collect();
        let all = Permission::ALL.iter().map(ToString::to_string);
        let others: Vec<_> = all.filter(|code| !granting.contains(&code.as_str())).collect();
        let others = with(claims(&[]), "permissions", others);
        let refused = send(token(OPERATOR, &others.to_string())).await;
        assert_eq!(
            (refused.status, refused.text("/error/message").as_str()),
            (403, "NotAllowedAccess"),
            "{route}"
        );
    }
    assert_eq!(app.table_calls(), before, "a refused request makes no call");
}

#[tokio::test]
async fn a_lead_token_gives_no_access_to_others() {
    let app = App::start_silent().await;
    let (ada, bob) =
        (app.verified_lead("ada@acme.test").await, app.verified_lead("bob@acme.test").await);
    let body = json!({ "key": "acme", "domains": ["acme.test"] });
    let path = format!("/leads/{}/tenants", ada.id);
    let acme = app.client.post(&ada.token, &path, &body).await.expect(200).text("/id");

    app.client.get(&bob.token, &format!("/leads/{}", ada.id)).await.expect(403);
    app.client.get(&bob.token, &format!("/tenants/{acme}")).await.expect(403);
    let provision = format!("/tenants/{acme}/provision");
    app.client.post(&bob.token, &provision, &subscription("BASIC")).await.expect(403);
    app.client.post(&bob.token, "/tenants", &tenant("evil")).await.expect(403);
    app.client.post(&bob.token, &path, &body).await.expect(401);

    // A lead's token with an operator's permissions is still limited to the lead.
    let all = claims(&["10203", "10204", "10207", "10216"]);
    let lead = |id: &str| token(LEAD, &with(all.clone(), "id", id).to_string());
    for path in [
        format!("/tenants/{acme}"),
        format!("/tenants/{acme}/jobs"),
        format!("/tenants/{acme}/resources"),
    ] {
        app.client.get(&lead(&bob.id), &path).await.expect(403);
        app.client.get(&lead(&ada.id), &path).await.expect(200);
    }
    app.client.post(&lead(&bob.id), "/tenants", &tenant("evil")).await.expect(403);
    let own = app.client.get(&lead(&ada.id), "/tenants").await.expect(200);
    assert_eq!(own.body.as_array().unwrap().len(), 1);
    let none = app.client.get(&lead(&bob.id), "/tenants").await.expect(200);
    assert_eq!(none.body, json!([]));
    app.client.post(&ada.token, &provision, &subscription("BASIC")).await.expect(204);
}
