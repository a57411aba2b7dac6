//! Data that a provider refuses: an error of the request, which names the field and the reason.

use domain::Error;
use schema::Violation;
use serde_json::{Value, json};

use crate::setup::Setup;

/// The members of the body of `POST /manage/users` from which a call to a provider takes its data.
#[derive(Clone, Debug)]
pub(crate) struct DataSource {
    /// Members of the call, and the paths of their values in the body.
    fields: Vec<(&'static str, String)>,
    /// The path if the provider names no member. `None` if it may have refused something else.
    otherwise: Option<String>,
}

/// A member that a provider has refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    field: Option<String>,
    /// A code of the provider, never a value.
    reason: String,
}

impl DataSource {
    /// The data of a realm or an organization.
    pub(crate) fn of_space() -> Self {
        let (key, name) = ("/tenant/key".to_owned(), "/tenant/name".to_owned());
        let fields = vec![
            ("name", key.clone()),
            ("realm", key),
            ("display_name", name.clone()),
            ("displayName", name),
        ];
        Self { fields, otherwise: None }
    }

    /// The data of the tenant's admin.
    pub(crate) fn of_user(setup: &Setup) -> Self {
        let contact = format!("/tenant/contacts/{}", setup.tenant.admin.position);
        let member = |name: &str| format!("{contact}/{name}");
        let fields = vec![
            ("username", member("email")),
            ("email", member("email")),
            ("firstName", member("firstName")),
            ("given_name", member("firstName")),
            ("lastName", member("lastName")),
            ("family_name", member("lastName")),
        ];
        Self { fields, otherwise: Some(contact) }
    }

    /// Returns the error of refused data. Returns `None` if the provider may have refused something
    /// else.
    pub(crate) fn error(&self, step: &'static str, refusals: &[Refusal]) -> Option<Error> {
        let path = |refusal: &Refusal| {
            let field = refusal.field.as_deref();
            let known = self.fields.iter().find(|(name, _)| Some(*name) == field);
            known.map(|(_, path)| path.clone()).or_else(|| self.otherwise.clone())
        };
        let violation = |refusal: &Refusal| {
            let (path, reason) = (path(refusal)?, &refusal.reason);
            tracing::warn!(step, field = path, reason, "the identity provider refused a value");
            let message = format!("was refused by the identity provider: {reason}");
            let info = json!({ "step": step, "reason": reason });
            Some(Violation { path, code: "refused", message, info })
        };
        let violations: Vec<_> = refusals.iter().filter_map(violation).collect();
        (!violations.is_empty()).then_some(Error::Invalid(violations))
    }
}

impl Refusal {
    /// Reads the answer of Keycloak or Auth0. Keycloak names one `field` or several `errors`; Auth0
    /// names a property in its message.
    pub(crate) fn all_of(body: &[u8]) -> Vec<Self> {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let one = |error: &Value| {
            let text = |name: &str| error[name].as_str();
            let message = text("message").unwrap_or_default();
            let field = text("field").or_else(|| after(message, "on property "));
            let reason = [text("errorMessage"), text("errorCode"), text("error")];
            let reason = reason.into_iter().flatten().find(|reason| is_code(reason));
            let reason = reason.unwrap_or("the reason is not known").to_owned();
            Self { field: field.map(str::to_owned), reason }
        };
        match body["errors"].as_array().filter(|errors| !errors.is_empty()) {
            Some(errors) => errors.iter().map(one).collect(),
            None => vec![one(&body)],
        }
    }

    /// Reads an error of Cognito, whose message names a member as in `at 'username' failed`.
    pub(crate) fn of_cognito(code: &str, message: &str) -> Self {
        let named = after(message, "at '").map(|path| path.rsplit('.').next().unwrap_or(path));
        let known = ["given_name", "family_name", "email", "username"];
        let mentioned = || known.into_iter().find(|name| message.to_lowercase().contains(name));
        let field = named.filter(|name| known.contains(name)).or_else(mentioned);
        Self { field: field.map(str::to_owned), reason: code.to_owned() }
    }
}

/// Returns the name that follows `words` in `message`.
fn after<'m>(message: &'m str, words: &str) -> Option<&'m str> {
    let (_, rest) = message.split_once(words)?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_.".contains(c);
    let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
    Some(&rest[..end]).filter(|name| !name.is_empty())
}

/// Whether a text is a code of the provider, and not a sentence that may quote a value.
fn is_code(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (1..=100).contains(&text.len()) && text.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(field: &str, reason: &str) -> Refusal {
        Refusal { field: Some(field.to_owned()), reason: reason.to_owned() }
    }

    #[test]
    fn refusals_name_fields_and_codes_but_no_values() {
        let all = |body: &Value| Refusal::all_of(body.to_string().as_bytes());
        let name = "error-person-name-invalid-character";
        assert_eq!(
            all(&json!({ "field": "firstName", "errorMessage": name, "params": ["firstName"] })),
            [refusal("firstName", name)]
        );
        let both = json!({ "errors": [
            { "field": "firstName", "errorMessage": name, "params": ["firstName"] },
            { "field": "username", "errorMessage": "error-username-invalid-character" },
        ] });
        let expected =
            [refusal("firstName", name), refusal("username", "error-username-invalid-character")];
        assert_eq!(all(&both), expected);
        let message = "Payload validation error: 'Object didn't pass validation for format email: \
                       secret@a' on property email (The user's email).";
        assert_eq!(
            all(&json!({ "statusCode": 400, "message": message, "errorCode": "invalid_body" })),
            [refusal("email", "invalid_body")]
        );
        let unknown = Refusal { field: None, reason: "the reason is not known".to_owned() };
        assert_eq!(all(&json!({ "errorMessage": "Ada is no name" })), [unknown]);
        let message =
            "1 validation error detected: Value at 'username' failed to satisfy constraint";
        let code = "InvalidParameterException";
        assert_eq!(Refusal::of_cognito(code, message), refusal("username", code));
        assert_eq!(
            Refusal::of_cognito(code, "Invalid email address format."),
            refusal("email", code)
        );
    }
}
