//! The size limit of answers.
//!
//! Lambda accepts answers of at most 6,291,556 bytes. The body is passed on as a JSON string, in
//! which every quote, backslash and control character takes more than one byte. Sizes in this
//! module are measured inside that string.

use std::io;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use domain::{Error, Result};

/// Maximum size of an answer's JSON in bytes, measured inside Lambda's JSON string. The rest of
/// [6,291,556 bytes](https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html) is
/// left for headers and for a first item that is larger than a page.
pub(crate) const PAGE_BYTES: usize = 4_000_000;

/// The JSON items of an answer, up to [`PAGE_BYTES`].
#[derive(Debug, Default)]
pub(crate) struct PageItems {
    items: Vec<Box<RawValue>>,
    bytes: usize,
}

impl PageItems {
    /// Adds an item and returns `true`, or returns `false` if the item does not fit. The first item
    /// always fits.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the item cannot be written as JSON.
    pub(crate) fn add(&mut self, item: &impl Serialize) -> Result<bool> {
        let json = to_raw_value(item).map_err(Error::internal("writing an answer"))?;
        // Plus one for the comma.
        let bytes = self.bytes + size_in_json_string(json.get().as_bytes()) + 1;
        if bytes > PAGE_BYTES && !self.items.is_empty() {
            return Ok(false);
        }
        self.bytes = bytes;
        self.items.push(json);
        Ok(true)
    }

    /// Returns the number of items.
    #[must_use]
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Returns the items.
    #[must_use]
    pub(crate) fn into_items(self) -> Vec<Box<RawValue>> {
        self.items
    }
}

/// Returns the size of `value` as JSON inside Lambda's JSON string, in bytes.
///
/// # Errors
///
/// [`Error::Internal`] if it cannot be written as JSON.
pub(crate) fn serialized_size(value: &impl Serialize) -> Result<usize> {
    let mut counter = Counter(0);
    serde_json::to_writer(&mut counter, value).map_err(Error::internal("measuring an answer"))?;
    Ok(counter.0)
}

/// Counts the bytes written to it.
struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += size_in_json_string(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the size of JSON text inside a JSON string, in bytes. Quotes and backslashes take two
/// bytes each; the JSON text written here contains no raw control characters.
fn size_in_json_string(json: &[u8]) -> usize {
    json.len() + json.iter().filter(|byte| matches!(byte, b'"' | b'\\')).count()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sizes_are_measured_inside_a_json_string() {
        for value in
            [json!({ "a": ["\"\\\u{1}é\n", 1.5, null] }), json!("\\".repeat(100)), json!([])]
        {
            let within = serde_json::to_string(&value.to_string()).unwrap();
            assert_eq!(serialized_size(&value).unwrap(), within.len() - 2, "{value}");
        }
    }

    #[test]
    fn a_page_accepts_its_first_item_and_all_that_fit() {
        let mut page = PageItems::default();
        let half = "x".repeat(PAGE_BYTES / 2 - 10);
        assert_eq!([&half, &half, &half].map(|item| page.add(item).unwrap()), [true, true, false]);
        assert_eq!((page.len(), page.into_items().len()), (2, 2));
        let mut page = PageItems::default();
        assert!(page.add(&"x".repeat(PAGE_BYTES * 2)).unwrap() && !page.add(&1).unwrap());
    }
}
