//! Values that are valid once they exist.

mod address;
mod amount;
mod currency;
mod email;
mod hostname;
mod json_object;
mod text;
mod url;
mod whole;
mod word;

pub(crate) use address::GivenAddress;
pub use address::{Address, AddressParts, AddressView};
pub use amount::{Amount, ParseAmountError};
pub use currency::Currency;
pub use email::Email;
pub use hostname::Hostname;
pub(crate) use json_object::ForwardedMetadata;
pub use json_object::{ConfigValue, JsonObject, Metadata};
pub use text::Text;
pub(crate) use text::{MultilineText, is_invisible};
pub(crate) use url::{ReportedLink, openable, web_url};
pub(crate) use whole::Whole;
pub use word::Word;
pub(crate) use word::{read_word, words_from_json};
