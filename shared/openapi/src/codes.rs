use serde_json::{Value, json};

use super::{Answer, Operation};
use web::{Caller, Code};

/// Returns the codes that `operation` can answer with.
pub(super) fn codes(operation: &Operation) -> Vec<Code> {
    let declared = |code: Code| operation.errors.iter().any(|(own, _)| *own == code);
    let applies = |code: &Code| operation.implies(*code) || declared(*code);
    Code::ALL.iter().copied().filter(applies).collect()
}

/// Returns the codes that `operation` can answer with, by status.
pub(super) fn codes_by_status(operation: &Operation) -> Value {
    let mut statuses = json!({});
    for code in codes(operation) {
        let mut texts = statuses[code.status().as_str()].take();
        match texts.as_array_mut() {
            Some(texts) => texts.push(code.as_str().into()),
            None => texts = json!([code.as_str()]),
        }
        statuses[code.status().as_str()] = texts;
    }
    statuses
}

impl Operation {
    /// Whether the error follows from the token, the parameters, the body or the answer.
    fn implies(&self, code: Code) -> bool {
        let has_parameter =
            |name| self.parameters.iter().any(|parameter| parameter["name"] == name);
        let is_list = matches!(self.answer, Answer::Many(_));
        let never = matches!(self.answer, Answer::Never);
        match code {
            Code::Unauthorized => !matches!(self.access.caller, Caller::Anybody | Caller::Session),
            Code::SignInRequired | Code::CrossSite => self.access.caller == Caller::Session,
            Code::Forbidden => {
                matches!(self.access.caller, Caller::Permitted(_) | Caller::Operator(_))
            }
            Code::MethodNotAllowed => never,
            Code::InternalError => true,
            _ if never => false,
            Code::MalformedJson
            | Code::PayloadTooLarge
            | Code::UnsupportedMediaType
            | Code::ValidationFailed => self.body.is_some(),
            Code::InvalidParameterValue => !self.parameters.is_empty() || self.names_a_key(),
            Code::FilterTooBroad => has_parameter("where") || is_list && has_parameter("filter"),
            Code::IncludeNotAllowed => has_parameter("filter"),
            Code::EntityNotFound => self.names_an_entity() || self.names_others(),
            Code::IdempotencyKeyInvalid
            | Code::IdempotencyKeyReused
            | Code::IdempotencyInProgress => self.reads("Idempotency-Key"),
            Code::PreconditionInvalid => self.reads("If-Match"),
            Code::PreconditionFailed => self.reads("If-Match") && self.names_an_entity(),
            Code::PreconditionRequired => {
                self.reads("If-Match") && self.names_an_entity() && self.method != "POST"
            }
            Code::RouteNotFound => self.path_parameters().any(|name| name == "file"),
            Code::RateLimited => self.limited,
            Code::UpstreamFailed => self.calls_upstream,
            Code::Busy => self.stored,
            // Every write of a tenant's data that a lead's token may reach, whatever permissions it has.
            Code::TenantSuspended => {
                let of_a_tenant =
                    ["tenants", "contacts", "invoices", "tenant-configs", "subscriptions"];
                let by_a_lead = matches!(self.access.caller, Caller::Permitted(_));
                self.method != "GET" && by_a_lead && of_a_tenant.contains(&self.tag())
            }
            Code::UniqueFieldInBulk
            | Code::DomainMismatch
            | Code::AddressMismatch
            | Code::TenantKeyMismatch
            | Code::SubscriptionIdMissing
            | Code::ReturnInvalid
            | Code::SignInExpired
            | Code::SignInInvalid
            | Code::NoRole
            | Code::OperatorDisabled
            | Code::SignInRefused
            | Code::SignInNotConfigured
            | Code::LastAdmin
            | Code::ProviderUnreachable
            | Code::ProviderMisconfigured
            | Code::LeadAlreadyConverted
            | Code::EmailTaken
            | Code::TenantKeyTaken
            | Code::TenantKeyReserved
            | Code::ConfigKeyTaken
            | Code::StatusReadOnly
            | Code::IllegalTransition
            | Code::TenantBusy
            | Code::TenantHasResources
            | Code::JobContradiction
            | Code::PlanNotPublic
            | Code::PlanNotActive
            | Code::PlanInUse
            | Code::SubscriptionExists
            | Code::SubscriptionState
            | Code::TenantState
            | Code::JobOpen
            | Code::InvoiceFinal
            | Code::UseAction
            | Code::TooManyBuilds => false,
        }
    }

    /// Whether the path names a tenant key, which does not have to exist.
    fn names_a_key(&self) -> bool {
        self.path_parameters().any(|name| name == "key")
    }

    /// Whether the body or the query names another entity, which may be missing.
    fn names_others(&self) -> bool {
        let names = |member: &str| {
            let body = self.body.as_ref().map(|body| &body.schema["properties"][member]);
            body.is_some_and(Value::is_object)
        };
        let tenant = ["tenantId", "subscriberId"].into_iter().any(names) && self.method == "POST";
        tenant || self.parameters.iter().any(|parameter| parameter["name"] == "id")
    }
}
