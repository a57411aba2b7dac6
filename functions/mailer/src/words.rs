//! Words in mails that somebody else chose, and dates.

use shared::domain::Timestamp;

/// A name as a mail may show it.
///
/// Whoever asks for a tenant chooses the names in a mail to any address. So nothing in them turns
/// the text around them, breaks its line, or is made into a link by a mail program.
pub(crate) fn name(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut letters = text.chars().filter(|letter| !is_format(*letter)).peekable();
    while let Some(letter) = letters.next() {
        shown.push(letter);
        let goes_on = letters.peek().is_some_and(|next| !next.is_whitespace());
        if goes_on && matches!(letter, '.' | ':' | '/' | '@') {
            shown.push('\u{200B}');
        }
    }
    shown
}

/// Control characters, line and paragraph separators, and what reverses or isolates text.
fn is_format(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}')
}

/// A moment as people write it, to the minute that it is in.
pub(crate) fn date(moment: Timestamp) -> String {
    let moment = jiff::Timestamp::from_millisecond(moment.millis()).unwrap_or_default();
    moment.strftime("%-d %B %Y, %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_turn_break_or_link() {
        for (text, shown) in [
            ("Ada O'Neil", "Ada O'Neil"),
            ("Acme Inc.", "Acme Inc."),
            ("St. Gallen", "St. Gallen"),
            ("exe\u{202E}gpj.\u{2066}", "exegpj."),
            ("a\r\nb\u{2028}c\u{0}", "abc"),
            ("go to http://evil.test", "go to http:\u{200B}/\u{200B}/\u{200B}evil.\u{200B}test"),
            ("עברית", "עברית"),
        ] {
            assert_eq!(name(text), shown);
        }
    }

    #[test]
    fn a_date_is_written_out() {
        let moment = "2026-11-03T17:54:59.859Z".parse().unwrap();
        assert_eq!(date(moment), "3 November 2026, 17:54 UTC");
    }
}
