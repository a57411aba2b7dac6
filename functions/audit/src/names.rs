//! The names of operators. They are personal, so entries have only IDs; the names are those of now.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Error, Operator, OperatorId, Permission, Result, permit};
use lambda::token::Bearer;
use serde_json::{Map, Value, value::to_raw_value};
use store::{ById, Page, Store};

type Entry = Map<String, Value>;

/// Adds `actor.name` to the entries of operators that have signed in, if the bearer may view
/// operators.
pub(crate) async fn named(page: Page, store: &Store, bearer: &Bearer) -> Result<Page> {
    if bearer.must_have_one(Permission::granting::<permit::ViewOperator>()).is_err() {
        return Ok(page);
    }
    let read = page.items.iter().map(|item| serde_json::from_str(item.get()));
    let entries: serde_json::Result<Vec<Entry>> = read.collect();
    let mut entries = entries.map_err(Error::internal("reading an entry"))?;
    let ids: BTreeSet<_> = entries.iter().filter_map(operator).collect();
    if ids.is_empty() {
        return Ok(page);
    }
    let operators = Operator::by_ids(store, ids.into_iter().collect()).await?;
    let names: BTreeMap<_, _> =
        operators.into_iter().map(|found| (found.item.id, found.item.profile.name)).collect();
    for entry in &mut entries {
        if let Some(name) = operator(entry).and_then(|id| names.get(&id))
            && let Some(Value::Object(actor)) = entry.get_mut("actor")
        {
            actor.insert("name".to_owned(), name.as_str().into());
        }
    }
    let items: serde_json::Result<_> = entries.iter().map(to_raw_value).collect();
    Ok(Page { items: items.map_err(Error::internal("writing an entry"))?, ..page })
}

/// Returns the operator that made a change, also by signing in or with an exchanged token. IDs of
/// leads have a time, and those of hand-signed tokens may have another form.
fn operator(entry: &Entry) -> Option<OperatorId> {
    let id: OperatorId = entry.get("actor")?["id"].as_str()?.parse().ok()?;
    Some(id).filter(|id| id.created_at().is_none())
}
