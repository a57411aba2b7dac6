//! The quota of children that a tenant's lead may create.

use std::collections::BTreeMap;

use serde_json::json;

use crate::table::{key::Key, transaction::Transaction, update::Update};
use domain::{ChildKind, Error, Result, TenantId};
use schema::Violation;

/// Maximum number of children of one kind that a tenant's lead may have. Deleted children do not
/// count.
pub const CHILDREN_OF_A_LEAD: u32 = 200;

impl Transaction<'_> {
    /// Counts a child of `kind` created by the lead of `tenant`. Fails if the quota is used up.
    pub(crate) fn count_child(self, tenant: TenantId, kind: ChildKind) -> Result<Self> {
        let name = number(kind);
        let room = format!("attribute_not_exists({name}) OR {name} < :most");
        let counted = Update::when(room)
            .given("most", CHILDREN_OF_A_LEAD)
            .given("none", 0)
            .increase(name, "none")
            .set("entity", "entity", ENTITY);
        self.update(Key::children_of_lead(tenant), counted, too_many(kind))
    }

    /// Removes a deleted child of `kind` from the count.
    pub(crate) fn uncount_child(self, tenant: TenantId, kind: ChildKind) -> Result<Self> {
        let less = BTreeMap::from([(number(kind).to_owned(), -1)]);
        self.add(Key::children_of_lead(tenant), &less)
    }
}

/// The `entity` of the item that counts children.
const ENTITY: &str = "lead-children";

/// Returns the attribute that counts children of `kind`.
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
