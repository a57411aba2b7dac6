use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::AuditedKind;
use crate::{ChildKind, Phase, TenantStatus};

macro_rules! actions {
    ($($name:ident = $text:literal)+) => {
        /// The change that an entry of the audit log records, as `<noun>.<past>`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum AuditAction {
            $(#[doc = concat!("`", $text, "`")] $name,)+
        }

        impl AuditAction {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Returns the name of the action.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }

            /// Returns the name of what was changed, as in the `target` of an entry.
            #[must_use]
            pub fn noun(self) -> &'static str {
                self.name().split_once('.').map_or("", |(noun, _)| noun)
            }
        }
    };
}

actions! {
    LeadCreated = "lead.created"
    LeadRenewed = "lead.renewed"
    LeadUpdated = "lead.updated"
    LeadVerified = "lead.verified"
    LeadSuperseded = "lead.superseded"
    LeadLinked = "lead.link_requested"
    LeadConverted = "lead.converted"
    LeadDeleted = "lead.deleted"
    LeadExpired = "lead.expired"
    TenantCreated = "tenant.created"
    TenantUpdated = "tenant.updated"
    TenantDeleted = "tenant.deleted"
    TenantProvisioning = "tenant.provisioning_started"
    TenantActivated = "tenant.activated"
    TenantProvisioningFailed = "tenant.provisioning_failed"
    TenantDeprovisioning = "tenant.deprovisioning_started"
    TenantDeprovisioningFailed = "tenant.deprovisioning_failed"
    TenantDeactivated = "tenant.deactivated"
    TenantSuspended = "tenant.suspended"
    TenantReactivated = "tenant.reactivated"
    ContactCreated = "contact.created"
    ContactUpdated = "contact.updated"
    ContactDeleted = "contact.deleted"
    ConfigurationCreated = "configuration.created"
    ConfigurationUpdated = "configuration.updated"
    ConfigurationDeleted = "configuration.deleted"
    InvoiceCreated = "invoice.created"
    InvoiceUpdated = "invoice.updated"
    InvoiceDeleted = "invoice.deleted"
    PlanCreated = "plan.created"
    PlanUpdated = "plan.updated"
    PlanActivated = "plan.activated"
    PlanArchived = "plan.archived"
    PlanDeleted = "plan.deleted"
    SubscriptionCreated = "subscription.created"
    SubscriptionActivated = "subscription.activated"
    SubscriptionRenewed = "subscription.renewed"
    SubscriptionUpdated = "subscription.updated"
    SubscriptionPastDue = "subscription.past_due"
    SubscriptionSuspended = "subscription.suspended"
    SubscriptionCancelled = "subscription.cancelled"
    SubscriptionExpired = "subscription.expired"
    SubscriptionDeleted = "subscription.deleted"
    EntitlementsUpdated = "entitlements.updated"
    JobOpened = "job.opened"
    JobStarted = "job.started"
    JobContinued = "job.identity_setup_started"
    JobSucceeded = "job.succeeded"
    JobFailed = "job.failed"
    JobTimedOut = "job.timed_out"
    OperatorCreated = "operator.created"
    OperatorUpdated = "operator.updated"
    OperatorDisabled = "operator.disabled"
    OperatorEnabled = "operator.enabled"
    SignInRefused = "operator.sign_in_refused"
    SessionStarted = "session.started"
    SessionEnded = "session.ended"
    AuditExported = "audit.exported"
}

impl fmt::Display for AuditAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for AuditAction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

type Item = Map<String, Value>;

impl AuditAction {
    /// Returns the name of the change between two versions of an item. Returns `None` if the audit
    /// log does not record it.
    pub(super) fn between(
        kind: AuditedKind,
        old: Option<&Item>,
        new: Option<&Item>,
    ) -> Option<Self> {
        match kind {
            AuditedKind::Lead => of_lead(old, new),
            AuditedKind::Tenant => of_tenant(old, new?),
            AuditedKind::Child(child) => Some(of_child(child, old, new?)),
            AuditedKind::Entitlements => new.map(|_| Self::EntitlementsUpdated),
            AuditedKind::Job => of_job(old, new?),
            AuditedKind::Plan => of_plan(old, new?),
            AuditedKind::Subscription => Some(of_subscription(old, new?)),
            AuditedKind::Operator => Some(of_operator(old, new?)),
            AuditedKind::Session => of_session(old, new),
            AuditedKind::Note => of_note(old, new?),
        }
    }
}

fn of_lead(old: Option<&Item>, new: Option<&Item>) -> Option<AuditAction> {
    let Some(new) = new else { return Some(AuditAction::LeadExpired) };
    let Some(old) = old else {
        let renewed = new.contains_key("origin");
        return Some(if renewed { AuditAction::LeadRenewed } else { AuditAction::LeadCreated });
    };
    let validated = |item| is_true(item, "isValidated");
    Some(match () {
        () if is_deletion(old, new) => AuditAction::LeadDeleted,
        () if !old.contains_key("tenantId") && new.contains_key("tenantId") => {
            AuditAction::LeadConverted
        }
        () if !validated(old) && validated(new) => AuditAction::LeadVerified,
        () if validated(old) && !validated(new) => AuditAction::LeadSuperseded,
        () if old.get("link") != new.get("link") => AuditAction::LeadLinked,
        () => AuditAction::LeadUpdated,
    })
}

fn of_tenant(old: Option<&Item>, new: &Item) -> Option<AuditAction> {
    use TenantStatus as S;
    let Some(old) = old else { return Some(AuditAction::TenantCreated) };
    if is_deletion(old, new) {
        return Some(AuditAction::TenantDeleted);
    }
    let status = |item: &Item| {
        item.get("status").and_then(|status| serde_json::from_value::<S>(status.clone()).ok())
    };
    Some(match (status(old)?, status(new)?) {
        (S::Suspended, S::Suspended) if old.get("suspension") != new.get("suspension") => {
            AuditAction::TenantSuspended
        }
        (from, to) if from == to => AuditAction::TenantUpdated,
        (_, S::Provisioning) => AuditAction::TenantProvisioning,
        (_, S::Deprovisioning) => AuditAction::TenantDeprovisioning,
        (S::Deprovisioning, S::Inactive) => AuditAction::TenantDeactivated,
        (S::Deprovisioning, _) => AuditAction::TenantDeprovisioningFailed,
        (_, S::Suspended) => AuditAction::TenantSuspended,
        (S::Suspended, S::Active) => AuditAction::TenantReactivated,
        (_, S::Active) => AuditAction::TenantActivated,
        (_, S::ProvisionFailed) => AuditAction::TenantProvisioningFailed,
        _ => AuditAction::TenantUpdated,
    })
}

fn of_child(kind: ChildKind, old: Option<&Item>, new: &Item) -> AuditAction {
    use AuditAction as A;
    let [created, updated, deleted] = match kind {
        ChildKind::Contact => [A::ContactCreated, A::ContactUpdated, A::ContactDeleted],
        ChildKind::Config => {
            [A::ConfigurationCreated, A::ConfigurationUpdated, A::ConfigurationDeleted]
        }
        ChildKind::Invoice => [A::InvoiceCreated, A::InvoiceUpdated, A::InvoiceDeleted],
    };
    match old {
        None => created,
        Some(old) if is_deletion(old, new) => deleted,
        Some(_) => updated,
    }
}

fn of_plan(old: Option<&Item>, new: &Item) -> Option<AuditAction> {
    let Some(old) = old else { return Some(AuditAction::PlanCreated) };
    let state = |item: &Item| item.get("state").and_then(Value::as_str).map(str::to_owned);
    Some(match state(new).as_deref() {
        _ if is_deletion(old, new) => AuditAction::PlanDeleted,
        // The audit log records the subscription.
        _ if is_true(old, "subscribed") != is_true(new, "subscribed") => return None,
        Some("active") if state(old) != state(new) => AuditAction::PlanActivated,
        Some("archived") if state(old) != state(new) => AuditAction::PlanArchived,
        _ => AuditAction::PlanUpdated,
    })
}

/// Progress within a state is not recorded: the job has its steps.
fn of_job(old: Option<&Item>, new: &Item) -> Option<AuditAction> {
    let Some(old) = old else { return Some(AuditAction::JobOpened) };
    let (from, to) = (old.get("state")?.as_str()?, new.get("state")?.as_str()?);
    if from == to {
        return None;
    }
    Some(match to {
        "running" => AuditAction::JobStarted,
        "setting_up_identity" => AuditAction::JobContinued,
        "succeeded" => AuditAction::JobSucceeded,
        "failed" => AuditAction::JobFailed,
        "timed_out" => AuditAction::JobTimedOut,
        _ => return None,
    })
}

fn of_subscription(old: Option<&Item>, new: &Item) -> AuditAction {
    use AuditAction as A;
    let Some(old) = old else { return A::SubscriptionCreated };
    if is_deletion(old, new) {
        return A::SubscriptionDeleted;
    }
    let phase = |item: &Item| {
        item.get("phase").and_then(|phase| serde_json::from_value::<Phase>(phase.clone()).ok())
    };
    let start = |item: &Item| item.get("currentPeriod").and_then(|at| at.get("start")).cloned();
    match (phase(old), phase(new)) {
        (from, Some(Phase::Cancelled)) if from != Some(Phase::Cancelled) => {
            A::SubscriptionCancelled
        }
        (from, Some(Phase::Expired)) if from != Some(Phase::Expired) => A::SubscriptionExpired,
        (Some(Phase::Pending), Some(Phase::Trialing | Phase::Active)) => A::SubscriptionActivated,
        (from, Some(Phase::PastDue)) if from != Some(Phase::PastDue) => A::SubscriptionPastDue,
        (from, Some(Phase::Suspended)) if from != Some(Phase::Suspended) => {
            A::SubscriptionSuspended
        }
        _ if start(old) != start(new) => A::SubscriptionRenewed,
        _ => A::SubscriptionUpdated,
    }
}

fn of_operator(old: Option<&Item>, new: &Item) -> AuditAction {
    let Some(old) = old else { return AuditAction::OperatorCreated };
    match (is_true(old, "disabled"), is_true(new, "disabled")) {
        (false, true) => AuditAction::OperatorDisabled,
        (true, false) => AuditAction::OperatorEnabled,
        _ => AuditAction::OperatorUpdated,
    }
}

/// That a session was used or renewed is not recorded. One that was ended before its time is removed later.
fn of_session(old: Option<&Item>, new: Option<&Item>) -> Option<AuditAction> {
    let was_ended = old.is_some_and(|old| old.contains_key("endedOn"));
    let is_ended = new.is_none_or(|new| new.contains_key("endedOn"));
    match old {
        None => Some(AuditAction::SessionStarted),
        Some(_) => (is_ended && !was_ended).then_some(AuditAction::SessionEnded),
    }
}

fn of_note(old: Option<&Item>, new: &Item) -> Option<AuditAction> {
    let noted = new.get("action")?.as_str()?;
    AuditAction::ALL.iter().copied().find(|action| old.is_none() && action.name() == noted)
}

fn is_true(item: &Item, member: &str) -> bool {
    item.get(member) == Some(&Value::Bool(true))
}

fn is_deletion(old: &Item, new: &Item) -> bool {
    !is_true(old, "deleted") && is_true(new, "deleted")
}

#[cfg(test)]
mod tests;
