use aws_sdk_dynamodb::types::AttributeValue;
use serde::Deserialize;

use crate::table::item::Attributes;
use domain::TenantId;

/// The item that names the tenant of a child or of a tenant key.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Owner {
    pub(crate) tenant_id: TenantId,
}

/// Returns the attributes of an item that only names a tenant.
pub(crate) fn owned_by(tenant: TenantId, kind: &str) -> Attributes {
    [
        ("entity".into(), AttributeValue::S(kind.into())),
        ("tenantId".into(), AttributeValue::S(tenant.to_string())),
    ]
    .into()
}
