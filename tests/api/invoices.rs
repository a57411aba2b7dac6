use reqwest::Method;
use serde_json::{Value, json};
use support::{App, config, invoice, tenant, with_query};

use crate::lead_data::Party;

/// An amount that a float cannot represent.
const EXACT: &str = "12345678901234567.89";

/// Returns an invoice's body with this amount, as text.
fn text_with(tenant: &str, amount: &str) -> String {
    let body = invoice(tenant).to_string();
    body.replace("\"amount\":1200", &format!("\"amount\":{amount}"))
}

async fn create(app: &App, tenant: &str, amount: &str) -> support::Reply {
    let body = text_with(tenant, amount);
    app.client.send_text(Method::POST, &app.operator, "/invoices", &body).await.expect(200)
}

#[tokio::test]
async fn an_amount_keeps_every_digit_everywhere() {
    let app = App::start().await;
    let tenant = app.tenant("acme").await;
    let made = create(&app, &tenant, EXACT).await;
    for near in ["12345678901234567.88", "12345678901234567.9", "12345678901234568"] {
        create(&app, &tenant, near).await;
    }
    let written = format!("\"amount\":{EXACT},");
    let own = format!("/invoices/{}", made.text("/id"));
    let by = |conditions: &str| format!("/invoices?filter={{\"where\":{conditions}}}");
    for path in [
        own.clone(),
        format!("{own}?filter[include][0]=tenant"),
        by(&format!("{{\"amount\":{EXACT}}}")),
        by(&format!("{{\"amount\":\"{EXACT}\"}}")),
        by("{\"amount\":{\"gt\":12345678901234567.88,\"lt\":12345678901234567.9}}"),
        by("{\"amount\":{\"between\":[12345678901234567.881,12345678901234567.899]}}"),
        format!("/invoices?filter[where][amount]={EXACT}"),
        "/invoices?filter[order]=amount ASC&filter[skip]=1&filter[limit]=1".to_owned(),
        "/invoices?filter[order]=amount DESC&filter[skip]=2&filter[limit]=1".to_owned(),
        "/invoices?filter[fields][0]=amount&filter[fields][1]=id&filter[order]=amount&filter[skip]=1&limit=1"
            .to_owned(),
    ] {
        let read = app.read(&path).await;
        assert!(read.raw.contains(&written.replace(',', "")), "{path}: {}", read.raw);
        assert_eq!(read.raw.matches("\"amount\"").count(), 1, "{path}");
    }
    assert!(made.raw.contains(&written), "{}", made.raw);

    for method in [Method::PATCH, Method::PUT] {
        let read = app.read(&own).await.raw;
        app.client.send_text(method, &app.operator, &own, &read).await.expect(204);
        assert!(app.read(&own).await.raw.contains(&written));
    }
    app.client.patch(&app.operator, &own, &json!({ "status": 1 })).await.expect(204);
    assert!(
        app.read(&own).await.raw.contains(&written),
        "a patch of another field keeps the amount"
    );
}

#[tokio::test]
async fn all_violations_of_an_invoice_are_in_one_response() {
    let app = App::start().await;
    let body = json!({
        "startDate": "2026-02-30", "endDate": 7, "amount": -1, "currencyCode": "EUX",
        "dueDate": null, "status": 3, "invoiceFile": 5, "tenantId": "acme", "id": "x",
    });
    let refused = app.client.post(&app.operator, "/invoices", &body).await.expect(422);
    let mut violations = refused.violations();
    violations.sort();
    assert_eq!(
        violations,
        [
            " additionalProperties",
            "/amount minimum",
            "/currencyCode format",
            "/dueDate type",
            "/endDate type",
            "/invoiceFile type",
            "/startDate format",
            "/status enum",
            "/tenantId format",
        ]
    );
}

#[tokio::test]
async fn a_period_cannot_end_before_it_starts() {
    let app = App::start().await;
    let tenant = app.tenant("acme").await;
    let id = app.create("/invoices", &invoice(&tenant)).await;
    let own = format!("/invoices/{id}");
    let before = app.settled().await;
    for change in [
        json!({ "endDate": "2025-12-31" }),
        json!({ "startDate": "2026-02-01" }),
        json!({ "startDate": "2026-03-01", "endDate": "2026-02-01" }),
    ] {
        for path in [&own, &format!("/invoices?where[id]={id}")] {
            let refused = app.client.patch(&app.operator, path, &change).await.expect(422);
            assert_eq!(refused.violations(), ["/endDate formatMinimum"], "{change}");
        }
    }
    assert_eq!(app.items(), before);
    let later = json!({ "startDate": "2026-03-01", "endDate": "2026-03-01" });
    app.client.patch(&app.operator, &own, &later).await.expect(204);
    assert_eq!(app.read(&own).await.body["endDate"], "2026-03-01T00:00:00.000Z");
}

#[tokio::test]
async fn one_invalid_invoice_stops_a_bulk_update() {
    let app = App::start().await;
    let tenant = app.tenant("acme").await;
    app.create("/invoices", &invoice(&tenant)).await;
    let mut late = invoice(&tenant);
    late["endDate"] = json!("2026-12-31");
    app.create("/invoices", &late).await;
    let before = app.settled().await;
    let change = json!({ "startDate": "2026-06-01" });
    let all = format!("/invoices?where[tenantId]={tenant}");
    let refused = app.client.patch(&app.operator, &all, &change).await.expect(422);
    assert_eq!(refused.violations(), ["/endDate formatMinimum"]);
    assert_eq!(app.items(), before, "no invoice was changed");
}

/// Returns the text of a downloaded page.
fn words(reply: &support::Reply, bytes: &[u8]) -> String {
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/pdf"));
    assert!(bytes.starts_with(b"%PDF-"));
    pdf_extract::extract_text_from_mem(bytes).unwrap()
}

#[tokio::test]
async fn an_invoice_is_downloaded_as_a_pdf_with_its_data() {
    let app = App::start().await;
    let mut acme = tenant("acme");
    acme["name"] = json!("Acme & Söhne <b>");
    let tenant = app.create("/tenants", &acme).await;
    let id = create(&app, &tenant, EXACT).await.text("/id");
    for path in [format!("/invoices/{id}/download"), format!("/invoices/download?id={id}")] {
        let (reply, bytes) = app.client.download(&app.operator, &path).await;
        let page = words(&reply, &bytes);
        for word in
            ["Acme & Söhne <b>", "12,345,678,901,234,567.89", "EUR", "2026", "PENDING", "Tenantry"]
        {
            assert!(page.contains(word), "no {word} in {page}");
        }
        let named = format!("attachment; filename=\"invoice-{id}.pdf\"");
        assert_eq!(reply.header("content-disposition"), named);
    }
    app.client.patch(&app.operator, &format!("/invoices/{id}"), &json!({ "status": 1 })).await;
    let (reply, bytes) =
        app.client.download(&app.operator, &format!("/invoices/{id}/download")).await;
    assert!(words(&reply, &bytes).contains("PAID"));
}

#[tokio::test]
async fn a_page_has_every_glyph_or_names_the_missing_ones() {
    let app = App::start().await;
    for (key, name, missing) in [
        ("a", "తెలుగు కంపెనీ 🦀 ខ្មែរ", ""),
        ("b", "Rare \u{20001} \u{20000} and \u{e000}", "U+E000, U+20000, U+20001"),
    ] {
        let mut named = tenant(key);
        named["name"] = json!(name);
        let tenant = app.create("/tenants", &named).await;
        let id = app.create("/invoices", &invoice(&tenant)).await;
        let path = format!("/invoices/{id}/download");
        let (reply, _) = app.client.download(&app.operator, &path).await;
        assert_eq!((reply.status, reply.header("tenantry-missing-glyphs")), (200, missing));
    }
}

#[tokio::test]
async fn the_issuer_is_configured() {
    let app = App::with_variables(&[
        ("INVOICE_ISSUER_NAME", "Issuer Ltd"),
        ("INVOICE_ISSUER_ADDRESS", "7 Bank St|Leeds LS1"),
        ("INVOICE_ISSUER_TAX_ID", "GB 42"),
        ("INVOICE_ISSUER_PAYMENT_TERMS", "Payable within 14 days"),
    ])
    .await;
    let tenant = app.tenant("acme").await;
    let id = app.create("/invoices", &invoice(&tenant)).await;
    let (reply, bytes) =
        app.client.download(&app.operator, &format!("/invoices/{id}/download")).await;
    let page = words(&reply, &bytes);
    for printed in ["Issuer Ltd", "7 Bank St", "Leeds LS1", "GB 42", "Payable within 14 days"] {
        assert!(page.contains(printed), "no {printed} in {page}");
    }
}

#[tokio::test]
async fn a_failed_download_is_answered_with_an_error_envelope() {
    let app = App::start().await;
    let tenant = app.tenant("acme").await;
    let id = app.create("/invoices", &invoice(&tenant)).await;
    let unknown = uuid();
    for (path, status) in [
        (format!("/invoices/{unknown}/download"), 404),
        (format!("/invoices/download?id={unknown}"), 404),
        ("/invoices/x/download".to_owned(), 404),
        ("/invoices/download?id=x".to_owned(), 404),
        ("/invoices/download".to_owned(), 400),
        (format!("/invoices/download?id={id}&id={id}"), 400),
    ] {
        let refused = app.client.get(&app.operator, &path).await.expect(status);
        assert_eq!(refused.body["error"]["statusCode"], status, "{path}");
    }
    app.client.delete(&app.operator, &format!("/tenants/{tenant}")).await.expect(204);
    for path in [format!("/invoices/{id}/download"), format!("/invoices/download?id={id}")] {
        let gone = app.client.get(&app.operator, &path).await.expect(404);
        assert_eq!(gone.text("/error/code"), "ENTITY_NOT_FOUND");
    }
}

fn uuid() -> String {
    domain::InvoiceId::generate().to_string()
}

#[tokio::test]
async fn invoices_can_be_filtered_by_status_tenant_and_date() {
    let app = App::start().await;
    let tenant = app.tenant("acme").await;
    let mut paid = invoice(&tenant);
    paid["status"] = json!(1);
    let paid = app.create("/invoices", &paid).await;
    app.create("/invoices", &invoice(&tenant)).await;
    for conditions in [
        json!({ "status": 1 }),
        json!({ "status": { "inq": [1, 2] }, "tenantId": tenant }),
        json!({ "and": [{ "status": { "neq": 0 } }, { "dueDate": "2026-02-14" }] }),
    ] {
        let filter = json!({ "where": conditions });
        let found = app.read(&with_query("/invoices", "filter", &filter)).await;
        assert_eq!(found.each("id"), [Value::from(paid.clone())], "{conditions}");
        let counted = app.read(&with_query("/invoices/count", "where", &conditions)).await;
        assert_eq!(counted.body, json!({ "count": 1 }));
    }
}

#[tokio::test]
async fn a_paid_or_cancelled_invoice_is_not_changed_or_deleted() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    for status in [1, 2] {
        let own = format!("/invoices/{}", app.create("/invoices", &invoice(&acme)).await);
        app.client.patch(&app.operator, &own, &json!({ "amount": 7 })).await.expect(204);
        app.client.patch(&app.operator, &own, &json!({ "status": status })).await.expect(204);
        let read = app.read(&own).await.body;
        let before = app.settled().await;
        let mut other = read.clone();
        other["amount"] = json!(8);
        for refused in [
            app.client.patch(&app.operator, &own, &json!({ "amount": 8 })).await,
            app.client.patch(&app.operator, &own, &json!({ "status": 0 })).await,
            app.client.patch(&app.operator, &own, &json!({ "status": 3 - status })).await,
            app.client.put(&app.operator, &own, &other).await,
            app.client.delete(&app.operator, &own).await,
            app.client.patch(&app.operator, "/invoices?where={}", &json!({ "amount": 8 })).await,
        ] {
            assert_eq!(refused.expect(409).text("/error/code"), "INVOICE_FINAL");
        }
        assert_eq!(app.items(), before);
        for change in [json!({}), json!({ "status": status, "amount": 7.0 })] {
            app.client.patch(&app.operator, &own, &change).await.expect(204);
        }
        let read = app.read(&own).await.body;
        app.client.put(&app.operator, &own, &read).await.expect(204);
        let same = format!("/invoices?where[status]={status}");
        let bulk = app.client.patch(&app.operator, &same, &json!({ "status": status })).await;
        assert_eq!(bulk.expect(200).body["count"], 1);
    }
    app.client.delete(&app.operator, &format!("/tenants/{acme}")).await.expect(204);
}

#[tokio::test]
async fn leads_create_invoices_only_if_the_deployment_allows_it() {
    for (allowed, status) in [("", 403), ("false", 403), ("true", 200)] {
        let app = App::with_variables(&[("LEAD_INVOICES", allowed)]).await;
        let zoe = Party::new(&app, "zoe").await;
        for token in [&zoe.token, &zoe.token_with_all_permissions()] {
            app.client.post(token, "/invoices", &invoice(&zoe.tenant)).await.expect(status);
            let early = app.client.post(token, "/invoices", &json!({})).await;
            assert_eq!(early.status, if status == 403 { 403 } else { 422 }, "before the body");
            let theme = config(&zoe.tenant, &format!("k{}", token.len()));
            app.client.post(token, "/tenant-configs", &theme).await.expect(200);
            let own = format!("/invoices/{}/download", zoe.invoice);
            app.client.get(token, &own).await.expect(200);
        }
        app.create("/invoices", &invoice(&zoe.tenant)).await;
    }
}
