use domain::{InvoiceDetails, InvoiceId};
use openapi::{Answer, Operation, child_operations};
use schema::FromJson;
use serde_json::json;

use crate::download::{by_path, by_query};

/// Returns this function's operations for the OpenAPI document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    let file = || Answer::File("application/pdf");
    let summary = "Download an invoice as a PDF";
    let id = json!({ "name": "id", "required": true, "schema": InvoiceId::schema() });
    let downloads = [
        Operation::new("GET /invoices/{id}/download", "downloadInvoice", summary, file())
            .handler(&by_path),
        Operation::new("GET /invoices/download", "downloadInvoiceById", summary, file())
            .handler(&by_query)
            .query(id),
    ];
    child_operations::<InvoiceDetails>("invoices", None).into_iter().chain(downloads).collect()
}
