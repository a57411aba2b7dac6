//! Formats user-chosen names and dates for emails, and says how far a sign-up has come.

use domain::Stage;
use schema::Timestamp;

/// The words for a stage of a sign-up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StageWords {
    /// The heading; with the name of the product, the subject.
    pub(crate) heading: &'static str,
    /// The sentence up to the name of the company.
    pub(crate) before: &'static str,
    /// The rest of the text.
    pub(crate) after: &'static str,
    /// The label of the button.
    pub(crate) button: &'static str,
}

impl StageWords {
    pub(crate) fn new(stage: Stage) -> Self {
        let (heading, before, after, button) = match stage {
            Stage::Verified => (
                "Continue setting up your workspace",
                "your email address is confirmed. Continue with the workspace for",
                ".",
                "Continue",
            ),
            Stage::Planning => (
                "Choose a plan for your workspace",
                "choose a plan to create the workspace for",
                ".",
                "Choose a plan",
            ),
            Stage::Building => (
                "Your workspace is being set up",
                "we're setting up the workspace for",
                ". We'll email you when it's ready.",
                "View progress",
            ),
            Stage::Failed => (
                "We couldn't set up your workspace",
                "we couldn't set up the workspace for",
                ". Your details are saved, so you can try again.",
                "Try again",
            ),
            Stage::Ready => (
                "Your workspace is ready",
                "the workspace for",
                " is ready to use.",
                "Open workspace",
            ),
            Stage::Suspended => (
                "Your workspace is suspended",
                "the workspace for",
                " is suspended. Its data is kept. Contact us to use it again.",
                "View status",
            ),
            Stage::Removed => (
                "Your workspace was removed",
                "the workspace for",
                " was removed. Contact us if you need a new one.",
                "View status",
            ),
        };
        Self { heading, before, after, button }
    }
}

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
