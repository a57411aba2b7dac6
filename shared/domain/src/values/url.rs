use serde_json::{Value, json};

use schema::{FromJson, Reader};

/// The link that a build reports, of up to 2,048 characters. A URL is kept in normalized form, and
/// any other text as it was sent: a build is never refused because of its link.
#[derive(Debug)]
pub(crate) struct ReportedLink(String);

impl From<ReportedLink> for String {
    fn from(ReportedLink(link): ReportedLink) -> Self {
        link
    }
}

/// The maximum length of a link in characters, before and after encoding.
const MAX_LENGTH: usize = 2048;

/// Returns `text` in normalized form if it is an absolute `http` or `https` URL. Control characters
/// are refused because URL parsers ignore some of them.
pub(crate) fn web_url(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok().filter(|url| {
        !text.chars().any(char::is_control)
            && matches!(url.scheme(), "http" | "https")
            && url.as_str().len() <= MAX_LENGTH
    });
    url.map(String::from)
}

/// Returns a reported link if it is one that a person can open.
pub(crate) fn openable(link: Option<&str>) -> Option<&str> {
    link.filter(|link| web_url(link).is_some())
}

impl FromJson for ReportedLink {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let text = at.text(value, 0, MAX_LENGTH)?;
        Some(Self(web_url(text).unwrap_or_else(|| text.to_owned())))
    }

    fn schema() -> Value {
        let rule = "Shown as a link if it is an absolute http or https URL.";
        json!({ "type": "string", "maxLength": MAX_LENGTH, "description": rule })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::read;

    #[test]
    fn a_url_is_kept_in_normalized_form_and_other_text_as_it_was_sent() {
        let long = format!("https://a.example/{}", "\u{65e5}".repeat(300));
        for (text, kept, is_url) in [
            ("HTTPS://acme.example", "https://acme.example/", true),
            ("https://acme.example/a b", "https://acme.example/a%20b", true),
            ("", "", false),
            ("redirectUrl", "redirectUrl", false),
            ("acme.example", "acme.example", false),
            ("ht\ntps://a.example/\n\nPay: https://evil.example", "", false),
            ("https://a.example/\t", "", false),
            ("\u{0}https://a.example", "", false),
            ("https://a.example/\u{85}", "", false),
            ("javascript:alert(1)", "", false),
            (&long, "", false),
        ] {
            let ReportedLink(link) = read(&json!(text)).unwrap();
            assert_eq!(link, if kept.is_empty() { text } else { kept });
            assert_eq!(openable(Some(text)), is_url.then_some(text), "{text}");
        }
        assert!(read::<ReportedLink>(&json!("x".repeat(MAX_LENGTH + 1))).is_err());
    }
}
