use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::item::Attributes;
use crate::{Error, Result, keys::MasterKeys};

/// How many bytes of a cursor are its tag.
const TAG: usize = 16;

/// Where the next page of a list begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cursor {
    /// Behind the item that has this key in an index.
    Index {
        /// The attributes of the key, all of them strings.
        key: Vec<(String, String)>,
    },
    /// Behind an item with these properties, in the order that was asked for.
    Order {
        /// What the item was ordered by.
        last: Map<String, Value>,
    },
}

impl Cursor {
    /// As it goes into a link: opaque to clients, signed, good for this `list` alone.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub fn seal(&self, list: &str, keys: &MasterKeys) -> Result<String> {
        let text = serde_json::to_vec(self).map_err(Error::aws("writing a cursor"))?;
        let mut bytes = keys.cursor_tag(&signed(list, &text));
        bytes.extend_from_slice(&text);
        Ok(BASE64.encode(bytes))
    }

    /// Opens what a client sends back.
    ///
    /// # Errors
    ///
    /// [`Error::BadParameter`] where it is not ours, was altered, or belongs to another list.
    pub fn open(sealed: &str, list: &str, keys: &MasterKeys) -> Result<Self> {
        let opened = BASE64.decode(sealed).ok().and_then(|bytes| {
            let (tag, text) = bytes.split_at_checked(TAG)?;
            let genuine = keys.is_cursor_tag(&signed(list, text), tag);
            serde_json::from_slice(text).ok().filter(|_| genuine)
        });
        let bad = || Error::BadParameter("cursor: is not one that this list gave out".to_owned());
        opened.ok_or_else(bad)
    }

    /// The key of an item in an index.
    pub(super) fn of_key(key: Attributes) -> Self {
        let text = |(name, value): (String, aws_sdk_dynamodb::types::AttributeValue)| {
            value.as_s().ok().map(|value| (name, value.clone()))
        };
        Self::Index { key: key.into_iter().filter_map(text).collect() }
    }
}

/// What the tag is over: a cursor of one list is of no use for another.
fn signed(list: &str, text: &[u8]) -> Vec<u8> {
    [list.as_bytes(), b"\n", text].concat()
}
