//! Finds tenants and leads by words.
//!
//! Each word of an entity is an item, sorted by word. So the entities with a word that starts with
//! some letters are one range of one partition. The items only lead to entities. A search reads the
//! entities and checks them again, so an item that is behind its entity shows nothing wrong.

pub(crate) mod change;
pub(crate) mod find;
mod item;
pub(crate) mod rebuild;
