use serde::{Deserialize, Serialize};
use strum::{Display, EnumString};

use super::{PENDING_LIFE, Phase, Subscription};
use crate::{SubscriptionId, TenantId};
use schema::Timestamp;

/// The action of a timer.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum TimerAction {
    /// The subscription expires, because its tenant did not become active.
    PendingEnd,
    /// The notice of the trial's end is given.
    TrialNotice,
    /// The trial ends.
    TrialEnd,
    /// The period ends.
    PeriodEnd,
    /// The grace period ends.
    GraceEnd,
    /// The tenant is moved to the terms of its pending change.
    Move,
    /// The tenant is reactivated, which an open job prevented.
    Reactivate,
    /// The tenant is deprovisioned, because it kept its cancelled subscription.
    Deprovision,
    /// The resources that the tenant had before it was moved are removed.
    Retire,
}

/// The entity on which a timer acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimerSubject {
    /// A subscription.
    Subscription(SubscriptionId),
    /// A tenant.
    Tenant(TenantId),
}

/// An action that is due at a time, if its subject still has this version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// The action.
    pub action: TimerAction,
    /// The entity on which it acts.
    pub subject: TimerSubject,
    /// The version of the entity that set the timer.
    pub version: u64,
    /// When the action is due.
    pub at: Timestamp,
}

impl Subscription {
    /// Returns every timer of the subscription in this `version`, by time. They replace those of
    /// earlier versions.
    #[must_use]
    pub fn timers(&self, version: u64) -> Vec<Timer> {
        let subject = TimerSubject::Subscription(self.id);
        let timer = |(action, at)| Timer { action, subject, version, at };
        let mut timers: Vec<_> = self.due_times().into_iter().map(timer).collect();
        timers.sort_by_key(|timer| (timer.at, timer.action));
        timers
    }

    /// Returns the time of the `action`, or `None` if it does not wait.
    pub(super) fn due_time(&self, action: TimerAction) -> Option<Timestamp> {
        self.due_times().into_iter().find_map(|(due, at)| (due == action).then_some(at))
    }

    /// Returns the actions that wait. The end of a trial waits for its notice, and a move for the
    /// period that it applies from, so that they happen in order however late the clock is.
    fn due_times(&self) -> Vec<(TimerAction, Timestamp)> {
        let end = self.current_period.map(|period| period.end);
        let moves = self.pending_change.as_ref().filter(|change| change.needs_move(&self.plan));
        let begun = |on: &Timestamp| self.current_period.is_some_and(|now| now.start >= *on);
        let moved_on = moves.map(|change| change.on).filter(begun);
        let (main, grace) = match self.phase {
            Phase::Pending => {
                (Some((TimerAction::PendingEnd, self.audit.created_on + PENDING_LIFE)), None)
            }
            Phase::Trialing => match self.trial_notice_on {
                Some(on) => (Some((TimerAction::TrialNotice, on)), None),
                None => (self.trial_ends_on.map(|on| (TimerAction::TrialEnd, on)), None),
            },
            Phase::PastDue => (end.map(|end| (TimerAction::PeriodEnd, end)), self.grace_ends_on),
            Phase::Active | Phase::Suspended => {
                (end.map(|end| (TimerAction::PeriodEnd, end)), None)
            }
            Phase::Cancelled | Phase::Expired => return Vec::new(),
        };
        let others = [
            (TimerAction::GraceEnd, grace),
            (TimerAction::Move, moved_on),
            (TimerAction::Reactivate, self.reactivate_on),
        ];
        let others = others.into_iter().filter_map(|(action, at)| Some((action, at?)));
        main.into_iter().chain(others).collect()
    }
}
