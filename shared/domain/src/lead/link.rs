use serde::{Deserialize, Serialize};

use crate::{TenantStatus, values::openable};
use schema::Timestamp;

/// A link by which the owner of a verified mailbox continues its sign-up. A lead keeps the latest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeadLink {
    /// When the link was issued. The lifetime of its key starts here.
    pub issued_on: Timestamp,
    /// How far the sign-up had come.
    pub stage: Stage,
    /// URL of the tenant's application, or any other text that its build reported in its place, if
    /// the tenant is ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_plane_url: Option<String>,
}

impl LeadLink {
    /// Returns the URL of the tenant's application if it is one that a person can open.
    #[must_use]
    pub fn app_link(&self) -> Option<&str> {
        openable(self.app_plane_url.as_deref())
    }
}

/// How far the sign-up of a verified lead has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// The lead has no tenant yet.
    Verified,
    /// The tenant is waiting for a plan.
    Planning,
    /// The tenant is being built.
    Building,
    /// The latest build failed, so that the lead can start another.
    Failed,
    /// The tenant is active.
    Ready,
    /// The tenant is suspended. Its lead can still read everything.
    Suspended,
    /// The tenant was deprovisioned or deleted.
    Removed,
}

impl From<TenantStatus> for Stage {
    fn from(status: TenantStatus) -> Self {
        match status {
            TenantStatus::PendingProvision => Self::Planning,
            TenantStatus::Provisioning => Self::Building,
            TenantStatus::ProvisionFailed => Self::Failed,
            TenantStatus::Active => Self::Ready,
            TenantStatus::Suspended => Self::Suspended,
            TenantStatus::Deprovisioning | TenantStatus::Inactive => Self::Removed,
        }
    }
}
