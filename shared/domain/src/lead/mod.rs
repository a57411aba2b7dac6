mod link;
mod resend;
mod view;

pub use link::{LeadLink, Stage};
pub use resend::{NewResend, Resend};
pub use view::LeadView;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Address, AddressParts, Audit, ContactDetails, Email, Entity, LeadId, OnboardTenant, Onboarding,
    Tenant, TenantId, Text, UserId, entity::wire_of, permit,
};
use crate::{Error, Result, entities};
use filter::Schema;
use schema::{Timestamp, body};

/// A person who signs up and verifies an email address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lead {
    /// The lead's ID, a `UUIDv7` that contains its creation time.
    pub id: LeadId,
    /// First name.
    pub first_name: Text<1, 100>,
    /// Last name.
    pub last_name: Text<1, 100>,
    /// Name of the company.
    pub company_name: Text<1, 100>,
    /// Recipient of the verification email.
    pub email: Email,
    /// Whether the email address is verified.
    pub is_validated: bool,
    /// The company's address.
    pub address: Option<Address>,
    /// The tenant that the lead was converted into.
    pub tenant_id: Option<TenantId>,
    /// Whether the lead renews another lead or was renewed. Such a lead may take over the email
    /// address from a lead of the same origin without a tenant.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takes_over: bool,
    /// The lead that this one renews.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<LeadId>,
    /// When the table deletes the lead, in seconds since 1970. `None` for a verified lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// Whether to send no verification email because the mailbox has reached its daily limit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unmailed: bool,
    /// The latest link for a verified lead. `None` until one is requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<LeadLink>,
    /// The audit fields of the lead.
    #[serde(flatten)]
    pub audit: Audit,
}

/// The maximum number of verification emails per mailbox and day (UTC), over all callers and
/// routes.
pub const EMAILS_PER_DAY: u32 = 5;

body! {
    /// The body of `POST /leads`.
    #[derive(Clone, Debug)]
    pub struct NewLead {
        first_name: Text<1, 100>,
        last_name: Text<1, 100>,
        company_name: Text<1, 100>,
        /// Recipient of the verification email.
        pub email: Email,
        address: Option<AddressParts>,
    }
}

impl Entity for Lead {
    const SCHEMA: &'static Schema = &entities::LEAD;
    type View = permit::ViewLead;

    fn audit(&self) -> &Audit {
        &self.audit
    }

    fn wire(&self) -> Result<Map<String, Value>> {
        wire_of(&LeadView::from(self))
    }
}

impl NewLead {
    /// Creates the lead. The table deletes it after `retention` unless it is verified.
    #[must_use]
    pub fn into_lead(self, now: Timestamp, by: &UserId, retention: Option<Duration>) -> Lead {
        Lead {
            id: LeadId::generate(),
            first_name: self.first_name,
            last_name: self.last_name,
            company_name: self.company_name,
            email: self.email,
            is_validated: false,
            address: self.address.and_then(AddressParts::into_address),
            tenant_id: None,
            takes_over: false,
            origin: None,
            expires_at: Lead::expiry(now, retention),
            unmailed: false,
            link: None,
            audit: Audit::created(now, by),
        }
    }
}

impl Lead {
    /// Returns whether a key has expired that was issued at `issued`: for the key of a new lead, the
    /// creation time of its ID.
    #[must_use]
    pub fn key_expired(issued: Option<Timestamp>, now: Timestamp, expiry: Duration) -> bool {
        issued.is_none_or(|issued| now.since(issued) > expiry)
    }

    /// Returns the ID of the original lead: the origin of a renewed lead, otherwise its own ID.
    #[must_use]
    pub fn root(&self) -> LeadId {
        self.origin.unwrap_or(self.id)
    }

    /// Returns whether two leads have the same names, company and address.
    #[must_use]
    pub fn has_same_details(&self, other: &Self) -> bool {
        let said = |lead: &Self| {
            let address = lead.address.as_ref().map(|address| address.parts.clone());
            (lead.first_name.clone(), lead.last_name.clone(), lead.company_name.clone(), address)
        };
        said(self) == said(other)
    }

    /// Returns when the table deletes a lead that is unverified at `now`, in seconds since 1970.
    #[must_use]
    pub fn expiry(now: Timestamp, retention: Option<Duration>) -> Option<i64> {
        retention.map(|retention| (now + retention).seconds())
    }

    /// Returns a copy of the lead with a new ID, and so with a new key. Returns `None` if the lead
    /// is verified: it gets a link of its own ([`LeadLink`]).
    #[must_use]
    pub fn renewed(self, now: Timestamp, by: &UserId, retention: Option<Duration>) -> Option<Self> {
        if self.is_validated {
            return None;
        }
        let origin = Some(self.root());
        let address =
            self.address.map(|address| address.parts).and_then(AddressParts::into_address);
        let (id, audit) = (LeadId::generate(), Audit::created(now, by));
        let expires_at = Self::expiry(now, retention);
        Some(Self {
            id,
            takes_over: true,
            origin,
            expires_at,
            unmailed: false,
            link: None,
            address,
            audit,
            ..self
        })
    }

    /// Converts a verified lead into a tenant. The lead becomes the tenant's first contact.
    ///
    /// Writes nothing: `Store::onboard` of the crate `store` writes the result and
    /// repeats the uniqueness checks atomically.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthorized`] if the lead is not verified, and [`Error::LeadAlreadyConverted`] if
    /// it has a tenant; both are 401, as in ARC SaaS. [`Error::AddressMismatch`] if the
    /// address differs from the lead's, and [`Error::DomainMismatch`] if the email's host is not
    /// among the domains.
    pub fn convert(
        &self,
        request: OnboardTenant,
        now: Timestamp,
        by: &UserId,
    ) -> Result<Onboarding> {
        if !self.is_validated {
            return Err(Error::Unauthorized("the lead is not verified"));
        }
        if self.tenant_id.is_some() {
            return Err(Error::LeadAlreadyConverted);
        }
        let address = self.address_of_tenant(&request.address)?;
        let contact = ContactDetails {
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            email: self.email.clone(),
            is_primary: true,
            role: Some(Text::admin()),
        };
        let name = request.name.unwrap_or_else(|| self.company_name.clone());
        let tenant = Tenant::pending(request.key, name, request.domains, now, by);
        let tenant = Tenant { lead_id: Some(self.id), address, ..tenant };
        Onboarding::new(tenant, contact, now, by)
    }

    /// Returns the lead's address, or the requested one if the lead has none. They must not differ.
    fn address_of_tenant(&self, requested: &AddressParts) -> Result<Option<Address>> {
        match &self.address {
            Some(own) if *requested != AddressParts::default() && own.parts != *requested => {
                Err(Error::AddressMismatch)
            }
            Some(own) => Ok(Some(own.clone())),
            None => Ok(requested.clone().into_address()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::TenantStatus;
    use schema::read;

    fn verified(address: &Value) -> Lead {
        let new: NewLead = read(&json!({
            "firstName": "Ada", "lastName": "Lovelace", "companyName": "Acme",
            "email": "Ada@Acme.test", "address": address,
        }))
        .unwrap();
        Lead { is_validated: true, ..new.into_lead(crate::now(), &"system".into(), None) }
    }

    fn convert(lead: &Lead, request: &Value) -> Result<Onboarding> {
        lead.convert(read(request)?, crate::now(), &"lead".into())
    }

    #[test]
    fn a_verified_lead_becomes_a_pending_tenant_with_its_company_name() {
        let lead = verified(&Value::Null);
        let request = json!({ "key": "acme", "domains": ["ACME.test"] });
        let Onboarding { tenant, contact } = convert(&lead, &request).unwrap();
        assert_eq!(tenant.status, TenantStatus::PendingProvision);
        assert_eq!((tenant.name.as_str(), tenant.lead_id), ("Acme", Some(lead.id)));
        let contact = contact.details;
        assert_eq!((contact.is_primary, contact.role.unwrap().as_str()), (true, "admin"));
    }

    #[test]
    fn an_unverified_or_converted_lead_is_refused() {
        let request = json!({ "key": "acme", "domains": ["acme.test"] });
        let unverified = Lead { is_validated: false, ..verified(&Value::Null) };
        assert!(matches!(convert(&unverified, &request), Err(Error::Unauthorized(_))));
        let converted = Lead { tenant_id: Some(TenantId::generate()), ..verified(&Value::Null) };
        assert!(matches!(convert(&converted, &request), Err(Error::LeadAlreadyConverted)));
    }

    #[test]
    fn the_tenant_gets_the_leads_address_and_a_different_one_is_refused() {
        let lead = verified(&json!({ "city": "Ely", "country": "GB" }));
        let with = |address: Value| {
            let mut request = json!({ "key": "acme", "domains": ["acme.test"] });
            request.as_object_mut().unwrap().extend(address.as_object().unwrap().clone());
            convert(&lead, &request)
        };
        assert_eq!(with(json!({})).unwrap().tenant.address, lead.address);
        assert!(with(json!({ "city": "Ely", "country": "GB" })).is_ok());
        assert!(matches!(with(json!({ "city": "Bath" })), Err(Error::AddressMismatch)));
    }

    #[test]
    fn a_key_expires_with_its_age() {
        let (issued, hour) = (LeadId::generate().created_at(), Duration::from_secs(3600));
        let end = issued.unwrap() + hour;
        assert!(!Lead::key_expired(issued, end, hour));
        assert!(Lead::key_expired(issued, end + Duration::from_millis(1), hour));
        assert!(Lead::key_expired(None, end, hour));
    }

    #[test]
    fn a_verified_lead_is_not_renewed() {
        let lead = verified(&Value::Null);
        assert!(lead.clone().renewed(crate::now(), &"system".into(), None).is_none());
        let unverified = Lead { is_validated: false, ..lead };
        assert!(unverified.renewed(crate::now(), &"system".into(), None).is_some());
    }

    #[test]
    fn the_table_deletes_an_unverified_lead_after_the_retention() {
        let (now, by, day) = (crate::now(), UserId::from("system"), Duration::from_secs(86_400));
        let unverified = Lead { is_validated: false, ..verified(&Value::Null) };
        assert_eq!(unverified.expires_at, None, "no retention is configured");
        let renewed = unverified.renewed(now, &by, Some(day)).unwrap();
        assert_eq!(renewed.expires_at, Some(now.seconds() + 86_400));
    }
}
