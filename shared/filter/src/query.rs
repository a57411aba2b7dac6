//! Parses query strings into filters.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::{
    Filter, Schema, Where,
    brackets::Tree,
    condition::refuse_empty,
    json,
    node::Node,
    position::{Budget, Position, Truncated},
};
use crate::{BadParameter, Result};

impl Filter {
    /// Parses the query of a list: `filter`, `limit` (a shorthand for `filter[limit]`) and
    /// `cursor`.
    ///
    /// # Errors
    ///
    /// [`BadParameter`] with the position of the first unknown or invalid part.
    pub fn from_query(query: &str, schema: &'static Schema) -> Result<Self> {
        let budget = Budget::default();
        let known = ["filter", "limit", "cursor"];
        let mut parameters = Parameters::read(query, &known, Unknown::Ignored, &budget)?;
        let mut filter = match parameters.take("filter", &budget)? {
            Some(node) => Self::read(&node, schema, 0, &Position::parameter("filter", &budget))?,
            None => Self::default(),
        };
        if let Some(node) = parameters.take_text("limit", &budget)? {
            let at = Position::parameter("limit", &budget);
            if filter.limit.is_some() {
                return Err(at.error("is also given in the filter. Use only one of them."));
            }
            filter.limit = Some(super::limit(&Node::Untyped(node), super::MAX_PAGE_SIZE, &at)?);
        }
        if let Some(cursor) = parameters.take_text("cursor", &budget)? {
            filter.cursor = Some(cursor);
            filter.skip = 0;
        }
        Ok(filter)
    }

    /// Parses the query for one entity. Its `filter` must not have `where`, because the path has
    /// the ID.
    ///
    /// # Errors
    ///
    /// The same as for [`Filter::from_query`].
    pub fn from_entity_query(query: &str, schema: &'static Schema) -> Result<Self> {
        let budget = Budget::default();
        let mut parameters = Parameters::read(query, &["filter"], Unknown::Ignored, &budget)?;
        let Some(node) = parameters.take("filter", &budget)? else { return Ok(Self::default()) };
        let at = Position::parameter("filter", &budget);
        if node.object().is_some_and(|members| members.contains_key("where")) {
            return Err(at.member("where").error("can't be combined with an ID in the path"));
        }
        Self::read(&node, schema, 0, &at)
    }
}

/// The query of a list that has no filter.
#[derive(Clone, Debug)]
pub struct PageQuery {
    /// The number of items on a page.
    pub limit: u16,
    /// The cursor from the link to this page.
    pub cursor: Option<String>,
}

impl PageQuery {
    /// Parses the query of a list without filter: `limit` and `cursor`.
    ///
    /// # Errors
    ///
    /// The same as for [`Filter::from_query`].
    pub fn from_query(query: &str) -> Result<Self> {
        let budget = Budget::default();
        let known = ["limit", "cursor"];
        let mut parameters = Parameters::read(query, &known, Unknown::Ignored, &budget)?;
        let limit = parameters.take_limit(super::MAX_PAGE_SIZE, &budget)?;
        let limit = limit.unwrap_or(super::DEFAULT_PAGE_SIZE);
        Ok(Self { limit, cursor: parameters.take_text("cursor", &budget)? })
    }
}

/// The query of a search.
#[derive(Clone, Debug)]
pub struct SearchQuery {
    /// The text to search for. Empty by default.
    pub text: String,
    /// The maximum number of results.
    pub limit: u16,
}

impl SearchQuery {
    /// The maximum length of the text, in characters.
    pub const MAX_LENGTH: usize = 200;
    /// The maximum of `limit`.
    pub const MAX_LIMIT: u16 = 50;
    /// The default of `limit`.
    pub const DEFAULT_LIMIT: u16 = 10;

    /// Parses the query of a search: `q` and `limit`.
    ///
    /// # Errors
    ///
    /// The same as for [`Filter::from_query`].
    pub fn from_query(query: &str) -> Result<Self> {
        let budget = Budget::default();
        let mut parameters = Parameters::read(query, &["q", "limit"], Unknown::Ignored, &budget)?;
        let text = parameters.take_text("q", &budget)?.unwrap_or_default();
        if text.chars().count() > Self::MAX_LENGTH {
            let most = Self::MAX_LENGTH;
            let at = Position::parameter("q", &budget);
            return Err(at.error(format_args!("must have at most {most} characters")));
        }
        let limit = parameters.take_limit(Self::MAX_LIMIT, &budget)?;
        let limit = limit.unwrap_or(Self::DEFAULT_LIMIT);
        Ok(Self { text, limit })
    }
}

impl Where {
    /// Parses the query of a count: `where`. Without `where`, everything matches.
    ///
    /// # Errors
    ///
    /// The same as for [`Filter::from_query`].
    pub fn from_query(query: &str, schema: &'static Schema) -> Result<Self> {
        let budget = Budget::default();
        let mut parameters = Parameters::read(query, &["where"], Unknown::Ignored, &budget)?;
        let Some(node) = parameters.take("where", &budget)? else { return Ok(Self::default()) };
        Self::read(&node, schema, &Position::parameter("where", &budget))
    }

    /// Parses the query of a bulk update: `where`, and nothing else. Only `where={}` matches
    /// everything.
    ///
    /// # Errors
    ///
    /// The same as for [`Filter::from_query`]. [`BadParameter`] as well if `where` is absent or
    /// empty, if it contains an empty `and`, `or` or condition, or if there are other parameters.
    pub fn from_update_query(query: &str, schema: &'static Schema) -> Result<Self> {
        let budget = Budget::default();
        let mut parameters = Parameters::read(query, &["where"], Unknown::Refused, &budget)?;
        let at = Position::parameter("where", &budget);
        let node = parameters.take("where", &budget)?.ok_or_else(|| at.error("is required"))?;
        refuse_empty(&node, &at)?;
        Self::read(&node, schema, &at)
    }
}

/// Returns the query of the next page: the same `query` with another `cursor`.
#[must_use]
pub fn with_cursor(query: &str, cursor: &str) -> String {
    let is_cursor = |pair: &str| {
        let name = pair.split_once('=').map_or(pair, |(name, _)| name);
        name.is_empty() || decode(name).is_ok_and(|name| name == "cursor")
    };
    let mut next: String = query
        .split('&')
        .filter(|pair| !is_cursor(pair))
        .fold(String::new(), |next, pair| next + pair + "&");
    next.push_str("cursor=");
    next.extend(url::form_urlencoded::byte_serialize(cursor.as_bytes()));
    next
}

/// How parameters that the route does not have are treated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unknown {
    /// A read ignores them, because clients add some, such as `_` against caches.
    Ignored,
    /// A bulk update refuses them, so that a typo never changes everything.
    Refused,
}

/// The parameters of a query, as text or in bracket notation.
struct Parameters(Vec<(&'static str, Parameter)>);

enum Parameter {
    Text(String),
    Brackets(Tree),
}

impl Parameters {
    fn read(
        query: &str,
        known: &[&'static str],
        unknown: Unknown,
        budget: &Budget,
    ) -> Result<Self> {
        let mut parameters = Self(Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = match decode(name) {
                Err(_) if unknown == Unknown::Ignored => continue,
                name => name?,
            };
            let (root, brackets) = name.split_at(name.find('[').unwrap_or(name.len()));
            let at = Position::parameter(root, budget);
            match known.iter().find(|known| **known == root) {
                Some(root) => parameters.add(root, brackets, decode(value)?, &at)?,
                None if unknown == Unknown::Ignored => {}
                None => {
                    let known = known.join(", ");
                    let rule =
                        format_args!("is not a parameter of this route (supported: {known})");
                    return Err(at.error(rule));
                }
            }
        }
        Ok(parameters)
    }

    fn add(
        &mut self,
        name: &'static str,
        brackets: &str,
        value: String,
        at: &Position<'_>,
    ) -> Result<()> {
        let found = self.0.iter_mut().find(|(known, _)| *known == name);
        match (found, brackets) {
            (None, "") => self.0.push((name, Parameter::Text(value))),
            (None, _) => {
                let mut tree = Tree::default();
                tree.add(brackets, value, at)?;
                self.0.push((name, Parameter::Brackets(tree)));
            }
            (Some((_, Parameter::Brackets(tree))), brackets) if !brackets.is_empty() => {
                tree.add(brackets, value, at)?;
            }
            (Some(_), _) => return Err(at.error("must not be given more than once")),
        }
        Ok(())
    }

    fn take_raw(&mut self, name: &str) -> Option<Parameter> {
        let position = self.0.iter().position(|(known, _)| *known == name)?;
        Some(self.0.swap_remove(position).1)
    }

    /// Takes the parameter `limit`, which is at most `most`.
    fn take_limit(&mut self, most: u16, budget: &Budget) -> Result<Option<u16>> {
        let at = Position::parameter("limit", budget);
        let limit = self.take_text("limit", budget)?;
        limit.map(|limit| super::limit(&Node::Untyped(limit), most, &at)).transpose()
    }

    /// Takes a parameter in JSON or bracket notation. An empty one counts as absent.
    fn take(&mut self, name: &str, budget: &Budget) -> Result<Option<Node>> {
        let at = Position::parameter(name, budget);
        match self.take_raw(name) {
            Some(Parameter::Text(text)) if text.trim().is_empty() => Ok(None),
            Some(Parameter::Text(text)) => json::parse(&text, &at).map(Some),
            Some(Parameter::Brackets(tree)) => tree.into_node(&at).map(Some),
            None => Ok(None),
        }
    }

    /// Takes a parameter that is plain text.
    fn take_text(&mut self, name: &str, budget: &Budget) -> Result<Option<String>> {
        let at = Position::parameter(name, budget);
        let read = |parameter| match parameter {
            Parameter::Text(text) => Ok(text),
            Parameter::Brackets(_) => Err(at.error("does not support brackets")),
        };
        self.take_raw(name).map(read).transpose()
    }
}

/// Decodes form encoding.
fn decode(text: &str) -> Result<String> {
    let spaced: Cow<'_, str> =
        if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { Cow::Borrowed(text) };
    let decoded = percent_decode_str(&spaced).decode_utf8().map(Cow::into_owned);
    decoded.map_err(|_| {
        let text = Truncated(text);
        BadParameter(format!("the query string is not valid UTF-8: {text}"))
    })
}
