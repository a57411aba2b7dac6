//! How large an answer may become.
//!
//! Lambda takes an answer of 6,291,556 bytes at most. The body is handed over as a JSON string, so
//! every quote, backslash and control character of it counts more than once. Sizes here are those
//! of the body within that string.

use std::io;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::{Error, Result};

/// The most bytes of one answer's JSON, as Lambda hands it on; the rest of
/// [6,291,556 bytes](https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html) is for
/// headers and for one item that is larger than the page it starts.
pub const PAGE_BYTES: usize = 4_000_000;

/// The items of an answer, as JSON, as long as they fit.
#[derive(Debug, Default)]
pub struct Sheet {
    items: Vec<Box<RawValue>>,
    bytes: usize,
}

impl Sheet {
    /// Adds an item and returns `true`, or returns `false` if the item does not fit. The first item
    /// always fits.
    ///
    /// # Errors
    ///
    /// [`Error::Aws`] if the item cannot be written as JSON.
    pub fn add(&mut self, item: &impl Serialize) -> Result<bool> {
        let json = to_raw_value(item).map_err(Error::aws("writing an answer"))?;
        // The comma.
        let bytes = self.bytes + handed_on(json.get().as_bytes()) + 1;
        if bytes > PAGE_BYTES && !self.items.is_empty() {
            return Ok(false);
        }
        self.bytes = bytes;
        self.items.push(json);
        Ok(true)
    }

    /// Returns how many items there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Returns whether there is no item.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Returns the items.
    #[must_use]
    pub fn into_items(self) -> Vec<Box<RawValue>> {
        self.items
    }
}

/// Returns how many bytes `value` takes as JSON, as Lambda hands it on.
///
/// # Errors
///
/// [`Error::Aws`] if it cannot be written as JSON.
pub(crate) fn size(value: &impl Serialize) -> Result<usize> {
    let mut counter = Counter(0);
    serde_json::to_writer(&mut counter, value).map_err(Error::aws("measuring an answer"))?;
    Ok(counter.0)
}

/// Counts what is written to it.
struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += handed_on(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How many bytes JSON text takes within a JSON string: a quote and a backslash take two each, and
/// JSON text that we write has no bare control characters.
fn handed_on(json: &[u8]) -> usize {
    json.len() + json.iter().filter(|byte| matches!(byte, b'"' | b'\\')).count()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_size_is_that_of_the_text_within_a_json_string() {
        for value in
            [json!({ "a": ["\"\\\u{1}é\n", 1.5, null] }), json!("\\".repeat(100)), json!([])]
        {
            let within = serde_json::to_string(&value.to_string()).unwrap();
            assert_eq!(size(&value).unwrap(), within.len() - 2, "{value}");
        }
    }

    #[test]
    fn a_sheet_takes_its_first_item_and_no_more_than_fit() {
        let mut sheet = Sheet::default();
        let half = "x".repeat(PAGE_BYTES / 2 - 10);
        assert_eq!([&half, &half, &half].map(|item| sheet.add(item).unwrap()), [true, true, false]);
        assert_eq!((sheet.len(), sheet.into_items().len()), (2, 2));
        let mut sheet = Sheet::default();
        assert!(sheet.add(&"x".repeat(PAGE_BYTES * 2)).unwrap() && !sheet.add(&1).unwrap());
    }
}
