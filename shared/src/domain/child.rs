use std::fmt;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    Audit, Editable, Entity, EntityId, FromMembers, Members, Permit, TenantId, Timestamp, UserId,
    entity::wire_of,
};
use crate::{Result, filter::Schema};

/// What a child of a tenant is, beside its id, its tenant and its audit: one implementation for each
/// kind of children.
pub trait Details:
    FromMembers + Clone + fmt::Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// Identifies one.
    type Id: EntityId;
    /// Which kind it is.
    const KIND: ChildKind;
    /// Its properties on the wire.
    const SCHEMA: &'static Schema;
    /// What a caller needs to create one.
    type Create: Permit;
    /// What a caller needs to see one.
    type View: Permit;
    /// What a caller needs to change one.
    type Update: Permit;
    /// What a caller needs to delete one.
    type Delete: Permit;

    /// What no two children of one tenant may have in common, if there is such a thing.
    fn unique(&self) -> Option<&str> {
        None
    }
}

/// The kinds of children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildKind {
    /// Somebody to talk to.
    Contact,
    /// A configuration.
    Config,
    /// What the tenant has to pay.
    Invoice,
}

impl ChildKind {
    /// What its items are called.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Config => "config",
            Self::Invoice => "invoice",
        }
    }
}

/// Something that belongs to a tenant, and is out of sight once the tenant is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", bound = "")]
pub struct Child<D: Details> {
    /// Its id.
    pub id: D::Id,
    /// What it is.
    #[serde(flatten)]
    pub details: D,
    /// The tenant it belongs to, for good.
    pub tenant_id: TenantId,
    /// Who did what to it, and when.
    #[serde(flatten)]
    pub audit: Audit,
}

/// A child as a client gives it.
#[derive(Clone, Debug)]
pub struct NewChild<D> {
    /// What it is.
    pub details: D,
    /// The tenant it is to belong to.
    pub tenant_id: TenantId,
}

impl<D: Details> FromMembers for NewChild<D> {
    fn from_members(members: &mut impl Members) -> Option<Self> {
        let (details, tenant_id) = (D::from_members(members), members.required("tenantId"));
        Some(Self { details: details?, tenant_id: tenant_id? })
    }
}

impl<D: Details> NewChild<D> {
    /// The child that this becomes.
    #[must_use]
    pub fn create(self, now: Timestamp, by: &UserId) -> Child<D> {
        Child {
            id: D::Id::mint(),
            details: self.details,
            tenant_id: self.tenant_id,
            audit: Audit::created(now, by),
        }
    }
}

impl<D: Details> Entity for Child<D> {
    const SCHEMA: &'static Schema = D::SCHEMA;
    type View = D::View;

    fn audit(&self) -> &Audit {
        &self.audit
    }

    fn wire(&self) -> Result<Map<String, Value>> {
        wire_of(self)
    }
}

impl<D: Details> Editable for Child<D> {
    type Details = D;
    type Update = D::Update;

    const FIXED: &'static [&'static str] = &[
        "id",
        "tenantId",
        "createdOn",
        "modifiedOn",
        "createdBy",
        "modifiedBy",
        "deleted",
        "deletedOn",
        "deletedBy",
    ];

    fn edited(self, details: D, now: Timestamp, by: &UserId) -> Self {
        Self { details, audit: self.audit.changed(now, by), ..self }
    }

    fn audited(self, audit: Audit) -> Self {
        Self { audit, ..self }
    }
}
