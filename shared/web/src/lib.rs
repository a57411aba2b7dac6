//! Extractors, shared handlers, and the mapping from [`Error`](domain::Error) to a response.

mod access;
mod auth;
mod backend;
mod body;
mod children;
mod code;
mod encoding;
mod entities;
mod error;
mod function;
mod limit;
mod once;
mod page;
mod path;
mod precondition;
mod reply;
mod request;
mod routes;
mod signature;

pub use access::{Access, Argument, Caller, Declared};
pub use auth::{Allowed, AllowedBoth, KeyBearer, LeadBearer, Operator};
pub use backend::Backend;
pub use body::{BODY_LIMIT, Body, Json, OptionalJson, RawBody, without_mark};
pub use children::{Creator, LeadInvoices, create, delete};
pub use code::Code;
pub use entities::{Count, complete, count, list, may_include, replace, update, update_all, view};
pub use error::{Failure, Result, code, envelope, error_name};
pub use function::{Answer, HttpFunction, route_matches, serve, serve_staged};
pub use limit::RateLimits;
pub use once::{Attempt, Once, Scope};
pub use page::{ListQuery, ListUrl, Paged, entity_response, page_response};
pub use path::PathIds;
pub use precondition::{EntityTag, IfMatch, IfNoneMatch, Preconditions};
pub use reply::Reply;
pub use request::{
    PATH_LIMIT, QUERY_LIMIT, Refusal, RequestId, client_address, finish, finish_with,
};
pub use routes::{Routes, Served};
pub use signature::{Signature, SignedBody};
