use domain::{InvoiceDetails, InvoiceId};
use openapi::{Answer, Operation, Operations, child_routes};
use schema::FromJson;
use serde_json::json;
use web::{Backend, Code, Routes};

use crate::{
    Downloads,
    download::{by_path, by_query},
};

/// Declares the routes of invoices.
pub(crate) fn invoices<R: Routes<Backend, Operation>>(routes: R) -> R {
    let done =
        (Code::InvoiceFinal, "The invoice is paid or cancelled, and the request changes it.");
    child_routes::<InvoiceDetails, R>(routes, "invoices", None, Some(done))
}

/// Declares the routes of PDFs.
pub(crate) fn downloads<R: Routes<Downloads, Operation>>(routes: R) -> R {
    let id = || json!({ "name": "id", "required": true, "schema": InvoiceId::schema() });
    routes.route("GET /invoices/{id}/download", by_path, || download("downloadInvoice")).route(
        "GET /invoices/download",
        by_query,
        || download("downloadInvoiceById").query(id()),
    )
}

/// Returns this function's operations for the OpenAPI document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    downloads(invoices(Operations::default())).0
}

fn download(id: &str) -> Operation {
    Operation::new(id, "Download an invoice as a PDF", Answer::File(&["application/pdf"]))
}
