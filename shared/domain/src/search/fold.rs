use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::values::is_invisible;

/// Returns `text` without differences of case, accents and width, so that spellings that people
/// take for the same are equal: `Škoda` and `SKODA`, `Straße` and `STRASSE`.
pub(crate) fn fold(text: &str) -> String {
    let letters = text.nfkd().filter(|letter| !is_combining_mark(*letter));
    let letters = letters.filter(|letter| letter.is_whitespace() || !is_invisible(*letter));
    letters.flat_map(char::to_lowercase).fold(String::new(), |mut folded, letter| {
        match plain(letter) {
            Some(plain) => folded.push_str(plain),
            None => folded.push(letter),
        }
        folded
    })
}

/// Returns how a lowercase letter that Unicode does not decompose is usually typed. Returns `None`
/// for all others.
fn plain(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'þ' => "th",
        'ı' => "i",
        'ς' => "σ",
        '‘' | '’' | 'ʼ' => "'",
        '‐'..='―' | '−' => "-",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_word_are_equal() {
        for (one, other) in [
            ("Škoda", "SKODA"),
            ("Straße", "strasse"),
            ("Ærø", "aero"),
            ("Łódź", "lodz"),
            ("Œuvre", "oeuvre"),
            ("Đorđe", "dorde"),
            ("Þórður", "thordur"),
            ("Ħamrun", "hamrun"),
            ("İstanbul", "istanbul"),
            ("ILGAZ", "ılgaz"),
            ("ΟΔΟΣ", "οδος"),
            ("Ａｃｍｅ", "acme"),
            ("e\u{301}clair", "ÉCLAIR"),
            ("ﬁne", "FINE"),
            ("ac\u{200B}me", "acme"),
            ("L’Oréal", "l'oreal"),
            ("Coca–Cola", "coca-cola"),
            ("Coca\u{2212}Cola", "coca\u{2011}cola"),
            ("ЙОД", "иод"),
        ] {
            assert_eq!(fold(one), fold(other), "{one}");
        }
        assert_ne!(fold("acme"), fold("acne"));
    }

    #[test]
    fn a_folded_text_stays_the_same() {
        for text in ["Škoda ﷺ ㎒", "ǅ ẞ ﬃ", "삼성 が 株式会社", "ΐ ᾳ ŉ"] {
            assert_eq!(fold(&fold(text)), fold(text), "{text}");
        }
    }
}
