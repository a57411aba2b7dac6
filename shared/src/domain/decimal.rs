use std::{cmp::Ordering, str::FromStr};

/// A decimal number, exact: compared by its digits, never through a float.
///
/// Normalised (no zeros at either end), so that equal numbers are equal values. The size of an
/// exponent costs nothing: `1e999999999` is one digit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    /// The number is `0.digits` times ten to the power of this.
    point: i64,
    /// Empty for zero.
    digits: String,
}

/// The text is no decimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a decimal number")]
pub struct NotDecimal;

impl Decimal {
    const ZERO: Self = Self { negative: false, point: 0, digits: String::new() };

    /// Whether it is below zero.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// How many digits it has before and after the point, those that only hold a place included.
    #[must_use]
    pub fn places(&self) -> (i64, i64) {
        (self.point.max(0), self.digit_count().saturating_sub(self.point).max(0))
    }

    /// It without an exponent; as long as its [places](Self::places), so not for any number.
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

    /// Returns whether it is zero or of a size that `DynamoDB` stores: 1E-130 to 9.99…E+125.
    ///
    /// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
    #[must_use]
    pub fn is_storable(&self) -> bool {
        self.digits.is_empty() || (-129..=126).contains(&self.point)
    }

    fn digit_count(&self) -> i64 {
        i64::try_from(self.digits.len()).unwrap_or(i64::MAX)
    }

    /// The number as an integer; `None` where it is none, or not below 2^32.
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
    type Err = NotDecimal;

    /// Reads the form of JSON: `-12.50`, `1e3`.
    fn from_str(s: &str) -> Result<Self, NotDecimal> {
        let (negative, s) = s.strip_prefix('-').map_or((false, s), |rest| (true, rest));
        let (mantissa, exponent) = match s.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse().map_err(|_| NotDecimal)?),
            None => (s, 0_i32),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(NotDecimal),
            None => (mantissa, ""),
        };
        let all_digits = |s: &str| s.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return Err(NotDecimal);
        }
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_start_matches('0');
        if significant.is_empty() {
            return Ok(Self::ZERO);
        }
        let leading = digits.len() - significant.len();
        let width = |length: usize| i64::try_from(length).map_err(|_| NotDecimal);
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
    fn one_number_has_one_value() {
        for same in [["1.50", "1.5"], ["0.015e2", "1.5"], ["-0.0", "0"], ["100", "1E+2"]] {
            let [a, b] = same.map(|text| text.parse::<Decimal>().unwrap());
            assert_eq!(a, b, "{same:?}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in
            ["", "-", "+1", "1.", ".5", "1e", "e1", "0x1", "1,5", "NaN", "1e99999999999", "١"]
        {
            assert_eq!(text.parse::<Decimal>(), Err(NotDecimal), "{text}");
        }
    }

    #[test]
    fn an_integer_is_one_in_any_form() {
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
