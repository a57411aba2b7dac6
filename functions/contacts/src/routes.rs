use domain::ContactDetails;
use openapi::{Operation, Operations, child_routes};
use web::{Backend, Routes};

/// Declares the routes of this function.
pub(crate) fn routes<R: Routes<Backend, Operation>>(routes: R) -> R {
    child_routes::<ContactDetails, R>(routes, "contacts", None, None)
}

/// Returns this function's operations for the OpenAPI document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    routes(Operations::default()).0
}
