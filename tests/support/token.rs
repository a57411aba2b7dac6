//! Hand-signed tokens with arbitrary headers and claims.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use lambda::keys::mac;
use serde_json::{Value, json};

use crate::JWT_SECRET;

/// The header of an operator's token.
pub const OPERATOR: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// The header of a token that Tenantry signs for a lead.
pub const LEAD: &str = r#"{"alg":"HS256","typ":"lead+jwt"}"#;

/// Signs any header and claims with HS256, even if the header names another algorithm.
pub fn token(header: &str, claims: &str) -> String {
    let message = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
    let signature = mac(&JWT_SECRET.into(), &[message.as_bytes()]);
    format!("{message}.{}", BASE64.encode(signature.as_ref()))
}

/// Returns an operator's claims with these permissions, valid for one minute.
pub fn claims(permissions: &[&str]) -> Value {
    json!({
        "id": "op-1", "userTenantId": "ops", "iss": "tenantry",
        "exp": lambda::now().seconds() + 60, "permissions": permissions,
    })
}

/// Sets the claim `name` to `value`.
pub fn with(mut claims: Value, name: &str, value: impl Into<Value>) -> Value {
    claims[name] = value.into();
    claims
}

/// Removes the claim `name`.
pub fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().unwrap().remove(name);
    claims
}
