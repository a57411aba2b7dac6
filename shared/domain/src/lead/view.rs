use serde::Serialize;

use crate::{AddressId, Audit, Email, Lead, LeadId, Text};

/// A lead on the wire.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeadView<'a> {
    id: LeadId,
    first_name: &'a Text<1, 100>,
    last_name: &'a Text<1, 100>,
    company_name: &'a Text<1, 100>,
    email: &'a Email,
    is_validated: bool,
    address_id: Option<AddressId>,
    #[serde(flatten)]
    audit: &'a Audit,
}

impl<'a> From<&'a Lead> for LeadView<'a> {
    fn from(lead: &'a Lead) -> Self {
        Self {
            id: lead.id,
            first_name: &lead.first_name,
            last_name: &lead.last_name,
            company_name: &lead.company_name,
            email: &lead.email,
            is_validated: lead.is_validated,
            address_id: lead.address.as_ref().map(|address| address.id),
            audit: &lead.audit,
        }
    }
}
