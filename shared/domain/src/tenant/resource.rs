use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Audit, Entity, Metadata, ResourceId, TenantId, Text, UserId, entity::wire_of, permit};
use crate::{Result, entities};
use filter::Schema;
use schema::{FromJson, FromMembers, Members, Reader, Timestamp};

/// A resource that was created for a tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// The resource's ID.
    pub id: ResourceId,
    /// The resource's identifier in the system where it was created.
    pub external_identifier: String,
    /// The type of the resource, such as `bucket`.
    #[serde(rename = "type")]
    pub kind: Text<1, 100>,
    /// Additional information from the build.
    pub metadata: Metadata,
    /// The tenant that owns the resource.
    pub tenant_id: TenantId,
    /// The attempt number of the job that reported the resource; 0 if it is unknown.
    #[serde(default)]
    pub attempt: u32,
    /// The batch that the resource was written with before its job closed. The resource exists once
    /// the tenant names the batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
    /// The audit fields of the resource.
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
        let mut wire = wire_of(self)?;
        wire.remove("attempt");
        wire.remove("batch");
        Ok(wire)
    }
}

impl Resource {
    /// Returns this resource as a part of `batch`, with the ID that repetitions of the batch give
    /// it.
    #[must_use]
    pub fn in_batch(self, batch: &str, id: ResourceId) -> Self {
        Self { id, batch: Some(batch.to_owned()), ..self }
    }

    /// Returns the type and the identifier, which no two resources of a tenant share.
    #[must_use]
    pub fn name(&self) -> (&str, &str) {
        (self.kind.as_str(), &self.external_identifier)
    }
}

/// The maximum length of an external identifier in characters.
const MAX_IDENTIFIER_LENGTH: usize = 2048;

/// Metadata and the bucket name in it.
#[derive(Default)]
struct BucketMetadata {
    metadata: Metadata,
    bucket: Option<String>,
}

impl FromJson for BucketMetadata {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let metadata = Metadata::from_json(value, at)?;
        let named = |name: &&str| (1..=MAX_IDENTIFIER_LENGTH).contains(&name.chars().count());
        let bucket = value["bucket"].as_str().filter(named).map(str::to_owned);
        Some(Self { metadata, bucket })
    }

    fn schema() -> Value {
        Metadata::schema()
    }
}

/// A resource as reported by a build.
#[derive(Clone, Debug, PartialEq)]
pub struct NewResource {
    kind: Text<1, 100>,
    external_identifier: String,
    metadata: Metadata,
}

impl NewResource {
    /// Keeps the last of several resources with one type and identifier.
    pub(crate) fn unique(mut resources: Vec<Self>) -> Vec<Self> {
        let mut names = HashSet::new();
        resources.reverse();
        let mut is_last =
            |new: &Self| names.insert((new.kind.to_string(), new.external_identifier.clone()));
        resources.retain(&mut is_last);
        resources.reverse();
        resources
    }

    /// Returns the size of the metadata in bytes.
    pub(crate) fn metadata_bytes(&self) -> usize {
        self.metadata.bytes()
    }

    /// Creates the resource of `tenant`, as reported by the job with this `attempt` number.
    #[must_use]
    pub fn to_resource(
        &self,
        tenant: TenantId,
        attempt: u32,
        now: Timestamp,
        by: &UserId,
    ) -> Resource {
        Resource {
            id: ResourceId::generate(),
            external_identifier: self.external_identifier.clone(),
            kind: self.kind.clone(),
            metadata: self.metadata.clone(),
            tenant_id: tenant,
            attempt,
            batch: None,
            audit: Audit::created(now, by),
        }
    }
}

impl FromMembers for NewResource {
    /// See [`BuildReport`](crate::BuildReport).
    const ALLOWS_UNKNOWN: bool = true;

    /// Reads a resource. If `externalIdentifier` is missing, `metadata.bucket` is used.
    fn from_members(members: &mut impl Members) -> Option<Self> {
        let kind = members.required("type");
        let given: Option<Text<1, MAX_IDENTIFIER_LENGTH>> = members.optional("externalIdentifier");
        let metadata = members.optional::<BucketMetadata>("metadata");
        let BucketMetadata { metadata, bucket } = metadata.unwrap_or_default();
        if !members.gives("externalIdentifier")
            && bucket.is_none()
            && let Some(mut at) = members.place(None)
        {
            let message = "must have required property 'externalIdentifier'";
            at.violate("required", message, json!({ "missingProperty": "externalIdentifier" }));
        }
        let external_identifier = given.map(|given| given.to_string());
        Some(Self { external_identifier: external_identifier.or(bucket)?, kind: kind?, metadata })
    }

    fn rules() -> Map<String, Value> {
        let named = json!({ "properties": { "externalIdentifier": { "type": "string" } },
            "required": ["externalIdentifier"] });
        let bucket =
            json!({ "type": "string", "minLength": 1, "maxLength": MAX_IDENTIFIER_LENGTH });
        let bucket =
            json!({ "type": "object", "properties": { "bucket": bucket }, "required": ["bucket"] });
        let by_bucket = json!({ "properties": { "metadata": bucket }, "required": ["metadata"] });
        Map::from_iter([("anyOf".to_owned(), json!([named, by_bucket]))])
    }
}
