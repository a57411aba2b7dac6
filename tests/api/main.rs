//! The API over HTTP, one file per noun, each test on a control plane of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod abuse;
mod bad_input;
mod cache;
mod calls;
mod child_edits;
mod children;
mod conditions;
mod contacts;
mod crash;
mod deprovision;
mod drift;
mod events;
mod filter_bounds;
mod filters;
mod invoices;
mod jobs;
mod lead_lists;
mod lead_scope;
mod leads;
mod limits;
mod metrics;
mod openapi;
mod outages;
mod overview;
mod paging;
mod party;
mod permissions;
mod plain;
mod poison;
mod random;
mod random_filters;
mod reference;
mod resend;
mod retention;
mod secrets;
mod signup;
mod tenant_configs;
mod tenant_deletion;
mod tenant_edits;
mod tenants;
mod tokens;
mod upkeep;
mod webhook;
