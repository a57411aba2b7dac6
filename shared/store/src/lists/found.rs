use serde_json::{Map, Value};

use crate::table::item::Stored;
use domain::{Entity, Result};
use filter::WireEntity;

/// An entity that was found, with its wire format.
#[derive(Clone, Debug)]
pub struct Found<E> {
    /// The entity as stored.
    pub stored: Stored<E>,
    /// The entity in wire format.
    pub wire: Map<String, Value>,
}

impl<E> WireEntity for Found<E> {
    fn members(&self) -> &Map<String, Value> {
        &self.wire
    }
}

impl<E: Entity> Found<E> {
    pub(crate) fn of(stored: Stored<E>) -> Result<Self> {
        Ok(Self { wire: stored.item.wire()?, stored })
    }

    /// Adds the wire format to each stored entity.
    pub(crate) fn all(stored: Vec<Stored<E>>) -> Result<Vec<Self>> {
        stored.into_iter().map(Self::of).collect()
    }
}
