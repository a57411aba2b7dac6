use std::collections::HashMap;

use url::form_urlencoded;

/// The parameters of a query or a form.
#[derive(Debug, Default)]
pub(super) struct Parameters(HashMap<String, String>);

/// A parameter is included more than once, which RFC 6749 §3.1 forbids.
#[derive(Debug)]
pub(super) struct Repeated;

impl Parameters {
    /// Parses a query or a form.
    pub(super) fn parse(text: &[u8]) -> Result<Self, Repeated> {
        let mut all = HashMap::new();
        for (name, value) in form_urlencoded::parse(text) {
            if all.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(Repeated);
            }
        }
        Ok(Self(all))
    }

    /// Returns the value of a parameter. An empty one counts as omitted (RFC 6749 §3.1).
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}
