//! Each script has glyphs, and they are those that `HarfBuzz` selects. `fonts/shaped.tsv` lists a font,
//! a word and its glyph IDs in visual order per line; `fonts/subset.sh` makes the IDs.

use super::{
    fonts::{Fonts, Weight},
    text::Style,
};

#[test]
fn every_script_is_shaped_as_by_harfbuzz() {
    let fonts = Fonts::new();
    let mut wrong = Vec::new();
    for line in include_str!("../../fonts/shaped.tsv").lines() {
        let mut columns = line.split('\t');
        let [font, word, glyphs] = [(); 3].map(|()| columns.next().unwrap());
        let weight = if font.contains("Bold") { Weight::Bold } else { Weight::Regular };
        let shaped = Style::new(10.0, weight).fit(&fonts, word, 10_000.0).unwrap();
        let ids = shaped.runs.iter().flat_map(|run| &run.glyphs);
        let ids: Vec<_> = ids.map(|glyph| glyph.glyph_id.to_u32().to_string()).collect();
        if shaped.runs.len() != 1 || ids.join(" ") != glyphs || ids.contains(&"0".to_owned()) {
            wrong.push((font, word, glyphs, ids.join(" "), shaped.runs.len()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(fonts.missing().is_empty());
}

#[test]
fn names_of_several_scripts_and_common_symbols_have_every_glyph() {
    let fonts = Fonts::new();
    for text in [
        "AéßőĄΩжєəẾ€₹₴₺₽₦₩₫₱₿№",
        "Ởrbæk & Søn • Zürich – Łódź",
        "తెలుగు Ltd. (ಕನ್ನಡ) «ខ្មែរ» ქართ.",
        "1️⃣ 🏳️‍🌈 👨‍👩‍👧‍👦 ☕ ✈ ♥ ★ ☎ ✔ → ⇒ ≥ ∞ ™ ® © ½ ① ㊗ ㍿ ㈱",
        "株式会社 髙﨑 瀧澤 葛󠄀城 톱뷁 ｱｲｳ Ａ",
        "क़ानून ९९ संस्कृतम् ॐ ।",
    ] {
        for weight in [Weight::Regular, Weight::Bold] {
            let line = Style::new(10.0, weight).fit(&fonts, text, 10_000.0).unwrap();
            let mut glyphs = line.runs.iter().flat_map(|run| &run.glyphs);
            assert!(glyphs.all(|glyph| glyph.glyph_id.to_u32() != 0), "{text}");
        }
        assert!(fonts.missing().is_empty(), "{text}: {:?}", fonts.missing());
    }
}
