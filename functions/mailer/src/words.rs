//! Formats user-chosen names and dates for emails.

use schema::Timestamp;

/// Makes a user-chosen name safe to show in an email.
///
/// A lead chooses the names in an email to an address that may belong to anyone. A name must not
/// reverse the text around it, break its line, or be turned into a link by an email program.
pub(crate) fn name(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut letters = text.chars().filter(|letter| !is_format(*letter)).peekable();
    while let Some(letter) = letters.next() {
        shown.push(letter);
        let continues = letters.peek().is_some_and(|next| !next.is_whitespace());
        if continues && matches!(letter, '.' | ':' | '/' | '@') {
            shown.push('\u{200B}');
        }
    }
    shown
}

/// Returns whether this is a control character, a line or paragraph separator, or a control of the
/// text direction.
fn is_format(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}')
}

/// Formats a time in UTC, rounded down to the minute.
pub(crate) fn date(moment: Timestamp) -> String {
    let moment = jiff::Timestamp::from_millisecond(moment.millis()).unwrap_or_default();
    moment.strftime("%-d %B %Y, %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_reverse_text_break_lines_or_become_a_link() {
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
    fn a_date_is_formatted_in_words() {
        let moment = "2026-11-03T17:54:59.859Z".parse().unwrap();
        assert_eq!(date(moment), "3 November 2026, 17:54 UTC");
    }
}
