use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use strum::{Display, VariantArray};

use crate::refusal::{Allowed, Refusal, allow_if};
use crate::values::words_from_json;
use crate::{
    StandingChange, Tenant, TenantStatus, Text, Timer, TimerAction, TimerSubject, Transition,
    UserId,
};
use schema::{FromJson, Reader, Timestamp, body, nullable};

/// Why a tenant is suspended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Display, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SuspensionReason {
    /// The grace period for an overdue invoice is over.
    NonPayment,
    /// The trial ended and was not converted.
    TrialEnded,
    /// The last period ended and was not renewed.
    Expired,
    /// The cancellation of the subscription took effect.
    Cancelled,
    /// An operator suspended the tenant because of abuse.
    Abuse,
    /// An operator suspended the tenant at its own request.
    Request,
    /// An operator suspended the tenant for another reason.
    Other,
}

words_from_json!(SuspensionReason);

/// The suspension of a tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Suspension {
    /// Why the tenant is suspended.
    pub reason: SuspensionReason,
    /// A note of the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text<0, 1000>>,
    /// When the tenant was suspended for this reason.
    pub since: Timestamp,
    /// The user who suspended the tenant.
    pub by: UserId,
    /// When a job removes the tenant's resources. `None` if only an operator opens that job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprovision_on: Option<Timestamp>,
}

/// How long a tenant keeps its resources after the cancellation of its subscription. `None` if only an
/// operator has them removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention(pub Option<Duration>);

impl Retention {
    /// Returns when the resources of a tenant are removed whose subscription is cancelled at `since`.
    #[must_use]
    pub fn ends(self, since: Timestamp) -> Option<Timestamp> {
        self.0.map(|kept| since + kept)
    }
}

impl Suspension {
    /// Returns the JSON Schema of a suspension on the wire.
    #[must_use]
    pub fn schema() -> Value {
        let properties = json!({
            "reason": SuspensionReason::schema(),
            "note": nullable(Text::<0, 1000>::schema()),
            "since": { "type": "string", "format": "date-time" },
            "by": { "type": "string" },
            "deprovisionOn": nullable(json!({ "type": "string", "format": "date-time" })),
        });
        json!({
            "type": "object", "properties": properties,
            "required": ["reason", "note", "since", "by", "deprovisionOn"],
            "additionalProperties": false,
        })
    }
}

body! {
    /// The body of `POST /tenants/{id}/suspend`.
    #[derive(Clone, Debug)]
    pub struct NewSuspension {
        reason: Option<SuspensionReason> as Option<OperatorsReason>,
        note: Option<Text<0, 1000>>,
    }
}

/// A reason that an operator can give. The others follow from the subscription, so that the reason
/// alone says whether a payment can end the suspension.
struct OperatorsReason(SuspensionReason);

impl From<OperatorsReason> for SuspensionReason {
    fn from(OperatorsReason(reason): OperatorsReason) -> Self {
        reason
    }
}

impl FromJson for OperatorsReason {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let known = serde_json::from_value(value.clone()).ok();
        known.filter(|reason: &SuspensionReason| reason.is_by_hand()).map(Self).or_else(|| {
            at.not_allowed(&Self::schema()["enum"]);
            None
        })
    }

    fn schema() -> Value {
        let by_hand = SuspensionReason::VARIANTS.iter().filter(|reason| reason.is_by_hand());
        json!({ "type": "string", "enum": by_hand.collect::<Vec<_>>() })
    }
}

/// The state of a tenant on which decisions about its subscription depend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The tenant's status.
    pub status: TenantStatus,
    /// Why the tenant is suspended. Also set while a suspended tenant is deprovisioned.
    pub suspension: Option<SuspensionReason>,
    /// Whether a job of the tenant is open.
    pub has_open_job: bool,
}

impl SuspensionReason {
    /// Returns whether an operator suspends tenants for this reason. Only an operator ends such a
    /// suspension.
    #[must_use]
    pub fn is_by_hand(self) -> bool {
        matches!(self, Self::Abuse | Self::Request | Self::Other)
    }
}

impl Standing {
    /// Returns the change that suspends the tenant because of its subscription, or `None` if it was
    /// suspended by hand or has no resources to lock.
    ///
    /// # Errors
    ///
    /// [`Refusal::JobOpen`] if a job of the tenant is open.
    pub fn suspend(self, reason: SuspensionReason) -> Result<Option<StandingChange>, Refusal> {
        match self.status {
            TenantStatus::Active | TenantStatus::Suspended => {
                let by_hand = self.suspension.is_some_and(SuspensionReason::is_by_hand);
                allow_if(by_hand || !self.has_open_job, Refusal::JobOpen)?;
                Ok((!by_hand).then_some(StandingChange::Suspend(reason)))
            }
            TenantStatus::Provisioning | TenantStatus::Deprovisioning => Err(Refusal::JobOpen),
            TenantStatus::PendingProvision
            | TenantStatus::ProvisionFailed
            | TenantStatus::Inactive => Ok(None),
        }
    }

    /// Returns whether the subscription, not an operator, has suspended the tenant.
    #[must_use]
    pub fn is_suspended_by_subscription(self) -> bool {
        self.suspension.is_some_and(|reason| !reason.is_by_hand())
    }

    /// Returns whether the tenant is suspended because an invoice is overdue. It may be on its way out.
    pub(crate) fn is_unpaid(self) -> bool {
        self.suspension == Some(SuspensionReason::NonPayment)
    }

    /// Checks that a job may move the tenant to another tier or isolation now.
    pub(crate) fn check_movable(self) -> Allowed {
        self.check_no_job()?;
        let is_active = self.status == TenantStatus::Active;
        allow_if(is_active, Refusal::TenantState("Only an active tenant can be moved."))
    }

    /// Checks that a job may move the tenant, which may be that of a customer who returns: its subscription
    /// has ended, and has suspended it.
    pub(crate) fn check_movable_for_return(self) -> Allowed {
        let has_left = self.is_suspended_by_subscription() && !self.is_unpaid();
        match self.status {
            TenantStatus::Suspended if has_left => self.check_no_job(),
            _ => self.check_movable(),
        }
    }

    /// Checks that no job of the tenant is open.
    ///
    /// # Errors
    ///
    /// [`Refusal::JobOpen`].
    pub fn check_no_job(self) -> Result<(), Refusal> {
        allow_if(!self.has_open_job, Refusal::JobOpen)
    }
}

impl Tenant {
    /// Returns the state on which decisions about the tenant's subscription depend.
    #[must_use]
    pub fn standing(&self) -> Standing {
        Standing {
            status: self.status,
            suspension: self.suspension.as_ref().map(|suspension| suspension.reason),
            has_open_job: self.latest_job.as_ref().is_some_and(|job| job.outcome.is_none()),
        }
    }

    /// Returns the tenant after an operator suspends it. A suspension that followed from the
    /// subscription gets the operator's reason, so that no payment ends it.
    ///
    /// # Errors
    ///
    /// [`Refusal::JobOpen`] if a job is open, or [`Refusal::TenantState`] if the tenant is neither
    /// active nor suspended by its subscription.
    pub fn suspended(
        self,
        new: NewSuspension,
        now: Timestamp,
        by: &UserId,
    ) -> Result<Self, Refusal> {
        let standing = self.standing();
        standing.check_no_job()?;
        let by_hand = standing.suspension.is_some_and(SuspensionReason::is_by_hand);
        allow_if(!by_hand, Refusal::TenantState("The tenant is already suspended."))?;
        let NewSuspension { reason, note } = new;
        let reason = reason.unwrap_or(SuspensionReason::Other);
        self.locked((reason, note), now, by)
    }

    /// Returns the tenant after an operator reactivates it, whatever the reason of its suspension.
    ///
    /// # Errors
    ///
    /// [`Refusal::JobOpen`] if a job is open, or [`Refusal::TenantState`] if the tenant is not
    /// suspended.
    pub fn reactivated(self, now: Timestamp, by: &UserId) -> Result<Self, Refusal> {
        self.standing().check_no_job()?;
        let status = self.status.after(Transition::Reactivate);
        let status = status.map_err(|_| Refusal::TenantState("The tenant is not suspended."))?;
        Ok(Self { status, suspension: None, audit: self.audit.changed(now, by), ..self })
    }

    /// Returns the tenant after its subscription changes its standing.
    ///
    /// # Errors
    ///
    /// As [`Tenant::suspended`] and [`Tenant::reactivated`].
    pub fn with_standing(
        self,
        change: StandingChange,
        now: Timestamp,
        by: &UserId,
    ) -> Result<Self, Refusal> {
        match change {
            StandingChange::Reactivate => self.reactivated(now, by),
            StandingChange::Suspend(reason) => {
                self.standing().check_no_job()?;
                self.locked((reason, None), now, by)
            }
        }
    }

    /// Returns the suspended tenant with the time at which a job removes its resources.
    #[must_use]
    pub fn deprovisioned_on(self, deprovision_on: Option<Timestamp>) -> Self {
        let suspension = self.suspension.map(|why| Suspension { deprovision_on, ..why });
        Self { suspension, ..self }
    }

    /// Returns the timer that deprovisions the tenant in this `version`, if its suspension sets one.
    #[must_use]
    pub fn deprovisioning_timer(&self, version: u64) -> Option<Timer> {
        let at = self.suspension.as_ref()?.deprovision_on?;
        let (action, subject) = (TimerAction::Deprovision, TimerSubject::Tenant(self.id));
        Some(Timer { action, subject, version, at })
    }

    fn locked(
        self,
        (reason, note): (SuspensionReason, Option<Text<0, 1000>>),
        now: Timestamp,
        by: &UserId,
    ) -> Result<Self, Refusal> {
        let suspension =
            Suspension { reason, note, since: now, by: by.clone(), deprovision_on: None };
        let status = self.status.after(Transition::Suspend);
        let status =
            status.map_err(|_| Refusal::TenantState("Only an active tenant can be suspended."))?;
        let (suspension, audit) = (Some(suspension), self.audit.changed(now, by));
        Ok(Self { status, suspension, audit, ..self })
    }
}
