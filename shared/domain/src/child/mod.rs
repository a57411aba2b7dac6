//! Entities that belong to a tenant.

mod config;
mod contact;
mod invoice;

pub use config::{ConfigDetails, NewTenantConfig, TenantConfig};
pub use contact::{Contact, ContactDetails, NewContact};
pub use invoice::{
    Invoice, InvoiceDetails, InvoiceOrigin, InvoiceStatus, NewInvoice, SettledInvoice,
};

use std::fmt;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::Result;
use crate::{
    Audit, Editable, Entity, EntityId, Permit, Refusal, TenantId, UserId, entity::wire_of,
};
use filter::Schema;
use schema::{FromMembers, Members, Patch, Timestamp};

/// The properties of a child entity besides ID, tenant and audit. Implemented once for each kind of
/// child.
pub trait Details:
    Patch + Clone + fmt::Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The type of the child's ID.
    type Id: EntityId;
    /// The kind of child.
    const KIND: ChildKind;
    /// The properties that follow from the child's origin, and that no client can change.
    type Origin: Clone
        + Default
        + fmt::Debug
        + PartialEq
        + Serialize
        + DeserializeOwned
        + Send
        + Sync
        + 'static;
    /// The names of the read-only properties.
    const READ_ONLY: &'static [&'static str] = OWN;
    /// The child's properties on the wire.
    const SCHEMA: &'static Schema;
    /// The permission to create a child.
    type Create: Permit;
    /// The permission to view a child.
    type View: Permit;
    /// The permission to update a child.
    type Update: Permit;
    /// The permission to delete a child.
    type Delete: Permit;

    /// Returns the value that must be unique among the tenant's children of this kind, if there is
    /// one.
    fn unique(&self) -> Option<&str> {
        None
    }

    /// Adds the properties of the origin to the child's members on the wire.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`](crate::Error::Internal) if they cannot be serialized.
    fn show_origin(_: &Self::Origin, _: &mut Map<String, Value>) -> Result<()> {
        Ok(())
    }

    /// Checks that the child may get the properties `new`, or be deleted if there are none.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] of its state.
    fn check_change(&self, _new: Option<&Self>) -> Result<(), Refusal> {
        Ok(())
    }

    /// Returns the invoice that a change from `before` to `after` leaves no longer to be paid, if there
    /// is one.
    fn settled(_before: &Child<Self>, _after: &Child<Self>) -> Option<SettledInvoice> {
        None
    }
}

/// The origin of children that clients create.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NoOrigin {}

/// The read-only properties of every child.
const OWN: &[&str] = &[
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

/// The kinds of child entities of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildKind {
    /// A contact person.
    Contact,
    /// A configuration.
    Config,
    /// An invoice.
    Invoice,
}

impl ChildKind {
    /// Returns the name that this kind has in the table's keys.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Config => "config",
            Self::Invoice => "invoice",
        }
    }
}

/// An entity that belongs to a tenant and is soft-deleted with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", bound = "")]
pub struct Child<D: Details> {
    /// The child's ID.
    pub id: D::Id,
    /// The properties that clients can change.
    #[serde(flatten)]
    pub details: D,
    /// The tenant that owns the child. Never changes.
    pub tenant_id: TenantId,
    /// The properties that follow from the child's origin.
    #[serde(flatten)]
    pub origin: D::Origin,
    /// The audit fields of the child.
    #[serde(flatten)]
    pub audit: Audit,
}

/// The body of a request that creates a child.
#[derive(Clone, Debug)]
pub struct NewChild<D> {
    /// The properties that clients can change.
    pub details: D,
    /// The tenant that will own the child.
    pub tenant_id: TenantId,
}

impl<D: Details> FromMembers for NewChild<D> {
    fn from_members(members: &mut impl Members) -> Option<Self> {
        let (details, tenant_id) = (D::from_members(members), members.required("tenantId"));
        Some(Self { details: details?, tenant_id: tenant_id? })
    }
}

impl<D: Details> NewChild<D> {
    /// Creates the child with a new ID.
    #[must_use]
    pub fn create(self, now: Timestamp, by: &UserId) -> Child<D> {
        Child {
            id: D::Id::generate(),
            details: self.details,
            tenant_id: self.tenant_id,
            origin: D::Origin::default(),
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
        let mut members = wire_of(self)?;
        D::show_origin(&self.origin, &mut members)?;
        Ok(members)
    }
}

impl<D: Details> Editable for Child<D> {
    type Details = D;
    type Update = D::Update;

    const READ_ONLY: &'static [&'static str] = D::READ_ONLY;

    fn details(&self) -> D {
        self.details.clone()
    }

    fn check_edit(&self, details: &D) -> Result<()> {
        Ok(self.details.check_change(Some(details))?)
    }

    fn edited(self, details: D, now: Timestamp, by: &UserId) -> Self {
        Self { details, audit: self.audit.changed(now, by), ..self }
    }

    fn audited(self, audit: Audit) -> Self {
        Self { audit, ..self }
    }
}
