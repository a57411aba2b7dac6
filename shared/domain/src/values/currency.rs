use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer, de};
use serde_json::{Value, json};

use schema::{FromJson, Reader};

/// An ISO 4217 currency, written as its code of three uppercase letters. Clients can only use
/// currencies that are in use; stored ones remain readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// Returns the code, such as `EUR`.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Returns the English name, such as `Pound sterling`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// Returns the number of digits after the point in amounts of this currency.
    #[must_use]
    pub fn minor_digits(self) -> usize {
        self.0.exponent().unwrap_or_default().into()
    }

    /// Returns whether amounts can be in this currency: it is neither withdrawn nor a code for tests
    /// (`XTS`) or for no currency (`XXX`).
    fn is_in_use(self) -> bool {
        self.0.is_superseded().is_none() && !matches!(self.code(), "XTS" | "XXX")
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
        let currency = at.text(value, 3, 3)?.parse().ok();
        currency.filter(|currency: &Self| currency.is_in_use()).or_else(|| {
            at.wrong_format("iso-4217");
            None
        })
    }

    /// Lists every code, so that clients see which are supported.
    fn schema() -> Value {
        let letters = || 'A'..='Z';
        let words = letters()
            .flat_map(|a| letters().flat_map(move |b| letters().map(move |c| [a, b, c])))
            .map(String::from_iter);
        let in_use = |word: &String| word.parse().is_ok_and(|currency: Self| currency.is_in_use());
        let codes: Vec<String> = words.filter(in_use).collect();
        json!({ "type": "string", "enum": codes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_is_in_use() {
        for code in ["XXX", "XTS", "HRK", "BTC", "eur"] {
            assert!(schema::read::<Currency>(&json!(code)).is_err(), "{code}");
        }
        for code in ["EUR", "JPY", "XAU"] {
            assert!(schema::read::<Currency>(&json!(code)).is_ok(), "{code}");
        }
        assert!(serde_json::from_value::<Currency>(json!("HRK")).is_ok(), "stored earlier");
    }

    #[test]
    fn a_currency_has_an_uppercase_code_and_minor_digits() {
        let digits = |code: &str| code.parse::<Currency>().unwrap().minor_digits();
        assert_eq!([digits("EUR"), digits("JPY"), digits("KWD"), digits("XAU")], [2, 0, 3, 0]);
        assert!("eur".parse::<Currency>().is_err());
        assert!("ABC".parse::<Currency>().is_err());
    }
}
