//! The committed OpenAPI document matches the code.

use std::{fs, path::PathBuf};

use openapi::{Operation, document};
use serde_json::Value;

/// Returns the path of the document that `home` serves.
fn file() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../functions/home/assets/openapi.json").into()
}

/// Returns the operations of all functions.
fn operations() -> Vec<Operation> {
    let functions = [
        leads::operations(),
        tenants::operations(),
        audit::operations(),
        plans::operations(),
        contacts::operations(),
        invoices::operations(),
        subscriptions::operations(),
        tenant_configs::operations(),
        webhook::operations(),
        idp::operations(),
        operators::operations(),
        home::operations(),
    ];
    functions.concat()
}

#[test]
fn the_openapi_document_is_up_to_date() {
    let mut text = serde_json::to_string_pretty(&document(&operations())).unwrap();
    text.push('\n');
    #[expect(clippy::disallowed_methods, reason = "a test setting, not configuration")]
    if std::env::var("TENANTRY_TEST_RENEW").is_ok() {
        fs::write(file(), &text).unwrap();
    }
    let renew = "TENANTRY_TEST_RENEW=1 cargo test --workspace --test api openapi";
    assert!(
        fs::read_to_string(file()).unwrap() == text,
        "the document is outdated; update it with: {renew}"
    );
}

/// Returns every `$ref` below a value.
fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str);
            own.into_iter().chain(members.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn every_reference_in_the_document_has_a_target() {
    let document = document(&operations());
    let mut missing = references(&document);
    missing.retain(|reference| document.pointer(reference.trim_start_matches('#')).is_none());
    assert_eq!(missing, Vec::<&str>::new());
}
