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

/// Returns a host name as people write it, with its A-labels in Unicode. A name that has no such
/// form stays as it is.
#[must_use]
pub fn unicode_host(name: &str) -> Cow<'_, str> {
    match Uts46::new().to_unicode(name.as_bytes(), AsciiDenyList::URL, Hyphens::Allow) {
        (written, Ok(())) => written,
        (_, Err(_)) => Cow::Borrowed(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_name_can_be_shown_as_written() {
        for (name, written) in [
            ("xn--bcher-kva.example", "bücher.example"),
            ("www.xn--80a1acny.xn--p1ai", "www.почта.рф"),
            ("acme.test", "acme.test"),
            ("xn--.test", "xn--.test"),
        ] {
            assert_eq!(unicode_host(name), written);
        }
    }

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
