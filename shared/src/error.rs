use std::{error::Error as StdError, time::Duration};

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::{
    domain::{BUILDS, TenantKey, TenantStatus, Timestamp, Transition, Violation},
    fault::{Fault, Service},
};

/// A result whose error is an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong, in the words of the domain.
///
/// No variant knows about HTTP; `http::error` gives each its status. A variant exists only where a
/// caller acts on it differently.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller has no usable token, key or signature. The reason is for the log alone.
    #[error("{0}")]
    Unauthorized(&'static str),

    /// The caller is known and may not do this. The reason is for the log alone.
    #[error("{0}")]
    Forbidden(&'static str),

    /// The caller may see what it asks for, and not what it wants included.
    #[error("a permission to view an included relation is missing")]
    IncludeNotAllowed,

    /// More calls than the limit allows.
    #[error("Too many requests, please try again later.")]
    RateLimited,

    /// A lead has started as many builds as it may for now.
    #[error("This tenant was built {BUILDS} times within 24 hours. Try again at {next}.")]
    TooManyBuilds {
        /// When the next one is possible.
        next: Timestamp,
        /// How long that is from now.
        wait: Duration,
    },

    /// The body is no JSON; says what is wrong and where.
    #[error("{0}")]
    Malformed(String),

    /// The body is larger than this many bytes.
    #[error("The request body is larger than {0} bytes.")]
    TooLarge(usize),

    /// The body is not declared as JSON.
    #[error("Content-Type must be application/json.")]
    UnsupportedMediaType,

    /// The body breaks its schema: every violation, in the order of the schema.
    #[error("The request body is invalid. See error object `details` property for more info.")]
    Invalid(Vec<Violation>),

    /// A query parameter is not of its form; names it and the rule.
    #[error("{0}")]
    BadParameter(String),

    /// The request is well formed and still breaks a rule of the domain.
    #[error("{0}")]
    Refused(&'static str),

    /// No such entity.
    #[error("Entity not found: {entity} with id \"{id}\"")]
    NotFound {
        /// The kind of entity, as the reference calls it.
        entity: &'static str,
        /// The id asked for.
        id: String,
    },

    /// No such route.
    #[error("Endpoint \"{0}\" not found.")]
    NoRoute(String),

    /// The route exists and does not serve this method.
    #[error("Endpoint \"{path}\" does not allow this method.")]
    MethodNotAllowed {
        /// The path asked for.
        path: String,
        /// The methods that it does serve, `GET, POST`; empty where the router says it.
        allow: String,
    },

    /// One validated lead per e-mail address.
    #[error("A lead with this email already exists")]
    EmailTaken,

    /// A lead becomes a tenant once.
    #[error("the lead already has a tenant")]
    LeadAlreadyConverted,

    /// Tenant keys are unique for ever; they become subdomains.
    #[error("Unique constraint violation error ! Key (key)=({0}) already exists.")]
    TenantKeyTaken(TenantKey),

    /// A key that others take for something else; see [`ReservedKeys`](crate::domain::ReservedKeys).
    #[error("The key \"{0}\" is reserved. Choose another key.")]
    TenantKeyReserved(TenantKey),

    /// A tenant has one configuration of a key.
    #[error("Unique constraint violation error ! Key (configKey)=({0}) already exists.")]
    ConfigKeyTaken(String),

    /// A filter asks for more than one request may read; says how to ask for less.
    #[error("{0}")]
    FilterTooBroad(&'static str),

    /// A tenant's status follows from its jobs.
    #[error("The status of a tenant is not for clients to change")]
    StatusFixed,

    /// A tenant that a job works on is not deleted.
    #[error("A tenant in status {0} can't be deleted. Wait for its job to finish.")]
    TenantBusy(TenantStatus),

    /// A tenant is deprovisioned before it is deleted: else nothing would remove what was built for it.
    #[error("A tenant with resources can't be deleted. Deprovision it first.")]
    TenantHasResources,

    /// The tenant is not in a status that allows this.
    #[error("A tenant in status {from} can't {transition}.")]
    IllegalTransition {
        /// Where the tenant is.
        from: TenantStatus,
        /// What was asked of it.
        transition: Transition,
    },

    /// A job was closed with another outcome before.
    #[error("The job is closed with another outcome")]
    Contradiction,

    /// What was read has changed before the write: read again and decide again.
    #[error("the item changed in the meantime")]
    Stale,

    /// Somebody else holds what this needs for longer than it may wait.
    #[error("busy: {0}")]
    Busy(&'static str),

    /// A system that is not ours refused or failed. The client sees the step, the log its cause
    /// too; neither sees what that system said, which may hold secrets.
    #[error("{step}")]
    Upstream {
        /// What was being done, such as `auth0: creating the organization`.
        step: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },

    /// AWS refused or failed. The client sees 500; the log sees the cause.
    #[error("{doing}")]
    Aws {
        /// What was being done, for the log.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },

    /// As [`Error::Aws`], and the same would fail in the same way again: AWS refused what was asked, or
    /// something stored or received cannot be read. Consumers set it aside instead of trying again.
    #[error("{doing}")]
    Permanent {
        /// What was being done, for the log.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl Error {
    /// Wraps a failure of AWS; use as `.map_err(Error::aws("reading a lead"))`.
    pub fn aws<E>(doing: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        move |source| Self::Aws { doing, source: source.into() }
    }

    /// Wraps a failure of AWS, permanent or not as `service` says by its code.
    pub fn of<E>(
        service: Service,
        doing: &'static str,
    ) -> impl FnOnce(SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        move |cause| match service.fault_of(&cause) {
            Fault::Permanent => Self::permanent(doing)(cause),
            Fault::Transient => Self::aws(doing)(cause),
        }
    }

    /// Wraps a failure that would be the same at every try.
    pub fn permanent<E>(doing: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        move |source| Self::Permanent { doing, source: source.into() }
    }

    /// Whether trying again would fail in the same way.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Permanent { .. })
    }

    /// The body is not JSON; `cause` says what is wrong and where.
    pub fn not_json(cause: &dyn std::fmt::Display) -> Self {
        Self::Malformed(format!("The request body is not JSON: {cause}."))
    }

    /// It with its causes, for the log.
    #[must_use]
    pub fn with_causes(&self) -> impl std::fmt::Display + '_ {
        aws_smithy_types::error::display::DisplayErrorContext(self)
    }

    /// No `entity` has this `id`.
    pub fn not_found(entity: &'static str, id: impl std::fmt::Display) -> Self {
        Self::NotFound { entity, id: id.to_string() }
    }
}
