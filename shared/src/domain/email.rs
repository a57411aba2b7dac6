use std::fmt;

use email_address::{EmailAddress, Options};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{FromJson, Reader};

/// One e-mail address of at most 100 ASCII characters, kept as it was written (CONTRACT §4).
///
/// ASCII, since SES delivers to no others (it does not offer SMTPUTF8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which two spellings of one address are equal.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The part after the `@`, in lower case.
    #[must_use]
    pub fn host(&self) -> String {
        self.0.rsplit_once('@').map_or_else(String::new, |(_, host)| host.to_ascii_lowercase())
    }
}

impl FromJson for Email {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let text = at.text(value, 1, 100)?;
        let options = Options::default().without_display_text().without_domain_literal();
        let address = EmailAddress::parse_with_options(text, options);
        if !text.is_ascii() || text.chars().any(char::is_control) || address.is_err() {
            at.wrong_format("email");
            return None;
        }
        Some(Self(text.to_owned()))
    }

    fn schema() -> Value {
        json!({ "type": "string", "format": "email", "minLength": 1, "maxLength": 100 })
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::read;

    #[test]
    fn only_one_plain_address_is_an_email() {
        for good in ["ada@acme.test", "Ada.L+x@ACME.test"] {
            assert!(read::<Email>(&json!(good)).is_ok(), "{good}");
        }
        for bad in [
            "",
            "ada",
            "ada@",
            "@acme.test",
            "a@b@c.test",
            "ada@acme.test, eve@evil.test",
            "Ada <ada@acme.test>",
            "ada@acme.test\r\nBcc: eve@evil.test",
            "ada@[127.0.0.1]",
            "ä@acme.test",
            "ada@acme..test",
        ] {
            assert!(read::<Email>(&json!(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn spellings_of_one_address_fold_together() {
        let email: Email = read(&json!("Ada@ACME.test")).unwrap();
        assert_eq!(
            (email.folded().as_str(), email.host().as_str()),
            ("ada@acme.test", "acme.test")
        );
    }
}
