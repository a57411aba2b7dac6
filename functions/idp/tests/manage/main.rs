//! Tests of `POST /manage/users` with fake providers. These check requests against the providers'
//! API documentation, keep state, and can be made to fail.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod auth0;
mod cognito;
mod fake;
mod idp;
mod keycloak;
mod recovery;
mod request;
