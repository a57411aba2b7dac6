//! The API over HTTP, one file per noun, each test on a control plane of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_input;
mod calls;
mod conditions;
mod crash;
mod drift;
mod events;
mod jobs;
mod leads;
mod openapi;
mod reference;
mod secrets;
mod tenants;
mod tokens;
mod webhook;
