//! The API over HTTP, one file per noun, each test on a control plane of its own.

mod bad_input;
mod calls;
mod crash;
mod drift;
mod events;
mod jobs;
mod leads;
mod secrets;
mod tenants;
mod tokens;
mod webhook;
