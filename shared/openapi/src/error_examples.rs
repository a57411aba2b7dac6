use serde_json::json;

use domain::{BUILD_WINDOW, Error, Refusal, TenantKey, TenantStatus, Transition};
use schema::{Timestamp, Violation, read};
use web::Code;

/// Returns an example of an error with this code.
pub(super) fn example(code: Code) -> Error {
    let id = "019aad7e-5f6b-7a51-8c0d-3f2b1e9a4c60";
    let of_key = |wrap: fn(TenantKey) -> Error| read(&"acme".into()).map_or_else(Error::from, wrap);
    match code {
        Code::MalformedJson => Error::not_json(&"expected value at line 1 column 9"),
        Code::InvalidParameterValue => {
            Error::BadParameter("filter.where.naem: is not a property of Tenant".into())
        }
        Code::FilterTooBroad => {
            Error::FilterTooBroad("The filter matches more than 1,000 entities. Narrow `where`.")
        }
        Code::UniqueFieldInBulk => Error::UniqueFieldInBulk,
        Code::DomainMismatch => Error::DomainMismatch,
        Code::AddressMismatch => Error::AddressMismatch,
        Code::TenantKeyMismatch => Error::TenantKeyMismatch,
        Code::SubscriptionIdMissing => Error::SubscriptionIdMissing,
        Code::IdempotencyKeyInvalid => Error::IdempotencyKeyInvalid,
        Code::IdempotencyKeyReused => Error::IdempotencyKeyReused,
        Code::IdempotencyInProgress => Error::IdempotencyInProgress,
        Code::PreconditionInvalid => Error::PreconditionInvalid(
            "If-Match must be `*` or a list of entity tags, such as \"7\".",
        ),
        Code::PreconditionFailed => Error::PreconditionFailed { version: 8 },
        Code::PreconditionRequired => Error::PreconditionRequired,
        Code::ReturnInvalid => Error::ReturnInvalid,
        Code::SignInExpired => Error::SignInExpired,
        Code::SignInInvalid => Error::SignInInvalid(""),
        Code::SignInRequired => Error::SignInRequired(""),
        Code::SignInNotConfigured => Error::SignInNotConfigured,
        Code::SignInRefused => Error::SignInRefused,
        Code::NoRole => Error::NoRole,
        Code::OperatorDisabled => Error::OperatorDisabled,
        Code::CrossSite => Error::CrossSite,
        Code::LastAdmin => Error::LastAdmin,
        Code::ProviderUnreachable => {
            Error::ProviderUnreachable { step: "reading the provider's keys", source: "".into() }
        }
        Code::ProviderMisconfigured => {
            Error::ProviderMisconfigured { step: "exchanging the code", source: "".into() }
        }
        Code::Unauthorized => Error::Unauthorized(""),
        Code::LeadAlreadyConverted => Error::LeadAlreadyConverted,
        Code::Forbidden => Error::Forbidden(""),
        Code::IncludeNotAllowed => Error::IncludeNotAllowed,
        Code::EntityNotFound => Error::NotFound { entity: "Tenant", id: id.to_owned() },
        Code::RouteNotFound => Error::NoRoute("/assets/page.css".into()),
        Code::MethodNotAllowed => {
            Error::MethodNotAllowed { path: format!("/leads/{id}"), allow: String::new() }
        }
        Code::EmailTaken => Error::EmailTaken,
        Code::TenantKeyTaken => of_key(Error::TenantKeyTaken),
        Code::TenantKeyReserved => of_key(Error::TenantKeyReserved),
        Code::ConfigKeyTaken => Error::ConfigKeyTaken("theme".into()),
        Code::StatusReadOnly => Error::StatusReadOnly,
        Code::IllegalTransition => {
            let (from, transition) = (TenantStatus::Active, Transition::Provision);
            Error::IllegalTransition { from, transition }
        }
        Code::TenantBusy => Error::TenantBusy(TenantStatus::Provisioning),
        Code::TenantHasResources => Error::TenantHasResources,
        Code::JobContradiction => Error::OutcomeConflict,
        Code::PlanNotPublic => Refusal::PlanNotPublic.into(),
        Code::PlanNotActive => Refusal::PlanNotActive.into(),
        Code::PlanInUse => Refusal::PlanInUse.into(),
        Code::SubscriptionExists => Refusal::SubscriptionExists.into(),
        Code::SubscriptionState => {
            Refusal::SubscriptionState("The subscription was already activated.").into()
        }
        Code::TenantState => Refusal::TenantState("The tenant is not suspended.").into(),
        Code::TenantSuspended => Refusal::TenantSuspended.into(),
        Code::JobOpen => Refusal::JobOpen.into(),
        Code::InvoiceFinal => Refusal::InvoiceFinal.into(),
        Code::UseAction => Refusal::UseAction { member: "planId", action: "change" }.into(),
        Code::PayloadTooLarge => Error::TooLarge(web::BODY_LIMIT),
        Code::UnsupportedMediaType => Error::UnsupportedMediaType,
        Code::ValidationFailed => Error::Invalid(vec![Violation {
            path: "/contact/email".to_owned(),
            code: "format",
            message: "must match format \"email\"".to_owned(),
            info: json!({ "format": "email" }),
        }]),
        Code::RateLimited => Error::RateLimited,
        Code::TooManyBuilds => {
            let (opened, wait) = (Timestamp::from_millis(1_790_000_000_000), BUILD_WINDOW);
            Error::TooManyBuilds { next: opened + wait, wait }
        }
        Code::InternalError => Error::Internal { doing: "", source: "".into() },
        Code::UpstreamFailed => {
            Error::Upstream { step: "keycloak: creating the realm", source: "".into() }
        }
        Code::Busy => Error::Stale,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_has_its_code() {
        for code in Code::ALL {
            assert_eq!(web::code(&example(*code)), *code);
        }
    }
}
