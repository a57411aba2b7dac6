//! The OpenAPI document is what the code says.

use std::{fs, path::PathBuf};

use shared::openapi::{Operation, document};

/// Where the document lies, from which `home` serves it.
fn file() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../functions/home/assets/openapi.json").into()
}

/// The operations of every function.
fn operations() -> Vec<Operation> {
    let functions = [
        leads::operations(),
        tenants::operations(),
        contacts::operations(),
        invoices::operations(),
        tenant_configs::operations(),
        webhook::operations(),
        idp::operations(),
        home::operations(),
    ];
    functions.concat()
}

#[test]
fn the_document_is_what_the_code_says() {
    let mut text = serde_json::to_string_pretty(&document(&operations())).unwrap();
    text.push('\n');
    #[expect(clippy::disallowed_methods, reason = "how tests are run is not configuration")]
    if std::env::var("TENANTRY_TEST_RENEW").is_ok() {
        fs::write(file(), &text).unwrap();
    }
    let renew = "TENANTRY_TEST_RENEW=1 cargo test --workspace --test api openapi";
    assert!(fs::read_to_string(file()).unwrap() == text, "it is stale; renew it by: {renew}");
}
