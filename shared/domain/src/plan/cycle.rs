use jiff::{Span, ToSpan, civil::DateTime, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::json;
use strum::{Display, VariantArray};

use crate::values::{Whole, words_from_json};
use schema::{Timestamp, body};

/// A unit of billing cycles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Display, VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum DurationUnit {
    /// Days of 24 hours.
    Day,
    /// Weeks of 7 days.
    Week,
    /// Calendar months.
    Month,
    /// Calendar years.
    Year,
}

words_from_json!(DurationUnit);

impl DurationUnit {
    /// Returns the longest cycle in this unit: about ten years.
    fn most(self) -> u32 {
        match self {
            Self::Day => 3650,
            Self::Week => 520,
            Self::Month => 120,
            Self::Year => 10,
        }
    }
}

body! {
    /// The length of a period.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub struct BillingCycle {
        /// The number of units.
        pub duration: Whole<1, 3650>,
        /// The unit.
        pub duration_unit: DurationUnit,
    }
    fn check(members) {
        if let (Some(duration), Some(unit)) = (duration, duration_unit)
            && u32::from(duration) > unit.most()
            && let Some(mut at) = members.place(Some("duration"))
        {
            let (most, info) = (unit.most(), json!({ "comparison": "<=", "limit": unit.most() }));
            at.violate("maximum", format!("must be <= {most} for the unit \"{unit}\""), info);
        }
    }
}

impl BillingCycle {
    /// Returns the part of an amount of a period, in minor units, that falls on a month, rounded half
    /// up. A year has 12 months, 52 weeks and 365 days.
    #[must_use]
    pub fn monthly(self, units: u128) -> u128 {
        let cycles_a_year: u128 = match self.duration_unit {
            DurationUnit::Day => 365,
            DurationUnit::Week => 52,
            DurationUnit::Month => 12,
            DurationUnit::Year => 1,
        };
        let parts = 12 * u128::from(u32::from(self.duration));
        (2 * units.saturating_mul(cycles_a_year) + parts) / (2 * parts)
    }

    /// Returns whether periods keep the day of the month.
    #[must_use]
    pub fn keeps_day_of_month(self) -> bool {
        matches!(self.duration_unit, DurationUnit::Month | DurationUnit::Year)
    }

    /// Returns the end of the period that starts at `start`, in UTC. Months and years end on the
    /// `anchor_day` of the month, or on the last day of a shorter month. Nothing ends after the year
    /// 9999.
    #[must_use]
    pub fn end_of(self, start: Timestamp, anchor_day: i8) -> Timestamp {
        let start = utc(start);
        if !self.keeps_day_of_month() {
            return millis(start.saturating_add(self.span()));
        }
        let first = start.first_of_month().saturating_add(self.span());
        let days = first.date().days_in_month();
        let end = first.saturating_add(i64::from(anchor_day.clamp(1, days) - 1).days());
        millis(end)
    }

    fn span(self) -> Span {
        let duration = i64::from(u32::from(self.duration));
        match self.duration_unit {
            DurationUnit::Day => duration.days(),
            DurationUnit::Week => duration.weeks(),
            DurationUnit::Month => duration.months(),
            DurationUnit::Year => duration.years(),
        }
    }
}

/// Returns the date and time in UTC. A time outside the years that `jiff` knows becomes the last.
pub(crate) fn utc(time: Timestamp) -> DateTime {
    let time = jiff::Timestamp::from_millisecond(time.millis()).unwrap_or(jiff::Timestamp::MAX);
    TimeZone::UTC.to_datetime(time)
}

fn millis(time: DateTime) -> Timestamp {
    let last = || Timestamp::from_millis(jiff::Timestamp::MAX.as_second() * 1000);
    TimeZone::UTC.to_timestamp(time).map_or_else(|_| last(), Timestamp::from)
}
