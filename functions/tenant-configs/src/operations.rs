use domain::{ConfigDetails, Entity, Tenant};
use openapi::{Answer, Operation, child_operations, found, one};
use web::Code;

/// Returns this function's operations for the OpenAPI document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    let (route, summary) = ("GET /tenant-configs/{id}/tenant", "Get the tenant of a configuration");
    let tenant =
        Operation::new(route, "getTenantOfConfig", summary, Answer::One(found(Tenant::SCHEMA)))
            .handler(&crate::tenant)
            .query(one::<Tenant>());
    let taken = (Code::ConfigKeyTaken, "The tenant has a configuration with this key.");
    let mut operations = child_operations::<ConfigDetails>("tenant-configs", Some(taken));
    operations.push(tenant);
    operations
}
