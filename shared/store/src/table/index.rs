use std::fmt::Display;

/// A key in an index. `gsi1` lists all items of a kind; `gsi2` lists those with a certain value.
///
/// | index | items | pk | sk |
/// |---|---|---|---|
/// | gsi1 | all of a kind, by creation time | `<kind>#0` | `<createdOn>#<id>` |
/// | gsi1 | open jobs, by deadline | `open-job#0` | `<deadline>#<id>` |
/// | gsi1 | failed deprovisionings with no later job | `failed-deprovisioning#0` | `<failed>#<id>` |
/// | gsi2 | tenants with a status | `tenant-status#<number>` | `<createdOn>#<id>` |
/// | gsi2 | leads with an email | `lead-email#<lowercase email>` | `<createdOn>#<id>` |
///
/// The `0` is a shard number, so that a kind can be spread over several partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexKey {
    /// `gsi1` or `gsi2`.
    pub index: &'static str,
    /// The partition key of the index.
    pub pk: String,
    /// The sort key of the index.
    pub sk: String,
}

impl IndexKey {
    /// Returns the `gsi1` key of an item of a `kind`, sorted by `order`.
    #[must_use]
    pub fn listed(kind: &str, order: impl Display, id: impl Display) -> Self {
        Self { index: "gsi1", pk: Self::list_of(kind), sk: format!("{order}#{id}") }
    }

    /// Returns the `gsi2` key of an item in the partition `pk`, sorted by `order`.
    #[must_use]
    pub fn filtered(pk: String, order: impl Display, id: impl Display) -> Self {
        Self { index: "gsi2", pk, sk: format!("{order}#{id}") }
    }

    /// Returns the `gsi1` partition of a `kind`.
    #[must_use]
    pub fn list_of(kind: &str) -> String {
        format!("{kind}#0")
    }

    /// Returns the `gsi2` partition of tenants with this status number.
    #[must_use]
    pub fn tenants_of_status(number: u8) -> String {
        format!("tenant-status#{number}")
    }

    /// Returns the `gsi2` partition of leads with this lowercase email.
    #[must_use]
    pub fn leads_of_email(folded: &str) -> String {
        format!("lead-email#{folded}")
    }

    /// The kind that lists open jobs by deadline.
    pub const OPEN_JOB: &str = "open-job";

    /// The kind that lists failed deprovisionings until the tenant's next job.
    pub const FAILED_DEPROVISIONING: &str = "failed-deprovisioning";
}
