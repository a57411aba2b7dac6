use std::{fmt, str::FromStr};

use jiff::{civil::Date, fmt::temporal::Pieces, tz::Offset};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{FromJson, Reader};

/// A calendar day from 0001-01-01 to 9999-12-31, independent of time zones.
///
/// Clients write it as a date, or as a date-time whose own day counts: `2026-01-01T00:00:00+05:30`
/// is 1 January. On the wire and in the table it is midnight of that day in UTC, as in ARC SaaS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(Date);

/// The text is neither a date nor a date-time with an offset.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("must be a date or a date-time (RFC 3339)")]
pub struct NotADay;

impl Day {
    /// Returns the day as a date.
    #[must_use]
    pub fn date(self) -> Date {
        self.0
    }
}

impl From<Date> for Day {
    fn from(date: Date) -> Self {
        Self(date)
    }
}

impl FromStr for Day {
    type Err = NotADay;

    fn from_str(text: &str) -> Result<Self, NotADay> {
        let pieces = Pieces::parse(text).map_err(|_| NotADay)?;
        let is_date = text.len() == "2026-01-01".len();
        let has_offset = |offset: Offset| offset.seconds().abs() < 24 * 3600;
        let has_moment =
            pieces.time().is_some() && pieces.to_numeric_offset().is_some_and(has_offset);
        let is_written_out = matches!(text.as_bytes(), [_, _, _, _, b'-', _, _, b'-', ..]);
        let is_known = is_written_out && (is_date || has_moment) && pieces.date().year() > 0;
        is_known.then_some(Self(pieces.date())).ok_or(NotADay)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T00:00:00.000Z", self.0)
    }
}

impl TryFrom<String> for Day {
    type Error = NotADay;

    fn try_from(text: String) -> Result<Self, NotADay> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

impl FromJson for Day {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        at.text(value, 0, 40)?.parse().ok().or_else(|| {
            at.wrong_format("date-time");
            None
        })
    }

    fn is_absent(value: &Value) -> bool {
        value.is_null() || value == ""
    }

    fn schema() -> Value {
        json!({
            "type": "string", "maxLength": 40,
            "anyOf": [{ "format": "date-time" }, { "format": "date" }],
            "description": "A calendar day from 0001-01-01 to 9999-12-31. Of a date-time, the day counts as it is written; time and offset are ignored.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_counts_as_it_is_written() {
        for (written, day) in [
            ("2026-02-28", "2026-02-28"),
            ("2026-02-28T23:30:00-02:00", "2026-02-28"),
            ("2026-01-01T00:00:00+05:30", "2026-01-01"),
            ("2026-01-31T23:59:59.999Z", "2026-01-31"),
            ("2026-02-15t00:00:00+14:00", "2026-02-15"),
            ("2016-12-31T23:59:60Z", "2016-12-31"),
            ("2026-03-29T02:30:00+01:00[Europe/Berlin]", "2026-03-29"),
            ("9999-12-31", "9999-12-31"),
            ("9999-12-31T23:59:59.999999999-12:00", "9999-12-31"),
            ("0001-01-01T00:00:00+14:00", "0001-01-01"),
        ] {
            let read: Day = written.parse().unwrap();
            assert_eq!(read.to_string(), format!("{day}T00:00:00.000Z"), "{written}");
            assert_eq!(read.to_string().parse::<Day>().unwrap(), read);
        }
    }

    #[test]
    fn anything_but_a_date_or_a_date_time_with_offset_is_refused() {
        for text in [
            "2026-02-30",
            "2026-2-3",
            "20260228",
            "2026-02-28T10:00:00",
            "soon",
            "",
            "2026-02",
            "2026-02-28T24:00:00Z",
            "2026-02-28T10:00:00+24:00",
            "0000-01-01",
            "10000-01-01",
            "-000001-01-01",
            "+002026-01-01T00:00:00Z",
            "2026-W01-1",
            "28.02.2026",
            "2026-02-28[UTC]",
        ] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
    }
}
