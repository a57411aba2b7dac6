mod planned;

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
pub struct SubscriptionText {
    text: Box<RawValue>,
    id: SafeText<255>,
    tier: Text<1, 100>,
}

impl SubscriptionText {
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
             Integers are signed and have at most 64 bits; other numbers are 0 or between 1E-130 and \
             9.99E+125 in size.",
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

impl TryFrom<String> for SubscriptionText {
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

impl From<SubscriptionText> for String {
    fn from(subscription: SubscriptionText) -> Self {
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
pub(crate) struct SafeText<const MAX: usize>(Text<1, MAX>);

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
mod tests;
