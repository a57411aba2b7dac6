use serde::Serialize;
use serde_json::value::RawValue;

use super::timeline::{StepView, timeline};
use crate::{
    Audit, IdentityProvider, Isolation, Job, JobId, JobKind, JobState, Placement, TenantId, Text,
    Viewer,
};
use schema::Timestamp;

/// A job on the wire.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JobView<'a> {
    id: JobId,
    tenant_id: TenantId,
    kind: JobKind,
    attempt: u32,
    state: JobState,
    tier: &'a Text<1, 100>,
    isolation: Isolation,
    identity_provider: Option<IdentityProvider>,
    from: Option<&'a Placement>,
    to: Option<&'a Placement>,
    subscription: &'a RawValue,
    steps: Vec<StepView<'a>>,
    deadline: Timestamp,
    execution_id: Option<&'a str>,
    log_url: Option<&'a str>,
    app_plane_url: Option<&'a str>,
    reason: Option<&'a str>,
    #[serde(flatten)]
    audit: &'a Audit,
}

impl<'a> JobView<'a> {
    /// Creates the view of `job` for a viewer.
    #[must_use]
    pub fn new(job: &'a Job, viewer: Viewer) -> Self {
        Self {
            id: job.id,
            tenant_id: job.tenant_id,
            kind: job.kind,
            attempt: job.attempt,
            state: job.state,
            tier: &job.tier,
            isolation: job.isolation,
            identity_provider: job.identity_provider,
            from: job.moves.as_ref().map(|moves| &moves.from),
            to: job.moves.as_ref().map(|moves| &moves.to),
            subscription: job.subscription.raw(),
            steps: timeline(job, viewer),
            deadline: job.deadline,
            execution_id: job.execution_id.as_deref(),
            log_url: job.log_url.as_deref(),
            app_plane_url: job.app_plane_url.as_deref(),
            reason: job.reason.as_deref(),
            audit: &job.audit,
        }
    }
}
