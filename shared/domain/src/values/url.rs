use serde_json::{Value, json};

use schema::{FromJson, Reader};

/// An absolute `http` or `https` URL of up to 2,048 characters, in normalized form. Control
/// characters are refused because URL parsers ignore some of them.
#[derive(Debug)]
pub(crate) struct WebUrl(String);

impl From<WebUrl> for String {
    fn from(WebUrl(url): WebUrl) -> Self {
        url
    }
}

/// The maximum length of a URL in characters, before and after encoding.
const MAX_URL_LENGTH: usize = 2048;

impl FromJson for WebUrl {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let text = at.text(value, 1, MAX_URL_LENGTH)?;
        let plain = !text.chars().any(char::is_control);
        let url = url::Url::parse(text).ok().filter(|url| {
            plain
                && matches!(url.scheme(), "http" | "https")
                && url.as_str().len() <= MAX_URL_LENGTH
        });
        let Some(url) = url else {
            at.wrong_format("uri");
            return None;
        };
        Some(Self(url.into()))
    }

    fn schema() -> Value {
        let pattern = "^[Hh][Tt][Tt][Pp][Ss]?:";
        json!({ "type": "string", "format": "uri", "pattern": pattern, "maxLength": MAX_URL_LENGTH })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::read;

    #[test]
    fn a_url_is_kept_in_normalized_form() {
        let url = |text: &str| read::<WebUrl>(&json!(text)).map(|WebUrl(url)| url).ok();
        assert_eq!(url("HTTPS://acme.example").as_deref(), Some("https://acme.example/"));
        assert_eq!(url("https://acme.example/a b").as_deref(), Some("https://acme.example/a%20b"));
        for bad in [
            "ht\ntps://a.example/\n\nPay here: https://evil.example",
            "https://a.example/\t",
            "\u{0}https://a.example",
            "https://a.example/\u{85}",
            "javascript:alert(1)",
            &format!("https://a.example/{}", "\u{65e5}".repeat(300)),
        ] {
            assert_eq!(url(bad), None, "{bad}");
        }
    }
}
