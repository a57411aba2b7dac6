use serde::{Deserialize, Serialize};

use crate::plan::utc;
use schema::{Day, Timestamp};

/// A period of a subscription. The end is exclusive: it is the start of the next period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// The start.
    pub start: Timestamp,
    /// The end.
    pub end: Timestamp,
}

/// The milliseconds of a day in UTC.
const DAY: i64 = 24 * 3600 * 1000;

impl Period {
    /// Returns the number of days, at least 1. A part of a day counts as a day.
    #[must_use]
    pub fn days(self) -> u32 {
        let millis = self.end.millis() - self.start.millis();
        u32::try_from((millis + DAY - 1).div_euclid(DAY)).unwrap_or(1).max(1)
    }

    /// Returns the number of days that remain at `now`. The current day counts.
    #[must_use]
    pub fn days_left(self, now: Timestamp) -> u32 {
        let gone = (now.millis() - self.start.millis()).div_euclid(DAY);
        let gone = u32::try_from(gone.max(0)).unwrap_or(u32::MAX);
        self.days().saturating_sub(gone)
    }

    /// Returns the day on which the period starts.
    #[must_use]
    pub fn first_day(self) -> Day {
        utc(self.start).date().into()
    }

    /// Returns the day on which the period ends, which is the first day of the next period.
    #[must_use]
    pub fn end_day(self) -> Day {
        utc(self.end).date().into()
    }

    /// Returns the last day before the next period, for invoices.
    #[must_use]
    pub fn last_day(self) -> Day {
        let end = utc(self.end).date();
        Day::from(end.yesterday().unwrap_or(end)).max(self.first_day())
    }
}
