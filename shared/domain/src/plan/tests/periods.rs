use proptest::prelude::*;
use serde_json::json;

use crate::BillingCycle;
use crate::plan::utc;
use schema::Timestamp;

fn cycle(unit: &str, duration: u32) -> BillingCycle {
    schema::read(&json!({ "duration": duration, "durationUnit": unit })).unwrap()
}

#[test]
fn periods_start_when_dateutil_says() {
    let mut compared = 0;
    for line in include_str!("periods.txt").lines().filter(|line| !line.starts_with('#')) {
        let [start, unit, duration, number, expected] = line.split(' ').collect::<Vec<_>>()[..]
        else {
            panic!("{line}")
        };
        let cycle = cycle(unit, duration.parse().unwrap());
        let start: Timestamp = start.parse().unwrap();
        let anchor = utc(start).day();
        let end = (0..number.parse().unwrap()).fold(start, |start, _| cycle.end_of(start, anchor));
        assert_eq!(end, expected.parse().unwrap(), "{line}");
        compared += 1;
    }
    assert!(compared > 400, "{compared}");
}

#[test]
fn nothing_ends_after_the_year_9999() {
    let late: Timestamp = "9999-12-30T00:00:00Z".parse().unwrap();
    for unit in ["day", "week", "month", "year"] {
        let end = cycle(unit, 10).end_of(late, 31);
        assert!(end.to_string().starts_with("9999-12-3"), "{end}");
    }
}

proptest! {
    #[test]
    fn a_period_is_never_empty_and_its_month_keeps_the_anchor_day(
        millis in 0_i64..4_000_000_000_000, duration in 1_u32..=10, unit in 0_usize..4,
        anchor in 1_i8..=31,
    ) {
        let cycle = cycle(["day", "week", "month", "year"][unit], duration);
        let start = Timestamp::from_millis(millis);
        let end = cycle.end_of(start, anchor);
        prop_assert!(end > start);
        let (from, to) = (utc(start), utc(end));
        prop_assert_eq!(from.time(), to.time());
        if cycle.keeps_day_of_month() {
            prop_assert_eq!(to.day(), anchor.min(to.date().days_in_month()));
        }
    }
}
