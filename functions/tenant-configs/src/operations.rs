use domain::{ConfigDetails, Entity, Tenant, permit};
use openapi::{Answer, Operation, child_operations, found, one};

/// The routes of this function, as the OpenAPI document describes them.
#[must_use]
pub fn operations() -> Vec<Operation> {
    let (route, summary) =
        ("GET /tenant-configs/{id}/tenant", "The tenant that the configuration is of.");
    let tenant =
        Operation::new(route, "getTenantOfConfig", summary, Answer::One(found(Tenant::SCHEMA)))
            .allowed::<permit::ViewTenantConfig>()
            .also_requires::<permit::ViewTenant>()
            .query(one::<Tenant>());
    let taken = "The tenant has a configuration of this key.";
    let mut operations = child_operations::<ConfigDetails>("tenant-configs", Some(taken));
    operations.push(tenant);
    operations
}
