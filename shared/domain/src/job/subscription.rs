use serde::{Deserialize, Serialize};
use serde_json::{
    Value, json,
    value::{RawValue, to_raw_value},
};

use crate::{Error, Result};
use crate::{Text, Tiers};
use schema::{Day, Document, FromJson, Invalid, Limits, Reader, body};

/// The subscription that a tenant is provisioned for, as JSON text exactly as it was sent.
///
/// The subscription service defines its content; only the parts that provisioning depends on are
/// read. Text keeps numbers exact, such as the plan's price.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subscription {
    text: Box<RawValue>,
    id: SafeText<255>,
    tier: Text<1, 100>,
}

impl Subscription {
    /// The maximum size of the text in bytes. A new job with such a subscription needs less than
    /// half of the maximum size of an item.
    const MAX_BYTES: usize = 64 * 1024;

    /// The maximum nesting of objects and arrays. `DynamoDB` and JSON libraries support at least 32
    /// levels.
    const MAX_LEVELS: usize = 20;

    /// Reads the text of the body of `POST /tenants/{id}/provision`. The tier is one of `tiers`, and
    /// gets the spelling that it has there.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] if the text has more than 65,536 bytes, [`Error::Malformed`] if it is
    /// not JSON, [`Error::SubscriptionIdMissing`] if the `id` is missing, or [`Error::Invalid`] with
    /// every other violation.
    pub fn from_text(text: &str, tiers: &Tiers) -> Result<Self> {
        if text.len() > Self::MAX_BYTES {
            return Err(Error::TooLarge(Self::MAX_BYTES));
        }
        let not_json = |cause| Error::not_json(&cause);
        let body = Document::parse(text.to_owned(), Limits::forwarded(Self::MAX_LEVELS));
        let body = body.map_err(not_json)?;
        let missing = |id: &Value| id.is_null() || id.as_str() == Some("");
        if body.value().as_object().is_some_and(|members| members.get("id").is_none_or(missing)) {
            return Err(Error::SubscriptionIdMissing);
        }
        let unknown = tiers.violation(&body.value()["plan"]["tier"], "/plan/tier");
        let SubscriptionBody { id, plan, .. } = match (body.read(), unknown) {
            (Ok(read), None) => read,
            (Ok(_), Some(unknown)) => return Err(Error::Invalid(vec![unknown])),
            (Err(Invalid(mut violations)), unknown) => {
                let malformed = violations.iter().any(|violation| violation.path == "/plan/tier");
                violations.extend(unknown.filter(|_| !malformed));
                return Err(Error::Invalid(violations));
            }
        };
        let tier = tiers.spelled(plan.tier);
        let text = with_tier(text, &tier).and_then(RawValue::from_string).map_err(not_json)?;
        Ok(Self { text, id, tier })
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
    #[must_use]
    pub fn tier(&self) -> &Text<1, 100> {
        &self.tier
    }

    /// Returns the subscription's ID from the subscription service.
    #[must_use]
    pub fn id(&self) -> &str {
        self.id.0.as_str()
    }

    /// Returns a subscription with only the ID and the tier, which is all that a job needs.
    #[must_use]
    pub fn brief(&self) -> Self {
        let brief = json!({ "id": self.id(), "plan": { "tier": self.tier } });
        let text = to_raw_value(&brief).unwrap_or_else(|_| self.text.clone());
        Self { text, ..self.clone() }
    }

    /// Returns the subscription for an event or an answer, exactly as it was sent.
    #[must_use]
    pub fn raw(&self) -> &RawValue {
        &self.text
    }
}

impl TryFrom<String> for Subscription {
    type Error = serde_json::Error;

    /// Reads the stored text, which was validated before it was stored.
    fn try_from(text: String) -> Result<Self, Self::Error> {
        #[derive(Deserialize)]
        struct Stored {
            id: SafeText<255>,
            plan: StoredPlan,
        }
        #[derive(Deserialize)]
        struct StoredPlan {
            tier: Text<1, 100>,
        }
        let Stored { id, plan: StoredPlan { tier } } = serde_json::from_str(&text)?;
        Ok(Self { text: RawValue::from_string(text)?, id, tier })
    }
}

impl From<Subscription> for String {
    fn from(subscription: Subscription) -> Self {
        subscription.text.get().to_owned()
    }
}

/// Returns the text of a subscription with another `plan.tier`. Everything else stays as it was sent.
fn with_tier(text: &str, tier: &Text<1, 100>) -> serde_json::Result<String> {
    #[derive(Deserialize)]
    struct Sent<'t> {
        #[serde(borrow)]
        plan: SentPlan<'t>,
    }
    #[derive(Deserialize)]
    struct SentPlan<'t> {
        #[serde(borrow)]
        tier: &'t RawValue,
    }
    let sent = serde_json::from_str::<Sent<'_>>(text)?.plan.tier.get();
    let start = sent.as_ptr().addr() - text.as_ptr().addr();
    let (before, after) = (&text[..start], &text[start + sent.len()..]);
    Ok(format!("{before}{}{after}", serde_json::to_string(tier)?))
}

/// Text that is safe in a build's variables with any kind of quotes.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
struct SafeText<const MAX: usize>(Text<1, MAX>);

const SAFE_PATTERN: &str = "^[A-Za-z0-9 _.:/@+-]+$";

impl<const MAX: usize> From<SafeText<MAX>> for Text<1, MAX> {
    fn from(SafeText(text): SafeText<MAX>) -> Self {
        text
    }
}

impl<const MAX: usize> FromJson for SafeText<MAX> {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let text = at.text(value, 1, MAX)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || " _.:/@+-".contains(c);
        if !text.chars().all(plain) {
            at.wrong_pattern(
                SAFE_PATTERN,
                "must have only ASCII letters, digits, spaces and _.:/@+-",
            );
            return None;
        }
        Text::from_json(value, at).map(Self)
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": 1, "maxLength": MAX, "pattern": SAFE_PATTERN })
    }
}

body! {
    /// The body of `POST /tenants/{id}/provision`. Only the ID and the tier are used; the other
    /// members are checked for the builds that receive them.
    struct SubscriptionBody {
        id: SafeText<255>,
        subscriber_id: Option<Text<0, 255>>,
        plan_id: Option<Text<0, 255>>,
        invoice_id: Option<Text<0, 255>>,
        created_by: Option<Text<0, 255>>,
        modified_by: Option<Text<0, 255>>,
        deleted_by: Option<Text<0, 255>>,
        start_date: Option<Day>,
        end_date: Option<Day>,
        created_on: Option<Day>,
        modified_on: Option<Day>,
        deleted_on: Option<Day>,
        deleted: Option<bool>,
        status: Option<Number>,
        plan: Plan,
    }
}

body! {
    /// The plan of a subscription. Unknown members are accepted and passed on in events.
    struct Plan {
        tier: Text<1, 100> as SafeText<100>,
    }
    const ALLOWS_UNKNOWN: bool = true;
}

/// A number of any size, which is not used.
struct Number;

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
        Subscription::from_text(text, &Tiers::default())
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
        assert_eq!(kept.raw().get(), text);
        assert_eq!(serde_json::to_value(&kept).unwrap(), json!(text));
        let stored: Subscription = serde_json::from_value(json!(text)).unwrap();
        assert_eq!((stored.id(), stored.tier()), (kept.id(), kept.tier()));
        assert_eq!((kept.id(), kept.tier().as_str()), ("s1", "PREMIUM"));
    }

    #[test]
    fn a_tier_gets_its_own_spelling_and_must_be_known() {
        for sent in ["premium", "Premium", "PREMIUM", r"pr\u0065mium"] {
            let text =
                format!(r#"{{"plan": {{"x":"tier","tier" : "{sent}" , "n":1.50}},"id":"s1"}}"#);
            let kept = subscription(&text).unwrap();
            assert_eq!(kept.tier().as_str(), "PREMIUM");
            assert_eq!(kept.raw().get(), text.replace(sent, "PREMIUM"));
        }
        for sent in ["gold", "PREMIUM ", "premium+", "PREMIUM-2"] {
            let text = format!(r#"{{"id":"s1","startDate":"x","plan":{{"tier":"{sent}"}}}}"#);
            let Error::Invalid(violations) = subscription(&text).unwrap_err() else { panic!() };
            let found: Vec<_> = violations.iter().map(|v| (v.path.as_str(), v.code)).collect();
            assert_eq!(found, [("/startDate", "format"), ("/plan/tier", "enum")], "{sent}");
            assert_eq!(violations[1].message, "must be one of BASIC, PREMIUM, STANDARD");
        }
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
