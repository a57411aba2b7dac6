use std::{collections::HashMap, fmt::Display};

use aws_sdk_dynamodb::types::AttributeValue;

use crate::domain::{ChildKind, Email, JobRef, LeadId, ResendId, ResourceId, TenantId, TenantKey};

/// A primary key. Every key pattern of the table is a constructor here.
///
/// | item | pk | sk |
/// |---|---|---|
/// | lead | `LEAD#<id>` | `LEAD` |
/// | e-mail claim of a validated lead | `LEAD_EMAIL#<lower-case e-mail>` | `CLAIM` |
/// | tenant | `TENANT#<id>` | `TENANT` |
/// | tenant key claim, never released | `TENANT_KEY#<key>` | `CLAIM` |
/// | contact, config, invoice | `TENANT#<tenant id>` | `CONTACT#<id>`, `CONFIG#<id>`, `INVOICE#<id>` |
/// | claim of a config's key at its tenant | `TENANT#<tenant id>` | `CONFIG_KEY#<key>` |
/// | how many of them the tenant's lead made | `TENANT#<tenant id>` | `CHILDREN#LEAD` |
/// | resource | `TENANT#<tenant id>` | `RESOURCE#<id>` |
/// | job | `TENANT#<tenant id>` | `JOB#<attempt>`, six digits |
/// | where one of these lives | `CONTACT#<id>`, `CONFIG#<id>`, `INVOICE#<id>` | `OWNER` |
/// | rate counter | `RATE#<route>#<address>#<minute>` | `RATE` |
/// | verification mails of a day | `MAILS#<mailbox>#<day>` | `MAILS` |
/// | request for another mail | `RESEND#<id>` | `RESEND` |
/// | counts of a kind | `COUNTER#<kind>` | `COUNTER` |
/// | what was counted | `COUNTED#<change>` | `COUNTED` |
/// | idempotency record | `IDEMPOTENCY#<consumer>#<event>` | `IDEMPOTENCY` |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pk: String,
    sk: String,
}

impl Key {
    fn new(pk: String, sk: impl Into<String>) -> Self {
        Self { pk, sk: sk.into() }
    }

    /// A lead.
    #[must_use]
    pub fn lead(id: LeadId) -> Self {
        Self::new(format!("LEAD#{id}"), "LEAD")
    }

    /// The claim that makes the e-mail of a validated lead unique.
    #[must_use]
    pub fn lead_email(email: &Email) -> Self {
        Self::new(format!("LEAD_EMAIL#{}", email.folded()), "CLAIM")
    }

    /// A tenant.
    #[must_use]
    pub fn tenant(id: TenantId) -> Self {
        Self::new(Self::tenant_partition(id), "TENANT")
    }

    /// The partition of a tenant and all its children.
    #[must_use]
    pub fn tenant_partition(id: TenantId) -> String {
        format!("TENANT#{id}")
    }

    /// The claim that makes a tenant key unique.
    #[must_use]
    pub fn tenant_key(key: &TenantKey) -> Self {
        Self::new(format!("TENANT_KEY#{key}"), "CLAIM")
    }

    /// A child, in its tenant's partition.
    #[must_use]
    pub fn child(kind: ChildKind, tenant: TenantId, id: impl Display) -> Self {
        Self::new(Self::tenant_partition(tenant), format!("{}{id}", Self::children(kind)))
    }

    /// Says in which tenant's partition a child lives.
    #[must_use]
    pub fn owner(kind: ChildKind, id: impl Display) -> Self {
        Self::new(format!("{}{id}", Self::children(kind)), "OWNER")
    }

    /// The claim that makes the key of a config unique at its tenant.
    #[must_use]
    pub fn config_key(tenant: TenantId, key: &str) -> Self {
        Self::new(Self::tenant_partition(tenant), format!("CONFIG_KEY#{key}"))
    }

    /// How many children the lead of a tenant made.
    #[must_use]
    pub fn children_of_lead(tenant: TenantId) -> Self {
        Self::new(Self::tenant_partition(tenant), "CHILDREN#LEAD")
    }

    /// A resource, in its tenant's partition.
    #[must_use]
    pub fn resource(tenant: TenantId, id: ResourceId) -> Self {
        Self::new(Self::tenant_partition(tenant), format!("{}{id}", Self::RESOURCES))
    }

    /// A job, in its tenant's partition, in the order of attempts.
    #[must_use]
    pub fn job(tenant: TenantId, attempt: u32) -> Self {
        Self::new(Self::tenant_partition(tenant), format!("{}{attempt:06}", Self::JOBS))
    }

    /// The job that `reference` names.
    #[must_use]
    pub fn job_of(tenant: TenantId, reference: &JobRef) -> Self {
        Self::job(tenant, reference.attempt)
    }

    /// How often `address` called `route` in the minute that starts at `minute` (epoch seconds).
    #[must_use]
    pub fn rate(route: &str, address: impl Display, minute: i64) -> Self {
        Self::new(format!("RATE#{route}#{address}#{minute}"), "RATE")
    }

    /// The number of verification mails to the mailbox of `email` on a `day` since 1970.
    #[must_use]
    pub fn mails(email: &Email, day: i64) -> Self {
        Self::new(format!("MAILS#{}#{day}", email.mailbox()), "MAILS")
    }

    /// A request for another verification mail.
    #[must_use]
    pub fn resend(id: ResendId) -> Self {
        Self::new(format!("RESEND#{id}"), "RESEND")
    }

    /// How many there are of a kind of item.
    #[must_use]
    pub fn counter(kind: &str) -> Self {
        Self::new(format!("COUNTER#{kind}"), "COUNTER")
    }

    /// Says that a change of an item has been counted.
    #[must_use]
    pub fn counted(change: &str) -> Self {
        Self::new(format!("COUNTED#{change}"), "COUNTED")
    }

    /// What became of an event at a consumer.
    #[must_use]
    pub fn idempotency(consumer: &str, event: &str) -> Self {
        Self::new(format!("IDEMPOTENCY#{consumer}#{event}"), "IDEMPOTENCY")
    }

    /// The prefix of children of a kind within their tenant's partition.
    #[must_use]
    pub const fn children(kind: ChildKind) -> &'static str {
        match kind {
            ChildKind::Contact => "CONTACT#",
            ChildKind::Config => "CONFIG#",
            ChildKind::Invoice => "INVOICE#",
        }
    }

    /// The range of children of all kinds within their tenant's partition; the claims of configs'
    /// keys lie between them.
    pub(super) const ALL_CHILDREN: (&str, &str) = ("CONFIG#", "INVOICE$");

    /// The prefix of resources within their tenant's partition.
    pub const RESOURCES: &str = "RESOURCE#";
    /// The prefix of jobs within their tenant's partition.
    pub const JOBS: &str = "JOB#";
}

impl Key {
    /// The key of an item that was read.
    pub(super) fn of_item(item: &HashMap<String, AttributeValue>) -> Option<Self> {
        let part = |name| item.get(name).and_then(|part| part.as_s().ok()).cloned();
        Some(Self { pk: part("pk")?, sk: part("sk")? })
    }

    /// Whether it is of a child of this `kind`.
    pub(super) fn is_child(&self, kind: ChildKind) -> bool {
        self.sk.starts_with(Self::children(kind))
    }

    /// The id of the child whose owner this key is of.
    pub(super) fn owned(&self) -> Option<&str> {
        self.pk.split_once('#').map(|(_, id)| id)
    }
}

impl From<Key> for HashMap<String, AttributeValue> {
    fn from(Key { pk, sk }: Key) -> Self {
        [("pk", pk), ("sk", sk)].map(|(name, s)| (name.into(), AttributeValue::S(s))).into()
    }
}

/// A place in an index: `gsi1` lists a kind in order, `gsi2` a narrowing of it.
///
/// | index | what | pk | sk |
/// |---|---|---|---|
/// | gsi1 | a kind, in order of creation | `<kind>#0` | `<createdOn>#<id>` |
/// | gsi1 | open jobs, by deadline | `open-job#0` | `<deadline>#<id>` |
/// | gsi1 | failed deprovisionings that nothing followed | `failed-deprovisioning#0` | `<failed>#<id>` |
/// | gsi2 | tenants of a status | `tenant-status#<number>` | `<createdOn>#<id>` |
/// | gsi2 | leads of an e-mail | `lead-email#<lower-case e-mail>` | `<createdOn>#<id>` |
///
/// The `0` is a shard: a kind that outgrows one partition is spread over more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexKey {
    /// `gsi1` or `gsi2`.
    pub index: &'static str,
    /// Its partition key.
    pub pk: String,
    /// Its sort key.
    pub sk: String,
}

impl IndexKey {
    /// The place of a `kind` in the order of creation.
    #[must_use]
    pub fn listed(kind: &str, order: impl Display, id: impl Display) -> Self {
        Self { index: "gsi1", pk: Self::list_of(kind), sk: format!("{order}#{id}") }
    }

    /// The place of a narrowing of a kind.
    #[must_use]
    pub fn narrowed(pk: String, order: impl Display, id: impl Display) -> Self {
        Self { index: "gsi2", pk, sk: format!("{order}#{id}") }
    }

    /// The partition in which a `kind` is listed.
    #[must_use]
    pub fn list_of(kind: &str) -> String {
        format!("{kind}#0")
    }

    /// The partition of tenants with the status of this `number`.
    #[must_use]
    pub fn tenants_of_status(number: u8) -> String {
        format!("tenant-status#{number}")
    }

    /// The partition of leads with this e-mail, in lower case.
    #[must_use]
    pub fn leads_of_email(folded: &str) -> String {
        format!("lead-email#{folded}")
    }

    /// The kind under which open jobs are listed, by deadline.
    pub const OPEN_JOB: &str = "open-job";

    /// The kind under which failed deprovisionings are listed until the tenant's next job.
    pub const FAILED_DEPROVISIONING: &str = "failed-deprovisioning";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::domain::read;

    #[test]
    fn all_patterns_are_distinct() {
        let tenant = TenantId::mint();
        // The same text wherever a pattern takes one, so that only the pattern tells keys apart.
        let id = tenant.to_string();
        let email: Email = read(&json!("a@b.test")).unwrap();
        let key: TenantKey = read(&json!("acme")).unwrap();
        let keys = [
            Key::lead(id.parse().unwrap()),
            Key::lead_email(&email),
            Key::tenant(tenant),
            Key::tenant_key(&key),
            Key::child(ChildKind::Contact, tenant, &id),
            Key::child(ChildKind::Config, tenant, &id),
            Key::child(ChildKind::Invoice, tenant, &id),
            Key::owner(ChildKind::Contact, &id),
            Key::owner(ChildKind::Config, &id),
            Key::owner(ChildKind::Invoice, &id),
            Key::config_key(tenant, &id),
            Key::children_of_lead(tenant),
            Key::resource(tenant, id.parse().unwrap()),
            Key::job(tenant, 1),
            Key::rate("POST /leads", "::1", 60),
            Key::mails(&email, 1),
            Key::resend(id.parse().unwrap()),
            Key::counter(&id),
            Key::counted(&id),
            Key::idempotency("mailer", &id),
        ];
        let distinct: BTreeSet<_> = keys.iter().map(|key| (&key.pk, &key.sk)).collect();
        assert_eq!(distinct.len(), keys.len());
    }
}
