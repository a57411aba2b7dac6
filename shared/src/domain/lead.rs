use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Address, AddressParts, Audit, ContactDetails, Email, Entity, FromMembers, LeadId, LeadView,
    Members, OnboardTenant, Onboarding, Tenant, TenantId, Text, Timestamp, UserId, entity::wire_of,
    permit,
};
use crate::{
    Error, Result,
    filter::{Schema, entities},
};

/// Somebody who asks for a tenant, and proves an e-mail address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lead {
    /// Its id; a `UUIDv7`, so its age is in it.
    pub id: LeadId,
    /// First name.
    pub first_name: Text<1, 100>,
    /// Last name.
    pub last_name: Text<1, 100>,
    /// The company that wants the tenant.
    pub company_name: Text<1, 100>,
    /// Where the verification mail goes.
    pub email: Email,
    /// Whether the address is proven.
    pub is_validated: bool,
    /// Where the company is.
    pub address: Option<Address>,
    /// The tenant it became.
    pub tenant_id: Option<TenantId>,
    /// Whether it renews a lead or was renewed: it may take the address over from a lead of the same
    /// origin that has no tenant.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takes_over: bool,
    /// The lead that this one renews, if it renews one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<LeadId>,
    /// When the table deletes it, in seconds since 1970; `None` for a verified lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// Whether no verification mail is sent: its mailbox has had all mails of the day.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unmailed: bool,
    /// Who did what to it, and when.
    #[serde(flatten)]
    pub audit: Audit,
}

/// How many verification mails one mailbox gets a day (UTC), whoever asks for them and by which route.
pub const MAILS_A_DAY: u32 = 5;

/// A lead as a client gives it: the body of `POST /leads`.
#[derive(Clone, Debug)]
pub struct NewLead {
    first_name: Text<1, 100>,
    last_name: Text<1, 100>,
    company_name: Text<1, 100>,
    /// Where the verification mail goes.
    pub email: Email,
    address: Option<AddressParts>,
}

impl FromMembers for NewLead {
    fn from_members(members: &mut impl Members) -> Option<Self> {
        let (first_name, last_name) = (members.required("firstName"), members.required("lastName"));
        let (company_name, email) = (members.required("companyName"), members.required("email"));
        let address = members.optional("address");
        Some(Self {
            first_name: first_name?,
            last_name: last_name?,
            company_name: company_name?,
            email: email?,
            address,
        })
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
    /// Returns the lead that this becomes, to be deleted after `retention` unless it is verified.
    #[must_use]
    pub fn into_lead(self, now: Timestamp, by: &UserId, retention: Option<Duration>) -> Lead {
        Lead {
            id: LeadId::mint(),
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
            audit: Audit::created(now, by),
        }
    }
}

impl Lead {
    /// Whether a key of the lead with this `id` would be too old, by the time within the id.
    #[must_use]
    pub fn key_expired(id: LeadId, now: Timestamp, expiry: Duration) -> bool {
        id.minted().is_none_or(|minted| now.since(minted) > expiry)
    }

    /// Returns the ID of the lead that a person wrote: its own, or that of the lead it renews.
    #[must_use]
    pub fn root(&self) -> LeadId {
        self.origin.unwrap_or(self.id)
    }

    /// Returns whether two leads ask for the same in the same person's name.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let said = |lead: &Self| {
            let address = lead.address.as_ref().map(|address| address.parts.clone());
            (lead.first_name.clone(), lead.last_name.clone(), lead.company_name.clone(), address)
        };
        said(self) == said(other)
    }

    /// Returns when the table deletes a lead that is not verified as of `now`, in seconds since 1970.
    #[must_use]
    pub fn expiry(now: Timestamp, retention: Option<Duration>) -> Option<i64> {
        retention.map(|retention| (now + retention).seconds())
    }

    /// Returns the lead with a new ID, and so with a new key; `None` if it has a tenant.
    #[must_use]
    pub fn renewed(self, now: Timestamp, by: &UserId, retention: Option<Duration>) -> Option<Self> {
        if self.tenant_id.is_some() {
            return None;
        }
        let origin = Some(self.root());
        let address =
            self.address.map(|address| address.parts).and_then(AddressParts::into_address);
        let (id, audit) = (LeadId::mint(), Audit::created(now, by));
        let expires_at = Self::expiry(now, retention);
        Some(Self {
            id,
            is_validated: false,
            takes_over: true,
            origin,
            expires_at,
            unmailed: false,
            address,
            audit,
            ..self
        })
    }

    /// Turns a verified lead into a tenant whose first contact it is.
    ///
    /// Decides only; [`Store::onboard`](crate::store::Store::onboard) writes the outcome and
    /// repeats the once-only checks atomically.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthorized`] for a lead that is not verified, [`Error::LeadAlreadyConverted`] for
    /// one that has a tenant, as the reference answers (401); [`Error::Refused`] where the address
    /// or the e-mail's host does not fit.
    pub fn become_tenant(
        &self,
        request: OnboardTenant,
        now: Timestamp,
        by: &UserId,
    ) -> Result<Onboarding> {
        if !self.is_validated {
            return Err(Error::Unauthorized("the lead is not validated"));
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
        Onboarding::of(tenant, contact, now, by)
    }

    /// The lead's own address, else the one in the request; they must not contradict each other.
    fn address_of_tenant(&self, requested: &AddressParts) -> Result<Option<Address>> {
        match &self.address {
            Some(own) if *requested != AddressParts::default() && own.parts != *requested => {
                Err(Error::Refused("Address mismatch with Lead"))
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
    use crate::domain::{TenantStatus, read};

    fn verified(address: &Value) -> Lead {
        let new: NewLead = read(&json!({
            "firstName": "Ada", "lastName": "Lovelace", "companyName": "Acme",
            "email": "Ada@Acme.test", "address": address,
        }))
        .unwrap();
        Lead { is_validated: true, ..new.into_lead(crate::now(), &"system".into(), None) }
    }

    fn become_tenant(lead: &Lead, request: &Value) -> Result<Onboarding> {
        lead.become_tenant(read(request)?, crate::now(), &"lead".into())
    }

    #[test]
    fn a_verified_lead_becomes_a_pending_tenant_named_after_its_company() {
        let lead = verified(&Value::Null);
        let request = json!({ "key": "acme", "domains": ["ACME.test"] });
        let Onboarding { tenant, contact } = become_tenant(&lead, &request).unwrap();
        assert_eq!(tenant.status, TenantStatus::PendingProvision);
        assert_eq!((tenant.name.as_str(), tenant.lead_id), ("Acme", Some(lead.id)));
        let contact = contact.details;
        assert_eq!((contact.is_primary, contact.role.unwrap().as_str()), (true, "admin"));
    }

    #[test]
    fn an_unverified_or_converted_lead_is_refused() {
        let request = json!({ "key": "acme", "domains": ["acme.test"] });
        let unverified = Lead { is_validated: false, ..verified(&Value::Null) };
        assert!(matches!(become_tenant(&unverified, &request), Err(Error::Unauthorized(_))));
        let converted = Lead { tenant_id: Some(TenantId::mint()), ..verified(&Value::Null) };
        assert!(matches!(become_tenant(&converted, &request), Err(Error::LeadAlreadyConverted)));
    }

    #[test]
    fn the_lead_s_address_is_the_tenant_s_and_is_not_contradicted() {
        let lead = verified(&json!({ "city": "Ely", "country": "GB" }));
        let with = |address: Value| {
            let mut request = json!({ "key": "acme", "domains": ["acme.test"] });
            request.as_object_mut().unwrap().extend(address.as_object().unwrap().clone());
            become_tenant(&lead, &request)
        };
        assert_eq!(with(json!({})).unwrap().tenant.address, lead.address);
        assert!(with(json!({ "city": "Ely", "country": "GB" })).is_ok());
        assert!(matches!(
            with(json!({ "city": "Bath" })),
            Err(Error::Refused("Address mismatch with Lead"))
        ));
    }

    #[test]
    fn a_key_expires_by_the_age_of_the_id() {
        let (id, hour) = (LeadId::mint(), Duration::from_secs(3600));
        let minted = id.minted().unwrap();
        assert!(!Lead::key_expired(id, minted + hour, hour));
        assert!(Lead::key_expired(id, minted + hour + Duration::from_millis(1), hour));
    }
}
