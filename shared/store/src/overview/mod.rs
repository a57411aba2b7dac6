//! The dashboard.

mod attention;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    Store,
    counters::{
        CANCELLED, ONBOARDED, REVENUE, TOTAL, day_counter, month_kind, numbers, part,
        phase_counter, status_counter,
    },
    table::{item::Item, key::Key},
};
use domain::{
    Amount, Currency, Day, Histogram, Lead, Leads, Overview, Phase, Result, Revenue, Subscription,
    SubscriptionFigures, Tenant, TenantStatus,
};
use schema::Timestamp;

/// Number of days in an overview.
const DAYS: u32 = 30;

/// Length of a day.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Counters by kind, each with its numbers by name.
type Counters = BTreeMap<String, BTreeMap<String, u64>>;

impl Store {
    /// Returns the dashboard statistics. They are eventually consistent, about one second old. The
    /// cost does not grow with the number of tenants: this reads three counters, the counters of the
    /// last months, and the start of each list of tenants that need attention.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`](domain::Error::Internal) if something cannot be read.
    pub async fn overview(&self, now: Timestamp) -> Result<Overview> {
        let days: Vec<_> = (0..DAYS).rev().map(|ago| now - DAY * ago).collect();
        let months: BTreeSet<_> = days.iter().map(|day| month_kind(*day)).collect();
        let kinds = [Lead::ENTITY, Tenant::ENTITY, Subscription::ENTITY].map(str::to_owned);
        let (counters, attention) =
            tokio::try_join!(self.counters(kinds.into_iter().chain(months)), self.attention(now))?;
        let number = |kind: &str, name: &str| {
            counters.get(kind).and_then(|numbers| numbers.get(name)).copied().unwrap_or(0)
        };
        let subscriptions = SubscriptionFigures {
            trialing: number(Subscription::ENTITY, &phase_counter(Phase::Trialing)),
            past_due: number(Subscription::ENTITY, &phase_counter(Phase::PastDue)),
            cancelled: days
                .iter()
                .map(|day| number(&month_kind(*day), &day_counter(*day, CANCELLED)))
                .sum(),
            revenue: revenue(&counters),
        };
        let (days, waits) = last(&counters, &days);
        Ok(Overview {
            leads: Leads {
                total: number(Lead::ENTITY, TOTAL),
                validated: number(Lead::ENTITY, "validated"),
            },
            tenants: TenantStatus::ALL
                .iter()
                .map(|status| number(Tenant::ENTITY, &status_counter(status.number())))
                .collect(),
            subscriptions,
            days,
            median_seconds: waits.median().map(|median| median.as_secs_f64()),
            attention,
        })
    }

    async fn counters(&self, kinds: impl Iterator<Item = String>) -> Result<Counters> {
        let (kinds, keys): (Vec<_>, Vec<_>) =
            kinds.map(|kind| (kind.clone(), Key::counter(&kind))).unzip();
        let mut named = Counters::new();
        for item in self.get_all(&keys).await? {
            let key = item.key();
            let place = keys.iter().position(|known| key.as_ref() == Some(known));
            if let Some(kind) = place.and_then(|place| kinds.get(place)) {
                named.insert(kind.clone(), numbers(item.decode()?));
            }
        }
        Ok(named)
    }
}

/// Returns the recurring revenues, by the code of their currency.
fn revenue(counters: &Counters) -> Vec<Revenue> {
    let numbers = counters.get(Subscription::ENTITY).into_iter().flatten();
    let revenue = |(name, units): (&String, &u64)| {
        let currency_code: Currency = name.strip_prefix(REVENUE)?.parse().ok()?;
        let amount = Amount::from_minor_units(u128::from(*units), currency_code.minor_digits());
        (*units > 0).then_some(Revenue { currency_code, amount })
    };
    numbers.filter_map(revenue).collect()
}

/// Returns the numbers of `days`, and the time to activation of all tenants activated on these
/// days.
fn last(counters: &Counters, days: &[Timestamp]) -> (Vec<Day>, Histogram) {
    let mut all = Histogram::default();
    let days = days.iter().map(|day| {
        let (mut waits, prefix) = (Histogram::default(), day_counter(*day, ""));
        let numbers = counters.get(&month_kind(*day)).into_iter().flatten();
        let numbers = numbers.filter_map(|(name, many)| Some((name.strip_prefix(&prefix)?, *many)));
        let numbers: BTreeMap<_, _> = numbers.collect();
        numbers.iter().for_each(|(name, many)| waits.add(name, *many));
        all.add_all(&waits);
        Day {
            date: part(*day, 0..10),
            onboarded: numbers.get(ONBOARDED).copied().unwrap_or(0),
            activated: waits.count(),
            median_seconds: waits.median().map(|median| median.as_secs_f64()),
        }
    });
    (days.collect(), all)
}
