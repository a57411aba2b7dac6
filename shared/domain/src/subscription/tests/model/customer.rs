use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::InvoiceStatus;

/// A tenant, its subscriptions and its invoices, as the table would hold them.
pub(super) struct Customer<'p> {
    plans: &'p [PlanTerms],
    pub(super) tenant: Tenant,
    /// Every subscription, the current one last.
    pub(super) all: Vec<Subscription>,
    version: u64,
    pub(super) invoices: BTreeMap<InvoiceId, InvoiceStatus>,
    /// The periods with an invoice, and of trials.
    pub(super) periods: Vec<(SubscriptionId, Period)>,
    /// The move that the open job performs.
    moving: Option<Move>,
    references: BTreeSet<u32>,
    pub(super) seen: Seen,
    by: UserId,
}

/// How often each event, and each change of the tenant, happened.
#[derive(Default)]
pub(super) struct Seen(BTreeMap<String, u64>);

impl Seen {
    pub(super) fn add(&mut self, other: &Self) {
        for (event, times) in &other.0 {
            *self.0.entry(event.clone()).or_default() += times;
        }
    }

    pub(super) fn of(&self, event: EventType) -> u64 {
        self.0.get(&event.to_string()).copied().unwrap_or(0)
    }

    /// A run in which one never happens tests nothing about it.
    pub(super) fn check(&self) {
        assert_eq!(self.0.len(), 14, "{:?}", self.0);
    }
}

impl<'p> Customer<'p> {
    pub(super) fn new(plans: &'p [PlanTerms], random: &mut fastrand::Rng) -> Self {
        let status =
            if random.bool() { TenantStatus::Active } else { TenantStatus::PendingProvision };
        Self {
            plans,
            tenant: tenant(status),
            all: Vec::new(),
            version: 0,
            invoices: BTreeMap::new(),
            periods: Vec::new(),
            moving: None,
            references: BTreeSet::new(),
            seen: Seen::default(),
            by: system(),
        }
    }

    pub(super) fn current(&self) -> Option<&Subscription> {
        self.all.last()
    }

    /// Does something at random.
    pub(super) fn act(&mut self, now: Timestamp, random: &mut fastrand::Rng) {
        match random.u8(0..24) {
            0 => self.suspend(now),
            1..=3 => self.reactivate(now),
            4 => self.open_job(),
            5..=8 => self.close_job(now, random),
            9 | 10 => self.become_active(now),
            _ if self.current().is_none_or(|one| !one.is_current()) => self.subscribe(now, random),
            11..=13 => self.signal("failed", now, random),
            14..=18 => self.signal("succeeded", now, random),
            19 | 20 => self.change(now, random),
            21 => self.cancel(now, random),
            22 => self.decide(now, Subscription::resume),
            _ => self.edit(now, random),
        }
    }

    /// Takes a decision about the current subscription. A refusal changes nothing.
    fn decide(
        &mut self,
        now: Timestamp,
        action: impl FnOnce(Subscription, Context<'_>) -> Result<Decision, Refusal>,
    ) {
        let Some(subscription) = self.current().cloned() else { return };
        let by = self.by.clone();
        let at = Context { tenant: self.tenant.standing(), now, by: &by };
        if let Ok(decision) = action(subscription, at) {
            self.all.pop();
            self.write(decision, now);
        }
    }

    /// Writes a decision, as one transaction does.
    fn write(&mut self, decision: Decision, now: Timestamp) {
        let Decision { subscription, events, invoice, paid, tenant, opens, .. } = decision;
        self.version += 1;
        for event in events {
            *self.seen.0.entry(event.to_string()).or_default() += 1;
        }
        let begun = subscription.current_period.filter(|_| subscription.phase == Phase::Trialing);
        let trial = begun.map(|period| (subscription.id, period));
        self.periods.extend(trial.filter(|trial| self.periods.last() != Some(trial)));
        if let Some(invoice) = invoice {
            let first = self.invoices.insert(invoice.id, invoice.details.status);
            assert_eq!(first, None, "a period is renewed once");
            self.periods.push((subscription.id, subscription.current_period.unwrap()));
        }
        if let Some(id) = paid {
            let before = self.invoices.insert(id, InvoiceStatus::Paid);
            assert_eq!(before, Some(InvoiceStatus::Pending), "a paid invoice is final");
        }
        if let Some(change) = tenant {
            *self.seen.0.entry(format!("{change:?}")).or_default() += 1;
            let old = self.tenant.clone();
            self.tenant = old.with_standing(change, now, &self.by).unwrap();
        }
        if let Some(to) = opens {
            self.tenant = job(self.tenant.clone(), None);
            self.moving = Some(to);
        }
        self.all.push(subscription);
    }

    fn subscribe(&mut self, now: Timestamp, random: &mut fastrand::Rng) {
        let (plan, by) = (random.choice(self.plans).unwrap().clone(), self.by.clone());
        let trial = if random.bool() { Trial::Offered } else { Trial::Declined };
        let at = Context { tenant: self.tenant.standing(), now, by: &by };
        let id = self.tenant.id;
        let current = self.current().filter(|one| one.is_current()).map(|one| one.id);
        let new = Subscription::subscribe(id, plan, trial, current, at);
        if let Ok(mut new) = new {
            // The seed decides about IDs too, so that a run can be repeated.
            let id = uuid::Builder::from_random_bytes(random.u128(..).to_be_bytes()).into_uuid();
            new.subscription.id = id.to_string().parse().unwrap();
            self.write(new, now);
            self.decide(now, Subscription::activate);
        }
    }

    fn become_active(&mut self, now: Timestamp) {
        if self.tenant.status == TenantStatus::PendingProvision {
            self.tenant.status = TenantStatus::Active;
        }
        self.decide(now, Subscription::activate);
    }

    fn signal(&mut self, outcome: &str, now: Timestamp, random: &mut fastrand::Rng) {
        let overdue = self.current().and_then(|one| random.choice(&one.overdue)).copied();
        let any = random.choice(self.invoices.keys()).copied();
        let id = match (outcome, random.u8(0..4)) {
            ("succeeded", 0..=2) => overdue,
            (_, 3) => any.filter(|id| self.is_of_current(*id)),
            _ => None,
        };
        let signal = signal(outcome, id);
        let reference = random.u32(0..1000);
        for _ in 0..random.u8(1..3) {
            let Some(id) = self.current().and_then(|one| one.invoice_of(&signal).ok()) else {
                return;
            };
            let status = self.invoices[&id];
            let is_new = self.references.insert(reference);
            // A signal that is sent again under another reference must change nothing either.
            if is_new || random.bool() {
                self.decide(now, |one, at| one.signalled(&signal, status, at));
            }
        }
    }

    fn is_of_current(&self, id: InvoiceId) -> bool {
        let current = self.all.last().map(|one| one.id);
        let mut periods = self.periods.iter().filter(|(owner, _)| Some(*owner) == current);
        periods.any(|(owner, period)| InvoiceId::for_period(*owner, period.start) == id)
    }

    fn change(&mut self, now: Timestamp, random: &mut fastrand::Rng) {
        let plan = random.choice(self.plans).unwrap().clone();
        let when = if random.bool() { When::Now } else { When::PeriodEnd };
        let proration = if random.bool() { Proration::Credit } else { Proration::None };
        self.decide(now, |one, at| match one.clone().change(plan, when, proration, at)? {
            PlanChange::Decided(decision) => Ok(*decision),
            PlanChange::Moves(to) => Ok(Decision { opens: Some(*to), ..Decision::new(one) }),
        });
    }

    fn cancel(&mut self, now: Timestamp, random: &mut fastrand::Rng) {
        let when = random.bool().then_some(When::Now);
        self.decide(now, |one, at| one.cancel(Cancellation { when, reason: None }, at));
    }

    fn edit(&mut self, now: Timestamp, random: &mut fastrand::Rng) {
        let auto_renew = Some(random.u8(0..3) > 0);
        self.decide(now, |one, at| {
            let details = SubscriptionDetails { auto_renew, ..one.details.clone() };
            Ok(Decision::new(one.edited(details, at.now, at.by)))
        });
    }

    fn suspend(&mut self, now: Timestamp) {
        let new = schema::read(&json!({ "reason": "request" })).unwrap();
        if let Ok(tenant) = self.tenant.clone().suspended(new, now, &self.by) {
            self.tenant = tenant;
        }
    }

    fn reactivate(&mut self, now: Timestamp) {
        if let Ok(tenant) = self.tenant.clone().reactivated(now, &self.by) {
            self.tenant = tenant;
            self.decide(now, |one, at| Ok(one.reactivated_by_hand(at)));
        }
    }

    fn open_job(&mut self) {
        self.tenant = job(self.tenant.clone(), None);
    }

    fn close_job(&mut self, now: Timestamp, random: &mut fastrand::Rng) {
        self.tenant = job(self.tenant.clone(), Some(Outcome::Succeeded));
        if let Some(to) = self.moving.take().filter(|_| random.u8(0..4) > 0) {
            self.decide(now, |one, at| one.moved(to, at)?.ok_or(Refusal::JobOpen));
        }
    }

    /// Runs the clock until nothing is due. Each timer is delivered twice.
    pub(super) fn run_clock(&mut self, now: Timestamp) {
        let mut blocked = BTreeSet::new();
        loop {
            let timers = self.current().map_or(Vec::new(), |one| one.timers(self.version));
            let mut due = timers.into_iter().filter(|timer| timer.at <= now);
            let Some(timer) = due.find(|timer| !blocked.contains(&timer.action)) else { return };
            let version = self.version;
            for _ in 0..2 {
                if self.version == timer.version {
                    self.decide(now, |one, at| {
                        one.run(timer.action, at).map(|done| done.expect("a due timer is not done"))
                    });
                }
            }
            // A refused timer is tried again once anything has changed, as in the next minute.
            if self.version == version {
                blocked.insert(timer.action);
            } else {
                blocked.clear();
            }
        }
    }

    /// Closes every job, then runs the clock.
    pub(super) fn finish(&mut self, now: Timestamp) {
        self.tenant = job(self.tenant.clone(), Some(Outcome::Failed));
        self.moving = None;
        self.run_clock(now);
        self.tenant = job(self.tenant.clone(), Some(Outcome::Failed));
        self.run_clock(now);
    }
}
