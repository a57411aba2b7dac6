//! Says what happens to a workspace, when, and what its customer can do.

use domain::{EventType, Phase, PlanTerms, Retention, Subscription, Suspension, SuspensionReason};
use schema::Timestamp;

use crate::words::{date, name};

/// The words about a change of a workspace.
#[derive(Clone, Debug)]
pub(crate) struct NoticeWords {
    /// The heading, and the first part of the subject.
    pub(crate) heading: &'static str,
    /// The end of the sentence that starts with the name of the workspace.
    pub(crate) text: String,
    /// The label of the button.
    pub(crate) button: &'static str,
}

/// The news of a subscription.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SubscriptionNotice<'a> {
    /// The trial ends at this time. The subscription goes on if it renews.
    TrialEnding { plan: &'a PlanTerms, until: Timestamp, renews: bool },
    /// A payment is overdue. If there is a time, the tenant is suspended then.
    PastDue { plan: &'a PlanTerms, until: Option<Timestamp> },
    /// The subscription is cancelled at this time. If there is a second time, the tenant is deprovisioned
    /// then.
    Cancelled { plan: &'a PlanTerms, until: Timestamp, deleted_on: Option<Timestamp> },
}

impl<'a> SubscriptionNotice<'a> {
    /// Returns the notice about an event of this type, or `None` if it no longer applies.
    pub(crate) fn about(
        kind: EventType,
        of: &'a Subscription,
        retention: Retention,
        now: Timestamp,
    ) -> Option<Self> {
        let plan = &of.plan;
        let later = |until: &Timestamp| *until > now;
        match (kind, of.phase) {
            (EventType::SubscriptionTrialEnding, Phase::Trialing) => {
                let until = of.trial_ends_on.filter(later)?;
                let plan = of.pending_change.as_ref().map_or(plan, |change| &change.plan);
                Some(Self::TrialEnding { plan, until, renews: of.ends_on().is_none() })
            }
            (EventType::SubscriptionPastDue, Phase::PastDue) => {
                Some(Self::PastDue { plan, until: of.grace_ends_on.filter(later) })
            }
            (EventType::SubscriptionCancelScheduled, _) if of.cancel_at_period_end => {
                let until = of.ends_on().filter(later)?;
                Some(Self::Cancelled { plan, until, deleted_on: retention.ends(until) })
            }
            _ => None,
        }
    }

    /// Returns the terms of the subscription.
    pub(crate) fn plan(&self) -> &'a PlanTerms {
        match self {
            Self::TrialEnding { plan, .. }
            | Self::PastDue { plan, .. }
            | Self::Cancelled { plan, .. } => plan,
        }
    }

    /// Returns when it happens.
    pub(crate) fn until(&self) -> Option<Timestamp> {
        match self {
            Self::TrialEnding { until, .. } | Self::Cancelled { until, .. } => Some(*until),
            Self::PastDue { until, .. } => *until,
        }
    }

    /// Returns when the data of the tenant is deleted.
    pub(crate) fn deleted_on(&self) -> Option<Timestamp> {
        match self {
            Self::TrialEnding { .. } | Self::PastDue { .. } => None,
            Self::Cancelled { deleted_on, .. } => *deleted_on,
        }
    }

    /// Returns the words.
    pub(crate) fn words(&self) -> NoticeWords {
        let (heading, text) = match *self {
            Self::TrialEnding { plan, until, renews } => {
                let next = if renews {
                    format!(
                        "Then your subscription to {} begins, at {}.",
                        name(plan.name.as_str()),
                        price(plan)
                    )
                } else {
                    "Then it is suspended, and its data is kept. Contact us to go on using it."
                        .to_owned()
                };
                ("Your trial ends soon", format!("is on a trial until {}. {next}", date(until)))
            }
            Self::PastDue { until, .. } => {
                let next = until.map(|until| {
                    format!(
                        " It is suspended on {}, unless the payment arrives before.",
                        date(until)
                    )
                });
                let next = next.unwrap_or_default();
                ("A payment is overdue", format!("has an overdue payment.{next}"))
            }
            Self::Cancelled { until, deleted_on, .. } => {
                let next = match deleted_on {
                    Some(on) => format!(
                        "and its data is deleted on {}. Contact us before that day to go on using it.",
                        date(on)
                    ),
                    None => "and its data is kept. Contact us to go on using it.".to_owned(),
                };
                let until = date(until);
                (
                    "Your subscription is cancelled",
                    format!(
                        "has a cancelled subscription. You can use it until {until}. Then it is suspended, {next}"
                    ),
                )
            }
        };
        NoticeWords { heading, text, button: "Open workspace" }
    }
}

impl NoticeWords {
    /// Returns the words for a tenant with this suspension.
    pub(crate) fn suspended(suspension: &Suspension) -> Self {
        let text = match suspension.deprovision_on {
            Some(on) => format!(
                "is suspended because its subscription was cancelled. Its data is deleted on {}. Contact us \
                 before that day to use it again.",
                date(on)
            ),
            None => Self::why_suspended(suspension.reason).to_owned(),
        };
        Self { heading: "Your workspace is suspended", text, button: "Sign in" }
    }

    /// Returns why a tenant is suspended whose data is kept.
    fn why_suspended(reason: SuspensionReason) -> &'static str {
        use SuspensionReason as R;
        match reason {
            R::NonPayment => {
                "is suspended because a payment is overdue. Its data is kept. Pay the invoice to use it again."
            }
            R::TrialEnded => {
                "is suspended because its trial has ended. Its data is kept. Contact us to use it again."
            }
            R::Expired => {
                "is suspended because its subscription has expired. Its data is kept. Contact us to use it again."
            }
            R::Cancelled => {
                "is suspended because its subscription was cancelled. Its data is kept. Contact us to use it again."
            }
            R::Request => {
                "is suspended, as you requested. Its data is kept. Contact us to use it again."
            }
            R::Abuse | R::Other => "is suspended. Its data is kept. Contact us to use it again.",
        }
    }

    /// Returns the words for a tenant that is active again.
    pub(crate) fn reactivated() -> Self {
        Self {
            heading: "Your workspace is active again",
            text: "is active again. You can use it as before.".to_owned(),
            button: "Open workspace",
        }
    }
}

/// Returns the price of a plan, as in `EUR 49.90 per month` or `EUR 120.00 per 3 months`.
fn price(plan: &PlanTerms) -> String {
    let amount = plan.price.grouped(plan.currency_code.minor_digits());
    let (count, unit) = (u32::from(plan.billing_cycle.duration), plan.billing_cycle.duration_unit);
    let cycle = if count == 1 { unit.to_string() } else { format!("{count} {unit}s") };
    format!("{} {amount} per {cycle}", plan.currency_code.code())
}
