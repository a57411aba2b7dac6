use axum::http::StatusCode;

/// Defines [`Code`] from a table of variants, statuses and texts.
macro_rules! codes {
    ($($name:ident = $status:ident $text:literal,)+) => {
        /// The `code` of an error. Codes are stable; messages can change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = concat!("`", $text, "`.")] $name,)+
        }

        impl Code {
            /// All codes, by status.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Returns the text of the code.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }

            /// Returns the status of answers with this code. No other code decides it.
            #[must_use]
            pub fn status(self) -> StatusCode {
                match self {
                    $(Self::$name => StatusCode::$status,)+
                }
            }
        }
    };
}

codes! {
    MalformedJson = BAD_REQUEST "MALFORMED_JSON",
    InvalidParameterValue = BAD_REQUEST "INVALID_PARAMETER_VALUE",
    FilterTooBroad = BAD_REQUEST "FILTER_TOO_BROAD",
    UniqueFieldInBulk = BAD_REQUEST "UNIQUE_FIELD_IN_BULK",
    DomainMismatch = BAD_REQUEST "DOMAIN_MISMATCH",
    AddressMismatch = BAD_REQUEST "ADDRESS_MISMATCH",
    TenantKeyMismatch = BAD_REQUEST "TENANT_KEY_MISMATCH",
    SubscriptionIdMissing = BAD_REQUEST "SUBSCRIPTION_ID_MISSING",
    IdempotencyKeyInvalid = BAD_REQUEST "IDEMPOTENCY_KEY_INVALID",
    PreconditionInvalid = BAD_REQUEST "PRECONDITION_INVALID",
    ReturnInvalid = BAD_REQUEST "RETURN_INVALID",
    SignInExpired = BAD_REQUEST "SIGN_IN_EXPIRED",
    SignInInvalid = BAD_REQUEST "SIGN_IN_INVALID",
    Unauthorized = UNAUTHORIZED "UNAUTHORIZED",
    // ARC SaaS answers 401 for a lead that already has a tenant.
    LeadAlreadyConverted = UNAUTHORIZED "LEAD_ALREADY_CONVERTED",
    SignInRequired = UNAUTHORIZED "SIGN_IN_REQUIRED",
    Forbidden = FORBIDDEN "FORBIDDEN",
    IncludeNotAllowed = FORBIDDEN "INCLUDE_NOT_ALLOWED",
    NoRole = FORBIDDEN "NO_ROLE",
    OperatorDisabled = FORBIDDEN "OPERATOR_DISABLED",
    SignInRefused = FORBIDDEN "SIGN_IN_REFUSED",
    CrossSite = FORBIDDEN "CROSS_SITE",
    PlanNotPublic = FORBIDDEN "PLAN_NOT_PUBLIC",
    EntityNotFound = NOT_FOUND "ENTITY_NOT_FOUND",
    RouteNotFound = NOT_FOUND "ROUTE_NOT_FOUND",
    SignInNotConfigured = NOT_FOUND "SIGN_IN_NOT_CONFIGURED",
    MethodNotAllowed = METHOD_NOT_ALLOWED "METHOD_NOT_ALLOWED",
    EmailTaken = CONFLICT "EMAIL_TAKEN",
    TenantKeyTaken = CONFLICT "TENANT_KEY_TAKEN",
    TenantKeyReserved = CONFLICT "TENANT_KEY_RESERVED",
    ConfigKeyTaken = CONFLICT "CONFIG_KEY_TAKEN",
    StatusReadOnly = CONFLICT "STATUS_READ_ONLY",
    IllegalTransition = CONFLICT "ILLEGAL_TRANSITION",
    TenantBusy = CONFLICT "TENANT_BUSY",
    TenantHasResources = CONFLICT "TENANT_HAS_RESOURCES",
    JobContradiction = CONFLICT "JOB_CONTRADICTION",
    IdempotencyInProgress = CONFLICT "IDEMPOTENCY_IN_PROGRESS",
    LastAdmin = CONFLICT "LAST_ADMIN",
    PlanNotActive = CONFLICT "PLAN_NOT_ACTIVE",
    PlanInUse = CONFLICT "PLAN_IN_USE",
    SubscriptionExists = CONFLICT "SUBSCRIPTION_EXISTS",
    SubscriptionState = CONFLICT "SUBSCRIPTION_STATE",
    TenantState = CONFLICT "TENANT_STATE",
    TenantSuspended = CONFLICT "TENANT_SUSPENDED",
    JobOpen = CONFLICT "JOB_OPEN",
    InvoiceFinal = CONFLICT "INVOICE_FINAL",
    UseAction = CONFLICT "USE_ACTION",
    PreconditionFailed = PRECONDITION_FAILED "PRECONDITION_FAILED",
    PayloadTooLarge = PAYLOAD_TOO_LARGE "PAYLOAD_TOO_LARGE",
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE "UNSUPPORTED_MEDIA_TYPE",
    ValidationFailed = UNPROCESSABLE_ENTITY "VALIDATION_FAILED",
    IdempotencyKeyReused = UNPROCESSABLE_ENTITY "IDEMPOTENCY_KEY_REUSED",
    PreconditionRequired = PRECONDITION_REQUIRED "PRECONDITION_REQUIRED",
    RateLimited = TOO_MANY_REQUESTS "RATE_LIMITED",
    TooManyBuilds = TOO_MANY_REQUESTS "TOO_MANY_BUILDS",
    InternalError = INTERNAL_SERVER_ERROR "INTERNAL_ERROR",
    UpstreamFailed = BAD_GATEWAY "UPSTREAM_FAILED",
    ProviderUnreachable = BAD_GATEWAY "PROVIDER_UNREACHABLE",
    ProviderMisconfigured = BAD_GATEWAY "PROVIDER_MISCONFIGURED",
    Busy = SERVICE_UNAVAILABLE "BUSY",
}
