//! Many subscriptions through 36 months of virtual time, with random actions, a clock that misses
//! minutes, jobs, and signals that are repeated or late. After each step, the rules must hold that
//! no single action shows.

mod customer;
mod rules;

use std::time::Duration;

use customer::Customer;

use super::*;

const MONTHS: u64 = 36;

/// Returns the seed, which `TENANTRY_TEST_SEED` repeats.
#[expect(clippy::disallowed_methods, reason = "a failed run is repeated with its seed")]
fn seed() -> u64 {
    let given = std::env::var("TENANTRY_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| fastrand::u64(..))
}

fn live(customers: u64) {
    let seed = seed();
    eprintln!("TENANTRY_TEST_SEED={seed}");
    let plans = plans();
    let mut seen = customer::Seen::default();
    for number in 0..customers {
        let mut random = fastrand::Rng::with_seed(seed.wrapping_add(number));
        let mut customer = Customer::new(&plans, &mut random);
        let start = time("2026-01-01T00:00") + Duration::from_secs(random.u64(0..31_000_000));
        let end = start + Duration::from_secs(MONTHS * 30 * 24 * 3600);
        let mut now = start;
        while now < end {
            customer.act(now, &mut random);
            // The clock is down for one step in five, up to a month.
            if random.u8(0..5) > 0 {
                customer.run_clock(now);
                rules::check_settled(&customer, now);
            }
            rules::check_always(&customer);
            now = now + Duration::from_secs(random.u64(60..30 * 24 * 3600));
        }
        customer.finish(now);
        rules::check_settled(&customer, now);
        rules::check_periods(&customer);
        seen.add(&customer.seen);
    }
    seen.check();
}

fn plans() -> Vec<PlanTerms> {
    let month = json!({ "duration": 1, "durationUnit": "month" });
    let year = json!({ "duration": 1, "durationUnit": "year" });
    let week = json!({ "duration": 2, "durationUnit": "week" });
    [
        json!({ "billingCycle": month, "trialDays": 14, "graceDays": 10 }),
        json!({ "billingCycle": month, "price": 99.99, "graceDays": 0, "features": { "seats": 9 } }),
        json!({ "billingCycle": year, "price": 300, "trialDays": 2 }),
        json!({ "billingCycle": week, "price": 0, "effectOfNonPayment": "none" }),
        json!({ "billingCycle": month, "price": 500, "tier": "PREMIUM" }),
    ]
    .iter()
    .map(terms)
    .collect()
}

#[test]
fn a_thousand_subscriptions_live_36_months() {
    live(1_000);
}

#[test]
#[ignore = "the long form of the test above, run with `--run-ignored only`"]
fn fifty_thousand_subscriptions_live_36_months() {
    live(50_000);
}
