use axum::{
    Json,
    http::{
        HeaderValue, StatusCode,
        header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use domain::Error;
use filter::BadParameter;
use schema::Invalid;

/// The challenge of a 401 (RFC 9110 §11.6.1), with a realm (RFC 6750 §3).
const CHALLENGE: &str = "Bearer realm=\"control plane\"";

/// Returns the status of an error. No other code decides it.
fn status(error: &Error) -> StatusCode {
    match error {
        Error::Malformed(_)
        | Error::BadParameter(_)
        | Error::FilterTooBroad(_)
        | Error::Refused(_) => StatusCode::BAD_REQUEST,
        // ARC SaaS answers 401 for a lead that already has a tenant.
        Error::Unauthorized(_) | Error::LeadAlreadyConverted => StatusCode::UNAUTHORIZED,
        Error::Forbidden(_) | Error::IncludeNotAllowed => StatusCode::FORBIDDEN,
        Error::NotFound { .. } | Error::NoRoute(_) => StatusCode::NOT_FOUND,
        Error::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
        Error::EmailTaken
        | Error::TenantKeyTaken(_)
        | Error::TenantKeyReserved(_)
        | Error::ConfigKeyTaken(_)
        | Error::StatusReadOnly
        | Error::TenantBusy(_)
        | Error::TenantHasResources
        | Error::IllegalTransition { .. }
        | Error::OutcomeConflict => StatusCode::CONFLICT,
        Error::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        Error::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Error::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Error::RateLimited | Error::TooManyBuilds { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Stale | Error::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::Upstream { .. } => StatusCode::BAD_GATEWAY,
        Error::Internal { .. } | Error::Permanent { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Returns the error `name` for a status.
#[must_use]
pub fn error_name(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "BadRequestError",
        401 => "UnauthorizedError",
        403 => "ForbiddenError",
        404 => "NotFoundError",
        405 => "MethodNotAllowedError",
        409 => "ConflictError",
        413 => "PayloadTooLargeError",
        415 => "UnsupportedMediaTypeError",
        422 => "UnprocessableEntityError",
        429 => "TooManyRequestsError",
        502 => "BadGatewayError",
        503 => "ServiceUnavailableError",
        _ => "InternalServerError",
    }
}

/// Returns the message for the client. A 401, 403, 500 or 503 reveals no more than its status; a
/// 502 names the step that failed.
fn message(error: &Error, status: StatusCode) -> String {
    match status.as_u16() {
        401 => "Unauthorized".to_owned(),
        403 => "NotAllowedAccess".to_owned(),
        502 => error.to_string(),
        503 => "Service Unavailable, please try again".to_owned(),
        500.. => "Internal Server Error".to_owned(),
        _ => error.to_string(),
    }
}

fn code(error: &Error) -> Option<&'static str> {
    match error {
        Error::Invalid(_) => Some("VALIDATION_FAILED"),
        Error::IncludeNotAllowed => Some("INCLUDE_NOT_ALLOWED"),
        Error::NotFound { .. } => Some("ENTITY_NOT_FOUND"),
        Error::BadParameter(_) => Some("INVALID_PARAMETER_VALUE"),
        Error::FilterTooBroad(_) => Some("FILTER_TOO_BROAD"),
        Error::TenantKeyReserved(_) => Some("TENANT_KEY_RESERVED"),
        Error::TenantKeyTaken(_) => Some("TENANT_KEY_TAKEN"),
        Error::ConfigKeyTaken(_) => Some("CONFIG_KEY_TAKEN"),
        Error::TooManyBuilds { .. } => Some("TOO_MANY_BUILDS"),
        Error::TenantHasResources => Some("TENANT_HAS_RESOURCES"),
        _ => None,
    }
}

/// Returns the envelope of an error.
#[must_use]
pub fn envelope(error: &Error) -> Value {
    let status = status(error);
    let mut body = json!({
        "statusCode": status.as_u16(),
        "name": error_name(status),
        "message": message(error, status),
    });
    if let Some(code) = code(error) {
        body["code"] = code.into();
    }
    if let Error::Invalid(violations) = error {
        body["details"] = json!(violations);
    }
    json!({ "error": body })
}

/// The answer that an error becomes.
#[derive(Debug)]
pub struct Failure(pub Error);

/// The result of a handler or an extractor.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<Invalid> for Failure {
    fn from(invalid: Invalid) -> Self {
        Self(invalid.into())
    }
}

impl From<BadParameter> for Failure {
    fn from(parameter: BadParameter) -> Self {
        Self(parameter.into())
    }
}

impl IntoResponse for Failure {
    /// Logs a server error once, with its cause.
    fn into_response(self) -> Response {
        let Self(error) = self;
        let status = status(&error);
        if status.is_server_error() {
            let cause = error.with_causes();
            tracing::error!(status = status.as_u16(), error = %cause, "request failed");
        } else {
            tracing::debug!(status = status.as_u16(), name = error_name(status), "request refused");
        }
        let mut response = (status, Json(envelope(&error))).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static(CHALLENGE);
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, 1.into());
        }
        if let Error::TooManyBuilds { wait, .. } = &error {
            response.headers_mut().insert(RETRY_AFTER, (wait.as_secs() + 1).into());
        }
        if let Error::MethodNotAllowed { allow, .. } = &error
            && !allow.is_empty()
            && let Ok(allow) = HeaderValue::from_str(allow)
        {
            response.headers_mut().insert(ALLOW, allow);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_failure_names_the_step_but_not_the_cause() {
        let step = "auth0: creating the organization";
        let error = Error::Upstream { step, source: "it answered 403".into() };
        let body = json!({ "error": {
            "statusCode": 502,
            "name": "BadGatewayError",
            "message": "auth0: creating the organization",
        } });
        assert_eq!(envelope(&error), body);
        assert_eq!(Failure(error).into_response().status(), StatusCode::BAD_GATEWAY);
    }
}
