use std::{error::Error as StdError, fmt, time::Duration};

use crate::{EntityId, MAX_BUILDS, Refusal, TenantKey, TenantStatus, Transition};
use filter::BadParameter;
use schema::{Invalid, Timestamp, Violation};

/// A result whose error is an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// All errors, in terms of the domain.
///
/// The crate `web` maps each variant to a status and a code. A variant exists only if a
/// caller treats it differently.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller has no valid token, key or signature. The reason is only logged.
    #[error("{0}")]
    Unauthorized(&'static str),

    /// The caller lacks the permission. The reason is only logged.
    #[error("{0}")]
    Forbidden(&'static str),

    /// There is no valid session. The reason is only logged.
    #[error("Sign in again.")]
    SignInRequired(&'static str),

    /// No identity provider is configured.
    #[error("Sign-in is not configured. Set `OIDC_ISSUER`, or use a token.")]
    SignInNotConfigured,

    /// `return` is not a path of the console.
    #[error("`return` must be a path of this console.")]
    ReturnInvalid,

    /// The sign-in took too long, or was started in another browser.
    #[error("The sign-in has expired. Start again.")]
    SignInExpired,

    /// The answer of the identity provider does not verify. The reason is only logged.
    #[error("The answer of the identity provider is not valid. Start again.")]
    SignInInvalid(&'static str),

    /// The identity provider did not sign the person in.
    #[error("The identity provider refused the sign-in.")]
    SignInRefused,

    /// No grant gives the caller a role.
    #[error("Your account has no role here. Ask an administrator for one.")]
    NoRole,

    /// The operator is disabled.
    #[error("Your account is disabled here. Ask an administrator to enable it.")]
    OperatorDisabled,

    /// A request with a cookie comes from another site.
    #[error("The request must come from a page of this origin.")]
    CrossSite,

    /// An operator cannot be disabled, because nobody could enable operators any more.
    #[error("No other enabled operator can change operators. Make another one admin first.")]
    LastAdmin,

    /// The identity provider of operators did not answer.
    #[error("{step}")]
    ProviderUnreachable {
        /// The step that failed.
        step: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },

    /// The identity provider of operators refused a request, or contradicts the configuration.
    #[error("{step}")]
    ProviderMisconfigured {
        /// The step that failed.
        step: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },

    /// The caller may see the entity, but not a relation that it asked to include.
    #[error("a permission to view an included relation is missing")]
    IncludeNotAllowed,

    /// The rate limit is exceeded.
    #[error("Too many requests, please try again later.")]
    RateLimited,

    /// A lead starts another build of a tenant that had the maximum number of builds for now.
    #[error("This tenant was built {MAX_BUILDS} times within 24 hours. Try again at {next}.")]
    TooManyBuilds {
        /// The time at which the next build is possible.
        next: Timestamp,
        /// The time until then.
        wait: Duration,
    },

    /// The body is not valid JSON. The text says why and at which position.
    #[error("{0}")]
    Malformed(String),

    /// The body is larger than this many bytes.
    #[error("The request body is larger than {0} bytes.")]
    TooLarge(usize),

    /// The body is not declared as JSON.
    #[error("Content-Type must be application/json.")]
    UnsupportedMediaType,

    /// The body is declared to have another character encoding than UTF-8.
    #[error("The charset of Content-Type must be utf-8.")]
    UnsupportedCharset,

    /// The body has a content coding that is not read.
    #[error("Content-Encoding must be gzip, or absent.")]
    UnsupportedEncoding,

    /// The body violates its schema. Contains all violations, in the order of the schema.
    #[error("The request body is invalid. See error object `details` property for more info.")]
    Invalid(Vec<Violation>),

    /// A query parameter is invalid. The text names the parameter and the rule.
    #[error("{0}")]
    BadParameter(String),

    /// A bulk update changes a field that must be unique.
    #[error("A unique field can't be changed in bulk. Change one entity at a time.")]
    UniqueFieldInBulk,

    /// The email of a tenant's contact is not at one of the tenant's domains.
    #[error("Contact email domain does not match tenant domains")]
    DomainMismatch,

    /// A lead is converted with another address than its own.
    #[error("Address mismatch with Lead")]
    AddressMismatch,

    /// The key in a request is not that of the tenant with the ID in the request.
    #[error("`tenant.key` is not the key of the tenant with this ID.")]
    TenantKeyMismatch,

    /// A subscription has no `id`.
    #[error("Subscription ID is required")]
    SubscriptionIdMissing,

    /// An idempotency key is malformed.
    #[error("Idempotency-Key must be 1 to 255 visible ASCII characters, given once.")]
    IdempotencyKeyInvalid,

    /// An idempotency key belongs to a request with another content.
    #[error("This Idempotency-Key was used for another request. Use a new key.")]
    IdempotencyKeyReused,

    /// A request with the same idempotency key is running.
    #[error("A request with this Idempotency-Key is running. Try again in a moment.")]
    IdempotencyInProgress,

    /// The version in `If-Match` is not the current one.
    #[error("The entity has changed since it was read. Read it again, then repeat the change.")]
    PreconditionFailed {
        /// The current version.
        version: u64,
    },

    /// A change has no `If-Match`, although the deployment requires it.
    #[error("If-Match is required. Send the ETag of the entity as it was read.")]
    PreconditionRequired,

    /// `If-Match` is malformed, or the operation does not support it. The text says which.
    #[error("{0}")]
    PreconditionInvalid(&'static str),

    /// There is no such entity.
    #[error("Entity not found: {entity} with id \"{id}\"")]
    NotFound {
        /// The kind of entity, as named by ARC SaaS.
        entity: &'static str,
        /// The requested ID.
        id: String,
    },

    /// There is no such route.
    #[error("Endpoint \"{0}\" not found.")]
    NoRoute(String),

    /// The route exists but does not support this method.
    #[error("Endpoint \"{path}\" doesn't support this method.")]
    MethodNotAllowed {
        /// The requested path.
        path: String,
        /// The supported methods, such as `GET, POST`; empty if the router sets the header.
        allow: String,
    },

    /// Another validated lead has this email address.
    #[error("A lead with this email already exists")]
    EmailTaken,

    /// The lead was already converted into a tenant.
    #[error("the lead already has a tenant")]
    LeadAlreadyConverted,

    /// The tenant key is taken. Keys are never released, because they become subdomains.
    #[error("Unique constraint violation error ! Key (key)=({0}) already exists.")]
    TenantKeyTaken(TenantKey),

    /// The tenant key is reserved; see [`ReservedKeys`](crate::ReservedKeys).
    #[error("The key \"{0}\" is reserved. Choose another key.")]
    TenantKeyReserved(TenantKey),

    /// The tenant already has a config with this key.
    #[error("Unique constraint violation error ! Key (configKey)=({0}) already exists.")]
    ConfigKeyTaken(String),

    /// A filter reads more than one request may. The text says how to narrow it.
    #[error("{0}")]
    FilterTooBroad(&'static str),

    /// A client tried to set the status of a tenant, which follows from its jobs and suspensions.
    #[error(
        "`status` can't be set directly. Use the provision, deprovision, suspend or reactivate operation."
    )]
    StatusReadOnly,

    /// A tenant with an open job can't be deleted.
    #[error("A tenant in status {0} can't be deleted. Wait for its job to finish.")]
    TenantBusy(TenantStatus),

    /// A tenant must be deprovisioned before it is deleted. Otherwise its resources would never be
    /// removed.
    #[error("A tenant with resources can't be deleted. Deprovision it first.")]
    TenantHasResources,

    /// The status of the tenant does not allow this.
    #[error("A tenant in status {from} can't {transition}.")]
    IllegalTransition {
        /// The current status.
        from: TenantStatus,
        /// The requested transition.
        transition: Transition,
    },

    /// The plan, the subscription or the tenant's suspension does not allow this.
    #[error("{0}")]
    Refused(#[from] Refusal),

    /// The job was already closed with another outcome.
    #[error("The job is already closed with another outcome.")]
    OutcomeConflict,

    /// An item has changed between the read and the write. Read it again and retry.
    #[error("the item changed in the meantime")]
    Stale,

    /// A resource stayed in use for longer than this may wait.
    #[error("busy: {0}")]
    Busy(&'static str),

    /// An external system refused or failed. The client sees the step; the log also has the cause.
    /// Neither contains the system's response, which may hold secrets.
    #[error("{step}")]
    Upstream {
        /// The step that failed, such as `auth0: creating the organization`.
        step: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },

    /// An internal failure, most often of AWS. The client sees 500; the log has the cause.
    #[error("{doing}")]
    Internal {
        /// The step that failed, for the log.
        doing: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },

    /// An [`Error::Internal`] that would fail in the same way again: AWS refused the request
    /// permanently, or stored or received data cannot be decoded. Consumers do not retry it, but
    /// send the item to a dead-letter queue.
    #[error("{doing}")]
    Permanent {
        /// The step that failed, for the log.
        doing: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl Error {
    /// Wraps an internal failure. Use as `.map_err(Error::internal("reading a lead"))`.
    pub fn internal<E>(doing: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        move |source| Self::Internal { doing, source: source.into() }
    }

    /// Wraps a failure that no retry can resolve.
    pub fn permanent<E>(doing: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        move |source| Self::Permanent { doing, source: source.into() }
    }

    /// Whether a retry would fail in the same way.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Permanent { .. })
    }

    /// Creates the error for a malformed body. `cause` says why and at which position.
    pub fn not_json(cause: &dyn std::fmt::Display) -> Self {
        Self::Malformed(format!("The request body is not valid JSON: {cause}."))
    }

    /// Formats the error with its source chain, for the log.
    #[must_use]
    pub fn with_causes(&self) -> impl std::fmt::Display + '_ {
        Causes(self)
    }

    /// Creates the error for an entity that does not exist.
    pub fn not_found<I: EntityId>(id: I) -> Self {
        Self::NotFound { entity: I::ENTITY, id: id.to_string() }
    }

    /// Hides from a caller without a valid secret that an entity does not exist. Use as
    /// `.map_err(Error::unauthorized_if_not_found("unknown lead"))`.
    pub fn unauthorized_if_not_found(reason: &'static str) -> impl FnOnce(Self) -> Self {
        move |error| match error {
            Self::NotFound { .. } => Self::Unauthorized(reason),
            other => other,
        }
    }
}

impl From<Invalid> for Error {
    fn from(Invalid(violations): Invalid) -> Self {
        Self::Invalid(violations)
    }
}

impl From<BadParameter> for Error {
    fn from(BadParameter(rule): BadParameter) -> Self {
        Self::BadParameter(rule)
    }
}

/// Writes an error and its causes, from the outermost to the innermost.
struct Causes<'a>(&'a Error);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(cause) = next {
            write!(f, ": {cause}")?;
            next = cause.source();
        }
        Ok(())
    }
}
