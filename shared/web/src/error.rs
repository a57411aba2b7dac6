use axum::{
    Json,
    http::{
        HeaderValue, StatusCode,
        header::{ALLOW, ETAG, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{Code, EntityTag, encoding::ACCEPTED};
use domain::{Error, Refusal};
use filter::BadParameter;
use schema::Invalid;

/// The challenge of a 401 (RFC 9110 §11.6.1), with a realm (RFC 6750 §3).
const CHALLENGE: &str = "Bearer realm=\"control plane\"";

/// Returns the code of an error, which also decides its status.
#[must_use]
pub fn code(error: &Error) -> Code {
    match error {
        Error::Malformed(_) => Code::MalformedJson,
        Error::BadParameter(_) => Code::InvalidParameterValue,
        Error::FilterTooBroad(_) => Code::FilterTooBroad,
        Error::UniqueFieldInBulk => Code::UniqueFieldInBulk,
        Error::DomainMismatch => Code::DomainMismatch,
        Error::AddressMismatch => Code::AddressMismatch,
        Error::TenantKeyMismatch => Code::TenantKeyMismatch,
        Error::SubscriptionIdMissing => Code::SubscriptionIdMissing,
        Error::IdempotencyKeyInvalid => Code::IdempotencyKeyInvalid,
        Error::IdempotencyKeyReused => Code::IdempotencyKeyReused,
        Error::IdempotencyInProgress => Code::IdempotencyInProgress,
        Error::PreconditionInvalid(_) => Code::PreconditionInvalid,
        Error::ReturnInvalid => Code::ReturnInvalid,
        Error::SignInExpired => Code::SignInExpired,
        Error::SignInInvalid(_) => Code::SignInInvalid,
        Error::SignInRequired(_) => Code::SignInRequired,
        Error::SignInNotConfigured => Code::SignInNotConfigured,
        Error::SignInRefused => Code::SignInRefused,
        Error::NoRole => Code::NoRole,
        Error::OperatorDisabled => Code::OperatorDisabled,
        Error::CrossSite => Code::CrossSite,
        Error::LastAdmin => Code::LastAdmin,
        Error::ProviderUnreachable { .. } => Code::ProviderUnreachable,
        Error::ProviderMisconfigured { .. } => Code::ProviderMisconfigured,
        Error::Unauthorized(_) => Code::Unauthorized,
        Error::LeadAlreadyConverted => Code::LeadAlreadyConverted,
        Error::Forbidden(_) => Code::Forbidden,
        Error::IncludeNotAllowed => Code::IncludeNotAllowed,
        Error::NotFound { .. } => Code::EntityNotFound,
        Error::NoRoute(_) => Code::RouteNotFound,
        Error::MethodNotAllowed { .. } => Code::MethodNotAllowed,
        Error::EmailTaken => Code::EmailTaken,
        Error::TenantKeyTaken(_) => Code::TenantKeyTaken,
        Error::TenantKeyReserved(_) => Code::TenantKeyReserved,
        Error::ConfigKeyTaken(_) => Code::ConfigKeyTaken,
        Error::StatusReadOnly => Code::StatusReadOnly,
        Error::IllegalTransition { .. } => Code::IllegalTransition,
        Error::TenantBusy(_) => Code::TenantBusy,
        Error::TenantHasResources => Code::TenantHasResources,
        Error::Refused(refusal) => refusal_code(*refusal),
        Error::OutcomeConflict => Code::JobContradiction,
        Error::PreconditionFailed { .. } => Code::PreconditionFailed,
        Error::TooLarge(_) => Code::PayloadTooLarge,
        Error::UnsupportedMediaType | Error::UnsupportedCharset | Error::UnsupportedEncoding => {
            Code::UnsupportedMediaType
        }
        Error::Invalid(_) => Code::ValidationFailed,
        Error::PreconditionRequired => Code::PreconditionRequired,
        Error::RateLimited => Code::RateLimited,
        Error::TooManyBuilds { .. } => Code::TooManyBuilds,
        Error::Internal { .. } | Error::Permanent { .. } => Code::InternalError,
        Error::Upstream { .. } => Code::UpstreamFailed,
        Error::Stale | Error::Busy(_) => Code::Busy,
    }
}

fn refusal_code(refusal: Refusal) -> Code {
    match refusal {
        Refusal::PlanNotPublic => Code::PlanNotPublic,
        Refusal::PlanNotActive => Code::PlanNotActive,
        Refusal::PlanInUse => Code::PlanInUse,
        Refusal::SubscriptionExists => Code::SubscriptionExists,
        Refusal::SubscriptionState(_) => Code::SubscriptionState,
        Refusal::TenantState(_) => Code::TenantState,
        Refusal::JobOpen => Code::JobOpen,
        Refusal::InvoiceFinal => Code::InvoiceFinal,
        Refusal::TenantSuspended => Code::TenantSuspended,
        Refusal::UseAction { .. } => Code::UseAction,
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
        412 => "PreconditionFailedError",
        413 => "PayloadTooLargeError",
        415 => "UnsupportedMediaTypeError",
        422 => "UnprocessableEntityError",
        428 => "PreconditionRequiredError",
        429 => "TooManyRequestsError",
        502 => "BadGatewayError",
        503 => "ServiceUnavailableError",
        _ => "InternalServerError",
    }
}

/// Returns the message for the client. A 500 or 503 reveals no more than its status, and neither
/// does a 401 or 403 about a token; a 502 names the step that failed.
fn message(error: &Error, status: StatusCode) -> String {
    match (error, status.as_u16()) {
        (Error::Unauthorized(_) | Error::LeadAlreadyConverted, _) => "Unauthorized".to_owned(),
        (Error::Forbidden(_) | Error::IncludeNotAllowed, _) => "NotAllowedAccess".to_owned(),
        (_, 502) => error.to_string(),
        (_, 503) => "Service Unavailable, please try again".to_owned(),
        (_, 500..) => "Internal Server Error".to_owned(),
        _ => error.to_string(),
    }
}

/// Returns the envelope of an error.
#[must_use]
pub fn envelope(error: &Error) -> Value {
    let code = code(error);
    let status = code.status();
    let mut body = json!({
        "statusCode": status.as_u16(),
        "name": error_name(status),
        "message": message(error, status),
        "code": code.as_str(),
    });
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
        let code = code(&error);
        let status = code.status();
        if status.is_server_error() {
            let cause = error.with_causes();
            tracing::error!(status = status.as_u16(), error = %cause, "request failed");
        } else {
            tracing::debug!(status = status.as_u16(), code = code.as_str(), "request refused");
            if let Error::SignInInvalid(reason) = error {
                tracing::warn!(reason, "the answer of the identity provider is not valid");
            }
        }
        let mut response = (status, Json(envelope(&error))).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static(CHALLENGE);
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        if matches!(error, Error::UnsupportedEncoding) {
            let (name, codings) = ACCEPTED;
            response.headers_mut().insert(name, codings);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE || code == Code::IdempotencyInProgress {
            response.headers_mut().insert(RETRY_AFTER, 1.into());
        }
        if let Error::PreconditionFailed { version } = error {
            response.headers_mut().insert(ETAG, EntityTag(version).into());
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
            "code": "UPSTREAM_FAILED",
        } });
        assert_eq!(envelope(&error), body);
        assert_eq!(Failure(error).into_response().status(), StatusCode::BAD_GATEWAY);
    }
}
