use std::ops::Deref;

use domain::{
    Email, Error, EventTenant, IdentityProvider, Isolation, Job, Result, TenantId, TenantKey, Text,
    Tiers,
};
use schema::{Flat, FromJson, Reader, body};
use serde_json::{Value, json};

body! {
    /// The body of `POST /manage/users`, as far as it is used. Unknown properties are ignored,
    /// because callers send complete tenants and plans.
    #[derive(Clone, Debug)]
    pub(crate) struct Setup {
        pub(crate) tenant: Tenant,
        /// The tenant's plan.
        pub(crate) plan: Plan,
    }
    const ALLOWS_UNKNOWN: bool = true;
}

body! {
    #[derive(Clone, Debug)]
    pub(crate) struct Tenant {
        pub(crate) id: TenantId,
        /// `None` if the tenant's users are managed elsewhere.
        pub(crate) identity_provider: Option<IdentityProvider>,
        pub(crate) name: Text<1, 100>,
        pub(crate) key: TenantKey,
        /// The primary contact, or the first contact if none is primary.
        pub(crate) admin: PrimaryContact as Contacts = "contacts",
    }
    const ALLOWS_UNKNOWN: bool = true;
}

body! {
    /// The contact that becomes the tenant's first user.
    #[derive(Clone, Debug)]
    pub(crate) struct Admin {
        pub(crate) first_name: Text<1, 100>,
        pub(crate) last_name: Text<1, 100>,
        pub(crate) email: Email,
    }
}

body! {
    struct Contact {
        admin: Admin as Flat<Admin>,
        is_primary: bool,
    }
    const ALLOWS_UNKNOWN: bool = true;
}

body! {
    #[derive(Clone, Debug)]
    pub(crate) struct Plan {
        pub(crate) tier: Text<1, 100>,
        /// If it is missing or null, `SILO_TIERS` decides by the tier.
        pub(crate) isolation: Option<Isolation>,
    }
    const ALLOWS_UNKNOWN: bool = true;
}

/// The tenant ID claimed by a body whose signature is not verified yet.
pub(crate) struct ClaimedTenant(pub(crate) Option<TenantId>);

struct Contacts(PrimaryContact);

/// The admin, and its position among the contacts.
#[derive(Clone, Debug)]
pub(crate) struct PrimaryContact {
    pub(crate) position: usize,
    admin: Admin,
}

impl Deref for PrimaryContact {
    type Target = Admin;

    fn deref(&self) -> &Admin {
        &self.admin
    }
}

impl Setup {
    /// Returns the set-up of the tenant of `job`. Returns `None` if the tenant has no contact.
    pub(crate) fn of_job(job: &Job) -> Option<Self> {
        let EventTenant { id, name, key, contacts, .. } = &job.tenant;
        let contact = job.tenant.primary_contact()?;
        let position = contacts.iter().position(|one| one.id == contact.id)?;
        let details = contact.details.clone();
        let admin = Admin {
            first_name: details.first_name,
            last_name: details.last_name,
            email: details.email,
        };
        let tenant = Tenant {
            id: *id,
            identity_provider: job.identity_provider,
            name: name.clone(),
            key: key.clone(),
            admin: PrimaryContact { position, admin },
        };
        let plan = Plan { tier: job.tier.clone(), isolation: Some(job.isolation) };
        Some(Self { tenant, plan })
    }

    /// Returns the set-up with its tier in the spelling of `tiers`.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the tier is unknown.
    pub(crate) fn in_tier_of(self, tiers: &Tiers) -> Result<Self> {
        match tiers.violation(&json!(self.plan.tier), "/plan/tier") {
            Some(unknown) => Err(Error::Invalid(vec![unknown])),
            None => {
                let tier = tiers.spelled(self.plan.tier);
                Ok(Self { plan: Plan { tier, ..self.plan }, ..self })
            }
        }
    }

    /// Returns whether the tenant has a space of its own.
    pub(crate) fn isolation(&self, tiers: &Tiers) -> Isolation {
        let Plan { tier, isolation } = &self.plan;
        isolation.unwrap_or_else(|| tiers.isolation(tier.as_str()))
    }
}

impl ClaimedTenant {
    pub(crate) fn from_body(body: &Value) -> Self {
        Self(body["tenant"]["id"].as_str().and_then(|id| id.parse().ok()))
    }
}

impl From<Contacts> for PrimaryContact {
    fn from(Contacts(admin): Contacts) -> Self {
        admin
    }
}

impl FromJson for Contacts {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let contacts = Vec::<Contact>::from_json(value, at)?;
        let position = contacts.iter().position(|contact| contact.is_primary).unwrap_or(0);
        let contact = contacts.into_iter().nth(position);
        let admin = contact.map(|Contact { admin, .. }| Self(PrimaryContact { position, admin }));
        if admin.is_none() {
            at.violate("minItems", "must NOT have fewer than 1 items", json!({ "limit": 1 }));
        }
        admin
    }

    fn schema() -> Value {
        let mut contacts = Vec::<Contact>::schema();
        contacts["minItems"] = 1.into();
        contacts
    }
}

#[cfg(test)]
mod tests {
    use schema::{Invalid, read};

    use super::*;

    #[test]
    fn every_violation_is_reported() {
        let body = json!({
            "tenant": {
                "id": "1",
                "identityProvider": "okta",
                "key": "A",
                "contacts": [{ "firstName": "Ada", "email": "x", "isPrimary": true }],
            },
            "plan": {},
        });
        let Err(Invalid(violations)) = read::<Setup>(&body) else { panic!() };
        let found: Vec<_> = violations.iter().map(|v| (v.path.as_str(), v.code)).collect();
        assert_eq!(
            found,
            [
                ("/tenant/id", "format"),
                ("/tenant/identityProvider", "enum"),
                ("/tenant", "required"),
                ("/tenant/key", "pattern"),
                ("/tenant/contacts/0", "required"),
                ("/tenant/contacts/0/email", "format"),
                ("/plan", "required"),
            ]
        );
    }

    #[test]
    fn the_plan_decides_the_isolation_and_otherwise_its_tier() {
        for (plan, expected) in [
            (json!({ "tier": "BASIC" }), Isolation::Pool),
            (json!({ "tier": "PREMIUM", "isolation": null }), Isolation::Silo),
            (json!({ "tier": "BASIC", "isolation": "silo" }), Isolation::Silo),
            (json!({ "tier": "PREMIUM", "isolation": "pool", "price": 10 }), Isolation::Pool),
        ] {
            let setup: Setup = read(&json!({
                "tenant": {
                    "id": "0199aa00-0000-7000-8000-000000000001", "name": "Acme", "key": "acme",
                    "contacts": [{ "firstName": "Ada", "lastName": "L", "email": "ada@acme.test", "isPrimary": true }],
                },
                "plan": plan,
            }))
            .unwrap();
            assert_eq!(setup.isolation(&Tiers::default()), expected, "{plan}");
        }
    }

    #[test]
    fn the_primary_contact_becomes_the_admin() {
        let contact = |name: &str, primary: bool| json!({ "id": "…", "firstName": name, "lastName": "L", "email": "a@acme.test", "isPrimary": primary });
        let of = |contacts: Value| read::<Contacts>(&contacts).map(|Contacts(admin)| admin);
        let admin = of(json!([contact("Eve", false), contact("Ada", true)])).unwrap();
        assert_eq!(admin.first_name.as_str(), "Ada");
        let admin = of(json!([contact("Eve", false), contact("Bob", false)])).unwrap();
        assert_eq!(admin.first_name.as_str(), "Eve");
        let Err(Invalid(violations)) = of(json!([])) else { panic!() };
        assert_eq!(violations[0].code, "minItems");
    }
}
