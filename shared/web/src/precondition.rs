use std::convert::Infallible;

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{ETAG, IF_MATCH, IF_NONE_MATCH},
        request::Parts,
    },
    response::{IntoResponse, IntoResponseParts, Response, ResponseParts},
};

use super::{Failure, Result};
use domain::Error;
use lambda::{Env, config::ConfigError};

/// The entity tag of an item: its version (RFC 9110 §8.8.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntityTag(pub u64);

impl EntityTag {
    /// The tag of a new entity.
    pub const FIRST: Self = Self(1);
}

impl From<EntityTag> for HeaderValue {
    fn from(EntityTag(version): EntityTag) -> Self {
        let quoted = format!("\"{version}\"");
        Self::try_from(quoted).unwrap_or(Self::from_static("\"\""))
    }
}

impl IntoResponseParts for EntityTag {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        parts.headers_mut().insert(ETAG, self.into());
        Ok(parts)
    }
}

impl IntoResponse for EntityTag {
    fn into_response(self) -> Response {
        (self, ()).into_response()
    }
}

/// Whether changes of one entity need `If-Match` (RFC 6585 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preconditions {
    /// A change without it is made, as the frontends of ARC SaaS expect.
    Optional,
    /// A change without it is refused.
    Required,
}

impl Preconditions {
    /// Reads `REQUIRE_IF_MATCH`.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Malformed`] if the variable is neither `true` nor `false`.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        Ok(if env.flag("REQUIRE_IF_MATCH")? { Self::Required } else { Self::Optional })
    }
}

/// The versions at which a caller wants to change an entity: the header `If-Match`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfMatch(Expected);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Expected {
    /// No header, and none is required.
    Nothing,
    /// No header, although it is required.
    Missing,
    Tags(Tags),
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch
where
    Preconditions: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let required = Preconditions::from_ref(state) == Preconditions::Required;
        let expected = match Tags::of(&parts.headers, &IF_MATCH) {
            Some(Some(tags)) => Expected::Tags(tags),
            Some(None) => {
                let rule = "If-Match must be `*` or a list of entity tags, such as \"7\".";
                return Err(Error::PreconditionInvalid(rule).into());
            }
            // An action does not overwrite anything, so it never requires a version.
            None if required && parts.method != Method::POST => Expected::Missing,
            None => Expected::Nothing,
        };
        Ok(Self(expected))
    }
}

impl IfMatch {
    /// Checks that the caller wants to change the entity at its current `version`. The write must be
    /// conditional on the same version.
    ///
    /// # Errors
    ///
    /// [`Error::PreconditionFailed`] if the caller expects another version;
    /// [`Error::PreconditionRequired`] if it must name one.
    pub fn check(&self, version: u64) -> domain::Result<()> {
        match &self.0 {
            Expected::Nothing => Ok(()),
            Expected::Missing => Err(Error::PreconditionRequired),
            Expected::Tags(tags) if tags.have(version, Comparison::Strong) => Ok(()),
            Expected::Tags(_) => Err(Error::PreconditionFailed { version }),
        }
    }

    /// Checks that the caller does not expect a version, for changes of several entities.
    ///
    /// # Errors
    ///
    /// [`Error::PreconditionInvalid`] if it does.
    pub fn must_be_absent(&self) -> domain::Result<()> {
        match self.0 {
            Expected::Nothing | Expected::Missing => Ok(()),
            Expected::Tags(_) => {
                Err(Error::PreconditionInvalid("A bulk update must not have If-Match."))
            }
        }
    }
}

/// The versions that a caller has already read: the header `If-None-Match`. A malformed one is
/// ignored, because it only makes the answer longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfNoneMatch(Option<Tags>);

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(Tags::of(&parts.headers, &IF_NONE_MATCH).flatten()))
    }
}

impl IfNoneMatch {
    /// Returns the answer with an entity of this `version`: 304 if the caller has it, otherwise that of
    /// `show`.
    ///
    /// # Errors
    ///
    /// The errors of `show`.
    pub async fn answer(
        &self,
        version: u64,
        show: impl AsyncFnOnce() -> Result<Response>,
    ) -> Result<Response> {
        let tag = EntityTag(version);
        if self.0.as_ref().is_some_and(|tags| tags.have(version, Comparison::Weak)) {
            return Ok((StatusCode::NOT_MODIFIED, tag).into_response());
        }
        Ok((tag, show().await?).into_response())
    }
}

/// How tags are compared (RFC 9110 §8.8.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    /// A weak tag equals no tag.
    Strong,
    /// A weak tag equals a strong one with the same text.
    Weak,
}

/// The value of `If-Match` or `If-None-Match`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Tags {
    /// `*`: any version.
    Any,
    Listed(Vec<Tag>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Tag {
    weak: bool,
    opaque: String,
}

impl Tags {
    /// Reads all headers `name`. Returns `None` without any, and `Some(None)` if one is malformed.
    fn of(headers: &HeaderMap, name: &HeaderName) -> Option<Option<Self>> {
        let values = headers.get_all(name).iter().map(|value| value.to_str().ok());
        let values: Vec<_> = values.collect();
        if values.is_empty() {
            return None;
        }
        let joined = values.into_iter().collect::<Option<Vec<_>>>();
        Some(joined.and_then(|values| Self::read(&values.join(","))))
    }

    fn read(text: &str) -> Option<Self> {
        let mut rest = text.trim_matches(BLANK);
        if rest == "*" {
            return Some(Self::Any);
        }
        let mut tags = Vec::new();
        while !rest.is_empty() {
            let (weak, quoted) = match rest.strip_prefix("W/") {
                Some(quoted) => (true, quoted),
                None => (false, rest),
            };
            let (opaque, after) = quoted.strip_prefix('"')?.split_once('"')?;
            if !opaque.bytes().all(|byte| byte.is_ascii_graphic()) {
                return None;
            }
            tags.push(Tag { weak, opaque: opaque.to_owned() });
            let after = after.trim_start_matches(BLANK);
            // Empty elements of a list are ignored (RFC 9110 §5.6.1.2).
            rest = after.trim_start_matches([' ', '\t', ',']);
            if !rest.is_empty() && !after.starts_with(',') {
                return None;
            }
        }
        (!tags.is_empty()).then_some(Self::Listed(tags))
    }

    fn have(&self, version: u64, comparison: Comparison) -> bool {
        let same = |tag: &Tag| {
            tag.opaque == version.to_string() && (comparison == Comparison::Weak || !tag.weak)
        };
        match self {
            Self::Any => true,
            Self::Listed(tags) => tags.iter().any(same),
        }
    }
}

const BLANK: [char; 2] = [' ', '\t'];

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(header: &str, version: u64, comparison: Comparison) -> Option<bool> {
        Tags::read(header).map(|tags| tags.have(version, comparison))
    }

    #[test]
    fn a_strong_tag_of_the_current_version_matches() {
        for (header, expected) in [
            ("\"7\"", true),
            ("\"6\", \"7\"", true),
            ("\"6\" ,,\t\"7\",", true),
            ("*", true),
            ("\"6\"", false),
            ("\"07\"", false),
            ("\"\"", false),
            ("W/\"7\"", false),
            ("W/\"7\", \"7\"", true),
            ("\"a,b\"", false),
        ] {
            assert_eq!(matches(header, 7, Comparison::Strong), Some(expected), "{header}");
        }
        assert_eq!(matches("W/\"7\"", 7, Comparison::Weak), Some(true));
        assert_eq!(matches("W/\"6\"", 7, Comparison::Weak), Some(false));
    }

    #[test]
    fn a_malformed_header_is_recognised() {
        for header in ["", "7", "\"7", "7\"", "\"7\" \"8\"", "w/\"7\"", "\"7\", *", "\"a b\"", ","]
        {
            assert_eq!(matches(header, 7, Comparison::Strong), None, "{header}");
        }
    }

    #[test]
    fn repeated_headers_are_one_list() {
        let mut headers = HeaderMap::new();
        assert_eq!(Tags::of(&headers, &IF_MATCH), None);
        headers.append(IF_MATCH, HeaderValue::from_static("\"6\""));
        headers.append(IF_MATCH, HeaderValue::from_static("\"7\""));
        let tags = Tags::of(&headers, &IF_MATCH).flatten().unwrap();
        assert!(tags.have(6, Comparison::Strong) && tags.have(7, Comparison::Strong));
        headers.append(IF_MATCH, HeaderValue::from_bytes(b"\xff").unwrap());
        assert_eq!(Tags::of(&headers, &IF_MATCH), Some(None));
    }
}
