//! The positions of all elements on the page.

use domain::{Invoice, InvoiceStatus, Tenant};
use jiff::{civil::Date, tz::Offset};
use schema::Timestamp;

use crate::Issuer;

use super::{
    fonts::Weight::{Bold, Regular},
    sheet::{Colour, HEIGHT, Sheet, Side, WIDTH, height},
    text::{Line, Style},
};

const INK: Colour = Colour(17, 24, 39);
const MUTED: Colour = Colour(107, 114, 128);
const HAIR: Colour = Colour(229, 231, 235);
const PANEL: Colour = Colour(246, 247, 250);
const ACCENT: Colour = Colour(49, 46, 129);
const GREEN: (Colour, Colour) = (Colour(22, 101, 52), Colour(220, 252, 231));
const RED: (Colour, Colour) = (Colour(153, 27, 27), Colour(254, 226, 226));
const AMBER: (Colour, Colour) = (Colour(146, 64, 14), Colour(254, 243, 199));

const LEFT: f32 = 56.0;
const RIGHT: f32 = WIDTH - 56.0;
/// Left edge of the column with the number and dates.
const FACTS: f32 = 356.0;
const TOP: f32 = 84.0;
const FOOT: f32 = HEIGHT - 56.0;
/// Height of the amounts, between the address and the footer.
const AMOUNTS: f32 = 250.0;

/// The content of the page.
pub(super) struct Layout<'a> {
    pub invoice: &'a Invoice,
    pub tenant: &'a Tenant,
    pub issuer: &'a Issuer,
}

impl Layout<'_> {
    pub(super) fn draw(&self, mut sheet: Sheet<'_>) {
        sheet.rect((0.0, 0.0), (WIDTH, 6.0), 0.0, ACCENT);
        let y = self.header(&mut sheet);
        let facts = self.facts(&mut sheet, y);
        let customer = self.customer(&mut sheet, y);
        self.amounts(&mut sheet, facts.max(customer) + 26.0);
        self.footer(&mut sheet);
    }

    /// Draws the issuer with its address and tax ID, the title and the status. Returns where the next
    /// part starts.
    fn header(&self, sheet: &mut Sheet<'_>) -> f32 {
        let width = FACTS - LEFT - 24.0;
        let issuer = scaled_to_fit(HEIGHT / 8.0, |scale| {
            Style::new(20.0 * scale, Bold).wrap(sheet.fonts(), &self.issuer.name, width)
        });
        let below = sheet.lines(&issuer, LEFT, TOP, ACCENT);
        let details = scaled_to_fit(HEIGHT / 10.0, |scale| {
            let style = Style::new(9.0 * scale, Regular);
            let details = self.issuer.details();
            details.iter().flat_map(|line| style.wrap(sheet.fonts(), line, width)).collect()
        });
        let below = match details.as_slice() {
            [] => below,
            details => sheet.lines(details, LEFT, below - 9.0, MUTED),
        };
        let title = Style { tracking: 0.06, ..Style::new(20.0, Regular) };
        sheet.text("INVOICE", (title, INK), (FACTS, TOP), Side::Left, RIGHT - FACTS);
        self.status_badge(sheet, (RIGHT, TOP - 16.0));
        below.max(TOP + 28.0) + 40.0
    }

    /// Draws the status in a coloured box with the given upper right corner.
    fn status_badge(&self, sheet: &mut Sheet<'_>, (right, top): (f32, f32)) {
        let (ink, ground) = match self.invoice.details.status {
            InvoiceStatus::Pending => AMBER,
            InvoiceStatus::Paid => GREEN,
            InvoiceStatus::Cancelled => RED,
        };
        let style = Style { tracking: 0.08, ..Style::new(9.0, Bold) };
        let word = self.invoice.details.status.to_string().to_uppercase();
        let Some(line) = style.fit(sheet.fonts(), &word, 90.0) else { return };
        let width = line.width + 19.0;
        sheet.rect((right - width, top), (width, 20.0), 10.0, ground);
        sheet.line(&line, (right - width + 10.0, top + 13.3), Side::Left, ink);
    }

    /// Draws the number and dates, on the right.
    fn facts(&self, sheet: &mut Sheet<'_>, mut y: f32) -> f32 {
        let dates = [
            ("INVOICE NUMBER", self.invoice.id.to_string()),
            ("ISSUE DATE", long(date(self.invoice.audit.created_on))),
            ("DUE DATE", long(self.invoice.details.due_date.date())),
        ];
        for (name, value) in dates {
            label(sheet, name, (FACTS, y), Side::Left);
            let style = (Style::new(10.0, Regular), INK);
            sheet.text(&value, style, (FACTS, y + 15.0), Side::Left, RIGHT - FACTS);
            y += 38.0;
        }
        y
    }

    /// Draws the customer, on the left.
    fn customer(&self, sheet: &mut Sheet<'_>, y: f32) -> f32 {
        label(sheet, "BILLED TO", (LEFT, y), Side::Left);
        let (fonts, width) = (sheet.fonts(), FACTS - LEFT - 24.0);
        let lines = scaled_to_fit(FOOT - AMOUNTS - y, |scale| {
            let name =
                Style::new(12.0 * scale, Bold).wrap(fonts, &self.tenant.name.to_string(), width);
            let address = Style::new(10.0 * scale, Regular);
            let address =
                self.address().into_iter().flat_map(|line| address.wrap(fonts, &line, width));
            name.into_iter().chain(address).collect()
        });
        sheet.lines(&lines, LEFT, y + 17.0, INK)
    }

    /// Returns the lines of the tenant's postal address.
    fn address(&self) -> Vec<String> {
        let Some(address) = &self.tenant.address else { return Vec::new() };
        let parts = &address.parts;
        let joined = |first: String, between: &str, second: String| {
            let between = if first.is_empty() || second.is_empty() { "" } else { between };
            format!("{first}{between}{second}")
        };
        let place = joined(part(parts.city.as_ref()), ", ", part(parts.state.as_ref()));
        // No-break spaces keep the digits in order if the line runs from right to left.
        let zip = part(parts.zip.as_ref()).replace(' ', "\u{a0}");
        let place = joined(place, " ", zip);
        vec![part(parts.address.as_ref()), place, part(parts.country.as_ref())]
    }

    /// Draws the description and the amounts.
    fn amounts(&self, sheet: &mut Sheet<'_>, y: f32) {
        let invoice = self.invoice;
        let (currency, inner) = (invoice.details.currency_code, 14.0);
        let amount = invoice.details.amount.grouped(currency.minor_digits());
        let amount = format!("{} {amount}", currency.code());
        let (left, right) = (LEFT + inner, RIGHT - inner);

        sheet.rect((LEFT, y), (RIGHT - LEFT, 26.0), 4.0, PANEL);
        label(sheet, "DESCRIPTION", (left, y + 16.5), Side::Left);
        label(sheet, "AMOUNT", (right, y + 16.5), Side::Right);

        let plain = (Style::new(10.0, Regular), INK);
        let row = y + 48.0;
        sheet.text("Subscription", plain, (left, row), Side::Left, 160.0);
        sheet.text(&amount, plain, (right, row), Side::Right, 270.0);
        let [start, end] = [invoice.details.start_date, invoice.details.end_date];
        let period = format!("{} – {}", long(start.date()), long(end.date()));
        let small = (Style::new(9.0, Regular), MUTED);
        sheet.text(&period, small, (left, row + 15.0), Side::Left, 260.0);
        sheet.rect((LEFT, row + 30.0), (RIGHT - LEFT, 0.75), 0.0, HAIR);

        let top = row + 46.0;
        sheet.rect((LEFT, top), (RIGHT - LEFT, 58.0), 4.0, PANEL);
        let due = format!("Due {}", long(invoice.details.due_date.date()));
        let (what, note) = match invoice.details.status {
            InvoiceStatus::Pending => ("Amount due", due.as_str()),
            InvoiceStatus::Paid => ("Amount paid", "Paid in full. Thank you."),
            InvoiceStatus::Cancelled => ("Cancelled", "This invoice is void. No payment is due."),
        };
        sheet.text(what, (Style::new(11.0, Bold), INK), (left, top + 26.0), Side::Left, 120.0);
        sheet.text(note, small, (left, top + 42.0), Side::Left, 200.0);
        let ink = match invoice.details.status {
            InvoiceStatus::Pending => INK,
            InvoiceStatus::Paid => GREEN.0,
            InvoiceStatus::Cancelled => MUTED,
        };
        if let Some(total) = Style::new(20.0, Bold).fit(sheet.fonts(), &amount, 250.0) {
            let (width, middle) = (total.width, top + 29.0);
            sheet.line(&total, (right, middle + 0.36 * total.size), Side::Right, ink);
            if invoice.details.status == InvoiceStatus::Cancelled {
                sheet.rect((right - width, middle), (width, 0.06 * total.size), 0.0, ink);
            }
        }
        let name = format!("All amounts in {} ({}).", currency.name(), currency.code());
        sheet.text(&name, small, (left, top + 78.0), Side::Left, right - left);
        self.payment_terms(sheet, top + 100.0);
    }

    /// Draws the payment terms. A cancelled invoice has none.
    fn payment_terms(&self, sheet: &mut Sheet<'_>, y: f32) {
        let terms = self.issuer.payment_terms.as_deref().unwrap_or_default();
        if self.invoice.details.status == InvoiceStatus::Cancelled {
            return;
        }
        let (fonts, width) = (sheet.fonts(), RIGHT - LEFT - 28.0);
        let lines =
            scaled_to_fit(60.0, |scale| Style::new(9.0 * scale, Regular).wrap(fonts, terms, width));
        sheet.lines(&lines, LEFT + 14.0, y, INK);
    }

    fn footer(&self, sheet: &mut Sheet<'_>) {
        sheet.rect((LEFT, FOOT), (RIGHT - LEFT, 0.75), 0.0, HAIR);
        let (style, y) = ((Style::new(8.0, Regular), MUTED), FOOT + 16.0);
        let number = format!("Invoice {}", self.invoice.id);
        sheet.text(&number, style, (LEFT, y), Side::Left, 300.0);
        sheet.text("Page 1 of 1", style, (RIGHT, y), Side::Right, 100.0);
    }
}

fn label(sheet: &mut Sheet<'_>, text: &str, at: (f32, f32), side: Side) {
    let style = Style { tracking: 0.08, ..Style::new(7.5, Bold) };
    sheet.text(text, (style, MUTED), at, side, 150.0);
}

fn part(part: Option<&impl ToString>) -> String {
    part.map(ToString::to_string).unwrap_or_default()
}

/// Returns the lines that `set` makes at the largest scale that fits into the height `room`. Uses
/// half scale if none fits.
fn scaled_to_fit(room: f32, set: impl Fn(f32) -> Vec<Line>) -> Vec<Line> {
    let fitting = [1.0, 0.9, 0.8, 0.7, 0.6].into_iter().map(&set);
    let mut fitting = fitting.filter(|lines| height(lines) <= room);
    fitting.next().unwrap_or_else(|| set(0.5))
}

/// Returns the date of `moment` in UTC.
pub(super) fn date(moment: Timestamp) -> Date {
    let moment = jiff::Timestamp::from_millisecond(moment.millis()).unwrap_or_default();
    Offset::UTC.to_datetime(moment).date()
}

/// Formats a date unambiguously, such as `1 January 2026`.
fn long(date: Date) -> String {
    date.strftime("%-d %B %Y").to_string()
}
