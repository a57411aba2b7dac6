use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::table::item::Attributes;
use domain::{Error, Result};
use lambda::keys::MasterKeys;

/// Length of a cursor's tag in bytes.
const TAG: usize = 16;

/// The position at which the next page of a list begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cursor {
    /// Behind the item with this key in an index.
    Index {
        /// The attributes of the key, all of them strings.
        key: Vec<(String, String)>,
    },
    /// Behind the item with these properties, in the requested order.
    Order {
        /// The properties that determine the order.
        last: Map<String, Value>,
    },
}

impl Cursor {
    /// Encodes the cursor for a link: opaque to clients, signed, and valid for this `list` only.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the cursor cannot be serialized.
    pub fn seal(&self, list: &str, keys: &MasterKeys) -> Result<String> {
        let text = serde_json::to_vec(self).map_err(Error::internal("writing a cursor"))?;
        let mut bytes = keys.cursor_tag(&signed(list, &text));
        bytes.extend_from_slice(&text);
        Ok(BASE64.encode(bytes))
    }

    /// Decodes a cursor sent by a client.
    ///
    /// # Errors
    ///
    /// [`Error::BadParameter`] if the cursor is forged, altered or belongs to another list.
    pub fn open(sealed: &str, list: &str, keys: &MasterKeys) -> Result<Self> {
        let opened = BASE64.decode(sealed).ok().and_then(|bytes| {
            let (tag, text) = bytes.split_at_checked(TAG)?;
            let genuine = keys.is_cursor_tag(&signed(list, text), tag);
            serde_json::from_slice(text).ok().filter(|_| genuine)
        });
        let bad = || Error::BadParameter("cursor: is not a valid cursor for this list".to_owned());
        opened.ok_or_else(bad)
    }

    /// Returns the cursor behind the item with this key.
    pub(crate) fn of_key(key: Attributes) -> Self {
        let text = |(name, value): (String, aws_sdk_dynamodb::types::AttributeValue)| {
            value.as_s().ok().map(|value| (name, value.clone()))
        };
        Self::Index { key: key.into_iter().filter_map(text).collect() }
    }
}

/// Returns the signed bytes. They contain the list, so that a cursor is not valid for another one.
fn signed(list: &str, text: &[u8]) -> Vec<u8> {
    [list.as_bytes(), b"\n", text].concat()
}
