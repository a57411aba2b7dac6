use proptest::prelude::*;
use strum::VariantArray;

use super::super::proration::prorated;
use super::*;
use crate::{Amount, Currency};

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

#[test]
fn a_part_of_a_price_is_rounded_half_up_to_the_minor_unit() {
    for (price, code, days, of_days, expected) in [
        ("30", "EUR", 15, 30, "15"),
        ("29.99", "EUR", 1, 31, "0.97"),
        ("29.99", "EUR", 31, 31, "29.99"),
        ("0.05", "EUR", 1, 2, "0.03"),
        ("0.03", "EUR", 1, 2, "0.02"),
        ("1000", "JPY", 1, 3, "333"),
        ("1", "JPY", 1, 2, "1"),
        ("1", "KWD", 1, 3, "0.333"),
        ("10", "EUR", 2, 3, "6.67"),
        ("999999999999999.99", "EUR", 3649, 3650, "999726027397260.26"),
        ("10", "EUR", 0, 30, "0"),
    ] {
        let part = prorated(&price.parse().unwrap(), currency(code), days, of_days);
        assert_eq!(part.to_string(), expected, "{days}/{of_days} of {price} {code}");
    }
}

#[test]
fn a_change_credits_the_old_price_and_charges_the_new_one_for_the_days_left() {
    let by = system();
    let context = at(in_use(), "2026-02-14T09:00", &by);
    let (old, new) = (activated(&json!({})), terms(&json!({ "price": 60 })));
    let quote = old.quote(&new, When::Now, Proration::Credit, context.now).unwrap();
    let Ok(PlanChange::Decided(decision)) = old.change(new, When::Now, Proration::Credit, context)
    else {
        panic!()
    };
    let subscription = decision.subscription;
    assert_eq!(subscription.adjustments, quote.lines, "the dry run says what happens");
    let lines: Vec<_> = quote
        .lines
        .iter()
        .map(|line| {
            format!("{:?} {} for {} of {}", line.kind, line.amount, line.days, line.of_days)
        })
        .collect();
    assert_eq!(lines, ["Credit 16.07 for 15 of 28", "Charge 32.14 for 15 of 28"]);
    let context = at(in_use(), "2026-02-28T10:00", &by);
    let renewed = subscription.run(TimerAction::PeriodEnd, context).unwrap().unwrap();
    let invoice = renewed.invoice.unwrap();
    assert_eq!(invoice.details.amount.to_string(), "76.07");
    assert_eq!(invoice.lines.len(), 3);
    assert!(renewed.subscription.adjustments.is_empty(), "the invoice takes them once");
    let day = |day: Day| day.date().to_string();
    let details = &invoice.details;
    let days = [details.start_date, details.end_date, details.due_date].map(day);
    assert_eq!(days, ["2026-02-28", "2026-03-30", "2026-03-07"]);
}

#[test]
fn a_credit_that_exceeds_the_invoice_remains_for_the_next_one() {
    let by = system();
    let (expensive, cheap) = (json!({ "price": 100 }), json!({ "price": 10 }));
    let context = at(in_use(), "2026-01-31T11:00", &by);
    let change = activated(&expensive).change(terms(&cheap), When::Now, Proration::Credit, context);
    let Ok(PlanChange::Decided(decision)) = change else { panic!() };
    let mut subscription = decision.subscription;
    let mut amounts = Vec::new();
    for _ in 0..11 {
        let context = at(in_use(), "2027-02-01T00:00", &by);
        let done = subscription.run(TimerAction::PeriodEnd, context).unwrap().unwrap();
        let invoice = done.invoice.unwrap();
        let signed = |line: &InvoiceLine| {
            let units = i128::try_from(line.amount.minor_units(2)).unwrap();
            if line.kind == LineKind::Credit { -units } else { units }
        };
        let sum: i128 = invoice.lines.iter().map(signed).sum();
        assert_eq!(sum, i128::try_from(invoice.details.amount.minor_units(2)).unwrap());
        assert!(invoice.lines.iter().all(|line| line.amount != Amount::default()));
        amounts.push(invoice.details.amount.to_string());
        subscription = done.subscription;
    }
    assert_eq!(amounts, ["0", "0", "0", "0", "0", "0", "0", "0", "0", "10", "10"]);
}

fn credit(plan: &PlanTerms, amount: &str) -> Adjustment {
    Adjustment {
        kind: AdjustmentKind::Credit,
        plan_id: plan.plan_id,
        amount: amount.parse().unwrap(),
        currency_code: plan.currency_code,
        days: 1,
        of_days: 28,
        on: time("2026-02-01T10:00"),
    }
}

#[test]
fn an_invoice_takes_the_first_credits_up_to_its_amount() {
    let by = system();
    let context = at(in_use(), "2026-02-28T10:00", &by);
    let active = activated(&json!({ "price": 10 }));
    let amounts = |adjustments: &[Adjustment]| -> Vec<_> {
        adjustments.iter().map(|one| one.amount.to_string()).collect()
    };
    for (credits, taken, rest, amount) in [
        (["4", "5"], &["4", "5"][..], &[][..], "1"),
        (["4", "6"], &["4", "6"], &[], "0"),
        (["4", "40"], &["4", "6"], &["34"], "0"),
        (["30", "40"], &["10"], &["60"], "0"),
    ] {
        let adjustments = credits.map(|amount| credit(&active.plan, amount)).to_vec();
        let given = Subscription { adjustments, ..active.clone() };
        let renewed = given.run(TimerAction::PeriodEnd, context).unwrap().unwrap();
        let invoice = renewed.invoice.unwrap();
        let lines = invoice.lines[1..].iter().map(|line| line.amount.to_string());
        assert_eq!(lines.collect::<Vec<_>>(), taken);
        assert_eq!(invoice.details.amount.to_string(), amount);
        assert_eq!(amounts(&renewed.subscription.adjustments), rest);
    }
}

#[test]
fn at_most_100_credits_and_charges_wait_for_an_invoice() {
    let active = activated(&json!({}));
    let (new, now) = (terms(&json!({ "price": 60 })), time("2026-02-14T09:00"));
    for (waiting, is_allowed) in [(MAX_ADJUSTMENTS - 2, true), (MAX_ADJUSTMENTS - 1, false)] {
        let adjustments = vec![credit(&active.plan, "1"); waiting];
        let subscription = Subscription { adjustments, ..active.clone() };
        let quote = subscription.quote(&new, When::Now, Proration::Credit, now);
        assert_eq!(quote.is_ok(), is_allowed, "{waiting} and two more");
    }
}

#[test]
fn a_subscription_has_the_revenue_of_a_month_while_it_is_paid() {
    let active = activated(&json!({}));
    for phase in Phase::VARIANTS.iter().copied() {
        let revenue = if matches!(phase, Phase::Active | Phase::PastDue) { 3000 } else { 0 };
        let subscription = Subscription { phase, ..active.clone() };
        assert_eq!(subscription.monthly_revenue(), revenue, "{phase}");
    }
    for (price, currency, unit, revenue) in [
        (120_u64, "EUR", "year", 1000),
        (120, "JPY", "year", 10),
        (999_999_999_999_999, "EUR", "day", 1_000_000_000_000_000),
    ] {
        let cycle = json!({ "duration": 1, "durationUnit": unit });
        let given = json!({ "price": price, "currencyCode": currency, "billingCycle": cycle });
        assert_eq!(activated(&given).monthly_revenue(), revenue, "{given}");
    }
}

#[test]
fn another_billing_cycle_is_charged_by_its_own_days() {
    let yearly = terms(&json!({
        "price": 365, "billingCycle": { "duration": 1, "durationUnit": "year" },
    }));
    let now = time("2026-02-14T09:00");
    let quote = activated(&json!({})).quote(&yearly, When::Now, Proration::Credit, now).unwrap();
    let amounts: Vec<_> = quote.lines.iter().map(|line| line.amount.to_string()).collect();
    assert_eq!(amounts, ["16.07", "15"]);
}

#[test]
fn changes_that_make_no_sense_are_refused() {
    let by = system();
    let now = time("2026-02-14T09:00");
    let dollars = terms(&json!({ "currencyCode": "USD" }));
    let active = activated(&json!({}));
    let said = |one: &Subscription, plan: &PlanTerms, when, proration| {
        one.quote(plan, when, proration, now).map_or_else(Refusal::code, |_| "yes")
    };
    assert_eq!(said(&active, &dollars, When::Now, Proration::Credit), "SUBSCRIPTION_STATE");
    assert_eq!(said(&active, &dollars, When::Now, Proration::None), "yes");
    assert_eq!(said(&active, &dollars, When::PeriodEnd, Proration::Credit), "yes");
    let context = at(in_use(), "2026-02-14T09:00", &by);
    let ending = active.clone().cancel(Cancellation { when: None, reason: None }, context);
    let ending = ending.unwrap().subscription;
    let other = terms(&json!({ "price": 5 }));
    assert_eq!(said(&ending, &other, When::PeriodEnd, Proration::None), "SUBSCRIPTION_STATE");
    assert_eq!(said(&ending, &other, When::Now, Proration::None), "yes");
    let Ok(PlanChange::Decided(waiting)) =
        active.change(other, When::PeriodEnd, Proration::None, context)
    else {
        panic!()
    };
    let same = waiting.subscription.plan.clone();
    let Ok(PlanChange::Decided(withdrawn)) =
        waiting.subscription.change(same, When::Now, Proration::Credit, context)
    else {
        panic!()
    };
    assert_eq!(withdrawn.subscription.pending_change, None);
    assert!(withdrawn.subscription.adjustments.is_empty());
    let refusal = Subscription::action_for("planId").unwrap();
    assert_eq!(
        refusal.to_string(),
        "`planId` can't be set directly. Use the operation \"change\"."
    );
    assert_eq!(Subscription::action_for("autoRenew"), None);
}

proptest! {
    #[test]
    fn a_part_is_within_half_a_unit_and_the_parts_of_two_add_up(
        units in 0_u128..1_000_000_000_000_000, digits in 0_usize..3, of_days in 1_u32..3650,
        days in 0_u32..3650,
    ) {
        let days = days.min(of_days);
        let code = ["JPY", "EUR", "KWD"][[0, 1, 2][digits]];
        let minor = currency(code).minor_digits();
        let price = Amount::from_minor_units(units, minor);
        let part = |days| prorated(&price, currency(code), days, of_days).minor_units(minor);
        let exact = units * u128::from(days);
        let whole = part(days) * u128::from(of_days);
        prop_assert!(2 * exact.abs_diff(whole) <= u128::from(of_days));
        prop_assert!((part(days) + part(of_days - days)).abs_diff(units) <= 1);
        prop_assert_eq!(part(of_days), units);
        prop_assert!(days == 0 || part(days - 1) <= part(days));
    }
}
