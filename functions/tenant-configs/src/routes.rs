use domain::{ConfigDetails, Entity, Tenant};
use openapi::{Answer, Operation, Operations, child_routes, found, one};
use web::{Backend, Code, Routes};

/// Declares the routes of this function.
pub(crate) fn routes<R: Routes<Backend, Operation>>(routes: R) -> R {
    let taken = (Code::ConfigKeyTaken, "The tenant has a configuration with this key.");
    child_routes::<ConfigDetails, R>(routes, "tenant-configs", Some(taken), None).route(
        "GET /tenant-configs/{id}/tenant",
        crate::tenant,
        tenant,
    )
}

/// Returns this function's operations for the OpenAPI document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    routes(Operations::default()).0
}

fn tenant() -> Operation {
    let summary = "Get the tenant of a configuration";
    Operation::new("getTenantOfConfig", summary, Answer::One(found(Tenant::SCHEMA)))
        .query(one::<Tenant>())
}
