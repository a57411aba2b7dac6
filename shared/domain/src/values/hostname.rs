use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use schema::{FromJson, Reader, ascii_host};

/// Top-level domains without public servers: RFC 6761 §6.3 and §6.4, RFC 6762 §3, RFC 7686, and
/// `internal`, which ICANN reserved for private networks in 2024.
const PRIVATE: [&str; 5] = ["internal", "invalid", "local", "localhost", "onion"];

/// An approximation of [`Hostname::is_public`] as a regular expression.
const PATTERN: &str = r"^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+([A-Za-z]{2,63}|[Xx][Nn]--[A-Za-z0-9-]{0,58}[A-Za-z0-9])$";

/// A public host name (RFC 1123), in the form of [`ascii_host`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hostname(String);

impl Hostname {
    /// Returns the host name as a string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether `name` is a host name below a public top-level domain, and not an IP address
    /// or a name from a private network.
    ///
    /// A top-level domain is alphabetic (RFC 3696 §2) or internationalized (RFC 5890 §2.3.2.1).
    #[must_use]
    pub fn is_public(name: &str) -> bool {
        let Some((_, top)) = name.rsplit_once('.') else { return false };
        let top = top.to_ascii_lowercase();
        let named = top.len() > 1 && top.chars().all(|letter| letter.is_ascii_alphabetic());
        let known = named && !PRIVATE.contains(&top.as_str());
        let ascii = !name.to_ascii_lowercase().contains("xn--");
        hostname_validator::is_valid(name)
            && (known || top.starts_with("xn--"))
            // An internationalized label must be decodable (UTS #46, as in browsers).
            && (ascii || url::Host::parse(name).is_ok())
    }

    /// Notes a violation if a list of host names is empty or has duplicates.
    pub(crate) fn check_list(names: &[Self], at: &mut Reader<'_>) {
        if names.is_empty() {
            at.violate("minItems", "must NOT have fewer than 1 items", json!({ "limit": 1 }));
        }
        let twice = names.iter().enumerate().find_map(|(later, name)| {
            names[..later].iter().position(|other| other == name).map(|first| (first, later))
        });
        if let Some((j, i)) = twice {
            let message =
                format!("must NOT have duplicate items (items ## {j} and {i} are identical)");
            at.violate("uniqueItems", message, json!({ "i": i, "j": j }));
        }
    }
}

impl FromJson for Hostname {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let text = at.text(value, 1, 253)?;
        let name = ascii_host(text).filter(|name| Self::is_public(name));
        if name.is_none() {
            at.wrong_format("hostname");
        }
        name.map(|name| Self(name.into_owned()))
    }

    fn schema() -> Value {
        json!({
            "type": "string", "format": "hostname", "minLength": 1, "maxLength": 253,
            "pattern": PATTERN,
            "description": "A public host name. An internationalized name such as `bücher.example` is accepted too, and stored as `xn--bcher-kva.example`. IP addresses and private names such as `localhost` aren't supported.",
        })
    }
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;
    use schema::read;

    #[test]
    fn internationalized_labels_must_be_decodable() {
        for good in ["xn--bcher-kva.example", "acme.xn--p1ai", "XN--BCHER-KVA.example"] {
            assert!(Hostname::is_public(good), "{good}");
        }
        for bad in ["m.xN--99999999", "xn--99999999.example", "acme.xn--a-99999999"] {
            assert!(!Hostname::is_public(bad), "{bad}");
        }
    }

    #[test]
    fn internationalized_names_are_stored_as_a_labels() {
        for (written, stored) in [
            ("Bücher.Example", "xn--bcher-kva.example"),
            ("почта.рф", "xn--80a1acny.xn--p1ai"),
            ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ] {
            assert_eq!(read::<Hostname>(&json!(written)).unwrap().as_str(), stored);
        }
        let long = format!("{}.de", "ü".repeat(60));
        for bad in [
            "ü",
            "ü.local",
            "ａ.ｌｏｃａｌｈｏｓｔ",
            "ü.1",
            "-ü.de",
            "ü..de",
            "ü.de.",
            "ü.de:80",
            &long,
        ] {
            assert!(read::<Hostname>(&json!(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_public_host_names_are_accepted() {
        let label = "x".repeat(63);
        let longest = [&*label, &label, &label, &"x".repeat(61)].join(".");
        let pattern = Regex::new(PATTERN).unwrap();
        for good in
            ["acme.test", "A-1.ACME.co.uk", "1.de", "xn--bcher-kva.example", "a.io", &longest]
        {
            assert!(read::<Hostname>(&json!(good)).is_ok(), "{good}");
            assert!(pattern.is_match(good), "{good}");
        }
        for bad in [
            "localhost",
            "com",
            "x",
            "127.0.0.1",
            "169.254.169.254",
            "0x7f.1",
            "127.1",
            "1.2.3.4.5",
            "10.0.0.0x1",
            "[::1]",
            "::1",
            "acme.1",
            "acme.x",
            "a..b",
            ".a.b",
            "a.b.",
            "-a.b",
            "a-.b",
            "a.-b",
            "a.b-",
            "a_b.c",
            "a.b:80",
            "http://a.b",
            "*.a.b",
            "a b.c",
            "a@b.c",
            &format!("{label}x.de"),
            &format!("de.{label}x"),
        ] {
            assert!(read::<Hostname>(&json!(bad)).is_err(), "{bad}");
            assert!(!pattern.is_match(bad), "{bad}");
        }
        // Rules that the pattern does not express: private top-level domains and the total length.
        for bad in
            ["a.local", "a.LOCALHOST", "b.internal", "a.invalid", "a.onion", &format!("{longest}x")]
        {
            assert!(read::<Hostname>(&json!(bad)).is_err(), "{bad}");
        }
    }
}
