//! Money: an exact decimal, and the currency it is in. No amount ever goes through a float.

use std::{cmp::Ordering, fmt, str::FromStr};

use serde::{Deserialize, Serialize, Serializer, de, ser};
use serde_json::{Value, json, value::RawValue};

use super::{FromJson, Reader};

/// The most digits of an amount, those of `DynamoDB`'s numbers.
const DIGITS: usize = 38;

/// A decimal that is not negative, exact, of at most 38 digits before and after the point together,
/// leading zeros of a fraction included.
///
/// It has one form for each value: `100`, `100.0` and `1e2` are all `100`, and `0.50` is `0.5`. It
/// is read from a JSON number's text and goes out as a JSON number ([`Amount::as_number`]). Its own
/// `serde` form is text, for the table: `DynamoDB`'s numbers have the same 38 digits, but nothing
/// reaches them through `serde` without a float, and no key or index needs the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Amount {
    /// The digits without the point; below 10^38.
    digits: u128,
    /// How many of them follow the point; the last of these is never zero.
    scale: u8,
}

/// Why a number is no [`Amount`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAmount {
    /// It is below zero.
    #[error("an amount is not negative")]
    Negative,
    /// It has more than 38 digits.
    #[error("an amount has at most 38 digits")]
    TooLong,
    /// It is no number.
    #[error("an amount is a number")]
    NoNumber,
}

impl FromStr for Amount {
    type Err = NotAnAmount;

    /// Reads a number in the grammar of JSON (RFC 8259 §6).
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let (negative, number) = s.strip_prefix('-').map_or((false, s), |number| (true, number));
        let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let power = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let numeric = |s: &str| !s.is_empty() && s.bytes().all(|byte| byte.is_ascii_digit());
        let padded = whole.len() > 1 && whole.starts_with('0');
        if padded || ![whole, fraction, power].into_iter().all(numeric) {
            return Err(NotAnAmount::NoNumber);
        }
        let all = format!("{whole}{fraction}");
        let significant = all.trim_end_matches('0');
        let digits = significant.trim_start_matches('0');
        if digits.is_empty() {
            return Ok(Self { digits: 0, scale: 0 });
        }
        if negative {
            return Err(NotAnAmount::Negative);
        }
        // How far the last significant digit is behind the point; before it where negative.
        let exponent: i64 = exponent.parse().map_err(|_| NotAnAmount::TooLong)?;
        let place = i64::try_from(significant.len()).ok().zip(i64::try_from(whole.len()).ok());
        let place = place.and_then(|(end, point)| (end - point).checked_sub(exponent));
        let place = place.ok_or(NotAnAmount::TooLong)?;
        let zeros = usize::try_from(place.saturating_neg()).unwrap_or(0);
        let scale = usize::try_from(place).unwrap_or(0);
        if digits.len().saturating_add(zeros) > DIGITS || scale > DIGITS {
            return Err(NotAnAmount::TooLong);
        }
        let digits = format!("{digits}{}", "0".repeat(zeros));
        Ok(Self {
            digits: digits.parse().map_err(|_| NotAnAmount::TooLong)?,
            scale: u8::try_from(scale).map_err(|_| NotAnAmount::TooLong)?,
        })
    }
}

impl Amount {
    /// Serializes it as a JSON number with all its digits; for `serialize_with`, to JSON alone.
    ///
    /// # Errors
    ///
    /// What the serializer fails with.
    pub fn as_number<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = RawValue::from_string(self.to_string()).map_err(ser::Error::custom)?;
        number.serialize(serializer)
    }

    /// It for people: digits grouped in threes, at least `minor` of them after the point, and none
    /// ever rounded away.
    #[must_use]
    pub fn grouped(self, minor: usize) -> String {
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

impl Ord for Amount {
    fn cmp(&self, other: &Self) -> Ordering {
        let parts = |amount: &Self| {
            let one = 10_u128.pow(u32::from(amount.scale));
            let rest = DIGITS - usize::from(amount.scale);
            let fraction = format!("{}{}", amount.digits % one, "0".repeat(rest));
            (amount.digits / one, fraction.parse::<u128>().unwrap_or_default())
        };
        parts(self).cmp(&parts(other))
    }
}

impl PartialOrd for Amount {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = usize::from(self.scale);
        let digits = format!("{:0>width$}", self.digits, width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let point = if fraction.is_empty() { "" } else { "." };
        write!(f, "{whole}{point}{fraction}")
    }
}

impl TryFrom<String> for Amount {
    type Error = NotAnAmount;

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
            Err(NotAnAmount::Negative) => {
                at.violate("minimum", "must be >= 0", json!({ "comparison": ">=", "limit": 0 }));
            }
            Err(NotAnAmount::TooLong | NotAnAmount::NoNumber) => at.wrong_format("decimal"),
        }
        None
    }

    fn schema() -> Value {
        json!({ "type": "number", "format": "decimal", "minimum": 0 })
    }
}

/// A currency of ISO 4217, by its code of three capitals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// Its code, such as `EUR`.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Its name in English, such as `Pound sterling`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// How many digits after the point its amounts are written with.
    #[must_use]
    pub fn minor_digits(self) -> usize {
        self.0.exponent().unwrap_or_default().into()
    }
}

impl FromStr for Currency {
    type Err = iso_currency::ParseCurrencyError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        s.parse().map(Self)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl FromJson for Currency {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        at.text(value, 3, 3)?.parse().ok().or_else(|| {
            at.wrong_format("iso-4217");
            None
        })
    }

    /// Every code that there is, so that a client sees them.
    fn schema() -> Value {
        let letters = || 'A'..='Z';
        let words = letters()
            .flat_map(|a| letters().flat_map(move |b| letters().map(move |c| [a, b, c])))
            .map(String::from_iter);
        let codes: Vec<String> = words.filter(|word| word.parse::<Self>().is_ok()).collect();
        json!({ "type": "string", "enum": codes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::read_text;

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
            ("0e99999999999999999999", "0"),
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
    fn what_is_no_amount_is_told() {
        let long = "1".repeat(39);
        for (given, why) in [
            ("-0.01", NotAnAmount::Negative),
            (long.as_str(), NotAnAmount::TooLong),
            ("1e38", NotAnAmount::TooLong),
            ("1e-39", NotAnAmount::TooLong),
            ("1e9223372036854775807", NotAnAmount::TooLong),
            ("1e-9223372036854775808", NotAnAmount::TooLong),
            ("1e-99999999999999999999", NotAnAmount::TooLong),
            ("", NotAnAmount::NoNumber),
            ("-", NotAnAmount::NoNumber),
            (".5", NotAnAmount::NoNumber),
            ("5.", NotAnAmount::NoNumber),
            ("01", NotAnAmount::NoNumber),
            ("+1", NotAnAmount::NoNumber),
            ("1e", NotAnAmount::NoNumber),
            ("1e+-2", NotAnAmount::NoNumber),
            ("NaN", NotAnAmount::NoNumber),
            ("\u{0661}", NotAnAmount::NoNumber),
        ] {
            assert_eq!(given.parse::<Amount>(), Err(why), "{given}");
        }
    }

    #[test]
    fn amounts_are_in_the_order_of_their_values() {
        let order = ["0", "1e-38", "0.09", "0.1", "0.11", "1", "1.5", "2", "10.25", "9e37"];
        for pair in order.windows(2) {
            assert!(amount(pair[0]) < amount(pair[1]), "{pair:?}");
        }
        assert_eq!(amount("10.10").cmp(&amount("10.1")), Ordering::Equal);
    }

    #[test]
    fn an_amount_is_grouped_with_the_digits_of_its_currency() {
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
        let digits = |code: &str| code.parse::<Currency>().unwrap().minor_digits();
        assert_eq!([digits("EUR"), digits("JPY"), digits("KWD"), digits("XAU")], [2, 0, 3, 0]);
        assert!("eur".parse::<Currency>().is_err());
        assert!("ABC".parse::<Currency>().is_err());
    }

    #[test]
    fn only_text_gives_an_exact_amount() {
        let text = "12345678901234567.89";
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(read_text::<Amount>(text, &value).unwrap(), amount(text));
        assert!(crate::domain::read::<Amount>(&value).is_err());
        assert_eq!(crate::domain::read::<Amount>(&json!(5)).unwrap(), amount("5"));
        assert!(read_text::<Amount>("\"5\"", &json!("5")).is_err());
    }
}
