//! Names, addresses, and international host names.

use serde_json::{Value, json};
use support::{App, config, contact, invoice, lead, tenant, with_query};

/// Texts without a visible character.
const BLANK: [&str; 6] =
    [" ", "\u{a0}\u{3000}", "\u{200b}\u{feff}", "\u{3164}", "\u{2060}\u{e0041}", "\u{ad}\u{2800}"];

#[tokio::test]
async fn a_name_that_looks_like_nothing_is_refused_everywhere() {
    let app = App::start().await;
    let id = app.tenant("acme").await;
    let owned = contact(&id);
    let setting = config(&id, "theme");
    for blank in BLANK {
        for (path, body, name) in [
            ("/leads", lead("ada@acme.test"), "firstName"),
            ("/leads", lead("ada@acme.test"), "lastName"),
            ("/leads", lead("ada@acme.test"), "companyName"),
            ("/tenants", tenant("other"), "name"),
            ("/contacts", owned.clone(), "firstName"),
            ("/contacts", owned.clone(), "lastName"),
            ("/tenant-configs", setting.clone(), "configKey"),
        ] {
            let mut body = body;
            body[name] = json!(blank);
            let refused = app.client.post(&app.operator, path, &body).await.expect(422);
            assert_eq!(refused.violations(), [format!("/{name} pattern")], "{path} {blank:?}");
            let reason = refused.text("/error/details/0/message");
            assert_eq!(reason, "must have a visible character");
        }
        for (member, name) in [("tenant", "name"), ("admin", "firstName")] {
            let mut body = tenant("other");
            match member {
                "tenant" => body[name] = json!(blank),
                _ => body["contact"][name] = json!(blank),
            }
            app.client.post(&app.operator, "/tenants", &body).await.expect(422);
        }
    }
    assert_eq!(app.count("/tenants").await, 1);
}

#[tokio::test]
async fn an_optional_field_left_empty_in_a_form_is_absent() {
    let app = App::start().await;
    let mut body = lead("ada@acme.test");
    body["address"] = json!({ "address": "", "city": "London", "zip": "", "country": "" });
    app.client.post(&app.operator, "/leads", &body).await.expect(200);
    let lead = app.verified_lead("grace@acme.test").await;
    let body = json!({ "key": "acme", "domains": ["acme.test"], "name": "", "country": "" });
    let made = app.client.post(&lead.token, &format!("/leads/{}/tenants", lead.id), &body).await;
    let made = made.expect(200);
    assert_eq!(made.body["name"], "Acme", "the company of the lead");
    let id = made.text("/id");
    let mut body = contact(&id);
    body["type"] = json!("");
    let made = app.client.post(&app.operator, "/contacts", &body).await.expect(200);
    assert_eq!(made.body["type"], Value::Null);
    let own = format!("/tenants/{id}");
    app.client.patch(&app.operator, &own, &json!({ "spocUserId": "u1" })).await.expect(204);
    app.client.patch(&app.operator, &own, &json!({ "spocUserId": "" })).await.expect(204);
    assert_eq!(app.read(&own).await.body["spocUserId"], Value::Null);
    let body = json!({ "id": "s1", "startDate": "", "endDate": "", "plan": { "tier": "BASIC" } });
    let path = format!("/tenants/{id}/provision");
    app.client.post(&app.operator, &path, &body).await.expect(204);
    let body = json!({ "startDate": "", "endDate": "" });
    let made = app.create("/invoices", &invoice(&id)).await;
    let path = format!("/invoices/{made}");
    app.client.patch(&app.operator, &path, &body).await.expect(422);
}

#[tokio::test]
async fn a_line_break_is_refused_with_a_reason_in_words() {
    let app = App::start().await;
    let id = app.tenant("acme").await;
    for text in ["1 Main St\nSpringfield", "1 Main St\r\nSpringfield", "a\tb"] {
        let mut body = lead("ada@acme.test");
        body["address"]["address"] = json!(text);
        let refused = app.client.post(&app.operator, "/leads", &body).await.expect(422);
        assert_eq!(refused.violations(), ["/address/address pattern"]);
        let reason = refused.text("/error/details/0/message");
        assert!(reason.starts_with("must be one line"), "{reason}");
        let path = format!("/tenants/{id}");
        let refused = app.client.patch(&app.operator, &path, &json!({ "city": text })).await;
        assert_eq!(refused.expect(422).violations(), ["/city pattern"]);
    }
}

#[tokio::test]
async fn international_hosts_are_stored_as_a_labels_and_found_in_either_form() {
    let app = App::start().await;
    let mut body = tenant("acme");
    body["domains"] = json!(["Bücher.example", "почта.рф"]);
    body["contact"]["email"] = json!("Ada@BÜCHER.example");
    let made = app.client.post(&app.operator, "/tenants", &body).await.expect(200);
    assert_eq!(made.body["domains"], json!(["xn--bcher-kva.example", "xn--80a1acny.xn--p1ai"]));
    assert_eq!(made.body["contacts"][0]["email"], "Ada@xn--bcher-kva.example");
    let made = app.client.post(&app.operator, "/leads", &lead("eva@bücher.example")).await;
    let own = format!("/leads/{}", made.expect(200).text("/id"));
    assert_eq!(app.read(&own).await.body["email"], "eva@xn--bcher-kva.example");
    app.key_from_email("eva@xn--bcher-kva.example").await;
    for (list, conditions) in [
        ("/tenants", json!({ "domains": { "contains": ["BÜCHER.example"] } })),
        ("/tenants", json!({ "domains": { "contains": "xn--bcher-kva.EXAMPLE" } })),
        ("/tenants", json!({ "domains": ["bücher.example", "ПОЧТА.рф"] })),
        ("/contacts", json!({ "email": "ada@bücher.example" })),
        ("/contacts", json!({ "email": { "inq": ["ADA@xn--bcher-kva.example"] } })),
        ("/leads", json!({ "email": "Eva@Bücher.example" })),
        ("/leads", json!({ "email": "eva@xn--bcher-kva.example" })),
    ] {
        let filter = json!({ "where": conditions });
        let found = app.read(&with_query(list, "filter", &filter)).await;
        assert_eq!(found.items().len(), 1, "{conditions}");
    }
    for (domains, violation) in [
        (json!(["bücher.example", "xn--bcher-kva.example"]), "/domains uniqueItems"),
        (json!(["bücher"]), "/domains/0 format"),
        (json!(["b\u{202e}ücher.example"]), "/domains/0 format"),
    ] {
        let mut body = tenant("other");
        body["domains"] = domains;
        let refused = app.client.post(&app.operator, "/tenants", &body).await.expect(422);
        assert_eq!(refused.violations(), [violation]);
    }
    let refused = app.client.post(&app.operator, "/leads", &lead("ä@acme.test")).await.expect(422);
    let reason = refused.text("/error/details/0/message");
    assert_eq!(reason, "must have only ASCII characters before the @");
}

#[tokio::test]
async fn a_tenant_moves_and_its_invoices_show_the_new_address() {
    let app = App::start().await;
    let id = app.tenant("acme").await;
    let own = format!("/tenants/{id}");
    let with_address = format!("{own}?filter[include][0]=address");
    let invoice = app.create("/invoices", &invoice(&id)).await;
    let change = |body: Value| {
        let (app, own) = (&app, &own);
        async move { app.client.patch(&app.operator, own, &body).await.expect(204) }
    };
    change(json!({ "address": "1 Old Rd", "city": "Ely", "zip": "CB7", "country": "GB" })).await;
    let first = app.read(&with_address).await.body;
    assert_eq!(first["address"]["city"], "Ely");
    change(json!({ "city": "Bath", "zip": null })).await;
    let moved = app.read(&with_address).await.body;
    assert_eq!(moved["addressId"], first["addressId"], "one address that changes");
    let parts = ["address", "city", "zip", "country"].map(|part| &moved["address"][part]);
    assert_eq!(parts, [&json!("1 Old Rd"), &json!("Bath"), &Value::Null, &json!("GB")]);
    let (_, bytes) =
        app.client.download(&app.operator, &format!("/invoices/{invoice}/download")).await;
    let page = pdf_extract::extract_text_from_mem(&bytes).unwrap();
    assert!(page.contains("Bath") && !page.contains("Ely"), "{page}");

    let read = app.read(&own).await.body;
    app.client.put(&app.operator, &own, &read).await.expect(204);
    let kept = app.read(&with_address).await.body;
    assert_eq!(kept["address"]["city"], "Bath", "a replacement without an address keeps it");
    for (body, violation) in [
        (json!({ "country": "X" }), "/country minLength"),
        (json!({ "city": 5 }), "/city type"),
        (json!({ "address": { "city": "Ely" } }), "/address type"),
        (json!({ "addressId": "7" }), "/addressId const"),
    ] {
        let refused = app.client.patch(&app.operator, &own, &body).await.expect(422);
        assert_eq!(refused.violations(), [violation]);
    }
    change(json!({ "address": null, "city": "", "country": "", "zip": null })).await;
    assert_eq!(app.read(&own).await.body["addressId"], Value::Null);
}
