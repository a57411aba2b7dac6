//! Converts strings to lines of glyphs: bidirectional, shaped, with a face for each script.

use std::{collections::BTreeMap, ops::Range};

use harfrust::{Direction, ShapeOptions, UnicodeBuffer};
use krilla::text::{Font, GlyphId, KrillaGlyph};
use unicode_bidi::{BidiInfo, Level};
use unicode_linebreak::linebreaks;
use unicode_segmentation::UnicodeSegmentation;

use super::fonts::{Face, Fonts, Weight};

/// The style of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// In points.
    pub size: f32,
    pub weight: Weight,
    /// Space between letters, as a fraction of the size.
    pub tracking: f32,
}

/// The glyph of a character that the face does not cover.
const NOTDEF: u32 = 0;

/// Text of one direction in one face.
pub(super) struct Run {
    pub font: Font,
    pub text: String,
    /// Byte offset of the text in its paragraph.
    start: usize,
    pub glyphs: Vec<KrillaGlyph>,
    /// In points.
    pub width: f32,
}

/// A line, with its runs from left to right.
pub(super) struct Line {
    pub runs: Vec<Run>,
    pub size: f32,
    /// In points.
    pub width: f32,
}

/// Returns `text` as a single line that cannot disturb the layout. Control characters become
/// spaces. Invisible formatting characters (embeddings, overrides, isolates, zero-width characters
/// other than joiners) are removed.
pub(super) fn sanitized(text: &str) -> String {
    let steers = |c: &char| {
        matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
                | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        )
    };
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let shown = text.chars().filter(|c| !steers(c));
    shown.map(|c| if breaks(c) { ' ' } else { c }).collect()
}

impl Style {
    pub(super) fn new(size: f32, weight: Weight) -> Self {
        Self { size, weight, tracking: 0.0 }
    }

    /// Wraps `text` into lines of at most `width` points. Longer words are broken.
    pub(super) fn wrap(self, fonts: &Fonts, text: &str, width: f32) -> Vec<Line> {
        let text = sanitized(text);
        let text = text.trim();
        let bidi = BidiInfo::new(text, None);
        if bidi.paragraphs.is_empty() {
            return Vec::new();
        }
        let whole = self.line(fonts, &bidi, 0..text.len());
        let ranges = break_lines(text, &whole, width);
        ranges.into_iter().map(|range| self.line(fonts, &bidi, range)).collect()
    }

    /// Returns the part `range` of a paragraph as one line.
    fn line(self, fonts: &Fonts, bidi: &BidiInfo<'_>, range: Range<usize>) -> Line {
        let mut runs = Vec::new();
        if let Some(paragraph) = bidi.paragraphs.first() {
            let (levels, visual) = bidi.visual_runs(paragraph, range);
            for part in visual {
                let leftward = levels.get(part.start).is_some_and(Level::is_rtl);
                let mut items = self.items(fonts, bidi.text, part);
                if leftward {
                    items.reverse();
                }
                runs.extend(items.into_iter().filter_map(|(face, item)| {
                    let start = item.start;
                    self.shape(fonts, face, (&bidi.text[item], start), leftward)
                }));
            }
        }
        let width = runs.iter().map(|run| run.width).sum();
        Line { runs, size: self.size, width }
    }

    /// Returns `text` on one line, in a smaller size if it is wider than `width` points.
    pub(super) fn fit(self, fonts: &Fonts, text: &str, width: f32) -> Option<Line> {
        let line = |style: Self| style.wrap(fonts, text, f32::INFINITY).into_iter().next();
        let full = line(self)?;
        if full.width <= width {
            return Some(full);
        }
        line(Self { size: self.size * width / full.width, ..self })
    }

    /// Splits the part `range` of `text` at changes of the face. A cluster of characters, such as a
    /// letter with its marks or an emoji of several parts, has one face if possible.
    fn items<'f>(
        self,
        fonts: &'f Fonts,
        text: &str,
        range: Range<usize>,
    ) -> Vec<(&'f Face, Range<usize>)> {
        let mut items: Vec<(&Face, Range<usize>)> = Vec::new();
        let mut push = |face: Option<&'f Face>, start: usize, part: &str| {
            let Some(face) = face.or_else(|| fonts.last_resort(self.weight)) else { return };
            let end = start + part.len();
            match items.last_mut() {
                Some((same, item)) if std::ptr::eq(face, *same) => item.end = end,
                _ => items.push((face, start..end)),
            }
        };
        for (offset, cluster) in text[range.clone()].grapheme_indices(true) {
            let start = range.start + offset;
            match fonts.face(cluster, self.weight) {
                Some(face) => push(Some(face), start, cluster),
                None => cluster.char_indices().for_each(|(offset, c)| {
                    let c = &cluster[offset..offset + c.len_utf8()];
                    push(fonts.face(c, self.weight), start + offset, c);
                }),
            }
        }
        items
    }

    /// Shapes `text`, which starts at the byte `start` of its paragraph.
    fn shape(
        self,
        fonts: &Fonts,
        face: &Face,
        (text, start): (&str, usize),
        leftward: bool,
    ) -> Option<Run> {
        let font = face.embedded()?;
        let shaper = face.shaper();
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(text);
        buffer.guess_segment_properties();
        buffer.set_direction(if leftward {
            Direction::RightToLeft
        } else {
            Direction::LeftToRight
        });
        let shaped = shaper.shape(buffer, ShapeOptions::new());
        let clusters: Vec<usize> =
            shaped.glyph_infos().iter().map(|info| info.cluster as usize).collect();
        let em = font.units_per_em();
        let part = |units: i32| units as f32 / em;
        let mut glyphs = Vec::with_capacity(clusters.len());
        for (position, glyph) in shaped.glyph_positions().iter().enumerate() {
            let cluster = clusters[position];
            let end = clusters.iter().copied().filter(|next| *next > cluster).min();
            let (mut id, mut advance) =
                (shaped.glyph_infos()[position].glyph_id, part(glyph.x_advance));
            if id == NOTDEF {
                fonts.note_missing(face, &text[cluster..end.unwrap_or(text.len())]);
                if let Some((sign, units)) = face.replacement() {
                    (id, advance) = (sign, units / em);
                }
            }
            glyphs.push(KrillaGlyph::new(
                GlyphId::new(id),
                advance + self.tracking,
                part(glyph.x_offset),
                part(glyph.y_offset),
                part(glyph.y_advance),
                cluster..end.unwrap_or(text.len()),
                None,
            ));
        }
        let width = glyphs.iter().map(|glyph| glyph.x_advance).sum::<f32>() * self.size;
        Some(Run { font, text: text.to_owned(), start, glyphs, width })
    }
}

/// Returns the ranges of a paragraph's lines, each at most `width` points wide. Breaks lines
/// between words if possible (UAX #14), otherwise between any two clusters.
fn break_lines(text: &str, whole: &Line, width: f32) -> Vec<Range<usize>> {
    let mut advances = BTreeMap::<usize, f32>::new();
    for run in &whole.runs {
        for glyph in &run.glyphs {
            let cluster = run.start + glyph.text_range.start;
            *advances.entry(cluster).or_default() += glyph.x_advance * whole.size;
        }
    }
    let between_words: Vec<usize> = linebreaks(text).map(|(position, _)| position).collect();
    let (mut lines, mut start, mut used, mut word) = (Vec::new(), 0, 0.0, 0);
    for (&cluster, &advance) in &advances {
        if between_words.binary_search(&cluster).is_ok() {
            word = cluster;
        }
        let space = text[cluster..].starts_with(char::is_whitespace);
        while used + advance > width && !space && cluster > start {
            let end = if word > start { word } else { cluster };
            lines.push(start..end);
            start = end;
            used = advances.range(start..cluster).map(|(_, advance)| advance).sum();
        }
        used += advance;
    }
    lines.push(start..text.len());
    for line in &mut lines {
        line.end = line.start + text[line.clone()].trim_end().len();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, width: f32) -> Vec<String> {
        let lines = Style::new(10.0, Weight::Regular).wrap(&Fonts::new(), text, width);
        assert!(lines.iter().all(|line| line.width <= width), "{text}");
        let text = |line: &Line| line.runs.iter().map(|run| run.text.as_str()).collect();
        lines.iter().map(text).collect()
    }

    #[test]
    fn lines_break_between_words_and_long_words_anywhere() {
        assert_eq!(
            lines("Analytical  Engines of London", 95.0),
            ["Analytical  Engines", "of London"]
        );
        let long = lines(&"W".repeat(100), 100.0);
        assert_eq!(long.concat(), "W".repeat(100));
        assert_eq!(lines("A WWWWWWWWWWWWWW", 100.0).first().unwrap(), "A");
        let han = "漢".repeat(25);
        assert_eq!(
            lines(&han, 100.0).iter().map(|line| line.chars().count()).collect::<Vec<_>>(),
            [10, 10, 5]
        );
        assert!(lines(" \n\u{202e} ", 100.0).is_empty());
    }

    #[test]
    fn formatting_characters_are_removed() {
        assert_eq!(sanitized("A\u{202e}B\nC\u{0}D\u{2066}E\u{200b}\u{e0041}"), "AB C DE");
        assert_eq!(sanitized("क\u{200d}ष 👩\u{200d}💻"), "क\u{200d}ष 👩\u{200d}💻");
    }

    #[test]
    fn right_to_left_text_is_in_visual_order() {
        let fonts = Fonts::new();
        let style = Style::new(10.0, Weight::Regular);
        let line = style.fit(&fonts, "Acme שלום (עולם)", 1000.0).unwrap();
        let order: Vec<_> = line.runs.iter().map(|run| run.text.as_str()).collect();
        assert_eq!(order, ["Acme ", ")", "עולם", " (", "שלום"]);
        let arabic = style.fit(&fonts, "سلام", 1000.0).unwrap();
        let clusters: Vec<_> =
            arabic.runs[0].glyphs.iter().map(|glyph| glyph.text_range.start).collect();
        assert!(clusters.is_sorted_by(|a, b| a >= b), "{clusters:?}");
    }

    #[test]
    fn a_long_line_is_shrunk_to_fit() {
        let style = Style::new(20.0, Weight::Bold);
        let line = style.fit(&Fonts::new(), &"9".repeat(60), 100.0).unwrap();
        assert!(line.width <= 100.1 && line.width > 99.0, "{}", line.width);
    }

    #[test]
    fn a_missing_character_is_replaced_and_noted() {
        let (fonts, style) = (Fonts::new(), Style::new(20.0, Weight::Bold));
        style.fit(&fonts, "Acme 🦀 తెలుగు", 500.0).unwrap();
        assert!(fonts.missing().is_empty());
        let missing = style.fit(&fonts, "\u{20000}\u{fe00}", 100.0).unwrap();
        assert_eq!(fonts.missing(), ['\u{20000}']);
        assert_ne!(missing.runs[0].glyphs[0].glyph_id.to_u32(), NOTDEF);
        assert!(missing.width > 5.0);
    }
}
