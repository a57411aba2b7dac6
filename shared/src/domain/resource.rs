use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Audit, Entity, FromMembers, Members, ResourceId, TenantId, Text, Timestamp, UserId,
    entity::wire_of, permit,
};
use crate::{
    Result,
    filter::{Schema, entities},
};

/// Something that provisioning built for a tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// Its id.
    pub id: ResourceId,
    /// What it is called where it was built.
    pub external_identifier: String,
    /// What it is, such as `bucket`.
    #[serde(rename = "type")]
    pub kind: Text<1, 100>,
    /// What else is known of it.
    pub metadata: Map<String, Value>,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Who did what to it, and when.
    #[serde(flatten)]
    pub audit: Audit,
}

impl Entity for Resource {
    const SCHEMA: &'static Schema = &entities::RESOURCE;
    type View = permit::ViewTenant;

    fn audit(&self) -> &Audit {
        &self.audit
    }

    fn wire(&self) -> Result<Map<String, Value>> {
        wire_of(self)
    }
}

/// A resource as a webhook reports it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewResource {
    kind: Text<1, 100>,
    external_identifier: String,
    metadata: Map<String, Value>,
}

impl NewResource {
    /// The resource of `tenant` that this becomes.
    #[must_use]
    pub fn of(&self, tenant: TenantId, now: Timestamp, by: &UserId) -> Resource {
        Resource {
            id: ResourceId::mint(),
            external_identifier: self.external_identifier.clone(),
            kind: self.kind.clone(),
            metadata: self.metadata.clone(),
            tenant_id: tenant,
            audit: Audit::created(now, by),
        }
    }
}

impl FromMembers for NewResource {
    /// A resource without `externalIdentifier` is known by its `metadata.bucket` (CONTRACT §6).
    fn from_members(members: &mut impl Members) -> Option<Self> {
        let kind = members.required("type");
        let given: Option<Text<1, 2048>> = members.optional("externalIdentifier");
        let metadata: Map<_, _> = members.optional("metadata").unwrap_or_default();
        let bucket = metadata.get("bucket").and_then(Value::as_str).filter(|name| !name.is_empty());
        if !members.gives("externalIdentifier")
            && bucket.is_none()
            && let Some(mut at) = members.place(None)
        {
            let message = "must have required property 'externalIdentifier'";
            at.violate("required", message, json!({ "missingProperty": "externalIdentifier" }));
        }
        let external_identifier = given.map(|given| given.to_string());
        Some(Self {
            external_identifier: external_identifier.or_else(|| bucket.map(str::to_owned))?,
            kind: kind?,
            metadata,
        })
    }

    fn rules() -> Map<String, Value> {
        let named = json!({ "properties": { "externalIdentifier": { "type": "string" } },
            "required": ["externalIdentifier"] });
        let bucket = json!({ "type": "string", "minLength": 1 });
        let bucket =
            json!({ "type": "object", "properties": { "bucket": bucket }, "required": ["bucket"] });
        let by_bucket = json!({ "properties": { "metadata": bucket }, "required": ["metadata"] });
        Map::from_iter([("anyOf".to_owned(), json!([named, by_bucket]))])
    }
}
