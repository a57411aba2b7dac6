//! The font faces embedded in the function. `fonts/README.md` lists their sources.

use std::{
    cell::{OnceCell, RefCell},
    collections::BTreeSet,
};

use harfrust::ShaperData;
use krilla::text::Font;
use skrifa::{
    FontRef, MetadataProvider,
    instance::{LocationRef, Size},
};

macro_rules! faces {
    ($($file:literal)+) => {
        [$(include_bytes!(concat!("../../fonts/", $file))),+]
    };
}

/// A font weight. Only Latin, Greek and Cyrillic have a bold face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// The base face of each weight.
const BASE: [&[u8]; 2] = faces!["NotoSans-Regular.ttf" "NotoSans-Bold.ttf"];
/// Faces for either weight, in order of preference.
const OTHERS: [&[u8]; 80] = faces![
    "NotoSansArabic-Regular.ttf"
    "NotoSansHebrew-Regular.ttf"
    "NotoSansDevanagari-Regular.ttf"
    "NotoSansThai-Regular.ttf"
    "NotoSansArmenian-Regular.ttf"
    "NotoSansGeorgian-Regular.ttf"
    "NotoSansBengali-Regular.ttf"
    "NotoSansTamil-Regular.ttf"
    "NotoSansTelugu-Regular.ttf"
    "NotoSansKannada-Regular.ttf"
    "NotoSansMalayalam-Regular.ttf"
    "NotoSansGujarati-Regular.ttf"
    "NotoSansGurmukhi-Regular.ttf"
    "NotoSansOriya-Regular.ttf"
    "NotoSansSinhala-Regular.ttf"
    "NotoSansMyanmar-Regular.ttf"
    "NotoSansKhmer-Regular.ttf"
    "NotoSansLao-Regular.ttf"
    "NotoSansEthiopic-Regular.ttf"
    "NotoSansCherokee-Regular.ttf"
    "NotoSerifTibetan-Regular.ttf"
    "NotoSansMongolian-Regular.ttf"
    "NotoSansThaana-Regular.ttf"
    "NotoSansNKo-Regular.ttf"
    "NotoSansTifinagh-Regular.ttf"
    "NotoSansSyriac-Regular.ttf"
    "NotoSansOlChiki-Regular.ttf"
    "NotoSansMeeteiMayek-Regular.ttf"
    "NotoSansCanadianAboriginal-Regular.ttf"
    "NotoSansYi-Regular.ttf"
    "NotoSansVai-Regular.ttf"
    "NotoSansAdlam-Regular.ttf"
    "NotoSansJavanese-Regular.ttf"
    "NotoSansBalinese-Regular.ttf"
    "NotoSansSundanese-Regular.ttf"
    "NotoSansBuginese-Regular.ttf"
    "NotoSansBatak-Regular.ttf"
    "NotoSansRejang-Regular.ttf"
    "NotoSansTaiLe-Regular.ttf"
    "NotoSansNewTaiLue-Regular.ttf"
    "NotoSansTaiTham-Regular.ttf"
    "NotoSansTaiViet-Regular.ttf"
    "NotoSansCham-Regular.ttf"
    "NotoSansKayahLi-Regular.ttf"
    "NotoSansLisu-Regular.ttf"
    "NotoSansMiao-Regular.ttf"
    "NotoSansChakma-Regular.ttf"
    "NotoSansLepcha-Regular.ttf"
    "NotoSansLimbu-Regular.ttf"
    "NotoSansHanifiRohingya-Regular.ttf"
    "NotoSansBamum-Regular.ttf"
    "NotoSansSylotiNagri-Regular.ttf"
    "NotoSansSaurashtra-Regular.ttf"
    "NotoSansNewa-Regular.ttf"
    "NotoSansWancho-Regular.ttf"
    "NotoSansWarangCiti-Regular.ttf"
    "NotoSansSoraSompeng-Regular.ttf"
    "NotoSansMro-Regular.ttf"
    "NotoSansGunjalaGondi-Regular.ttf"
    "NotoSansMasaramGondi-Regular.ttf"
    "NotoSansOsage-Regular.ttf"
    "NotoSansMendeKikakui-Regular.ttf"
    "NotoSansBassaVah-Regular.ttf"
    "NotoSansPahawhHmong-Regular.ttf"
    "NotoSerifNyiakengPuachueHmong-Regular.ttf"
    "NotoSansMandaic-Regular.ttf"
    "NotoSansSamaritan-Regular.ttf"
    "NotoSansTagalog-Regular.ttf"
    "NotoSansHanunoo-Regular.ttf"
    "NotoSansBuhid-Regular.ttf"
    "NotoSansTagbanwa-Regular.ttf"
    "NotoSansMedefaidrin-Regular.ttf"
    "NotoSansOsmanya-Regular.ttf"
    "NotoSansDeseret-Regular.ttf"
    "NotoSansKR-Regular.otf"
    "DroidSansFallback.ttf"
    "NotoEmoji-Regular.ttf"
    "NotoSansSymbols-Regular.ttf"
    "NotoSansSymbols2-Regular.ttf"
    "NotoSansMath-Regular.ttf"
];

/// A font face. Its data for shaping and embedding is created on first use.
pub(super) struct Face {
    data: &'static [u8],
    font: FontRef<'static>,
    shaper: OnceCell<ShaperData>,
    embedded: OnceCell<Option<Font>>,
}

/// All font faces, and the characters that none of them has.
pub(super) struct Fonts {
    base: Vec<Face>,
    others: Vec<Face>,
    missing: RefCell<BTreeSet<char>>,
}

impl Face {
    /// Parses a font file. Returns `None` if it is not a font.
    fn read(data: &'static [u8]) -> Option<Self> {
        let font = FontRef::new(data).ok()?;
        Some(Self { data, font, shaper: OnceCell::new(), embedded: OnceCell::new() })
    }

    /// Returns whether the face has a glyph for `c`.
    pub(super) fn covers(&self, c: char) -> bool {
        self.font.charmap().map(c).is_some()
    }

    /// Returns the shaper of this face.
    pub(super) fn shaper(&self) -> harfrust::Shaper<'_> {
        self.shaper.get_or_init(|| ShaperData::new(&self.font)).shaper(&self.font).build()
    }

    /// Returns the replacement glyph for characters that the face does not cover, and its advance
    /// in font units. Returns `None` if the face has no such glyph.
    pub(super) fn replacement(&self) -> Option<(u32, f32)> {
        let glyph = self.font.charmap().map('\u{fffd}')?;
        let metrics = self.font.glyph_metrics(Size::unscaled(), LocationRef::default());
        Some((glyph.to_u32(), metrics.advance_width(glyph)?))
    }

    /// Returns the font to embed in the PDF, which is reduced to the glyphs in use.
    pub(super) fn embedded(&self) -> Option<Font> {
        self.embedded.get_or_init(|| Font::new(self.data.into(), 0)).clone()
    }
}

impl Fonts {
    pub(super) fn new() -> Self {
        let read =
            |files: &[&'static [u8]]| files.iter().filter_map(|file| Face::read(file)).collect();
        Self { base: read(&BASE), others: read(&OTHERS), missing: RefCell::default() }
    }

    /// Returns the first face with a glyph for every character of `text`, or `None` if there is no
    /// such face. Joiners and variation selectors need no glyph.
    pub(super) fn face(&self, text: &str, weight: Weight) -> Option<&Face> {
        let base = self.base.get(weight as usize);
        let mut all = base.into_iter().chain(&self.others);
        all.find(|face| text.chars().all(|c| joins(c) || face.covers(c)))
    }

    /// Returns the face that shows its replacement glyph for characters without a face.
    pub(super) fn last_resort(&self, weight: Weight) -> Option<&Face> {
        self.base.get(weight as usize)
    }

    /// Notes that `face` showed `text`, of which it lacks a character.
    pub(super) fn note_missing(&self, face: &Face, text: &str) {
        self.missing.borrow_mut().extend(text.chars().filter(|c| !face.covers(*c) && !joins(*c)));
    }

    /// Returns the characters that were shown as a replacement glyph.
    pub(super) fn missing(&self) -> Vec<char> {
        self.missing.borrow().iter().copied().collect()
    }
}

/// Returns whether `c` only selects or joins the glyphs of other characters.
fn joins(c: char) -> bool {
    matches!(c, '\u{180b}'..='\u{180f}' | '\u{200c}' | '\u{200d}')
        || matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_font() {
        let fonts = Fonts::new();
        assert_eq!((fonts.base.len(), fonts.others.len()), (BASE.len(), OTHERS.len()));
        assert!(fonts.base.iter().chain(&fonts.others).all(|face| face.embedded().is_some()));
        for weight in [Weight::Regular, Weight::Bold] {
            let last_resort = fonts.last_resort(weight).unwrap();
            assert!(last_resort.replacement().is_some());
            assert!(fonts.face("\u{20000}", weight).is_none());
        }
    }
}
