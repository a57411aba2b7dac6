use serde_json::Value;

use crate::{
    AddressParts, Contact, ContactDetails, Error, Hostname, NewContact, Result, Tenant, TenantKey,
    Text, UserId, values::GivenAddress,
};
use schema::{Flat, FromJson, Reader, Timestamp, body};

body! {
    /// The body of `POST /leads/{id}/tenants`.
    #[derive(Clone, Debug)]
    pub struct OnboardTenant {
        /// The tenant's unique key.
        pub key: TenantKey,
        /// Email domains that belong to the tenant.
        pub domains: Vec<Hostname> as Domains,
        /// The tenant's name. Defaults to the lead's company.
        pub name: Option<Text<1, 100>>,
        /// The tenant's address.
        pub address: AddressParts as Flat<AddressParts>,
    }
}

body! {
    /// The body of `POST /tenants`.
    #[derive(Clone, Debug)]
    pub struct NewTenant {
        key: TenantKey,
        domains: Vec<Hostname> as Domains,
        name: Text<1, 100>,
        address: AddressParts as Flat<AddressParts>,
        contact: ContactDetails,
    }
}

body! {
    /// The properties of a tenant that clients can change.
    #[derive(Clone, Debug)]
    pub struct TenantDetails {
        /// The tenant's name.
        pub name: Text<1, 100>,
        /// The tenant's unique key.
        pub key: TenantKey,
        /// Email domains that belong to the tenant.
        pub domains: Vec<Hostname> as Domains,
        /// The ID of the user who administers the tenant.
        pub spoc_user_id: Option<Text<1, 100>>,
        /// The tenant's address, or `None` to keep it.
        pub address: Option<AddressParts> as GivenAddress,
    }
}

/// A new tenant with its first contact, written in one transaction.
#[derive(Clone, Debug)]
pub struct Onboarding {
    /// The tenant, pending provisioning.
    pub tenant: Tenant,
    /// The tenant's first contact.
    pub contact: Contact,
}

/// The maximum number of domains of a tenant.
const MAX_DOMAINS: usize = 50;

/// The domains of a tenant: at least one, without duplicates.
struct Domains(Vec<Hostname>);

impl From<Domains> for Vec<Hostname> {
    fn from(Domains(names): Domains) -> Self {
        names
    }
}

impl FromJson for Domains {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        if !at.at_most(value, MAX_DOMAINS) {
            return None;
        }
        let names = Vec::from_json(value, at)?;
        Hostname::check_list(&names, at);
        Some(Self(names))
    }

    fn schema() -> Value {
        let mut names = Vec::<Hostname>::schema();
        names["minItems"] = 1.into();
        names["maxItems"] = MAX_DOMAINS.into();
        names["uniqueItems"] = true.into();
        names
    }
}

impl NewTenant {
    /// Creates the tenant and its first contact.
    ///
    /// # Errors
    ///
    /// [`Error::DomainMismatch`] if the contact's email is not at one of the domains.
    pub fn onboard(self, now: Timestamp, by: &UserId) -> Result<Onboarding> {
        let tenant = Tenant::pending(self.key, self.name, self.domains, now, by);
        let tenant = Tenant { address: self.address.into_address(), ..tenant };
        Onboarding::new(tenant, self.contact, now, by)
    }
}

impl Onboarding {
    /// Combines `tenant` and `contact`. The contact's email must be at one of the tenant's domains.
    pub(crate) fn new(
        tenant: Tenant,
        contact: ContactDetails,
        now: Timestamp,
        by: &UserId,
    ) -> Result<Self> {
        let host = contact.email.host();
        if !tenant.domains.iter().any(|domain| domain.as_str() == host) {
            return Err(Error::DomainMismatch);
        }
        let contact = NewContact { details: contact, tenant_id: tenant.id };
        Ok(Self { contact: contact.create(now, by), tenant })
    }
}
