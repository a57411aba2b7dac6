//! The headers of all responses: API, errors, pages and files.

use domain::{LeadId, TenantId};
use reqwest::Method;
use serde_json::json;
use support::{App, Reply, contact, invoice, lead};

fn assert_headers(reply: &Reply, cached: &str, what: &str) {
    assert_eq!(reply.header("cache-control"), cached, "{what}");
    assert_eq!(reply.header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(reply.header("strict-transport-security"), "max-age=31536000", "{what}");
}

#[tokio::test]
async fn api_responses_are_not_cached_or_sniffed() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    let client = &app.client;
    let created = client.post_without_token("/leads", &lead("ada@acme.test")).await.expect(200);
    let id = created.text("/id");
    let verified =
        client.post(&app.verification_key(&id), &format!("/leads/{id}/verify"), &json!(null)).await;
    assert_headers(&verified.expect(200), "no-store", "a token");
    let large = " ".repeat(300_000);
    for (what, reply) in [
        ("created", created),
        ("a list", client.get(&app.operator, "/tenants").await.expect(200)),
        ("an entity", client.get(&app.operator, &format!("/tenants/{acme}")).await.expect(200)),
        ("a count", client.get(&app.operator, "/tenants/count").await.expect(200)),
        ("the overview", client.get(&app.operator, "/overview").await.expect(200)),
        ("a key", app.send(Method::GET, "/keys/free").await.expect(200)),
        (
            "no content",
            client
                .patch(&app.operator, &format!("/tenants/{acme}"), &json!({ "name": "A" }))
                .await
                .expect(204),
        ),
        ("400", client.get(&app.operator, "/tenants?filter=%7B").await.expect(400)),
        ("401", app.send(Method::GET, "/tenants").await.expect(401)),
        ("401 of a webhook", app.send(Method::POST, "/webhook").await.expect(401)),
        ("401 of an identity provider", app.send(Method::POST, "/manage/users").await.expect(401)),
        ("403", client.get(&verified_token(&app).await, "/overview").await.expect(403)),
        (
            "404 of an entity",
            client
                .get(&app.operator, &format!("/contacts/{}", TenantId::generate()))
                .await
                .expect(404),
        ),
        ("404 of a route", app.send(Method::GET, "/nowhere").await.expect(404)),
        ("404 of a page", app.send(Method::GET, "/validate/x").await.expect(404)),
        ("404 of a file", app.send(Method::GET, "/assets/x.js").await.expect(404)),
        ("405", app.send(Method::PUT, "/ping").await.expect(405)),
        ("405 of leads", client.delete(&app.operator, &format!("/leads/{id}")).await.expect(405)),
        (
            "413",
            client.send_text(Method::POST, &app.operator, "/contacts", &large).await.expect(413),
        ),
        (
            "415",
            client.send(Method::POST, "/leads", |request| request.body("{}")).await.expect(415),
        ),
        ("422", client.post_without_token("/leads", &json!({})).await.expect(422)),
        ("ping", app.send(Method::GET, "/ping").await.expect(200)),
    ] {
        assert_headers(&reply, "no-store", what);
    }
    app.create("/contacts", &contact(&acme)).await;
    let bill = app.create("/invoices", &invoice(&acme)).await;
    let (pdf, _) = client.download(&app.operator, &format!("/invoices/{bill}/download")).await;
    assert_eq!((pdf.status, pdf.header("content-type")), (200, "application/pdf"));
    assert_headers(&pdf, "no-store", "a PDF");
    app.set_failing("GetItem", true);
    let failed = client.get(&app.operator, &format!("/contacts/{}", TenantId::generate())).await;
    assert_headers(&failed.expect(500), "no-store", "500");
}

#[tokio::test]
async fn a_401_response_names_the_authentication_scheme() {
    let app = App::start().await;
    let lead = LeadId::generate();
    for (method, path, bearer) in [
        (Method::GET, "/tenants", ""),
        (Method::GET, "/tenants", "no-token"),
        (Method::POST, &*format!("/leads/{lead}/verify"), "no-key"),
        (Method::POST, &*format!("/leads/{lead}/tenants"), ""),
        (Method::POST, "/webhook", ""),
        (Method::POST, "/manage/users", ""),
    ] {
        let refused = app.client.send_text(method, bearer, path, "{}").await.expect(401);
        let challenge = r#"Bearer realm="control plane""#;
        assert_eq!(refused.header("www-authenticate"), challenge, "{path}");
    }
    let found = app.read("/tenants").await;
    assert_eq!(found.header("www-authenticate"), "");
}

async fn verified_token(app: &App) -> String {
    app.verified_lead("eve@acme.test").await.token
}

#[tokio::test]
async fn pages_have_security_headers_and_assets_are_cached() {
    let app = App::start().await;
    let validate = format!("/validate/{}", LeadId::generate());
    for path in ["/", "/signup", &validate, "/console", "/explorer"] {
        let page = app.send(Method::GET, path).await.expect(200);
        assert_headers(&page, "no-cache", path);
        for (name, value) in [
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(page.header(name), value, "{path}");
        }
        let policy = page.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"));
        assert!(page.header("permissions-policy").contains("camera=()"), "{path}");
        let file = page.raw.split("assets/").nth(1).unwrap().split('"').next().unwrap();
        let file = app.send(Method::GET, &format!("/assets/{file}")).await.expect(200);
        assert_headers(&file, "public, max-age=31536000, immutable", path);
    }
    let document = app.send(Method::GET, "/openapi.json").await.expect(200);
    assert_headers(&document, "no-cache", "the document");
    let known = app.client.send(Method::GET, "/openapi.json", |request| {
        request.header("if-none-match", document.header("etag"))
    });
    assert_headers(&known.await.expect(304), "no-cache", "the document, unchanged");
}
