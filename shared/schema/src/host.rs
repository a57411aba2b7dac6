use std::borrow::Cow;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

/// Returns a host name in the form in which host names are stored and compared: in lowercase, with
/// international labels as A-labels (`bücher.example` is `xn--bcher-kva.example`, UTS #46). Returns
/// `None` if the name has no such form. ASCII names are not checked.
#[must_use]
pub fn ascii_host(name: &str) -> Option<Cow<'_, str>> {
    if name.is_ascii() {
        return Some(Cow::Owned(name.to_ascii_lowercase()));
    }
    let name = name.as_bytes();
    Uts46::new().to_ascii(name, AsciiDenyList::URL, Hyphens::CheckFirstLast, DnsLength::Ignore).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn international_names_have_one_form() {
        for name in
            ["bücher.example", "BÜCHER.example", "bu\u{308}cher.EXAMPLE", "XN--BCHER-KVA.example"]
        {
            assert_eq!(ascii_host(name).unwrap(), "xn--bcher-kva.example", "{name}");
        }
        assert_eq!(ascii_host("例え。テスト").unwrap(), "xn--r8jz45g.xn--zckzah");
        assert_eq!(ascii_host("почта.рф").unwrap(), "xn--80a1acny.xn--p1ai");
        for name in ["a\u{202e}b.de", "ä b.de", "ä/b.de", "\u{301}.de", "-ä.de"] {
            assert_eq!(ascii_host(name), None, "{name}");
        }
    }
}
