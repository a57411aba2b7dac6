use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};

use crate::Text;
use crate::{Error, Result};
use schema::{Date, Document, FromJson, FromMembers, Limits, Members, Reader, read};

/// The subscription that a tenant is provisioned for, as JSON text exactly as it was sent.
///
/// The subscription service defines its content; only the parts that provisioning depends on are
/// checked. Text keeps numbers exact, such as the plan's price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Subscription(String);

/// The parts of a subscription that are used.
struct SubscriptionBody {
    tier: Text<1, 100>,
}

impl Subscription {
    /// The maximum size of the text in bytes. A new job with such a subscription needs less than
    /// half of the maximum size of an item.
    const MAX_BYTES: usize = 64 * 1024;

    /// The maximum nesting of objects and arrays. `DynamoDB` and JSON libraries support at least 32
    /// levels.
    const MAX_LEVELS: usize = 20;

    /// Reads the text of the body of `POST /tenants/{id}/provision`.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] if the text has more than 65,536 bytes, [`Error::Malformed`] if it is
    /// not JSON, [`Error::SubscriptionIdMissing`] if the `id` is missing, or [`Error::Invalid`] with
    /// every other violation.
    pub fn from_text(text: &str) -> Result<Self> {
        if text.len() > Self::MAX_BYTES {
            return Err(Error::TooLarge(Self::MAX_BYTES));
        }
        let body = Document::parse(text.to_owned(), Limits::forwarded(Self::MAX_LEVELS));
        let body = body.map_err(|cause| Error::not_json(&cause))?;
        let missing = |id: &Value| id.is_null() || id.as_str() == Some("");
        if body.value().as_object().is_some_and(|members| members.get("id").is_none_or(missing)) {
            return Err(Error::SubscriptionIdMissing);
        }
        let _: SubscriptionBody = body.read()?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the JSON Schema of the body of `POST /tenants/{id}/provision`.
    #[must_use]
    pub fn schema() -> Value {
        let mut schema = SubscriptionBody::schema();
        let rule = format!(
            "At most {} bytes and {} levels of objects and arrays, the subscription itself included. \
             Integers have at most 64 bits; other numbers are 0 or between 1E-130 and 9.99E+125 \
             in size.",
            Self::MAX_BYTES,
            Self::MAX_LEVELS
        );
        schema["description"] = rule.into();
        schema
    }

    /// Returns the tier of the plan.
    ///
    /// # Errors
    ///
    /// [`Error::Aws`] or [`Error::Invalid`] if the stored text is not a valid subscription.
    pub fn tier(&self) -> Result<Text<1, 100>> {
        Ok(read::<SubscriptionBody>(&self.value()?)?.tier)
    }

    /// Returns the subscription's ID from the subscription service.
    #[must_use]
    pub fn id(&self) -> String {
        let body = self.value().unwrap_or_default();
        body["id"].as_str().unwrap_or_default().to_owned()
    }

    /// Returns a subscription with only the ID and this `tier`, which is all that a job needs.
    #[must_use]
    pub fn brief(&self, tier: &Text<1, 100>) -> Self {
        Self(json!({ "id": self.id(), "plan": { "tier": tier } }).to_string())
    }

    /// Returns the subscription for an event or an answer, exactly as it was sent.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the stored text is not JSON.
    pub fn raw(&self) -> Result<Box<RawValue>> {
        RawValue::from_string(self.0.clone()).map_err(Error::internal("reading a subscription"))
    }

    fn value(&self) -> Result<Value> {
        serde_json::from_str(&self.0).map_err(Error::internal("reading a subscription"))
    }
}

/// Text that is safe in a build's variables with any kind of quotes.
struct SafeText<const MAX: usize>(Text<1, MAX>);

const SAFE_PATTERN: &str = "^[A-Za-z0-9 _.:/@+-]+$";

impl<const MAX: usize> FromJson for SafeText<MAX> {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let text = at.text(value, 1, MAX)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || " _.:/@+-".contains(c);
        if !text.chars().all(plain) {
            at.wrong_pattern(SAFE_PATTERN);
            return None;
        }
        Text::from_json(value, at).map(Self)
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": 1, "maxLength": MAX, "pattern": SAFE_PATTERN })
    }
}

/// A number of any size, which is not used.
struct Number;

struct Plan {
    tier: Text<1, 100>,
}

impl FromMembers for SubscriptionBody {
    fn from_members(members: &mut impl Members) -> Option<Self> {
        members.required::<SafeText<255>>("id");
        for name in ["subscriberId", "planId", "invoiceId", "createdBy", "modifiedBy", "deletedBy"]
        {
            members.optional::<Text<0, 255>>(name);
        }
        for name in ["startDate", "endDate", "createdOn", "modifiedOn", "deletedOn"] {
            members.optional::<Date>(name);
        }
        members.optional::<bool>("deleted");
        members.optional::<Number>("status");
        let plan = members.required::<Plan>("plan");
        Some(Self { tier: plan?.tier })
    }
}

impl FromMembers for Plan {
    /// Unknown members are accepted and passed on in events.
    const ALLOWS_UNKNOWN: bool = true;

    fn from_members(members: &mut impl Members) -> Option<Self> {
        let SafeText(tier) = members.required::<SafeText<100>>("tier")?;
        Some(Self { tier })
    }
}

impl FromJson for Number {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        if !value.is_number() {
            at.wrong_type("number");
            return None;
        }
        Some(Self)
    }

    fn schema() -> Value {
        json!({ "type": "number" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscription(text: &str) -> Result<Subscription> {
        Subscription::from_text(text)
    }

    #[test]
    fn size_nesting_duplicates_and_numbers_are_limited() {
        let padded = |bytes: usize| {
            let (head, tail) = (r#"{"id":"s1","plan":{"tier":"BASIC","x":""#, r#""}}"#);
            format!("{head}{}{tail}", "x".repeat(bytes - head.len() - tail.len()))
        };
        assert!(subscription(&padded(65_536)).is_ok());
        assert!(matches!(subscription(&padded(65_537)), Err(Error::TooLarge(65_536))));
        let nested = |levels: usize| {
            let x = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
            format!(r#"{{"id":"s1","plan":{{"tier":"BASIC","x":{x}}}}}"#)
        };
        assert!(subscription(&nested(18)).is_ok());
        for (text, expected) in [
            (nested(19), (format!("/plan/x{}", "/0".repeat(18)), "maxDepth")),
            (
                r#"{"id":"s1","plan":{"tier":"PREMIUM"},"plan":{"tier":"BASIC"}}"#.to_owned(),
                ("/plan".to_owned(), "duplicateMember"),
            ),
            (
                r#"{"id":"s1","plan":{"tier":"BASIC","x":[99999999999999999999]}}"#.to_owned(),
                ("/plan/x/0".to_owned(), "format"),
            ),
        ] {
            let Error::Invalid(violations) = subscription(&text).unwrap_err() else { panic!() };
            let [only] = violations.as_slice() else { panic!("{violations:?}") };
            assert_eq!((only.path.clone(), only.code), expected);
        }
    }

    #[test]
    fn the_text_is_kept_exactly() {
        let text = r#"{"id":"s1","startDate":"2026-01-01","plan":{"tier":"PREMIUM","price":12345678901234567.89,"x":{}}}"#;
        let kept = subscription(text).unwrap();
        assert_eq!(kept.raw().unwrap().get(), text);
        assert_eq!((kept.id().as_str(), kept.tier().unwrap().as_str()), ("s1", "PREMIUM"));
    }

    #[test]
    fn values_for_builds_cannot_break_out_of_quotes() {
        for (text, path) in [
            (r#"{"id":"a\"b","plan":{"tier":"BASIC"}}"#, "/id"),
            (r#"{"id":"$(id)","plan":{"tier":"BASIC"}}"#, "/id"),
            (r##"{"id":"s1","plan":{"tier":"#{variables.SECRET_ARN}"}}"##, "/plan/tier"),
        ] {
            let Error::Invalid(violations) = subscription(text).unwrap_err() else { panic!() };
            assert_eq!((violations[0].path.as_str(), violations[0].code), (path, "pattern"));
        }
    }

    #[test]
    fn a_missing_id_is_reported_first_and_then_all_other_violations() {
        for text in ["{}", r#"{"id":null}"#, r#"{"id":"","plan":{}}"#] {
            let refused = subscription(text).unwrap_err();
            assert!(matches!(refused, Error::SubscriptionIdMissing), "{text}");
        }
        let text = r#"{"id":"s1","startDate":"soon","status":"1","plan":{},"colour":1}"#;
        let Error::Invalid(violations) = subscription(text).unwrap_err() else { panic!() };
        let found: Vec<_> = violations.iter().map(|v| (v.path.as_str(), v.code)).collect();
        assert_eq!(
            found,
            [
                ("/startDate", "format"),
                ("/status", "type"),
                ("/plan", "required"),
                ("", "additionalProperties"),
            ]
        );
    }
}
