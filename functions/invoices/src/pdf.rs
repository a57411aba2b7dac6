//! An invoice as a PDF: one A4 page that a customer could be sent.
//!
//! * `fonts`: the faces that are shipped, and what each covers.
//! * `text`: names of any script, made harmless, put in order, shaped and wrapped.
//! * `sheet`: the page that text, lines and boxes are drawn on.
//! * `layout`: what stands where.
//!
//! The same invoice gives the same bytes: no clock is read, every date is the invoice's own.

mod fonts;
mod layout;
mod sheet;
#[cfg(test)]
mod tests;
mod text;

use krilla::{
    Document,
    metadata::{DateTime, Metadata},
    page::PageSettings,
};
use shared::{
    Error, Result,
    domain::{Invoice, Tenant},
};

use fonts::Fonts;
use layout::Layout;
use sheet::{HEIGHT, Sheet, WIDTH};

/// The invoice of `tenant` as `issuer` sends it, a PDF of one page.
///
/// # Errors
///
/// [`Error::Aws`] where the page cannot be written, which no invoice should bring about.
pub fn render(invoice: &Invoice, tenant: &Tenant, issuer: &str) -> Result<Vec<u8>> {
    let fonts = Fonts::new();
    let size = PageSettings::from_wh(WIDTH, HEIGHT).ok_or_else(|| broken("no page"))?;
    let mut document = Document::new();
    document.set_metadata(metadata(invoice, issuer));
    let mut page = document.start_page_with(size);
    let sheet = Sheet::new(page.surface(), &fonts);
    Layout { invoice, tenant, issuer }.draw(sheet);
    page.finish();
    document.finish().map_err(|error| broken(&format!("{error:?}")))
}

fn broken(cause: &str) -> Error {
    Error::aws("writing an invoice's PDF")(cause)
}

fn metadata(invoice: &Invoice, issuer: &str) -> Metadata {
    let id = invoice.id.to_string();
    let created = layout::date(invoice.audit.created_on);
    let [year, month, day] = [created.year(), created.month().into(), created.day().into()];
    let [month, day] = [month, day].map(|part: i16| u8::try_from(part).unwrap_or(1));
    let created = DateTime::new(u16::try_from(year).unwrap_or(0)).month(month).day(day);
    Metadata::new()
        .title(format!("Invoice {id}"))
        .authors(vec![text::harmless(issuer)])
        .language("en".into())
        .creation_date(created)
        .document_id(id)
}
