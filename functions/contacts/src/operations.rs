use domain::ContactDetails;
use openapi::{Operation, child_operations};

/// The routes of this function, as the OpenAPI document describes them.
#[must_use]
pub fn operations() -> Vec<Operation> {
    child_operations::<ContactDetails>("contacts", None)
}
