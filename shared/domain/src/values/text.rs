use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use schema::{FromJson, Reader};

/// Text of `MIN` to `MAX` characters without control characters. If `MIN` is not 0, at least one
/// character is visible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text<const MIN: usize, const MAX: usize>(String);

impl<const MIN: usize, const MAX: usize> Text<MIN, MAX> {
    /// Returns the text as a string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// No control characters, in a notation that every dialect of regular expressions supports.
const PATTERN: &str = r"^[^\x00-\x1f\x7f-\x9f]*$";

/// [`PATTERN`] with at least one character that is neither white space nor invisible.
const VISIBLE: &str = concat!(
    r"^[^\x00-\x1f\x7f-\x9f]*",
    r"[^\x00-\x20\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f",
    r"\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb]",
    r"[^\x00-\x1f\x7f-\x9f]*$",
);

/// Returns whether a character is invisible: white space, ignored by default (Unicode's
/// `Default_Ignorable_Code_Point`, DerivedCoreProperties.txt), a mark of annotations, the empty
/// Braille pattern or the empty note head.
pub(crate) fn is_invisible(letter: char) -> bool {
    letter.is_whitespace()
        || matches!(
            letter,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        )
        || matches!(letter, '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}')
        || matches!(letter, '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}')
        || matches!(letter, '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}')
        || matches!(letter, '\u{1D159}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

impl<const MIN: usize, const MAX: usize> Text<MIN, MAX> {
    const PATTERN: &str = if MIN == 0 { PATTERN } else { VISIBLE };
}

impl<const MIN: usize, const MAX: usize> FromJson for Text<MIN, MAX> {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let text = at.text(value, MIN, MAX)?;
        if text.chars().any(char::is_control) {
            at.wrong_pattern(
                Self::PATTERN,
                "must be one line, without line breaks, tabs or other control characters",
            );
            return None;
        }
        if MIN > 0 && text.chars().all(is_invisible) {
            at.wrong_pattern(Self::PATTERN, "must have a visible character");
            return None;
        }
        Some(Self(text.to_owned()))
    }

    /// Forms send optional fields that are left empty as `""`.
    fn is_absent(value: &Value) -> bool {
        value.is_null() || (MIN > 0 && value == "")
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": MIN, "maxLength": MAX, "pattern": Self::PATTERN })
    }
}

impl<const MIN: usize, const MAX: usize> fmt::Display for Text<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Text<1, 100> {
    /// Returns the type of a tenant's first contact, `admin`.
    #[must_use]
    pub fn admin() -> Self {
        Self("admin".to_owned())
    }
}

/// Text of up to `MAX` characters that may contain line breaks.
#[derive(Debug)]
pub(crate) struct MultilineText<const MAX: usize>(String);

impl<const MAX: usize> From<MultilineText<MAX>> for String {
    fn from(MultilineText(text): MultilineText<MAX>) -> Self {
        text
    }
}

impl<const MAX: usize> FromJson for MultilineText<MAX> {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        at.text(value, 0, MAX).map(|text| Self(text.to_owned()))
    }

    fn schema() -> Value {
        json!({ "type": "string", "maxLength": MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::{Invalid, read};

    #[test]
    fn a_name_has_a_visible_character() {
        let pattern = regex::Regex::new(VISIBLE).unwrap();
        for good in ["A", " A ", "张伟", "\u{200F}עברית", "👩\u{200D}🚀", "\u{FE0F}x", "-"]
        {
            assert!(read::<Text<1, 100>>(&json!(good)).is_ok(), "{good:?}");
            assert!(pattern.is_match(good), "{good:?}");
        }
        for blank in
            [" ", "\u{A0}\u{3000}", "\u{200B}", "\u{2800}\u{2800}", "\u{3164}", "\u{FEFF} \u{AD}"]
        {
            assert!(read::<Text<1, 100>>(&json!(blank)).is_err(), "{blank:?}");
            assert!(!pattern.is_match(blank), "{blank:?}");
            assert!(read::<Text<0, 100>>(&json!(blank)).is_ok(), "{blank:?}");
        }
        for blank in ["\u{E0041}", "\u{1D159}", "\u{1BCA0} \u{FFFC}".trim_end_matches('\u{FFFC}')] {
            assert!(read::<Text<1, 100>>(&json!(blank)).is_err(), "{blank:?}");
        }
    }

    #[test]
    fn the_reason_is_in_words() {
        let reason = |text: &str| {
            let Invalid(violations) = read::<Text<1, 100>>(&json!(text)).unwrap_err();
            (violations[0].code, violations[0].message.clone())
        };
        let line = "must be one line, without line breaks, tabs or other control characters";
        for text in ["1 Main St\nSpringfield", "a\r\nb", "a\tb", "\u{0}", "\n"] {
            assert_eq!(reason(text), ("pattern", line.to_owned()), "{text:?}");
        }
        assert_eq!(reason("\u{200B}"), ("pattern", "must have a visible character".to_owned()));
    }
}
