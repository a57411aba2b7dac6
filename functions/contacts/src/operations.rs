use domain::ContactDetails;
use openapi::{Operation, child_operations};

/// Returns this function's operations for the OpenAPI document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    child_operations::<ContactDetails>("contacts", None)
}
