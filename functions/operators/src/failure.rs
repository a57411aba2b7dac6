//! Failures of identity providers. Causes name a step and a code, never a value.

use domain::Error;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Returns the error of a provider that did not answer.
pub(crate) fn unreachable<C: Into<Cause>>(step: &'static str) -> impl FnOnce(C) -> Error {
    move |cause| Error::ProviderUnreachable { step, source: cause.into() }
}

/// Returns the error of a provider that refused a request or contradicts the configuration.
pub(crate) fn misconfigured<C: Into<Cause>>(step: &'static str) -> impl FnOnce(C) -> Error {
    move |cause| Error::ProviderMisconfigured { step, source: cause.into() }
}
