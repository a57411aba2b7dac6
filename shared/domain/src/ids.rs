use std::{fmt, hash::Hash, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use uuid::Uuid;

use schema::{FromJson, Reader, Timestamp, clock};

/// The ID of an entity of some kind.
pub trait EntityId:
    Copy
    + fmt::Debug
    + fmt::Display
    + Eq
    + FromStr
    + Hash
    + Serialize
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
    /// The name of the kind of entity, as in ARC SaaS.
    const ENTITY: &'static str;

    /// Returns a new ID.
    fn generate() -> Self;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $entity:literal)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Returns a new ID: a `UUIDv7`, which starts with a timestamp of 48 bits (RFC 9562).
            #[must_use]
            pub fn generate() -> Self {
                Self(new_v7())
            }

            /// Returns the 16 bytes of the ID.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// Returns when the ID was created, or `None` if it is not a `UUIDv7` and so was not
            /// created by this program.
            #[must_use]
            pub fn created_at(&self) -> Option<Timestamp> {
                let created = self.0.get_timestamp().filter(|_| self.0.get_version_num() == 7)?;
                let (seconds, nanos) = created.to_unix();
                let millis = seconds * 1000 + u64::from(nanos / 1_000_000);
                i64::try_from(millis).ok().map(Timestamp::from_millis)
            }
        }

        impl EntityId for $name {
            const ENTITY: &'static str = $entity;

            fn generate() -> Self {
                Self::generate()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            /// Accepts only the hyphenated form, so that an ID has one spelling.
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                s.parse::<uuid::fmt::Hyphenated>().map(|id| Self(id.into_uuid()))
            }
        }

        impl FromJson for $name {
            fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
                at.text(value, 0, 100)?.parse().ok().or_else(|| {
                    at.wrong_format("uuid");
                    None
                })
            }

            fn schema() -> Value {
                json!({ "type": "string", "format": "uuid" })
            }
        }
    )+};
}

/// Returns a `UUIDv7` of the current time, which is its first 48 bits, in milliseconds (RFC 9562
/// §5.7).
fn new_v7() -> Uuid {
    // The crate reads the system's clock.
    moved(Uuid::now_v7(), clock::ahead())
}

/// Returns a `UUIDv7` of a time that is later by `ahead`.
fn moved(id: Uuid, ahead: Duration) -> Uuid {
    Uuid::from_u128(id.as_u128().wrapping_add(ahead.as_millis() << 80))
}

ids! {
    /// Identifies an address.
    AddressId = "Address"
    /// Identifies a note of an action for the audit log.
    AuditNoteId = "AuditNote"
    /// Identifies a contact.
    ContactId = "Contact"
    /// Identifies an invoice.
    InvoiceId = "Invoice"
    /// Identifies a job: one attempt at building, moving or removing a tenant's resources.
    JobId = "Job"
    /// Identifies a lead.
    LeadId = "Lead"
    /// Identifies an operator: a person or a machine of an identity provider.
    OperatorId = "Operator"
    /// Identifies a plan.
    PlanId = "Plan"
    /// Identifies a request to resend a verification email.
    ResendId = "Resend"
    /// Identifies a resource of a tenant, as reported by a build.
    ResourceId = "Resource"
    /// Identifies a session of an operator.
    SessionId = "Session"
    /// Identifies a subscription.
    SubscriptionId = "Subscription"
    /// Identifies a configuration of a tenant.
    TenantConfigId = "TenantConfig"
    /// Identifies a tenant.
    TenantId = "Tenant"
}

/// The ID of the user who made a change: the `id` claim of a token, or `SYSTEM_USER_ID`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(String);

impl From<&str> for UserId {
    fn from(id: &str) -> Self {
        Self(id.to_owned())
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ResourceId {
    /// Derives an ID from the job that reported the resource and a digest. Like any ID, it starts
    /// with a timestamp: that of the job.
    #[must_use]
    pub fn derived(job: JobId, digest: [u8; 10]) -> Self {
        let millis = job.created_at().map_or(0, Timestamp::millis);
        let millis = u64::try_from(millis).unwrap_or_default();
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &digest).into_uuid())
    }
}

impl OperatorId {
    /// Derives the ID of a subject of an issuer: the `UUIDv5` of the subject in the namespace that is
    /// the `UUIDv5` of the issuer's URL (RFC 9562 §5.5). So it is stable, and contains no personal
    /// data.
    #[must_use]
    pub fn for_subject(issuer: &str, subject: &str) -> Self {
        let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, issuer.as_bytes());
        Self(Uuid::new_v5(&namespace, subject.as_bytes()))
    }
}

impl InvoiceId {
    /// Derives the ID of the invoice for a period of a subscription: the `UUIDv5` of the period's
    /// start in the namespace of the subscription's ID (RFC 9562 §5.5). So a period has one invoice.
    #[must_use]
    pub fn for_period(subscription: SubscriptionId, start: Timestamp) -> Self {
        Self(Uuid::new_v5(&subscription.0, start.to_string().as_bytes()))
    }
}

impl SessionId {
    /// Creates the ID from a digest of the session's secret: a `UUIDv8` (RFC 9562 §5.8).
    #[must_use]
    pub fn of_digest(digest: [u8; 16]) -> Self {
        Self(uuid::Builder::from_custom_bytes(digest).into_uuid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_contains_its_creation_time() {
        let created = LeadId::generate().created_at().unwrap();
        assert!(crate::now().since(created).as_secs() < 5);
        let foreign: LeadId = "6b2f0d5c-6b1e-4a55-9d2c-0d3b1f9a7e21".parse().unwrap();
        assert_eq!(foreign.created_at(), None);
    }

    #[test]
    fn an_id_of_a_clock_that_is_ahead_contains_the_time_of_that_clock() {
        let (id, hour) = (LeadId::generate(), Duration::from_secs(3600));
        let later = LeadId(moved(id.0, hour));
        assert_eq!(later.created_at(), id.created_at().map(|time| time + hour));
    }

    /// The expected value is that of Python:
    /// `uuid.uuid5(uuid.UUID("6b2f…7e21"), "2026-01-31T10:00:00.000Z")`.
    #[test]
    fn the_invoice_of_a_period_has_one_id() {
        let subscription = "6b2f0d5c-6b1e-4a55-9d2c-0d3b1f9a7e21".parse().unwrap();
        let start = "2026-01-31T10:00:00Z".parse().unwrap();
        let id = InvoiceId::for_period(subscription, start);
        assert_eq!(id.to_string(), "4b2369dc-7001-5fd6-a593-13e7abf051e1");
    }

    /// The expected value is that of Python's `uuid.uuid5`.
    #[test]
    fn a_subject_has_one_id_per_issuer() {
        let id = OperatorId::for_subject("https://id.test", "ada");
        assert_eq!(id.to_string(), "1c0d6e05-114a-513f-b34d-007aebd71439");
        assert_ne!(id, OperatorId::for_subject("https://id.testa", "da"));
    }

    #[test]
    fn an_id_has_one_spelling() {
        assert!("{6b2f0d5c-6b1e-4a55-9d2c-0d3b1f9a7e21}".parse::<LeadId>().is_err());
        assert!("6b2f0d5c6b1e4a559d2c0d3b1f9a7e21".parse::<LeadId>().is_err());
    }
}
