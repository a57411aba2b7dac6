use std::future::Future;

use crate::{Store, table::item::Stored};
use domain::{EntityId, Result};

/// An entity that the store can read by its ID.
pub trait ById: Sized {
    /// The type of the entity's ID.
    type Id: EntityId;

    /// Returns the entity's ID.
    fn id(&self) -> Self::Id;

    /// Returns the entities with these IDs, strongly consistent. Pass few IDs, because all entities
    /// are held in memory.
    fn by_ids(
        store: &Store,
        ids: Vec<Self::Id>,
    ) -> impl Future<Output = Result<Vec<Stored<Self>>>> + Send;
}
