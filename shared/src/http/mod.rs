//! Extractors, shared handlers, and the mapping from [`Error`](crate::Error) to a response.

mod auth;
mod body;
mod children;
mod entities;
mod error;
mod id;
mod limit;
mod page;
mod request;
mod signature;

pub use auth::{Allowed, AllowedBoth, KeyBearer, LeadBearer, Operator};
pub use body::{BODY_LIMIT, Body, Json, RawBody};
pub use children::{Children, child_routes};
pub use entities::{Count, change, change_all, count, list, may_include, replace, view};
pub use error::envelope;
pub(crate) use error::error_name;
pub use id::Id;
pub use limit::{Limiter, limited};
pub use page::{Asked, Paged, Place, linked, shown};
pub use request::{PATH_LIMIT, QUERY_LIMIT, Refusal, RequestId, client_address, finish, finish_or};
pub use signature::Signature;
