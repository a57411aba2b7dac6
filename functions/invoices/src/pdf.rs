//! Renders an invoice as a PDF of one A4 page, ready to send to a customer.
//!
//! * `fonts`: the embedded font faces, and the characters that each covers.
//! * `text`: text of any script, sanitized, ordered, shaped and wrapped.
//! * `sheet`: the page that text and boxes are drawn on.
//! * `layout`: the positions of all elements.
//!
//! The same invoice always gives the same bytes: all dates come from the invoice, not the clock.

mod fonts;
mod layout;
#[cfg(test)]
mod scripts;
mod sheet;
#[cfg(test)]
mod tests;
mod text;

use domain::{Error, Invoice, Result, Tenant};
use krilla::{
    Document,
    metadata::{DateTime, Metadata},
    page::PageSettings,
};

use crate::Issuer;
use fonts::Fonts;
use layout::Layout;
use sheet::{HEIGHT, Sheet, WIDTH};

/// A rendered invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The PDF, of one page.
    pub pdf: Vec<u8>,
    /// The characters for which no font has a glyph. The page shows a replacement sign instead.
    pub missing: Vec<char>,
}

/// Renders the invoice of `tenant`, issued by `issuer`.
///
/// # Errors
///
/// [`Error::Internal`] if the PDF cannot be written. No invoice should cause this.
pub fn render(invoice: &Invoice, tenant: &Tenant, issuer: &Issuer) -> Result<Page> {
    let fonts = Fonts::new();
    let size = PageSettings::from_wh(WIDTH, HEIGHT).ok_or_else(|| broken("invalid page size"))?;
    let mut document = Document::new();
    document.set_metadata(metadata(invoice, &issuer.name));
    let mut page = document.start_page_with(size);
    let sheet = Sheet::new(page.surface(), &fonts);
    Layout { invoice, tenant, issuer }.draw(sheet);
    page.finish();
    let pdf = document.finish().map_err(|error| broken(&format!("{error:?}")))?;
    Ok(Page { pdf, missing: fonts.missing() })
}

fn broken(cause: &str) -> Error {
    Error::internal("writing an invoice's PDF")(cause)
}

fn metadata(invoice: &Invoice, issuer: &str) -> Metadata {
    let id = invoice.id.to_string();
    let created = layout::date(invoice.audit.created_on);
    let [year, month, day] = [created.year(), created.month().into(), created.day().into()];
    let [month, day] = [month, day].map(|part: i16| u8::try_from(part).unwrap_or(1));
    let created = DateTime::new(u16::try_from(year).unwrap_or(0)).month(month).day(day);
    Metadata::new()
        .title(format!("Invoice {id}"))
        .authors(vec![text::sanitized(issuer)])
        .language("en".into())
        .creation_date(created)
        .document_id(id)
}
