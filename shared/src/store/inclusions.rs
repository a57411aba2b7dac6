use std::{
    collections::{BTreeSet, HashMap, HashSet},
    pin::pin,
};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::{
    BATCH, Listed, Related, Store,
    list::Found,
    newest::{Enough, Newest},
    seen::MOST_READ,
};
use crate::{
    Result,
    answer::{self, PAGE_BYTES},
    domain::Entity,
    filter::{Fields, Filter, Include, Order, Wire},
};

/// How many tenants' children are read at a time.
const AT_ONCE: usize = 16;

/// The most items of one relation of one entity.
const MOST_RELATED: usize = 1000;

/// The most bytes of one relation of one entity, counted as [`PAGE_BYTES`] are.
const RELATION_BYTES: usize = 1_000_000;

/// After so many reads for inclusions a page ends.
const MOST_READS: usize = 250;

/// How much may be included.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// By one relation, in all entities together, in bytes.
    all: usize,
    /// By one relation of many, in one entity, in bytes.
    each: usize,
}

impl Allowance {
    /// In the entities of a page.
    pub(super) const OF_A_PAGE: Self = Self { all: PAGE_BYTES, each: RELATION_BYTES };

    /// In the entities that are themselves included in one.
    fn within(self) -> Self {
        Self { all: self.each, each: self.each / 4 }
    }
}

/// The inclusions of one request.
#[derive(Debug)]
pub struct Inclusions {
    store: Store,
    reads: usize,
    /// The relations that lead to what is being read.
    path: Vec<&'static str>,
    cut: BTreeSet<String>,
}

impl Inclusions {
    /// Returns those of a request that has included nothing yet.
    pub(super) fn new(store: &Store) -> Self {
        Self { store: store.clone(), reads: 0, path: Vec::new(), cut: BTreeSet::new() }
    }

    /// Returns whether the request has read as often for inclusions as it may.
    pub(super) fn are_spent(&self) -> bool {
        self.reads >= MOST_READS
    }

    /// Returns the relations of many that are not whole somewhere, as `tenant.contacts`.
    pub(super) fn into_cut(self) -> BTreeSet<String> {
        self.cut
    }

    /// Includes in each of `found` all that is asked for, as [`Related::relate`].
    pub(super) async fn include<E: Related>(
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
            E::relate(self, found, with, allowance).await?;
            self.path.pop();
        }
        Ok(())
    }

    /// Includes the one that each refers to by its id, or `null`; each is read once.
    pub(super) async fn one<E, R: Listed>(
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
        // In the order of their use: if the last of them are left out, so are the last of `found`.
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
            scope.fields.cut(&mut wire);
            let bytes = answer::size(&Wire::new(R::SCHEMA, &wire))?;
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

    /// Includes the many that belong to each.
    pub(super) async fn many<E: Clone, R, F>(
        &mut self,
        found: &mut Vec<Found<E>>,
        with: &Include,
        allowance: Allowance,
        read: impl Fn(Store, E, Enough) -> F,
    ) -> Result<()>
    where
        R: Entity + Related + Send,
        F: Future<Output = Result<Newest<R>>> + Send,
    {
        let everything = Filter::default();
        let scope = with.scope.as_ref().unwrap_or(&everything);
        let enough = enough(scope, allowance);
        let reads = found.iter().map(|e| read(self.store.clone(), e.stored.item.clone(), enough));
        let mut reads = pin!(stream::iter(reads.collect::<Vec<_>>()).buffered(AT_ONCE));
        let (mut all, mut kept) = (0, 0);
        for each in found.iter_mut() {
            if kept > 0 && self.are_spent() {
                break;
            }
            let Some(newest) = reads.next().await.transpose()? else { break };
            let (list, bytes, whole) = self.listed(newest, scope, allowance).await?;
            all += bytes;
            if all > allowance.all && kept > 0 {
                break;
            }
            if !whole {
                self.cut.insert(self.path.join("."));
            }
            each.wire.insert(with.relation.to_owned(), list.into());
            kept += 1;
        }
        found.truncate(kept);
        Ok(())
    }

    /// Returns those of `newest` that the scope of an inclusion asks for with what it includes, how
    /// many bytes they take, and whether none is missing.
    async fn listed<R: Entity + Related>(
        &mut self,
        newest: Newest<R>,
        scope: &Filter,
        allowance: Allowance,
    ) -> Result<(Vec<Value>, usize, bool)> {
        self.reads += newest.reads;
        let mut found = scope.select(newest.found);
        let full = scope.limit.is_some_and(|limit| found.len() == usize::from(limit));
        let mut whole = newest.whole || (full && is_newest_first(scope));
        let offered = found.len();
        found.truncate(MOST_RELATED);
        self.include(&mut found, &scope.include, allowance.within()).await?;
        whole &= found.len() == offered;
        let (mut list, mut bytes) = (Vec::new(), 0);
        for Found { mut wire, .. } in found {
            scope.fields.cut(&mut wire);
            // The comma.
            let next = bytes + answer::size(&Wire::new(R::SCHEMA, &wire))? + 1;
            if next > allowance.each {
                whole = false;
                break;
            }
            bytes = next;
            list.push(Value::Object(wire));
        }
        Ok((list, bytes, whole))
    }
}

/// Returns how much of a relation has to be read for `scope`.
fn enough(scope: &Filter, allowance: Allowance) -> Enough {
    if !is_newest_first(scope) {
        return Enough { items: MOST_READ, bytes: PAGE_BYTES };
    }
    let wanted = scope.limit.map_or(MOST_RELATED, usize::from);
    let items = wanted.saturating_add(scope.skipped()).min(MOST_READ);
    let uncut = scope.skip == 0 && scope.fields == Fields::default();
    let bytes = if uncut { 2 * allowance.each } else { PAGE_BYTES };
    Enough { items, bytes }
}

/// Whether `scope` asks for the newest, whatever they hold.
fn is_newest_first(scope: &Filter) -> bool {
    scope.conditions.is_everything() && scope.order == Order::newest_first()
}
