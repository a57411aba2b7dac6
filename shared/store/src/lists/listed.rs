use std::future::Future;

use crate::{
    Store,
    counters::TOTAL,
    lists::{by_id::ById, found::Found, inclusions::Related},
    table::{
        index::Partition,
        item::{Item, Stored},
    },
};
use domain::{Editable, Entity, EntityOwner, LeadId, Result};
use filter::Where;

/// An entity that the store can list, filter and count.
///
/// DynamoDB narrows the read in this order: by ID, by another key of the entity (a tenant, a key),
/// by a partition of an index. All other conditions are evaluated in memory.
pub trait Listed: ById + Entity + Item + Related + Clone + Send + Sync + 'static {
    /// Returns the entities found by a key other than the ID (tenant, key), strongly consistent.
    /// Returns `None` if `conditions` name no such key.
    fn by_other_key(
        store: &Store,
        conditions: &Where,
    ) -> impl Future<Output = Result<Option<Vec<Found<Self>>>>> + Send;

    /// Returns the entity with this ID and its owner, strongly consistent.
    fn one(
        store: &Store,
        id: Self::Id,
    ) -> impl Future<Output = Result<(Stored<Self>, EntityOwner)>> + Send;

    /// Returns the entity with this ID and its owner, for display only. May be cached; use
    /// [`Listed::one`] before a write.
    fn for_display(
        store: &Store,
        id: Self::Id,
    ) -> impl Future<Output = Result<(Stored<Self>, EntityOwner)>> + Send {
        Self::one(store, id)
    }

    /// Returns the entities of a lead, and their common owner. Entities that do not match `conditions`
    /// may be left out.
    fn of_lead(
        store: &Store,
        lead: LeadId,
        conditions: &Where,
    ) -> impl Future<Output = Result<(Vec<Found<Self>>, EntityOwner)>> + Send;

    /// Returns the partition of an index that contains every match of `conditions`.
    fn partition(conditions: &Where) -> Partition;

    /// Returns the name of the counter that holds the number of matches, or `None` if no counter
    /// does.
    fn counter_name(conditions: &Where) -> Option<String> {
        conditions.is_everything().then(|| TOTAL.to_owned())
    }
}

/// A [`Listed`] entity that clients can change.
pub trait Writable: Listed + Editable {
    /// Replaces `before` with `after`. Fails with [`Error::Stale`](domain::Error::Stale) if the
    /// entity has changed in the meantime.
    fn write(
        store: &Store,
        before: &Stored<Self>,
        after: &Self,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Whether `after` claims a unique value that `before` did not.
    fn claims_new_value(before: &Self, after: &Self) -> bool;
}
