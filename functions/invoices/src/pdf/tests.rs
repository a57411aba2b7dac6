//! Tests of the text in rendered invoices.

use domain::{Invoice, Tenant};
use serde_json::{Value, json};

use super::render;
use crate::Issuer;

const AUDIT: [(&str, &str); 4] = [
    ("createdOn", "2026-02-01T08:00:00.000Z"),
    ("createdBy", "u1"),
    ("modifiedOn", "2026-02-03T08:00:00.000Z"),
    ("modifiedBy", "u1"),
];

fn entity<T: serde::de::DeserializeOwned>(mut members: Value, changes: &Value) -> T {
    for (name, value) in AUDIT {
        members[name] = json!(value);
    }
    for (name, value) in changes.as_object().unwrap() {
        members[name] = value.clone();
    }
    serde_json::from_value(members).unwrap()
}

fn invoice(changes: &Value) -> Invoice {
    let invoice = json!({
        "id": "019c1820-5c00-7a3e-9b1f-4d2c8e6f7a10", "amount": "1234567.5", "status": 0,
        "currencyCode": "EUR", "startDate": "2026-01-01T00:00:00.000Z",
        "endDate": "2026-01-31T23:59:59.999Z", "dueDate": "2026-02-15T00:00:00.000Z",
        "tenantId": "019b7a10-0000-7000-8000-000000000001",
    });
    entity(invoice, changes)
}

fn tenant(changes: &Value) -> Tenant {
    let tenant = json!({
        "id": "019b7a10-0000-7000-8000-000000000001", "name": "Acme", "key": "acme",
        "status": 0, "domains": ["acme.test"],
    });
    entity(tenant, changes)
}

fn address(parts: &Value) -> Value {
    let mut address = json!({ "id": "019b7a10-0000-7000-8000-000000000002" });
    address.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
    json!({ "address": address })
}

fn issuer() -> Issuer {
    Issuer { name: "Tenantry".to_owned(), ..Issuer::default() }
}

/// Returns the text of the page, with white space collapsed.
fn read(invoice: &Invoice, tenant: &Tenant) -> String {
    let pdf = render(invoice, tenant, &issuer()).unwrap().pdf;
    let pages = pdf_extract::extract_text_from_mem_by_pages(&pdf).unwrap();
    assert_eq!(pages.len(), 1);
    pages[0].split_whitespace().collect::<Vec<_>>().join(" ")
}

fn named(name: &str) -> String {
    read(&invoice(&json!({})), &tenant(&json!({ "name": name })))
}

#[test]
fn an_invoice_shows_customer_amount_period_and_due_date() {
    let parts = json!({ "address": "1 Main St", "city": "Springfield", "state": "IL", "zip": "62701", "country": "US" });
    let page = read(&invoice(&json!({})), &tenant(&address(&parts)));
    for field in [
        "Tenantry",
        "INVOICE",
        "PENDING",
        "BILLED TO",
        "Acme",
        "1 Main St",
        "Springfield, IL 62701",
        "US",
        "INVOICE NUMBER",
        "019c1820-5c00-7a3e-9b1f-4d2c8e6f7a10",
        "ISSUE DATE",
        "1 February 2026",
        "DUE DATE",
        "15 February 2026",
        "1 January 2026 – 31 January 2026",
        "Amount due",
        "EUR 1,234,567.50",
        "All amounts in Euro (EUR).",
    ] {
        assert!(page.contains(field), "{field}: {page}");
    }
}

#[test]
fn the_issuer_is_printed_with_address_tax_id_and_payment_terms() {
    let issuer = Issuer {
        name: "Acme Ltd".to_owned(),
        address: vec!["1 Main St".to_owned(), "ग्राम 7".to_owned(), "W".repeat(200)],
        tax_id: Some("GB 123".to_owned()),
        payment_terms: Some("Payable within 14 days. ".repeat(20)),
    };
    let render = |status| {
        let invoice = invoice(&json!({ "status": status }));
        let page = render(&invoice, &tenant(&json!({})), &issuer).unwrap();
        assert!(page.missing.is_empty());
        let text = pdf_extract::extract_text_from_mem(&page.pdf).unwrap();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let page = render(0);
    for printed in ["Acme Ltd", "1 Main St", "Tax ID: GB 123", "Payable within 14 days."] {
        assert!(page.contains(printed), "{printed}: {page}");
    }
    assert!(!render(2).contains("Payable"), "a cancelled invoice is not paid");
}

#[test]
fn amounts_use_the_decimals_of_the_currency_and_keep_every_digit() {
    for (code, amount, shown) in [
        ("JPY", "1200", "JPY 1,200"),
        ("KWD", "1200.5", "KWD 1,200.500"),
        ("USD", "12345678901234567.89", "USD 12,345,678,901,234,567.89"),
        ("USD", "0.00005", "USD 0.00005"),
        (
            "CHF",
            "99999999999999999999999999999999999999",
            "CHF 99,999,999,999,999,999,999,999,999,999,999,999,999.00",
        ),
    ] {
        let invoice = invoice(&json!({ "currencyCode": code, "amount": amount }));
        let page = read(&invoice, &tenant(&json!({})));
        assert_eq!(page.matches(shown).count(), 2, "{shown}: {page}");
    }
}

#[test]
fn paid_and_cancelled_invoices_are_marked() {
    for (status, mark, says) in
        [(1, "PAID", "Paid in full"), (2, "CANCELLED", "This invoice is void")]
    {
        let page = read(&invoice(&json!({ "status": status })), &tenant(&json!({})));
        assert!(page.contains(mark) && page.contains(says), "{page}");
        assert!(!page.contains("Amount due"), "{page}");
    }
}

#[test]
fn names_may_be_in_any_script() {
    // A PDF reader may extract a separate mark as its own word.
    let close = |text: &str| text.split_whitespace().collect::<String>();
    for name in [
        "Žofie & Søn",
        "Ελληνική Εταιρεία",
        "Съешь ещё",
        "株式会社テスト",
        "汉字公司",
        "주식회사 한글",
        "บริษัท",
        "Հայ",
        "ქართული",
    ] {
        let page = named(name);
        assert!(close(&page).contains(&close(name)), "{name}: {page}");
    }
    // Right to left: a PDF reader may extract words in visual order, that is reversed.
    for name in ["שלום", "مرحبا"] {
        let reversed: String = name.chars().rev().collect();
        let page = named(name);
        assert!(page.contains(&reversed) || page.contains(name), "{name}: {page}");
    }
    let rtl = address(&json!({ "city": "القاهرة", "zip": "120 00" }));
    let page = read(&invoice(&json!({})), &tenant(&rtl));
    assert!(page.contains("120 00"), "{page}");
    // Emoji are extracted as themselves, and so are characters that are shown as a replacement.
    let page = named("Crab 🦀 Co");
    assert!(page.contains("Crab 🦀 Co"), "{page}");
    let page = named("Rare \u{20000} Co");
    assert!(page.contains("Rare \u{20000} Co"), "{page}");
}

#[test]
fn hostile_names_do_not_break_the_layout() {
    let close = |page: String| page.split_whitespace().collect::<String>();
    for wide in ["W", "漢", "ﷺ", "😀", "ক", "\u{1f600}\u{301}"] {
        let parts = json!({
            "address": wide.repeat(500 / wide.chars().count()), "city": wide.repeat(50),
            "state": wide.repeat(50), "zip": wide.repeat(12), "country": wide.repeat(12),
        });
        let mut changes = address(&parts);
        changes["name"] = json!(wide.repeat(50));
        let page = close(read(&invoice(&json!({})), &tenant(&changes)));
        assert!(page.contains("EUR1,234,567.50"), "{wide}: {page}");
    }
    assert!(close(named(&"W".repeat(100))).contains(&"W".repeat(100)));
    let markup = "<img src=x onerror=alert(1)> (%s) \\) Tj";
    assert!(close(named(markup)).contains(&close(markup.to_owned())));
    let steered = named("Acme\u{202e}gnp.exe\u{0}\n\u{2066}Amount due EUR 0.00");
    assert!(steered.contains("Acmegnp.exe Amount due EUR 0.00"), "{steered}");
    for name in ["\u{202e}", "\u{301}", "\u{200d}", " "] {
        assert!(named(name).contains("BILLED TO"));
    }
}

#[test]
fn rendering_is_deterministic() {
    let (invoice, tenant) = (invoice(&json!({})), tenant(&json!({ "name": "Ελλάς 漢字" })));
    let once = render(&invoice, &tenant, &issuer()).unwrap().pdf;
    assert_eq!(once, render(&invoice, &tenant, &issuer()).unwrap().pdf);
    assert!(once.len() < 40_000, "{} bytes: the fonts are not subset", once.len());
}
