//! A page to draw text and boxes on. Coordinates are points from its upper left corner.

use krilla::{
    color::rgb,
    geom::{Path, PathBuilder, Point, Rect},
    num::NormalizedF32,
    paint::{Fill, FillRule},
    surface::Surface,
};

use super::{
    fonts::Fonts,
    text::{Line, Style},
};

/// The width of A4.
pub(super) const WIDTH: f32 = 595.28;
/// The height of A4.
pub(super) const HEIGHT: f32 = 841.89;

/// The distance between two baselines, as a multiple of the font size.
const LEADING: f32 = 1.4;

/// A colour as red, green and blue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Colour(pub u8, pub u8, pub u8);

/// The side that text is aligned to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

pub(super) struct Sheet<'a> {
    surface: Surface<'a>,
    fonts: &'a Fonts,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(surface: Surface<'a>, fonts: &'a Fonts) -> Self {
        Self { surface, fonts }
    }

    /// Returns the fonts.
    pub(super) fn fonts(&self) -> &'a Fonts {
        self.fonts
    }

    /// Draws a line with its baseline at `y` and its `side` at `x`.
    pub(super) fn line(&mut self, line: &Line, (x, y): (f32, f32), side: Side, colour: Colour) {
        self.fill(colour);
        let mut x = if side == Side::Right { x - line.width } else { x };
        for run in &line.runs {
            let (start, font) = (Point::from_xy(x, y), run.font.clone());
            self.surface.draw_glyphs(start, &run.glyphs, font, &run.text, line.size, false);
            x += run.width;
        }
    }

    /// Draws lines below each other, the first with its baseline at `y`. Returns the next baseline.
    pub(super) fn lines(&mut self, lines: &[Line], x: f32, mut y: f32, colour: Colour) -> f32 {
        for line in lines {
            self.line(line, (x, y), Side::Left, colour);
            y += line.size * LEADING;
        }
        y
    }

    /// Draws `text` on one line, at most `width` wide.
    pub(super) fn text(
        &mut self,
        text: &str,
        (style, colour): (Style, Colour),
        at: (f32, f32),
        side: Side,
        width: f32,
    ) {
        if let Some(line) = style.fit(self.fonts, text, width) {
            self.line(&line, at, side, colour);
        }
    }

    /// Draws a box filled with `colour`, with corners of this `radius`.
    pub(super) fn rect(
        &mut self,
        (x, y): (f32, f32),
        (w, h): (f32, f32),
        radius: f32,
        colour: Colour,
    ) {
        self.fill(colour);
        let path = if radius > 0.0 {
            rounded(x, y, w, h, radius)
        } else {
            Rect::from_xywh(x, y, w, h).and_then(|rect| {
                let mut path = PathBuilder::new();
                path.push_rect(rect);
                path.finish()
            })
        };
        if let Some(path) = path {
            self.surface.draw_path(&path);
        }
    }

    fn fill(&mut self, Colour(red, green, blue): Colour) {
        let paint = rgb::Color::new(red, green, blue).into();
        let (opacity, rule) = (NormalizedF32::ONE, FillRule::NonZero);
        self.surface.set_fill(Some(Fill { paint, opacity, rule }));
    }
}

/// Returns the height of lines drawn by [`Sheet::lines`].
pub(super) fn height(lines: &[Line]) -> f32 {
    lines.iter().map(|line| line.size * LEADING).sum()
}

fn rounded(x: f32, y: f32, w: f32, h: f32, radius: f32) -> Option<Path> {
    // Approximates a quarter of a circle by a cubic curve.
    let bend = radius * (1.0 - 0.552_285);
    let (right, bottom) = (x + w, y + h);
    let mut path = PathBuilder::new();
    path.move_to(x + radius, y);
    path.line_to(right - radius, y);
    path.cubic_to(right - bend, y, right, y + bend, right, y + radius);
    path.line_to(right, bottom - radius);
    path.cubic_to(right, bottom - bend, right - bend, bottom, right - radius, bottom);
    path.line_to(x + radius, bottom);
    path.cubic_to(x + bend, bottom, x, bottom - bend, x, bottom - radius);
    path.line_to(x, y + radius);
    path.cubic_to(x, y + bend, x + bend, y, x + radius, y);
    path.close();
    path.finish()
}
