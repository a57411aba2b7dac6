use std::{cmp::Ordering, str::FromStr};

/// An exact decimal number, compared by its digits and never through a float.
///
/// Normalized: there are no zeros at either end, so equal numbers are equal values. Large exponents
/// cost nothing: `1e999999999` is stored as one digit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    /// The exponent: the number is `0.digits` times ten to the power of `point`.
    point: i64,
    /// The significant digits, empty for zero.
    digits: String,
}

/// The text is not a decimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a decimal number")]
pub struct ParseDecimalError;

impl Decimal {
    const ZERO: Self = Self { negative: false, point: 0, digits: String::new() };

    /// Returns whether the number is negative.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// Returns the number of digits before and after the point, including placeholder zeros.
    #[must_use]
    pub fn places(&self) -> (i64, i64) {
        (self.point.max(0), self.digit_count().saturating_sub(self.point).max(0))
    }

    /// Returns the number without an exponent. The text is as long as its [places](Self::places),
    /// so check them first.
    #[must_use]
    pub fn plain(&self) -> String {
        let zeros = |places: i64| "0".repeat(usize::try_from(places).unwrap_or(0));
        let (before, after) = self.places();
        let all =
            format!("{}{}{}", zeros(-self.point), self.digits, zeros(before - self.digit_count()));
        let (whole, fraction) = all.split_at(all.len() - usize::try_from(after).unwrap_or(0));
        let whole = if whole.is_empty() { "0" } else { whole };
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{}{whole}{point}{fraction}", if self.negative { "-" } else { "" })
    }

    /// Returns whether the number is zero or within `DynamoDB`'s range, 1E-130 to 9.99…E+125.
    ///
    /// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
    #[must_use]
    pub fn is_storable(&self) -> bool {
        self.digits.is_empty() || (-129..=126).contains(&self.point)
    }

    fn digit_count(&self) -> i64 {
        i64::try_from(self.digits.len()).unwrap_or(i64::MAX)
    }

    /// Returns the number as an integer, or `None` if it is not an integer from 0 to 2^32 - 1.
    #[must_use]
    pub fn integer(&self) -> Option<u32> {
        if self.digits.is_empty() {
            return Some(0);
        }
        let zeros = usize::try_from(self.point).ok()?.checked_sub(self.digits.len())?;
        if self.negative || zeros > 10 {
            return None;
        }
        format!("{}{}", self.digits, "0".repeat(zeros)).parse().ok()
    }
}

impl FromStr for Decimal {
    type Err = ParseDecimalError;

    /// Parses JSON notation, such as `-12.50` or `1e3`.
    fn from_str(s: &str) -> Result<Self, ParseDecimalError> {
        let (negative, s) = s.strip_prefix('-').map_or((false, s), |rest| (true, rest));
        let (mantissa, exponent) = match s.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => {
                (mantissa, exponent.parse().map_err(|_| ParseDecimalError)?)
            }
            None => (s, 0_i32),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(ParseDecimalError),
            None => (mantissa, ""),
        };
        let all_digits = |s: &str| s.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return Err(ParseDecimalError);
        }
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_start_matches('0');
        if significant.is_empty() {
            return Ok(Self::ZERO);
        }
        let leading = digits.len() - significant.len();
        let width = |length: usize| i64::try_from(length).map_err(|_| ParseDecimalError);
        let point = width(whole.len())? - width(leading)? + i64::from(exponent);
        Ok(Self { negative, point, digits: significant.trim_end_matches('0').to_owned() })
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.digits.is_empty(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let size = || self.point.cmp(&other.point).then_with(|| self.digits.cmp(&other.digits));
        sign(self).cmp(&sign(other)).then_with(|| match self.negative {
            true => size().reverse(),
            false => size(),
        })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_their_digits() {
        let ascending = [
            "-1e400",
            "-12345678901234567.90",
            "-12345678901234567.89",
            "-1",
            "-0.5",
            "0",
            "0.000000000000000000001",
            "0.5",
            "1",
            "9.99",
            "10",
            "12345678901234567.89",
            "12345678901234567.90",
            "1e400",
        ];
        for (i, low) in ascending.iter().enumerate() {
            for (j, high) in ascending.iter().enumerate() {
                let (a, b): (Decimal, Decimal) = (low.parse().unwrap(), high.parse().unwrap());
                assert_eq!(a.cmp(&b), i.cmp(&j), "{low} against {high}");
            }
        }
    }

    #[test]
    fn equal_numbers_are_equal_values() {
        for same in [["1.50", "1.5"], ["0.015e2", "1.5"], ["-0.0", "0"], ["100", "1E+2"]] {
            let [a, b] = same.map(|text| text.parse::<Decimal>().unwrap());
            assert_eq!(a, b, "{same:?}");
        }
    }

    #[test]
    fn text_that_is_not_a_number_is_rejected() {
        for text in
            ["", "-", "+1", "1.", ".5", "1e", "e1", "0x1", "1,5", "NaN", "1e99999999999", "١"]
        {
            assert_eq!(text.parse::<Decimal>(), Err(ParseDecimalError), "{text}");
        }
    }

    #[test]
    fn integers_are_recognized_in_every_notation() {
        for (text, integer) in [
            ("0", Some(0)),
            ("10", Some(10)),
            ("1e1", Some(10)),
            ("10.0", Some(10)),
            ("4294967295", Some(u32::MAX)),
            ("4294967296", None),
            ("1e999999999", None),
            ("-1", None),
            ("0.5", None),
            ("1.5", None),
        ] {
            assert_eq!(text.parse::<Decimal>().unwrap().integer(), integer, "{text}");
        }
    }
}
