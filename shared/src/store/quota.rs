//! How many children of its tenant a lead makes.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Key, changes::Changes, transaction::Transaction};
use crate::{
    Error, Result,
    domain::{ChildKind, TenantId, Violation},
};

/// The most children of a kind that a tenant's lead makes and does not delete.
pub const CHILDREN_OF_A_LEAD: u32 = 200;

impl Transaction<'_> {
    /// Counts a child of `kind` that the lead of `tenant` makes; fails if it is one too many.
    pub(super) fn count_child(self, tenant: TenantId, kind: ChildKind) -> Result<Self> {
        let name = number(kind);
        let room = format!("attribute_not_exists({name}) OR {name} < :most");
        let counted = Changes::when(room)
            .given("most", CHILDREN_OF_A_LEAD)
            .given("none", 0)
            .increase(name, "none")
            .set("entity", "entity", ENTITY);
        self.update(Key::children_of_lead(tenant), counted, too_many(kind))
    }

    /// Counts one child of `kind` less, as it is deleted.
    pub(super) fn uncount_child(self, tenant: TenantId, kind: ChildKind) -> Result<Self> {
        let less = BTreeMap::from([(number(kind).to_owned(), -1)]);
        self.add(Key::children_of_lead(tenant), &less)
    }
}

/// What the item says it is.
const ENTITY: &str = "lead-children";

/// The attribute that counts children of `kind`.
fn number(kind: ChildKind) -> &'static str {
    match kind {
        ChildKind::Contact => "contactCount",
        ChildKind::Config => "configCount",
        ChildKind::Invoice => "invoiceCount",
    }
}

fn too_many(kind: ChildKind) -> Error {
    let (most, noun) = (CHILDREN_OF_A_LEAD, kind.noun());
    Error::Invalid(vec![Violation {
        path: "/tenantId".to_owned(),
        code: "maxItems",
        message: format!("must NOT have more than {most} items of kind {noun}"),
        info: json!({ "limit": most }),
    }])
}
