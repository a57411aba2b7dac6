//! The description of the API: the routes of each function, as an OpenAPI 3.1 document.
//!
//! Descriptions are derived from the code. A body is described by the members its reader accepts
//! ([`FromJson::schema`](schema::FromJson::schema)), an entity by its
//! [`Schema`](filter::Schema), an error by its envelope, and a permission by its
//! [`Permit`](domain::Permit). Each function has one table of [`Routes`](web::Routes), from
//! which its router and its [`Operation`]s are made; `tests/api/openapi.rs` combines them into `functions/home/assets/openapi.json`.
//!
//! No function calls this module while serving requests, so the linker removes it.

mod bodies;
mod codes;
mod document;
mod entities;
mod error_examples;
mod errors;
mod examples;
mod filters;
mod operation;
mod standard;

pub use bodies::{patch, put};
pub use document::document;
pub use entities::{component, with_relations};
pub use examples::example;
pub use operation::{Answer, NamedSchema, Operation, Operations};
pub use standard::{
    UNIQUE_IN_BULK, child_routes, count, found, list, onboarded, one, replace, update, update_all,
    view,
};
