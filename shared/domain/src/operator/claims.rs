//! Values of claims, which providers put into different places.

use serde_json::{Map, Value};

/// The claims that a grant without a claim looks at. `{client}` is the ID of our client.
pub(super) const USUAL: [&str; 8] = [
    "roles",
    "groups",
    "cognito:groups",
    "realm_access.roles",
    "resource_access.{client}.roles",
    "permissions",
    "scope",
    "scp",
];

/// The claim with the email address.
pub(super) const EMAIL: &str = "email";

/// Returns the email address if the provider has verified it. Some providers write the boolean as a
/// text, such as Cognito.
pub(super) fn verified_email(claims: &Map<String, Value>) -> Option<&str> {
    let is_verified = claims.get("email_verified") == Some(&Value::Bool(true))
        || text(claims, "email_verified") == Some("true");
    text(claims, EMAIL).filter(|_| is_verified)
}

/// Returns a claim that is a text.
pub(super) fn text<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c str> {
    claims.get(name).and_then(Value::as_str)
}

/// Returns whether the claim at `path` has `value`: as a text, as an element of an array, or as a
/// word of a scope. Comparison is exact. An email address counts only if it is verified.
pub(super) fn has(claims: &Map<String, Value>, path: &str, client: &str, value: &str) -> bool {
    if path == EMAIL {
        return verified_email(claims) == Some(value);
    }
    let found = match path.strip_prefix("resource_access.{client}.") {
        Some(rest) => claims
            .get("resource_access")
            .and_then(|all| all.get(client).filter(|_| !client.is_empty())?.as_object())
            .and_then(|of_client| at(of_client, rest)),
        None => at(claims, path),
    };
    match found {
        Some(Value::String(words)) if ["scope", "scp"].contains(&path) => {
            words.split(' ').any(|word| word == value)
        }
        Some(Value::String(text)) => text == value,
        Some(Value::Array(several)) => several.iter().any(|one| one.as_str() == Some(value)),
        _ => false,
    }
}

/// Returns the claim named `path`, or the one that `path` leads to through objects. Names may
/// contain dots, as in `https://acme.test/roles`.
fn at<'c>(claims: &'c Map<String, Value>, path: &str) -> Option<&'c Value> {
    claims.get(path).or_else(|| {
        path.match_indices('.').find_map(|(dot, _)| {
            let inner = claims.get(&path[..dot])?.as_object()?;
            at(inner, &path[dot + 1..])
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_claim_is_found_wherever_providers_put_it() {
        let claims = json!({
            "groups": ["ops"],
            "role": "admin",
            "title": "site admin",
            "scope": "read write",
            "realm_access": { "roles": ["realm"] },
            "resource_access": { "my.client": { "roles": ["client"] } },
            "https://acme.test/roles": ["named"],
            "level": 5,
        });
        let claims = claims.as_object().unwrap();
        for (path, value) in [
            ("groups", "ops"),
            ("role", "admin"),
            ("title", "site admin"),
            ("scope", "write"),
            ("realm_access.roles", "realm"),
            ("resource_access.{client}.roles", "client"),
            ("resource_access.my.client.roles", "client"),
            ("https://acme.test/roles", "named"),
        ] {
            assert!(has(claims, path, "my.client", value), "{path}");
        }
        for (path, value) in [
            ("groups", "Ops"),
            ("groups", "op"),
            ("role", "adm"),
            ("title", "admin"),
            ("scope", "read write"),
            ("level", "5"),
            ("realm_access", "realm"),
            ("none.roles", "realm"),
        ] {
            assert!(!has(claims, path, "my.client", value), "{path}");
        }
    }
}
