//! The handlers shared by all entities: lists, counts, reads and edits.

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use super::{
    Allowed, AllowedBoth, Attempt, Body, EntityTag, IfMatch, IfNoneMatch, Json, ListQuery, Once,
    PathIds, Reply, Result, Scope, entity_response, page_response,
};
use domain::{Edit, EntityOwner, Error, Permit, UserId};
use filter::{Filter, Where};
use lambda::{keys::MasterKeys, token::Bearer};
use store::{ListRequest, Listed, Store, Stored, Writable, retry_if_stale};

/// Maximum number of entities that one request changes.
const MOST_CHANGED: usize = 1000;

/// Number of entities that are written concurrently.
const AT_ONCE: usize = 16;

/// The number of entities that were found or changed.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Count {
    /// The number.
    pub count: u64,
}

/// Handles `GET /<entities>`: a page of a list, eventually consistent.
///
/// # Errors
///
/// The errors of [`Store::list`]; [`Error::IncludeNotAllowed`]; [`Error::BadParameter`] if the
/// cursor belongs to another list.
pub async fn list<E: Listed>(
    State(store): State<Store>,
    State(keys): State<MasterKeys>,
    Allowed { bearer, .. }: Allowed<E::View>,
    query: ListQuery<E>,
) -> Result<Response> {
    may_include(&bearer, &query.filter)?;
    let cursor = query.url.open(query.filter.cursor.as_ref(), &bearer, &keys)?;
    let request = ListRequest { filter: &query.filter, lead: bearer.lead(), cursor };
    let page = store.list::<E>(request).await?;
    page_response(&query.url, page, &bearer, &keys)
}

/// Handles `GET /<entities>/count`.
///
/// # Errors
///
/// Same as [`Store::count`].
pub async fn count<E: Listed>(
    State(store): State<Store>,
    Allowed { bearer, .. }: Allowed<E::View>,
    RawQuery(query): RawQuery,
) -> Result<Json<Count>> {
    let conditions = Where::from_query(&query.unwrap_or_default(), E::SCHEMA)?;
    let count = store.count::<E>(&conditions, bearer.lead()).await?;
    Ok(Json(Count { count }))
}

/// Handles `GET /<entities>/{id}`. An entity can be read as soon as it has been created. Without
/// `include` and `fields`, the answer depends on the version alone, so it has a tag.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such entity; [`Error::IncludeNotAllowed`];
/// [`Error::Forbidden`] if it belongs to another lead.
pub async fn view<E: Listed>(
    State(store): State<Store>,
    Allowed { bearer, .. }: Allowed<E::View>,
    known: IfNoneMatch,
    path: PathIds,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let filter = Filter::from_entity_query(&query.unwrap_or_default(), E::SCHEMA)?;
    may_include(&bearer, &filter)?;
    let (stored, owner) = E::for_display(&store, path.id()?).await?;
    bearer.may_act_on(owner.lead)?;
    complete(&store, stored, &filter, &known).await
}

/// Returns the answer with an entity and the relations that `filter` includes.
///
/// # Errors
///
/// The errors of [`Store::complete`].
pub async fn complete<E: Listed>(
    store: &Store,
    stored: Stored<E>,
    filter: &Filter,
    known: &IfNoneMatch,
) -> Result<Response> {
    let version = stored.version;
    let page = async || entity_response(store.complete(stored, filter).await?);
    if filter.is_plain() { known.answer(version, page).await } else { page().await }
}

/// Checks that the bearer may see everything that `filter` includes: each relation requires the
/// permission to view its entity, at any level. A lead may see everything that belongs to it.
///
/// # Errors
///
/// [`Error::IncludeNotAllowed`] if a permission is missing.
pub fn may_include(bearer: &Bearer, filter: &Filter) -> domain::Result<()> {
    let allowed = filter.views().all(|view| bearer.may_see(view));
    allowed.then_some(()).ok_or(Error::IncludeNotAllowed)
}

/// Handles `PATCH /<entities>/{id}`: omitted fields keep their values.
///
/// # Errors
///
/// Same as [`Edit::patch`] and [`Edit::apply`].
pub async fn update<E: Writable>(
    Allowed { bearer, .. }: Allowed<E::Update>,
    once: Once,
    expected: IfMatch,
    path: PathIds,
    body: Body,
) -> Result<Response> {
    edit(once, &bearer, &expected, &path, Edit::<E>::patch(&body.0)?).await
}

/// Handles `PUT /<entities>/{id}`: omitted optional fields are cleared.
///
/// # Errors
///
/// Same as [`Edit::put`] and [`Edit::apply`].
pub async fn replace<E: Writable>(
    Allowed { bearer, .. }: Allowed<E::Update>,
    once: Once,
    expected: IfMatch,
    path: PathIds,
    body: Body,
) -> Result<Response> {
    edit(once, &bearer, &expected, &path, Edit::<E>::put(&body.0)?).await
}

async fn edit<E: Writable>(
    once: Once,
    bearer: &Bearer,
    expected: &IfMatch,
    path: &PathIds,
    edit: Edit<E>,
) -> Result<Response> {
    let sees = bearer.may_see(<E::View as Permit>::CODES);
    let edit = if sees { edit } else { edit.without_view() };
    once.run(Scope::Bearer(bearer), |attempt| async move {
        let written = retry_if_stale(|| async {
            let (before, owner) = owned::<E>(&attempt.store, bearer, path).await?;
            expected.check(before.version)?;
            bearer.may_change(owner)?;
            let after = edit.apply(before.item.clone(), lambda::now(), &bearer.id)?;
            let reply = Reply::no_content().tagged(EntityTag(before.version + 1));
            E::write(&attempt.recording(&reply), &before, &after).await?;
            Ok(reply)
        });
        Ok(written.await?)
    })
    .await
}

/// Handles `PATCH /<entities>?where=`: the same edit for every match. The edit is validated for all
/// entities before the first is written; writes are then applied one by one. `where` is required,
/// `{}` for all, and other parameters are refused. The number of matches reveals data, so the caller
/// must also be allowed to view the entities.
///
/// # Errors
///
/// [`Error::BadParameter`] without `where`; [`Error::PreconditionInvalid`] with `If-Match`, because
/// each entity has its own version; [`Error::FilterTooBroad`] for more than 1,000 entities;
/// otherwise the same as [`update`].
pub async fn update_all<E: Writable>(
    AllowedBoth { bearer, .. }: AllowedBoth<E::Update, E::View>,
    once: Once,
    expected: IfMatch,
    RawQuery(query): RawQuery,
    body: Body,
) -> Result<Response> {
    expected.must_be_absent()?;
    let edit = Edit::<E>::patch(&body.0)?;
    let conditions = Where::from_update_query(&query.unwrap_or_default(), E::SCHEMA)?;
    let (edit, conditions, bearer) = (&edit, &conditions, &bearer);
    // The answer is recorded behind the last write. Repeated after a stop before it, the same values
    // are set again.
    once.run(Scope::Bearer(bearer), |Attempt { store, .. }| async move {
        let (found, owner) = store.find::<E>(conditions, bearer.lead()).await?;
        bearer.may_change(owner)?;
        let edits = decide(edit, found, &bearer.id)?;
        let written = stream::iter(edits)
            .map(|before| write_if_matching(&store, before, edit, conditions, &bearer.id));
        let written: Vec<bool> = written.buffer_unordered(AT_ONCE).try_collect().await?;
        let count = written.into_iter().filter(|written| *written).count();
        let count = u64::try_from(count).map_err(Error::internal("counting"))?;
        Ok(Reply::json(&Count { count })?)
    })
    .await
}

/// Returns the entities to change, after validating the edit for all of them.
fn decide<E: Writable>(
    edit: &Edit<E>,
    found: Vec<Stored<E>>,
    by: &UserId,
) -> domain::Result<Vec<Stored<E>>> {
    if found.len() > MOST_CHANGED {
        let rule = "The filter matches more than 1,000 entities. Narrow `where`.";
        return Err(Error::FilterTooBroad(rule));
    }
    for before in &found {
        let after = edit.apply(before.item.clone(), lambda::now(), by)?;
        if found.len() > 1 && E::claims_new_value(&before.item, &after) {
            return Err(Error::UniqueFieldInBulk);
        }
    }
    Ok(found)
}

/// Writes the edit of one entity in a bulk update, unless the entity no longer matches
/// `conditions`.
async fn write_if_matching<E: Writable>(
    store: &Store,
    found: Stored<E>,
    edit: &Edit<E>,
    conditions: &Where,
    by: &UserId,
) -> domain::Result<bool> {
    let id = found.item.id();
    let mut latest = Some(found);
    retry_if_stale(|| {
        let known = latest.take();
        async move {
            let before = match known {
                Some(before) => Some(before),
                None => E::by_ids(store, vec![id]).await?.pop(),
            };
            let Some(before) = before else { return Ok(false) };
            if !conditions.matches(&before.item.wire()?) {
                return Ok(false);
            }
            let after = edit.apply(before.item.clone(), lambda::now(), by)?;
            E::write(store, &before, &after).await.map(|()| true)
        }
    })
    .await
}

/// Returns the entity in the path, and its owner, if the bearer may act on it.
async fn owned<E: Listed>(
    store: &Store,
    bearer: &Bearer,
    path: &PathIds,
) -> domain::Result<(Stored<E>, EntityOwner)> {
    let (stored, owner) = E::one(store, path.id()?).await?;
    bearer.may_act_on(owner.lead)?;
    Ok((stored, owner))
}
