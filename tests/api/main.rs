//! Tests of the API over HTTP, one file per noun. Each test has a control plane of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]
// The nested futures of handlers and tests exceed the default limit of 128.
#![recursion_limit = "256"]

mod abuse;
mod arc_saas;
mod bad_input;
mod body_limits;
mod bus_failures;
mod cache;
mod calls;
mod child_edits;
mod children;
mod conditions;
mod contacts;
mod crash;
mod days;
mod deprovision;
mod drift;
mod events;
mod filter_limits;
mod filters;
mod headers;
mod included;
mod invoices;
mod jobs;
mod keys;
mod lead_data;
mod lead_limits;
mod lead_lists;
mod lead_scope;
mod leads;
mod limits;
mod links;
mod metrics;
mod names;
mod odd_requests;
mod openapi;
mod overdue;
mod overview;
mod paging;
mod permissions;
mod poison_events;
mod poison_records;
mod random;
mod random_filters;
mod redis_outages;
mod reference_filter;
mod resend;
mod resources;
mod response_size;
mod retention;
mod secrets;
mod signup;
mod slow;
mod tenant_configs;
mod tenant_deletion;
mod tenant_edits;
mod tenants;
mod tiers;
mod token_kinds;
mod token_rules;
mod tokens;
mod upkeep;
mod view_permissions;
mod webhook;
