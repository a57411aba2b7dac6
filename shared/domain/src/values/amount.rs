use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json, value::RawValue};

use schema::{Decimal, FromJson, ParseDecimalError, Reader};

/// The maximum number of digits of an amount, the same as for `DynamoDB`'s numbers.
const DIGITS: i64 = 38;

/// An exact, non-negative decimal. It has at most 38 digits before and after the point together,
/// including leading zeros of the fraction.
///
/// Each value has one form: `100`, `100.0` and `1e2` are all `100`, and `0.50` is `0.5`. An amount
/// is read from the text of a JSON number and is written as a JSON number
/// ([`Wire`](filter::Wire)). For the table it is serialized as text: `DynamoDB`'s numbers
/// have the same 38 digits, but `serde` can only reach them through a float, and no key or index
/// needs the numeric order.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Amount(Decimal);

/// The reason why a text is not an [`Amount`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseAmountError {
    /// The number is negative.
    #[error("an amount must not be negative")]
    Negative,
    /// The number has more than 38 digits.
    #[error("an amount must have at most 38 digits")]
    TooLong,
    /// The text is not a number.
    #[error("an amount must be a number")]
    NoNumber,
}

impl FromStr for Amount {
    type Err = ParseAmountError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let number: Decimal = s.parse().map_err(|ParseDecimalError| ParseAmountError::NoNumber)?;
        if number.is_negative() {
            return Err(ParseAmountError::Negative);
        }
        let (whole, fraction) = number.places();
        if whole + fraction > DIGITS {
            return Err(ParseAmountError::TooLong);
        }
        Ok(Self(number))
    }
}

impl Amount {
    /// Returns the amount for people: digits grouped in threes, with at least `minor` digits after
    /// the point. Never rounds.
    #[must_use]
    pub fn grouped(&self, minor: usize) -> String {
        let plain = self.to_string();
        let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
        let mut grouped = String::new();
        for (position, digit) in whole.chars().enumerate() {
            if position > 0 && (whole.len() - position).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        if fraction.is_empty() && minor == 0 {
            return grouped;
        }
        format!("{grouped}.{fraction:0<minor$}")
    }
}

impl Amount {
    /// The largest number of minor units that every amount can have, of 38 digits.
    const MAX_UNITS: u128 = 10_u128.pow(38) - 1;

    /// Creates the amount of `units` of a currency with `digits` digits after the point: 1050 units
    /// with two digits are 10.5. At most 38 digits; a larger amount becomes the largest.
    #[must_use]
    pub fn from_minor_units(units: u128, digits: usize) -> Self {
        let text = format!("{:0>width$}", units.min(Self::MAX_UNITS), width = digits + 1);
        let (whole, fraction) = text.split_at(text.len() - digits);
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{whole}{point}{fraction}").parse().unwrap_or_default()
    }

    /// Returns the amount in units of a currency with `digits` digits after the point. Further digits
    /// are rounded, half up.
    #[must_use]
    pub fn minor_units(&self, digits: usize) -> u128 {
        let plain = self.to_string();
        let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
        let kept = &fraction[..fraction.len().min(digits)];
        let units = format!("{whole}{kept:0<digits$}").parse().unwrap_or(Self::MAX_UNITS);
        let is_half = fraction.as_bytes().get(digits).is_some_and(|digit| *digit >= b'5');
        (units + u128::from(is_half)).min(Self::MAX_UNITS)
    }
}

impl Amount {
    /// Serializes the amount as a number with all its digits.
    pub(crate) fn as_number<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = RawValue::from_string(self.to_string()).map_err(serde::ser::Error::custom)?;
        number.serialize(serializer)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.plain())
    }
}

impl TryFrom<String> for Amount {
    type Error = ParseAmountError;

    fn try_from(s: String) -> Result<Self, Self::Error> {
        s.parse()
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> Self {
        amount.to_string()
    }
}

impl FromJson for Amount {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        match at.number(value)?.parse() {
            Ok(amount) => return Some(amount),
            Err(ParseAmountError::Negative) => {
                at.violate("minimum", "must be >= 0", json!({ "comparison": ">=", "limit": 0 }));
            }
            Err(ParseAmountError::TooLong | ParseAmountError::NoNumber) => {
                at.wrong_format("decimal");
            }
        }
        None
    }

    fn schema() -> Value {
        json!({ "type": "number", "format": "decimal", "minimum": 0, "exclusiveMaximum": 1e38 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::{Document, Limits};

    fn amount(s: &str) -> Amount {
        s.parse().unwrap_or_else(|error| panic!("{s}: {error}"))
    }

    #[test]
    fn an_amount_keeps_every_digit_and_has_one_form() {
        let most = "9".repeat(38);
        let least = format!("0.{}1", "0".repeat(37));
        for (given, kept) in [
            ("12345678901234567.89", "12345678901234567.89"),
            ("0.1", "0.1"),
            ("0.30000000000000004", "0.30000000000000004"),
            ("100.0", "100"),
            ("100.50", "100.5"),
            ("1e2", "100"),
            ("1.5E+3", "1500"),
            ("15e-1", "1.5"),
            ("1200e-2", "12"),
            ("0e999999999", "0"),
            ("-0.0", "0"),
            ("0", "0"),
            ("1e37", "10000000000000000000000000000000000000"),
            (&most, &most),
            (&least, &least),
            ("1e-38", &least),
        ] {
            assert_eq!(amount(given).to_string(), kept, "{given}");
        }
    }

    #[test]
    fn an_invalid_amount_is_rejected_with_the_reason() {
        let long = "1".repeat(39);
        for (given, why) in [
            ("-0.01", ParseAmountError::Negative),
            (long.as_str(), ParseAmountError::TooLong),
            ("1e38", ParseAmountError::TooLong),
            ("1e-39", ParseAmountError::TooLong),
            ("1e999999999", ParseAmountError::TooLong),
            ("1e-999999999", ParseAmountError::TooLong),
            ("1e99999999999999999999", ParseAmountError::NoNumber),
            ("", ParseAmountError::NoNumber),
            ("-", ParseAmountError::NoNumber),
            (".5", ParseAmountError::NoNumber),
            ("5.", ParseAmountError::NoNumber),
            ("+1", ParseAmountError::NoNumber),
            ("1e", ParseAmountError::NoNumber),
            ("1e+-2", ParseAmountError::NoNumber),
            ("NaN", ParseAmountError::NoNumber),
            ("\u{0661}", ParseAmountError::NoNumber),
        ] {
            assert_eq!(given.parse::<Amount>(), Err(why), "{given}");
        }
    }

    #[test]
    fn amounts_are_ordered_by_value() {
        let order = ["0", "1e-38", "0.09", "0.1", "0.11", "1", "1.5", "2", "10.25", "9e37"];
        for pair in order.windows(2) {
            assert!(amount(pair[0]) < amount(pair[1]), "{pair:?}");
        }
        assert_eq!(amount("10.10").cmp(&amount("10.1")), std::cmp::Ordering::Equal);
    }

    #[test]
    fn amounts_are_grouped_and_padded_to_the_minor_digits() {
        for (given, minor, shown) in [
            ("0", 2, "0.00"),
            ("999", 0, "999"),
            ("1000", 2, "1,000.00"),
            ("1234567.5", 2, "1,234,567.50"),
            ("1234.5", 0, "1,234.5"),
            ("0.005", 2, "0.005"),
            ("12345678901234567.89", 3, "12,345,678,901,234,567.890"),
        ] {
            assert_eq!(amount(given).grouped(minor), shown);
        }
    }

    #[test]
    fn amounts_are_counted_in_minor_units_rounded_half_up() {
        for (given, digits, units, written) in [
            ("10.5", 2, 1050, "10.5"),
            ("0.005", 2, 1, "0.01"),
            ("0.00499", 2, 0, "0"),
            ("19.995", 2, 2000, "20"),
            ("100", 0, 100, "100"),
            ("0.5", 0, 1, "1"),
            ("1.2345", 3, 1235, "1.235"),
            ("0.07", 2, 7, "0.07"),
        ] {
            assert_eq!(amount(given).minor_units(digits), units, "{given}");
            assert_eq!(Amount::from_minor_units(units, digits), amount(written), "{given}");
        }
        let most = amount(&"9".repeat(38));
        assert_eq!(Amount::from_minor_units(most.minor_units(2), 0), most);
    }

    #[test]
    fn fractions_are_read_from_text_only() {
        let text = "12345678901234567.89";
        let value: Value = serde_json::from_str(text).unwrap();
        let sent = |text: &str| Document::parse(text.to_owned(), Limits::BODY).unwrap();
        assert_eq!(sent(text).read::<Amount>().unwrap(), amount(text));
        assert!(schema::read::<Amount>(&value).is_err());
        assert_eq!(schema::read::<Amount>(&json!(5)).unwrap(), amount("5"));
        assert!(sent("\"5\"").read::<Amount>().is_err());
        assert!(sent("1e400").read::<Amount>().is_err());
    }
}
