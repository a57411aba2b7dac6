use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde::{Deserialize, Deserializer, Serialize, de::IgnoredAny};
use serde_json::Value;

use domain::SessionId;
use schema::Timestamp;

/// The `typ` of a lead's token. Leads' tokens have a type of their own, so that no other token can
/// be taken for one (RFC 8725 §3.11).
pub(super) const LEAD_TYPE: &str = "lead+jwt";

/// The `typ` values accepted for an operator's token, if it has one: JWT (RFC 7519 §5.1) or access
/// token (RFC 9068 §2.1).
const OPERATOR_TYPES: [&str; 2] = ["JWT", "at+jwt"];

/// The clock skew tolerated for `exp` and `nbf`, in seconds (RFC 7519 §4.1.4).
const LEEWAY: f64 = 60.0;

/// The maximum length of an `id` in bytes. It is stored with each entity that the bearer changes.
const ID_LIMIT: usize = 255;

/// The kind of a token, from its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Signed by Tenantry for a lead.
    Lead,
    /// Signed by a facade for an operator.
    Operator,
}

/// The parameters of a token's header that decide how it is checked.
#[derive(Debug, Deserialize)]
pub(super) struct Header {
    typ: Option<String>,
    /// The ID of the key that signed the token.
    pub(super) kid: Option<String>,
    #[serde(default, deserialize_with = "is_present")]
    crit: bool,
}

/// The claims of a token, as Tenantry signs them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Signed<'a> {
    pub(super) id: String,
    pub(super) user_tenant_id: String,
    pub(super) permissions: Vec<String>,
    pub(super) iss: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) aud: Option<&'a str>,
    pub(super) exp: i64,
    #[serde(flatten)]
    pub(super) operator: Option<SignedOperator<'a>>,
}

/// The claims that only tokens of operators have that signed in.
#[derive(Debug, Serialize)]
pub(super) struct SignedOperator<'a> {
    pub(super) name: &'a str,
    pub(super) roles: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sid: Option<SessionId>,
    pub(super) iat: i64,
}

/// The claims of a presented token. Other claims, such as `userTenantId`, are ignored.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    pub(super) id: Option<String>,
    pub(super) permissions: Vec<String>,
    #[serde(default)]
    name: Value,
    #[serde(default)]
    roles: Value,
    #[serde(default)]
    sid: Value,
    iss: String,
    /// A `NumericDate`, which may have a fraction (RFC 7519 §2).
    exp: f64,
    nbf: Option<f64>,
    aud: Option<Value>,
}

impl Header {
    /// Reads the header of `token`. Returns `None` if it is malformed.
    pub(super) fn of(token: &str) -> Option<Self> {
        let json = BASE64.decode(token.split('.').next()?).ok()?;
        serde_json::from_slice(&json).ok()
    }

    /// Returns the kind of token that the header declares. Returns `None` if this kind is not
    /// accepted or the header has `crit`, because no extension is supported (RFC 7515 §4.1.11).
    pub(super) fn kind(&self) -> Option<Kind> {
        if self.crit {
            return None;
        }
        let Some(typ) = self.typ.as_deref() else { return Some(Kind::Operator) };
        // A media type is case-insensitive, and `application/` may be omitted (RFC 7515 §4.1.9).
        let typ = typ.to_ascii_lowercase();
        let typ = typ.strip_prefix("application/").unwrap_or(&typ);
        if typ == LEAD_TYPE {
            return Some(Kind::Lead);
        }
        OPERATOR_TYPES.iter().any(|known| known.eq_ignore_ascii_case(typ)).then_some(Kind::Operator)
    }
}

impl Claims {
    /// Whether the claims are valid now, for this `issuer` and, if one is configured, this
    /// `audience`.
    pub(super) fn hold(&self, issuer: &str, audience: Option<&str>, now: Timestamp) -> bool {
        let now = std::time::Duration::from_millis(now.millis().try_into().unwrap_or(0));
        let now = now.as_secs_f64();
        self.iss == issuer
            && now < self.exp + LEEWAY
            && self.nbf.is_none_or(|nbf| nbf <= now + LEEWAY)
            && audience.is_none_or(|audience| self.is_for(audience))
            && self.id.as_ref().is_none_or(|id| id.len() <= ID_LIMIT)
    }

    /// Returns the name. Facades may use the claim for something else, so it may be of any type.
    pub(super) fn name(&self) -> Option<String> {
        self.name.as_str().map(str::to_owned)
    }

    /// Returns the roles, or none if the claim is not an array of texts.
    pub(super) fn roles(&self) -> Vec<String> {
        let roles = self.roles.as_array().into_iter().flatten();
        roles.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Returns the session. `None` for a token that was signed by a facade or for a machine.
    pub(super) fn session(&self) -> Option<SessionId> {
        self.sid.as_str()?.parse().ok()
    }

    fn is_for(&self, audience: &str) -> bool {
        match &self.aud {
            Some(Value::String(one)) => one == audience,
            Some(Value::Array(several)) => several.iter().any(|one| one == audience),
            _ => false,
        }
    }
}

/// Returns true for a present member with any value.
fn is_present<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}
