//! The faces that are shipped with the function; `fonts/README.md` tells where they are from.

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

/// The weight that text is set in. Only Latin, Greek and Cyrillic have a bold face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// The first face of each weight; the others serve both, in the order of preference.
const BASE: [&[u8]; 2] = faces!["NotoSans-Regular.ttf" "NotoSans-Bold.ttf"];
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

/// A face, and what shaping and embedding need of it, made when a text first asks for it.
pub(super) struct Face {
    data: &'static [u8],
    font: FontRef<'static>,
    shaper: OnceCell<ShaperData>,
    embedded: OnceCell<Option<Font>>,
}

/// Every face.
pub(super) struct Fonts {
    base: Vec<Face>,
    others: Vec<Face>,
}

impl Face {
    /// `None` for a file that is no font, which none of ours is.
    fn read(data: &'static [u8]) -> Option<Self> {
        let font = FontRef::new(data).ok()?;
        Some(Self { data, font, shaper: OnceCell::new(), embedded: OnceCell::new() })
    }

    /// Whether it has a glyph for `c`.
    pub(super) fn covers(&self, c: char) -> bool {
        self.font.charmap().map(c).is_some()
    }

    /// What shapes text in it.
    pub(super) fn shaper(&self) -> harfrust::Shaper<'_> {
        self.shaper.get_or_init(|| ShaperData::new(&self.font)).shaper(&self.font).build()
    }

    /// The sign for what it has no glyph for, and its advance in units of the em; `None` in a face
    /// that only serves what it covers.
    pub(super) fn replacement(&self) -> Option<(u32, f32)> {
        let glyph = self.font.charmap().map('\u{fffd}')?;
        let metrics = self.font.glyph_metrics(Size::unscaled(), LocationRef::default());
        Some((glyph.to_u32(), metrics.advance_width(glyph)?))
    }

    /// It as the PDF embeds it, a subset of what is used.
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

    /// The face for `c` after a character in `current`. What no face has is given to the first,
    /// which has a sign for it ([`Face::replacement`]); a mark or a joiner stays with what it follows.
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

/// Whether `c` belongs to the character before it: combining marks of all scripts, joiners and
/// variation selectors.
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
