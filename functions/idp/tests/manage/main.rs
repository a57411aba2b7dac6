//! `POST /manage/users` over HTTP, against providers that check what they are asked for as their
//! API documents say, remember it, and fail when they are told to.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod auth0;
mod cognito;
mod dying;
mod fake;
mod idp;
mod keycloak;
mod request;
