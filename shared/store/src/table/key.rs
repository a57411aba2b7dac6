use std::{collections::HashMap, fmt::Display};

use aws_sdk_dynamodb::types::AttributeValue;

use domain::{
    ChildKind, Email, JobRef, LeadId, OperatorId, PlanId, ResendId, ResourceId, SessionId,
    SubscriptionId, TenantId, TenantKey, TimerAction, TimerSubject,
};

/// A primary key. Every key pattern of the table has a constructor in this type.
///
/// | item | pk | sk |
/// |---|---|---|
/// | lead | `LEAD#<id>` | `LEAD` |
/// | email claim of a validated lead | `LEAD_EMAIL#<lowercase email>` | `CLAIM` |
/// | tenant | `TENANT#<id>` | `TENANT` |
/// | features granted to a tenant: its plan's, and overrides | `TENANT#<id>` | `TENANT#ENTITLEMENTS` |
/// | tenant key claim, never released | `TENANT_KEY#<key>` | `CLAIM` |
/// | contact, config, invoice | `TENANT#<tenant id>` | `CONTACT#<id>`, `CONFIG#<id>`, `INVOICE#<id>` |
/// | key claim of a config | `TENANT#<tenant id>` | `CONFIG_KEY#<key>` |
/// | number of children created by the tenant's lead | `TENANT#<tenant id>` | `CHILDREN#LEAD` |
/// | resource | `TENANT#<tenant id>` | `RESOURCE#<id>` |
/// | job | `TENANT#<tenant id>` | `JOB#<attempt>`, six digits |
/// | subscription | `TENANT#<tenant id>` | `SUBSCRIPTION#<id>` |
/// | claim of the subscription that has not ended | `TENANT#<tenant id>` | `CURRENT_SUBSCRIPTION` |
/// | signal of a billing system | `TENANT#<tenant id>` | `PAYMENT#<reference>` |
/// | owner of a subscription | `SUBSCRIPTION#<id>` | `OWNER` |
/// | timer of a subscription or a tenant | `TIMER#<kind>#<id>` | `<action>` |
/// | owner of a contact, config or invoice | `CONTACT#<id>`, `CONFIG#<id>`, `INVOICE#<id>` | `OWNER` |
/// | rate counter | `RATE#<route>#<address>#<minute>` | `RATE` |
/// | verification emails per day | `MAILS#<mailbox>#<day>` | `MAILS` |
/// | request to resend an email | `RESEND#<id>` | `RESEND` |
/// | plan | `PLAN#<id>` | `PLAN` |
/// | mark that a public plan was active once | `CATALOG` | `CATALOG` |
/// | operator | `OPERATOR#<id>` | `OPERATOR` |
/// | session of an operator | `OPERATOR#<id>` | `SESSION#<id>` |
/// | counts per kind | `COUNTER#<kind>` | `COUNTER` |
/// | change already counted | `COUNTED#<change>` | `COUNTED` |
/// | word by which a tenant, contact or lead is found | `SEARCH#<start of the word>` | `<word>#<kind>#<id>` |
/// | entry of the audit log | `AUDIT#<chain>` | its number, twelve digits |
/// | latest entry of a chain | `AUDIT#<chain>` | `HEAD` |
/// | change already in the audit log | `AUDIT#done#<change>` | `DONE` |
/// | action to be recorded in the audit log | `NOTE#<id>` | `NOTE` |
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

    /// Returns the key of a lead.
    #[must_use]
    pub fn lead(id: LeadId) -> Self {
        Self::new(format!("LEAD#{id}"), "LEAD")
    }

    /// Returns the key of the claim that makes the email of a validated lead unique.
    #[must_use]
    pub fn lead_email(email: &Email) -> Self {
        Self::new(format!("LEAD_EMAIL#{}", email.folded()), "CLAIM")
    }

    /// Returns the key of a tenant.
    #[must_use]
    pub fn tenant(id: TenantId) -> Self {
        Self::new(Self::tenant_partition(id), Self::TENANT)
    }

    /// Returns the key of the features that were granted to a tenant. It follows the tenant's, so that one
    /// query reads both.
    #[must_use]
    pub fn grants(tenant: TenantId) -> Self {
        Self::new(Self::tenant_partition(tenant), "TENANT#ENTITLEMENTS")
    }

    /// Returns the partition key of a tenant and its children.
    #[must_use]
    pub fn tenant_partition(id: TenantId) -> String {
        format!("TENANT#{id}")
    }

    /// Returns the key of the claim that makes a tenant key unique.
    #[must_use]
    pub fn tenant_key(key: &TenantKey) -> Self {
        Self::new(format!("TENANT_KEY#{key}"), "CLAIM")
    }

    /// Returns the key of a child, in its tenant's partition.
    #[must_use]
    pub fn child(kind: ChildKind, tenant: TenantId, id: impl Display) -> Self {
        Self::new(Self::tenant_partition(tenant), format!("{}{id}", Self::children(kind)))
    }

    /// Returns the key of the item that names the owner of a child.
    #[must_use]
    pub fn owner(kind: ChildKind, id: impl Display) -> Self {
        Self::new(format!("{}{id}", Self::children(kind)), "OWNER")
    }

    /// Returns the key of the claim that makes a config's key unique within its tenant.
    #[must_use]
    pub fn config_key(tenant: TenantId, key: &str) -> Self {
        Self::new(Self::tenant_partition(tenant), format!("CONFIG_KEY#{key}"))
    }

    /// Returns the key of the number of children created by a tenant's lead.
    #[must_use]
    pub fn children_of_lead(tenant: TenantId) -> Self {
        Self::new(Self::tenant_partition(tenant), "CHILDREN#LEAD")
    }

    /// Returns the key of a resource, in its tenant's partition.
    #[must_use]
    pub fn resource(tenant: TenantId, id: ResourceId) -> Self {
        Self::new(Self::tenant_partition(tenant), format!("{}{id}", Self::RESOURCES))
    }

    /// Returns the key of a job, in its tenant's partition, ordered by attempt.
    #[must_use]
    pub fn job(tenant: TenantId, attempt: u32) -> Self {
        Self::new(Self::tenant_partition(tenant), format!("{}{attempt:06}", Self::JOBS))
    }

    /// Returns the key of the job named by `reference`.
    #[must_use]
    pub fn job_of(tenant: TenantId, reference: &JobRef) -> Self {
        Self::job(tenant, reference.attempt)
    }

    /// Returns the key of a subscription, in its tenant's partition.
    #[must_use]
    pub fn subscription(tenant: TenantId, id: SubscriptionId) -> Self {
        Self::new(Self::tenant_partition(tenant), format!("{}{id}", Self::SUBSCRIPTIONS))
    }

    /// Returns the key of the item that names the tenant of a subscription.
    #[must_use]
    pub fn owner_of_subscription(id: SubscriptionId) -> Self {
        Self::new(format!("{}{id}", Self::SUBSCRIPTIONS), "OWNER")
    }

    /// Returns the key of the claim that a tenant has one subscription that has not ended.
    #[must_use]
    pub fn current_subscription(tenant: TenantId) -> Self {
        Self::new(Self::tenant_partition(tenant), "CURRENT_SUBSCRIPTION")
    }

    /// Returns the key of a signal of a billing system, by its reference.
    #[must_use]
    pub fn payment(tenant: TenantId, reference: &str) -> Self {
        Self::new(Self::tenant_partition(tenant), format!("PAYMENT#{reference}"))
    }

    /// Returns the key of the timer of `subject` for this `action`.
    #[must_use]
    pub fn timer(subject: TimerSubject, action: TimerAction) -> Self {
        let subject = match subject {
            TimerSubject::Subscription(id) => format!("subscription#{id}"),
            TimerSubject::Tenant(id) => format!("tenant#{id}"),
        };
        Self::new(format!("TIMER#{subject}"), action.to_string())
    }

    /// Returns the key that counts calls of `route` from `address` in the minute that starts at
    /// `minute` (epoch seconds).
    #[must_use]
    pub fn rate(route: &str, address: impl Display, minute: i64) -> Self {
        Self::new(format!("RATE#{route}#{address}#{minute}"), "RATE")
    }

    /// Returns the key that counts verification emails to the mailbox of `email` on a `day` since
    /// 1970-01-01.
    #[must_use]
    pub fn mails(email: &Email, day: i64) -> Self {
        Self::new(format!("MAILS#{}#{day}", email.mailbox()), "MAILS")
    }

    /// Returns the key of a request for another link.
    #[must_use]
    pub fn resend(id: ResendId) -> Self {
        Self::new(format!("RESEND#{id}"), "RESEND")
    }

    /// Returns the key of a plan.
    #[must_use]
    pub fn plan(id: PlanId) -> Self {
        Self::new(format!("PLAN#{id}"), "PLAN")
    }

    /// Returns the key of the mark that a public plan was active once.
    #[must_use]
    pub fn catalog() -> Self {
        Self::new("CATALOG".to_owned(), "CATALOG")
    }

    /// Returns the key of an operator.
    #[must_use]
    pub fn operator(id: OperatorId) -> Self {
        Self::new(Self::operator_partition(id), "OPERATOR")
    }

    /// Returns the partition key of an operator and its sessions.
    #[must_use]
    pub fn operator_partition(id: OperatorId) -> String {
        format!("OPERATOR#{id}")
    }

    /// Returns the key of a session, in its operator's partition.
    #[must_use]
    pub fn session(operator: OperatorId, id: SessionId) -> Self {
        Self::new(Self::operator_partition(operator), format!("SESSION#{id}"))
    }

    /// Returns the key of the counts of a kind.
    #[must_use]
    pub fn counter(kind: &str) -> Self {
        Self::new(format!("COUNTER#{kind}"), "COUNTER")
    }

    /// Returns the key of the record that a change has been counted.
    #[must_use]
    pub fn counted(change: &str) -> Self {
        Self::new(format!("COUNTED#{change}"), "COUNTED")
    }

    /// Returns the key of the entry with this number in a chain of the audit log.
    #[must_use]
    pub fn audit(chain: &str, seq: u64) -> Self {
        Self::new(Self::audit_partition(chain), format!("{seq:012}"))
    }

    /// Returns the partition key of a chain of the audit log. Only `upkeep` may write such keys.
    #[must_use]
    pub fn audit_partition(chain: &str) -> String {
        format!("AUDIT#{chain}")
    }

    /// Returns the key of the latest entry of a chain.
    #[must_use]
    pub fn audit_head(chain: &str) -> Self {
        Self::new(Self::audit_partition(chain), "HEAD")
    }

    /// Returns the key of the record that a change is in the audit log.
    #[must_use]
    pub fn audit_done(change: &str) -> Self {
        Self::new(Self::audit_partition(&format!("done#{change}")), "DONE")
    }

    /// Returns the key of an action that the audit log is to record.
    #[must_use]
    pub fn audit_note(id: impl Display) -> Self {
        Self::new(format!("NOTE#{id}"), "NOTE")
    }

    /// Returns the key of the idempotency record of an event at a consumer.
    #[must_use]
    pub fn idempotency(consumer: &str, event: &str) -> Self {
        Self::new(format!("IDEMPOTENCY#{consumer}#{event}"), "IDEMPOTENCY")
    }

    /// Returns the key of a `word` by which an entity is found. Entities of a lower `rank` come first
    /// among those that have the word.
    #[must_use]
    pub fn search(word: &str, rank: u8, id: impl Display) -> Self {
        Self::new(Self::search_partition(word), format!("{word}#{rank}#{id}"))
    }

    /// Returns the partition key of all words that start like `word`: with the same two letters or
    /// digits, or with the same character of another script, whose words may have only one.
    #[must_use]
    pub fn search_partition(word: &str) -> String {
        let most = if word.starts_with(|first: char| first.is_ascii()) { 2 } else { 1 };
        format!("SEARCH#{}", word.chars().take(most).collect::<String>())
    }

    /// Returns the sort key prefix of a kind of children.
    #[must_use]
    pub const fn children(kind: ChildKind) -> &'static str {
        match kind {
            ChildKind::Contact => "CONTACT#",
            ChildKind::Config => "CONFIG#",
            ChildKind::Invoice => "INVOICE#",
        }
    }

    /// The sort key range of children of all kinds. The key claims of configs and the claim of
    /// the current subscription lie in this range as well.
    pub(crate) const ALL_CHILDREN: (&str, &str) = ("CONFIG#", "INVOICE$");

    /// The sort key of a tenant. All keys of its partition come before, except that of its grants.
    pub(crate) const TENANT: &str = "TENANT";
    /// The sort key prefix of resources.
    pub const RESOURCES: &str = "RESOURCE#";
    /// The sort key prefix of subscriptions.
    pub const SUBSCRIPTIONS: &str = "SUBSCRIPTION#";
    /// The sort key prefix of jobs.
    pub const JOBS: &str = "JOB#";
}

impl Key {
    /// Returns the key with these parts, which are those of an item.
    pub(crate) fn of_parts(pk: String, sk: String) -> Self {
        Self { pk, sk }
    }

    /// Returns the sort key.
    pub(crate) fn sort_key(&self) -> &str {
        &self.sk
    }

    /// Whether this is the key of a child of this `kind`.
    pub(crate) fn is_child(&self, kind: ChildKind) -> bool {
        self.sk.starts_with(Self::children(kind))
    }

    /// Returns the child ID in the key of an owner item.
    pub(crate) fn owned(&self) -> Option<&str> {
        self.pk.split_once('#').map(|(_, id)| id)
    }
}

impl From<Key> for HashMap<String, AttributeValue> {
    fn from(Key { pk, sk }: Key) -> Self {
        [("pk", pk), ("sk", sk)].map(|(name, s)| (name.into(), AttributeValue::S(s))).into()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use schema::read;

    #[test]
    fn all_patterns_are_distinct() {
        let tenant = TenantId::generate();
        // One text for every parameter, so that only the patterns can make the keys distinct.
        let id = tenant.to_string();
        let email: Email = read(&json!("a@b.test")).unwrap();
        let key: TenantKey = read(&json!("acme")).unwrap();
        let keys = [
            Key::lead(id.parse().unwrap()),
            Key::lead_email(&email),
            Key::tenant(tenant),
            Key::grants(tenant),
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
            Key::subscription(tenant, id.parse().unwrap()),
            Key::owner_of_subscription(id.parse().unwrap()),
            Key::current_subscription(tenant),
            Key::payment(tenant, &id),
            Key::timer(TimerSubject::Subscription(id.parse().unwrap()), TimerAction::PeriodEnd),
            Key::timer(TimerSubject::Subscription(id.parse().unwrap()), TimerAction::GraceEnd),
            Key::timer(TimerSubject::Tenant(tenant), TimerAction::PeriodEnd),
            Key::rate("POST /leads", "::1", 60),
            Key::mails(&email, 1),
            Key::resend(id.parse().unwrap()),
            Key::plan(id.parse().unwrap()),
            Key::catalog(),
            Key::operator(id.parse().unwrap()),
            Key::session(id.parse().unwrap(), id.parse().unwrap()),
            Key::counter(&id),
            Key::counted(&id),
            Key::audit(&id, 1),
            Key::audit_head(&id),
            Key::audit_done(&id),
            Key::audit_note(&id),
            Key::search(&id, 0, &id),
            Key::idempotency("mailer", &id),
        ];
        let distinct: BTreeSet<_> = keys.iter().map(|key| (&key.pk, &key.sk)).collect();
        assert_eq!(distinct.len(), keys.len());
    }
}
