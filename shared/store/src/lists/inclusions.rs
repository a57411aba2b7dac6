use std::{
    collections::{BTreeSet, HashMap, HashSet},
    future::Future,
    pin::{Pin, pin},
};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use crate::{
    Store,
    lists::{
        by_id::ById,
        found::Found,
        newest::{Newest, ReadLimit},
        page_items::{PAGE_BYTES, serialized_size},
        read_budget::MOST_READ,
    },
    table::read::BATCH,
};
use domain::{Entity, Error, Result};
use filter::{Fields, Filter, Include, Order, Wire};

/// Number of tenants whose children are read concurrently.
const AT_ONCE: usize = 16;

/// Maximum number of items of one relation of one entity.
const MOST_RELATED: usize = 1000;

/// Maximum number of bytes of one relation of one entity, counted like [`PAGE_BYTES`].
const RELATION_BYTES: usize = 1_000_000;

/// A page ends after this number of reads for inclusions.
const MOST_READS: usize = 250;

/// An entity with relations that can be included.
pub trait Related: Sized {
    /// Returns the function that includes the relation with this name, or `None` if the entity has
    /// no such relation.
    fn relation(name: &str) -> Option<IncludeFn<Self>>;
}

/// Includes a relation in each of the entities. If the inclusions exceed the allowance, entities
/// are dropped from the end; the first one always stays.
pub type IncludeFn<E> = for<'a> fn(
    &'a mut Inclusions,
    &'a mut Vec<Found<E>>,
    &'a Include,
    Allowance,
) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// Maximum size of inclusions.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// For one relation in all entities together, in bytes.
    all: usize,
    /// For one to-many relation in one entity, in bytes.
    each: usize,
}

impl Allowance {
    /// For the entities of a page.
    pub(crate) const OF_A_PAGE: Self = Self { all: PAGE_BYTES, each: RELATION_BYTES };

    /// Returns the allowance for nested inclusions.
    fn within(self) -> Self {
        Self { all: self.each, each: self.each / 4 }
    }
}

/// Reads the inclusions of one request.
#[derive(Debug)]
pub struct Inclusions {
    store: Store,
    reads: usize,
    /// The path of relations to the one being read.
    path: Vec<&'static str>,
    truncated: BTreeSet<String>,
}

impl Inclusions {
    /// Starts the inclusions of a request.
    pub(crate) fn new(store: &Store) -> Self {
        Self { store: store.clone(), reads: 0, path: Vec::new(), truncated: BTreeSet::new() }
    }

    /// Whether the request has used up its reads for inclusions.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.reads >= MOST_READS
    }

    /// Returns the to-many relations that are incomplete in some entity, such as `tenant.contacts`.
    pub(crate) fn into_truncated(self) -> BTreeSet<String> {
        self.truncated
    }

    /// Includes all requested relations in each of `found`. If they exceed `allowance`,
    /// entities are dropped from the end of `found`; the first one always stays.
    pub(crate) async fn include<E: Related>(
        &mut self,
        found: &mut Vec<Found<E>>,
        includes: &[Include],
        allowance: Allowance,
    ) -> Result<()> {
        if found.is_empty() {
            return Ok(());
        }
        for with in includes {
            self.path.push(with.relation);
            let include = E::relation(with.relation).ok_or_else(|| no_relation(with.relation))?;
            include(self, found, with, allowance).await?;
            self.path.pop();
        }
        Ok(())
    }

    /// Includes a to-one relation by its ID, or `null`. Each related entity is read once.
    pub(crate) async fn one<E, R: ById + Entity + Related>(
        &mut self,
        found: &mut Vec<Found<E>>,
        with: &Include,
        allowance: Allowance,
        id_of: impl Fn(&E) -> Option<R::Id>,
    ) -> Result<()> {
        let everything = Filter::default();
        let scope = with.scope.as_ref().unwrap_or(&everything);
        let mut known = HashSet::new();
        let ids = found.iter().filter_map(|each| id_of(&each.stored.item));
        // In order of use: if the last IDs are left out, only the last of `found` are affected.
        let ids: Vec<R::Id> = ids.filter(|id| known.insert(*id)).collect();
        self.reads += ids.len().div_ceil(BATCH);
        let mut related: HashMap<String, Found<R>> = HashMap::new();
        for stored in R::by_ids(&self.store, ids.clone()).await? {
            let found = Found::of(stored)?;
            if scope.conditions.matches(&found.wire) {
                related.insert(found.stored.item.id().to_string(), found);
            }
        }
        let mut related: Vec<_> =
            ids.iter().filter_map(|id| related.remove(&id.to_string())).collect();
        let read: HashSet<_> = related.iter().map(|each| each.stored.item.id()).collect();
        self.include(&mut related, &scope.include, allowance).await?;
        let mut finished = HashMap::new();
        for Found { stored, mut wire } in related {
            scope.fields.apply(&mut wire);
            let bytes = serialized_size(&Wire::new(R::SCHEMA, &wire))?;
            finished.insert(stored.item.id().to_string(), (wire, bytes));
        }
        let (mut all, mut kept) = (0, 0);
        for each in found.iter_mut() {
            let id = id_of(&each.stored.item).filter(|id| read.contains(id));
            let one = id.map(|id| finished.get(&id.to_string()));
            all += one.flatten().map_or(0, |(_, bytes)| *bytes);
            if one == Some(None) || (all > allowance.all && kept > 0) {
                break;
            }
            let wire = one.flatten().map(|(wire, _)| wire);
            each.wire.insert(with.relation.to_owned(), json!(wire));
            kept += 1;
        }
        found.truncate(kept);
        Ok(())
    }

    /// Includes a to-many relation.
    pub(crate) async fn many<E: Clone, R, F>(
        &mut self,
        found: &mut Vec<Found<E>>,
        with: &Include,
        allowance: Allowance,
        read: impl Fn(Store, E, ReadLimit) -> F,
    ) -> Result<()>
    where
        R: Entity + Related + Send,
        F: Future<Output = Result<Newest<R>>> + Send,
    {
        let everything = Filter::default();
        let scope = with.scope.as_ref().unwrap_or(&everything);
        let limit = limit(scope, allowance);
        let reads = found.iter().map(|e| read(self.store.clone(), e.stored.item.clone(), limit));
        let mut reads = pin!(stream::iter(reads.collect::<Vec<_>>()).buffered(AT_ONCE));
        let (mut all, mut kept) = (0, 0);
        for each in found.iter_mut() {
            if kept > 0 && self.is_exhausted() {
                break;
            }
            let Some(newest) = reads.next().await.transpose()? else { break };
            let (list, bytes, complete) = self.listed(newest, scope, allowance).await?;
            all += bytes;
            if all > allowance.all && kept > 0 {
                break;
            }
            if !complete {
                self.truncated.insert(self.path.join("."));
            }
            each.wire.insert(with.relation.to_owned(), list.into());
            kept += 1;
        }
        found.truncate(kept);
        Ok(())
    }

    /// Selects from `newest` by the scope of an inclusion and adds nested inclusions. Returns the
    /// list, its size in bytes, and whether it is complete.
    async fn listed<R: Entity + Related>(
        &mut self,
        newest: Newest<R>,
        scope: &Filter,
        allowance: Allowance,
    ) -> Result<(Vec<Value>, usize, bool)> {
        self.reads += newest.reads;
        let mut found = scope.select(newest.found);
        let full = scope.limit.is_some_and(|limit| found.len() == usize::from(limit));
        let mut complete = newest.complete || (full && is_newest_first(scope));
        let offered = found.len();
        found.truncate(MOST_RELATED);
        self.include(&mut found, &scope.include, allowance.within()).await?;
        complete &= found.len() == offered;
        let (mut list, mut bytes) = (Vec::new(), 0);
        for Found { mut wire, .. } in found {
            scope.fields.apply(&mut wire);
            // Plus one for the comma.
            let next = bytes + serialized_size(&Wire::new(R::SCHEMA, &wire))? + 1;
            if next > allowance.each {
                complete = false;
                break;
            }
            bytes = next;
            list.push(Value::Object(wire));
        }
        Ok((list, bytes, complete))
    }
}

/// Returns the error for a relation that is in the schema but not implemented.
fn no_relation(name: &str) -> Error {
    Error::internal("including a relation")(format!("the relation {name} is not implemented"))
}

/// Returns how much of a relation has to be read for `scope`.
fn limit(scope: &Filter, allowance: Allowance) -> ReadLimit {
    if !is_newest_first(scope) {
        return ReadLimit { items: MOST_READ, bytes: PAGE_BYTES };
    }
    let wanted = scope.limit.map_or(MOST_RELATED, usize::from);
    let items = wanted.saturating_add(scope.skipped()).min(MOST_READ);
    let uncut = scope.skip == 0 && scope.fields == Fields::default();
    let bytes = if uncut { 2 * allowance.each } else { PAGE_BYTES };
    ReadLimit { items, bytes }
}

/// Whether `scope` asks for the newest entities without conditions.
fn is_newest_first(scope: &Filter) -> bool {
    scope.conditions.is_everything() && scope.order == Order::newest_first()
}
