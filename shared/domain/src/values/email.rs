use std::{borrow::Cow, fmt};

use email_address::{EmailAddress, Options};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Hostname;
use schema::{FromJson, Reader, ascii_host};

/// An email address of at most 100 ASCII characters with a public host name.
///
/// The address is kept as it was written, except for unnecessary quotes around the local part:
/// `"ada"@acme.test` is `ada@acme.test` (RFC 5321 §4.1.2: both name the same mailbox).
///
/// The local part is ASCII, because SES does not support SMTPUTF8. An internationalized host is kept
/// as A-labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

/// The maximum length of an address in characters, with A-labels.
const MAX_LENGTH: usize = 100;

impl Email {
    /// Returns the address as a string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the address in lowercase, so that two spellings of one address are equal.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// Returns the part after the `@`, in lowercase.
    #[must_use]
    pub fn host(&self) -> String {
        self.0.rsplit_once('@').map_or_else(String::new, |(_, host)| host.to_ascii_lowercase())
    }

    /// Returns the mailbox that this address most likely reaches, for limits on the number of
    /// emails.
    ///
    /// Large providers deliver `ada+news@` and `a.da@` to `ada@`. Everywhere else, addresses that
    /// differ in a tag or in dots are different addresses.
    #[must_use]
    pub fn mailbox(&self) -> String {
        let folded = self.folded();
        let (local, host) = folded.rsplit_once('@').unwrap_or((&folded, ""));
        let plain = local.split('+').next().unwrap_or_default().replace('.', "");
        if plain.is_empty() { folded } else { format!("{plain}@{host}") }
    }

    /// Returns the address in `text`, or `None` if it is not valid or not reachable from the
    /// internet.
    fn parse(text: &str) -> Option<Self> {
        let text = &ascii(text)?;
        let options = Options::default().without_display_text().without_domain_literal();
        if text.len() > MAX_LENGTH || EmailAddress::parse_with_options(text, options).is_err() {
            return None;
        }
        let (local, host) = text.rsplit_once('@')?;
        let quoted = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let address = match quoted.map(unescaped) {
            None => text.to_string(),
            Some(plain) if needs_quotes(&plain) => {
                plain.chars().all(is_harmless).then(|| format!("\"{plain}\"@{host}"))?
            }
            Some(plain) => format!("{plain}@{host}"),
        };
        Hostname::is_public(host).then_some(Self(address))
    }
}

/// Returns an address whose host has A-labels, or `None` if other parts are not ASCII.
fn ascii(text: &str) -> Option<Cow<'_, str>> {
    if text.is_ascii() {
        return Some(Cow::Borrowed(text));
    }
    let (local, host) = text.rsplit_once('@').filter(|(local, _)| local.is_ascii())?;
    Some(Cow::Owned(format!("{local}@{}", ascii_host(host)?)))
}

/// Returns the content of a quoted local part without its escapes (RFC 5322 §3.2.1).
fn unescaped(quoted: &str) -> String {
    let mut letters = quoted.chars();
    let next = || match letters.next() {
        Some('\\') => letters.next(),
        letter => letter,
    };
    std::iter::from_fn(next).collect()
}

/// Returns whether a local part must be quoted because it is not a dot-atom (RFC 5322 §3.2.3).
fn needs_quotes(local: &str) -> bool {
    local.split('.').any(str::is_empty)
        || !local.chars().all(|letter| is_atom(letter) || letter == '.')
}

fn is_atom(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(letter)
}

/// Returns whether mail programs treat `letter` in quotes as part of a name, and never as markup or
/// as the start of another address.
fn is_harmless(letter: char) -> bool {
    is_atom(letter) || letter == '.' || letter == ' '
}

impl FromJson for Email {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let text = at.text(value, 1, MAX_LENGTH)?;
        let email = Self::parse(text);
        let is_local_ascii = text.rsplit_once('@').is_none_or(|(local, _)| local.is_ascii());
        match (&email, is_local_ascii) {
            (Some(_), _) => {}
            (None, true) => at.wrong_format("email"),
            (None, false) => {
                let rule = "must have only ASCII characters before the @";
                at.violate("format", rule, json!({ "format": "email" }));
            }
        }
        email
    }

    fn schema() -> Value {
        json!({
            "type": "string", "format": "email", "minLength": 1, "maxLength": MAX_LENGTH,
            "description": "An email address with a public host name. The part before the `@` is ASCII; an internationalized host is stored as A-labels (`xn--…`).",
        })
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
    use schema::read;

    #[test]
    fn only_a_single_public_address_is_an_email() {
        let longest = format!("{}@{}.test", "a".repeat(64), "x".repeat(30));
        for good in [
            "ada@acme.test",
            &longest,
            "Ada.L+x@ACME.test",
            "o'neil/a=b%c@a.co.test",
            "\"ada..l\"@acme.test",
            "\"ada lovelace\"@acme.test",
            "a@xn--bcher-kva.xn--p1ai",
        ] {
            assert_eq!(read::<Email>(&json!(good)).unwrap().as_str(), good);
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
            "ada@acme.test.",
            "ada@localhost",
            "ada@LOCALHOST",
            "ada@mail.localhost",
            "ada@printer.local",
            "ada@acme",
            "ada@127.0.0.1",
            "ada@2130706433",
            "ada@0x7f.0.0.0x1",
            "ada@acme.7f",
            "ada@[IPv6:::1]",
            "ada@ac_me.test",
            "\"<img src=x onerror=alert(1)>\"@acme.test",
            "\"<svg/onload=alert(1)>\"@acme.test",
            "\"ada\\\\\"@acme.test",
            "\"a@b.test,ada\"@acme.test",
            "\"ada\"\"l\"@acme.test",
        ] {
            assert!(read::<Email>(&json!(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_internationalized_host_is_kept_as_a_labels() {
        for (written, kept) in [
            ("Ada@BÜCHER.example", "Ada@xn--bcher-kva.example"),
            ("\"ada\"@почта.рф", "ada@xn--80a1acny.xn--p1ai"),
        ] {
            assert_eq!(read::<Email>(&json!(written)).unwrap().as_str(), kept, "{written}");
        }
        let long = format!("{}@{}.example", "a".repeat(60), "ü".repeat(30));
        for bad in ["ä@bücher.example", "a@ü.local", "a@ü", "a@[ü]", "a@ü@ü.de", &long] {
            assert!(read::<Email>(&json!(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn unnecessary_quotes_are_removed() {
        for (written, kept) in [
            ("\"ada\"@acme.test", "ada@acme.test"),
            ("\"Ada.L\"@acme.test", "Ada.L@acme.test"),
            ("\"a\\da\"@acme.test", "ada@acme.test"),
            ("\"a\\da l\"@acme.test", "\"ada l\"@acme.test"),
        ] {
            assert_eq!(read::<Email>(&json!(written)).unwrap().as_str(), kept, "{written}");
        }
    }

    #[test]
    fn a_mailbox_ignores_case_tags_and_dots() {
        for written in
            ["ada@acme.test", "A.d.a@ACME.test", "ada+1@acme.test", "\"ADA+x+y\"@acme.test"]
        {
            let email: Email = read(&json!(written)).unwrap();
            assert_eq!(email.mailbox(), "ada@acme.test", "{written}");
        }
        let tag_alone: Email = read(&json!("+x@acme.test")).unwrap();
        assert_eq!(tag_alone.mailbox(), "+x@acme.test");
    }

    #[test]
    fn folding_ignores_case() {
        let email: Email = read(&json!("Ada@ACME.test")).unwrap();
        assert_eq!(
            (email.folded().as_str(), email.host().as_str()),
            ("ada@acme.test", "acme.test")
        );
    }
}
