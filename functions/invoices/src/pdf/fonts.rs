//! The font faces embedded in the function. `fonts/README.md` lists their sources.

use std::cell::OnceCell;

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
const OTHERS: [&[u8]; 8] = faces![
    "NotoSansArabic-Regular.ttf"
    "NotoSansHebrew-Regular.ttf"
    "NotoSansDevanagari-Regular.ttf"
    "NotoSansThai-Regular.ttf"
    "NotoSansArmenian-Regular.ttf"
    "NotoSansGeorgian-Regular.ttf"
    "NotoSansKR-Regular.otf"
    "DroidSansFallback.ttf"
];

/// A font face. Its data for shaping and embedding is created on first use.
pub(super) struct Face {
    data: &'static [u8],
    font: FontRef<'static>,
    shaper: OnceCell<ShaperData>,
    embedded: OnceCell<Option<Font>>,
}

/// All font faces.
pub(super) struct Fonts {
    base: Vec<Face>,
    others: Vec<Face>,
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
        Self { base: read(&BASE), others: read(&OTHERS) }
    }

    /// Returns the face for `c`, which follows a character in `current`. Marks and joiners use the
    /// face of the character before them. If no face covers `c`, the base face shows its
    /// replacement glyph ([`Face::replacement`]).
    pub(super) fn face<'f>(
        &'f self,
        c: char,
        weight: Weight,
        current: Option<&'f Face>,
    ) -> Option<&'f Face> {
        let base = self.base.get(weight as usize)?;
        if joins(c) && current.is_some() {
            return current;
        }
        let mut all = std::iter::once(base).chain(&self.others);
        Some(all.find(|face| face.covers(c)).unwrap_or(base))
    }
}

/// Returns whether `c` belongs to the character before it: a combining diacritical mark, a joiner
/// or a variation selector.
fn joins(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_font_and_each_script_has_a_face() {
        let fonts = Fonts::new();
        assert_eq!((fonts.base.len(), fonts.others.len()), (BASE.len(), OTHERS.len()));
        assert!(fonts.base.iter().chain(&fonts.others).all(|face| face.embedded().is_some()));
        for c in "AéßőĄΩжєəẾ€₹₴₺№عپאदไՀქ漢体體の한,".chars() {
            for weight in [Weight::Regular, Weight::Bold] {
                assert!(fonts.face(c, weight, None).unwrap().covers(c), "{c}");
            }
        }
        for weight in [Weight::Regular, Weight::Bold] {
            let last_resort = fonts.face('🦀', weight, None).unwrap();
            assert!(!last_resort.covers('🦀') && last_resort.replacement().is_some());
        }
    }
}
