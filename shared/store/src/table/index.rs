use std::fmt::Display;

/// A global secondary index of the table.
///
/// | index | items | pk | sk |
/// |---|---|---|---|
/// | gsi1 | all of a kind, by creation time | `<kind>#0` | `<createdOn>#<id>` |
/// | gsi1 | open jobs, by deadline | `open-job#0` | `<deadline>#<id>` |
/// | gsi1 | failed deprovisionings with no later job | `failed-deprovisioning#0` | `<failed>#<id>` |
/// | gsi1 | entries of the audit log, by time | `audit#0` | `<time>#<chain>#<number>` |
/// | gsi2 | entries of the audit log, by actor | `audit-actor#<id>` | `<time>#<chain>#<number>` |
/// | gsi2 | tenants with a status | `tenant-status#<number>` | `<createdOn>#<id>` |
/// | gsi2 | plans on offer | `catalog#0` | `<createdOn>#<id>` |
/// | gsi1 | timers, by time | `timer#0` | `<time>#<id>#<action>` |
/// | gsi2 | timers of subscriptions that end | `subscription-end#0` | `<end>#<id>#<action>` |
/// | gsi2 | subscriptions with a status | `subscription-status#<number>` | `<createdOn>#<id>` |
/// | gsi2 | leads with an email | `lead-email#<lowercase email>` | `<createdOn>#<id>` |
///
/// The `0` is a shard number, so that a kind can be spread over several partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Index {
    /// `gsi1`: all items of a kind.
    Kind,
    /// `gsi2`: the items of a kind that have a certain value.
    Value,
}

impl Index {
    /// Returns the name of the index.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kind => "gsi1",
            Self::Value => "gsi2",
        }
    }

    /// Returns the attribute that is the partition key of the index.
    #[must_use]
    pub const fn pk(self) -> &'static str {
        match self {
            Self::Kind => "gsi1pk",
            Self::Value => "gsi2pk",
        }
    }

    /// Returns the attribute that is the sort key of the index.
    #[must_use]
    pub const fn sk(self) -> &'static str {
        match self {
            Self::Kind => "gsi1sk",
            Self::Value => "gsi2sk",
        }
    }
}

/// A partition of an index. Every partition key pattern has a constructor in this type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// The index.
    pub index: Index,
    /// The partition key.
    pub pk: String,
}

impl Partition {
    /// Returns the partition of all items of an `entity` that are not deleted.
    #[must_use]
    pub fn of_entity(entity: &str) -> Self {
        Self { index: Index::Kind, pk: format!("{entity}#0") }
    }

    /// Returns the partition of open jobs, sorted by deadline.
    #[must_use]
    pub fn open_jobs() -> Self {
        Self::of_entity("open-job")
    }

    /// Returns the partition of failed deprovisionings, which contains them until the tenant's next
    /// job.
    #[must_use]
    pub fn failed_deprovisionings() -> Self {
        Self::of_entity("failed-deprovisioning")
    }

    /// Returns the partition of tenants with this status number.
    #[must_use]
    pub fn tenants_of_status(number: u8) -> Self {
        Self { index: Index::Value, pk: format!("tenant-status#{number}") }
    }

    /// Returns the partition of the plans on offer.
    #[must_use]
    pub fn catalog() -> Self {
        Self { index: Index::Value, pk: "catalog#0".to_owned() }
    }

    /// Returns the partition of subscriptions with this status number.
    #[must_use]
    pub fn subscriptions_of_status(number: u8) -> Self {
        Self { index: Index::Value, pk: format!("subscription-status#{number}") }
    }

    /// Returns the partition of the timers of subscriptions that end, sorted by their end.
    #[must_use]
    pub fn ending_subscriptions() -> Self {
        Self { index: Index::Value, pk: "subscription-end#0".to_owned() }
    }

    /// Returns the partition of leads with this lowercase email.
    #[must_use]
    pub fn leads_of_email(folded: &str) -> Self {
        Self { index: Index::Value, pk: format!("lead-email#{folded}") }
    }

    /// Returns the partition of the entries of the audit log whose actor has this ID.
    #[must_use]
    pub fn audit_of_actor(id: &str) -> Self {
        Self { index: Index::Value, pk: format!("audit-actor#{id}") }
    }

    /// Returns the key of an item in this partition, sorted by `order`.
    #[must_use]
    pub fn key(self, order: impl Display, id: impl Display) -> IndexKey {
        IndexKey { partition: self, sk: format!("{order}#{id}") }
    }
}

/// A key in an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexKey {
    /// The partition.
    pub partition: Partition,
    /// The sort key.
    pub sk: String,
}

impl IndexKey {
    /// Returns the names and values of the attributes that place an item in the index.
    #[must_use]
    pub fn attributes(self) -> [(&'static str, String); 2] {
        let Partition { index, pk } = self.partition;
        [(index.pk(), pk), (index.sk(), self.sk)]
    }
}
