use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::{Adjustment, InvoiceLine, PendingChange, Phase, Subscription};
use crate::{
    Amount, Audit, Currency, Editable, Entity, Error, Features, InvoiceId, Isolation, Metadata,
    NonPayment, PlanId, PlanTerms, Result, SubscriptionDetails, SubscriptionId, TenantId, Text,
    UserId, entities, entity::wire_of, permit,
};
use filter::Schema;
use schema::{Day, Timestamp};

/// A subscription on the wire.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SubscriptionView<'a> {
    id: SubscriptionId,
    tenant_id: TenantId,
    subscriber_id: TenantId,
    plan_id: PlanId,
    status: u8,
    phase: Phase,
    start_date: Option<Day>,
    end_date: Option<Day>,
    current_period_start: Option<Timestamp>,
    current_period_end: Option<Timestamp>,
    anchor_day: Option<i8>,
    trial_ends_on: Option<Timestamp>,
    auto_renew: bool,
    cancel_at_period_end: bool,
    cancel_reason: Option<&'a Text<0, 1000>>,
    /// JSON text, as everything with exact amounts.
    pending_change: Option<String>,
    past_due_since: Option<Timestamp>,
    grace_ends_on: Option<Timestamp>,
    overdue: &'a [InvoiceId],
    adjustments: String,
    meta_data: Option<&'a Metadata>,
    plan: String,
    #[serde(flatten)]
    audit: &'a Audit,
}

/// The terms of a plan on the wire.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TermsView<'a> {
    id: PlanId,
    revision: u32,
    name: &'a Text<1, 100>,
    tier: &'a Text<1, 100>,
    isolation: Isolation,
    #[serde(serialize_with = "as_number")]
    price: &'a Amount,
    currency_code: Currency,
    billing_cycle: crate::BillingCycle,
    trial_days: u32,
    grace_days: u32,
    effect_of_non_payment: NonPayment,
    features: &'a Features,
}

/// A credit or a charge on the wire.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AdjustmentView<'a> {
    #[serde(rename = "type")]
    kind: super::AdjustmentKind,
    plan_id: PlanId,
    #[serde(serialize_with = "as_number")]
    amount: &'a Amount,
    currency_code: Currency,
    days: u32,
    of_days: u32,
    on: Timestamp,
}

impl<'a> From<&'a Adjustment> for AdjustmentView<'a> {
    fn from(line: &'a Adjustment) -> Self {
        let Adjustment { kind, plan_id, ref amount, currency_code, days, of_days, on } = *line;
        Self { kind, plan_id, amount, currency_code, days, of_days, on }
    }
}

/// A line of an invoice on the wire.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LineView<'a> {
    #[serde(rename = "type")]
    kind: super::LineKind,
    plan_id: PlanId,
    #[serde(serialize_with = "as_number")]
    amount: &'a Amount,
    days: Option<u32>,
    of_days: Option<u32>,
    on: Option<Timestamp>,
}

impl<'a> From<&'a InvoiceLine> for LineView<'a> {
    fn from(line: &'a InvoiceLine) -> Self {
        let InvoiceLine { kind, plan_id, ref amount, days, of_days, on } = *line;
        Self { kind, plan_id, amount, days, of_days, on }
    }
}

/// A pending change on the wire.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PendingChangeView {
    plan_id: PlanId,
    on: Timestamp,
}

fn as_number<S: Serializer>(
    amount: &&Amount,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    amount.as_number(serializer)
}

fn text_of(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal("writing a subscription"))
}

impl PlanTerms {
    /// Returns the terms as JSON text, with the price as a number.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the terms cannot be serialized.
    pub fn to_json(&self) -> Result<String> {
        text_of(&TermsView {
            id: self.plan_id,
            revision: self.revision,
            name: &self.name,
            tier: &self.tier,
            isolation: self.isolation,
            price: &self.price,
            currency_code: self.currency_code,
            billing_cycle: self.billing_cycle,
            trial_days: self.trial_days,
            grace_days: self.grace_days,
            effect_of_non_payment: self.effect_of_non_payment,
            features: &self.features,
        })
    }
}

impl Adjustment {
    /// Returns credits and charges as JSON text, with the amounts as numbers.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if a line cannot be serialized.
    pub fn list_to_json(lines: &[Self]) -> Result<String> {
        text_of(&lines.iter().map(AdjustmentView::from).collect::<Vec<_>>())
    }
}

impl InvoiceLine {
    /// Returns lines as JSON text, with the amounts as numbers.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if a line cannot be serialized.
    pub(crate) fn list_to_json(lines: &[Self]) -> Result<String> {
        text_of(&lines.iter().map(LineView::from).collect::<Vec<_>>())
    }
}

impl PendingChange {
    fn to_json(&self) -> Result<String> {
        text_of(&PendingChangeView { plan_id: self.plan.plan_id, on: self.on })
    }
}

impl Entity for Subscription {
    const SCHEMA: &'static Schema = &entities::SUBSCRIPTION;
    type View = permit::ViewSubscription;

    fn audit(&self) -> &Audit {
        &self.audit
    }

    fn wire(&self) -> Result<Map<String, Value>> {
        wire_of(&SubscriptionView {
            id: self.id,
            tenant_id: self.tenant_id,
            subscriber_id: self.tenant_id,
            plan_id: self.plan.plan_id,
            status: self.phase.status(),
            phase: self.phase,
            start_date: self.start_date(),
            end_date: self.end_date(),
            current_period_start: self.current_period.map(|period| period.start),
            current_period_end: self.current_period.map(|period| period.end),
            anchor_day: self.anchor_day,
            trial_ends_on: self.trial_ends_on,
            auto_renew: self.auto_renews(),
            cancel_at_period_end: self.cancel_at_period_end,
            cancel_reason: self.cancel_reason.as_ref(),
            pending_change: self.pending_change.as_ref().map(PendingChange::to_json).transpose()?,
            past_due_since: self.past_due_since,
            grace_ends_on: self.grace_ends_on,
            overdue: &self.overdue,
            adjustments: Adjustment::list_to_json(&self.adjustments)?,
            meta_data: self.details.meta_data.as_ref(),
            plan: self.plan.to_json()?,
            audit: &self.audit,
        })
    }
}

impl Editable for Subscription {
    type Details = SubscriptionDetails;
    type Update = permit::UpdateSubscription;

    const READ_ONLY: &'static [&'static str] = &[
        "id",
        "tenantId",
        "subscriberId",
        "planId",
        "status",
        "phase",
        "startDate",
        "endDate",
        "currentPeriodStart",
        "currentPeriodEnd",
        "anchorDay",
        "trialEndsOn",
        "cancelAtPeriodEnd",
        "cancelReason",
        "pendingChange",
        "pastDueSince",
        "graceEndsOn",
        "overdue",
        "adjustments",
        "plan",
        "createdOn",
        "modifiedOn",
        "createdBy",
        "modifiedBy",
        "deleted",
        "deletedOn",
        "deletedBy",
    ];

    fn conflict(fixed: &str) -> Option<Error> {
        Self::action_for(fixed).map(Error::Refused)
    }

    fn details(&self) -> SubscriptionDetails {
        self.details.clone()
    }

    fn edited(self, details: SubscriptionDetails, now: Timestamp, by: &UserId) -> Self {
        Self { details, audit: self.audit.changed(now, by), ..self }
    }

    fn audited(self, audit: Audit) -> Self {
        Self { audit, ..self }
    }
}
