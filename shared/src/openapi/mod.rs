//! How the API is described: the routes of each function, as an OpenAPI 3.1 document.
//!
//! Nothing is described by hand that the code knows: a body is described by what its reader asks for
//! ([`FromJson::schema`](crate::domain::FromJson::schema)), an entity by its
//! [`Schema`](crate::filter::Schema), an error by its envelope, a permission by its
//! [`Permit`](crate::domain::Permit). Each function has its table of [`Operation`]s beside its router;
//! `tests/api/openapi.rs` puts them together in `functions/home/assets/openapi.json`.
//!
//! No function calls any of this while it serves, so the linker leaves it out.

mod bodies;
mod document;
mod entities;
mod errors;
mod examples;
mod filters;
mod operation;
mod standard;

pub use bodies::{patch, put};
pub use document::document;
pub use entities::{component, with_relations};
pub use examples::example;
pub use operation::{Answer, Operation, Shape};
pub use standard::{
    change, change_all, child_operations, count, found, list, onboarded, one, replace, view,
};
