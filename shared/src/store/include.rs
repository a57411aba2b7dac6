use std::{
    collections::{HashMap, HashSet},
    pin::Pin,
};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Map, Value, json};

use super::{Listed, Store, Stored, list::Found};
use crate::{
    Error, Result,
    domain::{
        Address, AddressView, Audit, Child, ContactDetails, Details, Entity, Lead, Resource, Tenant,
    },
    filter::{Filter, Include},
};

/// Something that is being included.
type Included<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// How many tenants' children are read at a time.
const AT_ONCE: usize = 16;

/// An entity that others are included in: the relations of its schema, and how each is read.
pub trait Related: Sized {
    /// Includes in each of `found` what `with` names.
    fn relate<'a>(
        store: &'a Store,
        found: &'a mut [Found<Self>],
        with: &'a Include,
    ) -> Included<'a>;
}

/// Includes in each of `found` all that is asked for.
pub(super) async fn include<E: Related>(
    store: &Store,
    found: &mut [Found<E>],
    includes: &[Include],
) -> Result<()> {
    for with in includes {
        E::relate(store, found, with).await?;
    }
    Ok(())
}

impl Related for Lead {
    fn relate<'a>(
        store: &'a Store,
        found: &'a mut [Found<Self>],
        with: &'a Include,
    ) -> Included<'a> {
        Box::pin(async move {
            match with.relation {
                "tenant" => one::<_, Tenant>(store, found, with, |lead| lead.tenant_id).await,
                "address" => address(found, with, |lead| (lead.address.as_ref(), &lead.audit)),
                other => Err(no_relation(other)),
            }
        })
    }
}

impl Related for Tenant {
    fn relate<'a>(
        store: &'a Store,
        found: &'a mut [Found<Self>],
        with: &'a Include,
    ) -> Included<'a> {
        Box::pin(async move {
            match with.relation {
                "contacts" => {
                    many(store, found, with, |store, tenant: Tenant| async move {
                        store.children_of_living::<ContactDetails>(tenant.id).await
                    })
                    .await
                }
                "resources" => {
                    many(store, found, with, |store, tenant: Tenant| async move {
                        store.resources_of(tenant.id).await
                    })
                    .await
                }
                "lead" => one::<_, Lead>(store, found, with, |tenant| tenant.lead_id).await,
                "address" => {
                    address(found, with, |tenant| (tenant.address.as_ref(), &tenant.audit))
                }
                other => Err(no_relation(other)),
            }
        })
    }
}

impl<D: Details> Related for Child<D> {
    fn relate<'a>(
        store: &'a Store,
        found: &'a mut [Found<Self>],
        with: &'a Include,
    ) -> Included<'a> {
        Box::pin(async move {
            match with.relation {
                "tenant" => {
                    one::<_, Tenant>(store, found, with, |child| Some(child.tenant_id)).await
                }
                other => Err(no_relation(other)),
            }
        })
    }
}

impl Related for Resource {
    fn relate<'a>(_: &'a Store, _: &'a mut [Found<Self>], with: &'a Include) -> Included<'a> {
        Box::pin(async move { Err(no_relation(with.relation)) })
    }
}

/// Includes the one that each refers to by its id, or `null`; each is read once.
async fn one<E, R: Listed>(
    store: &Store,
    found: &mut [Found<E>],
    with: &Include,
    id_of: impl Fn(&E) -> Option<R::Id>,
) -> Result<()> {
    let ids: HashSet<R::Id> = found.iter().filter_map(|each| id_of(&each.stored.item)).collect();
    let related = R::by_ids(store, ids.into_iter().collect()).await?;
    let by_id: HashMap<String, Map<String, Value>> =
        scoped(store, related, with.scope.as_ref()).await?.into_iter().collect();
    for each in found {
        let id = id_of(&each.stored.item).map(|id| id.to_string());
        let related = id.and_then(|id| by_id.get(&id).cloned());
        each.wire.insert(with.relation.to_owned(), json!(related));
    }
    Ok(())
}

/// Includes the many that belong to each.
async fn many<E: Clone, R, F>(
    store: &Store,
    found: &mut [Found<E>],
    with: &Include,
    read: impl Fn(Store, E) -> F,
) -> Result<()>
where
    R: Entity + Related + Send,
    F: Future<Output = Result<Vec<Stored<R>>>> + Send,
{
    let each = found.iter().map(|each| read(store.clone(), each.stored.item.clone()));
    let all: Vec<Vec<Stored<R>>> =
        stream::iter(each.collect::<Vec<_>>()).buffered(AT_ONCE).try_collect().await?;
    for (each, related) in found.iter_mut().zip(all) {
        let related = scoped(store, related, with.scope.as_ref()).await?;
        let related: Vec<_> = related.into_iter().map(|(_, wire)| wire).collect();
        each.wire.insert(with.relation.to_owned(), json!(related));
    }
    Ok(())
}

/// Includes the address that is within each, or `null`.
fn address<E>(
    found: &mut [Found<E>],
    with: &Include,
    part: impl Fn(&E) -> (Option<&Address>, &Audit),
) -> Result<()> {
    for each in found {
        let (address, audit) = part(&each.stored.item);
        let view = address.map(|address| AddressView::new(address, audit));
        let mut wire = serde_json::to_value(view).map_err(Error::aws("writing an address"))?;
        if let (Some(scope), Value::Object(members)) = (&with.scope, &mut wire) {
            if scope.conditions.matches(members) {
                scope.fields.cut(members);
            } else {
                wire = Value::Null;
            }
        }
        each.wire.insert(with.relation.to_owned(), wire);
    }
    Ok(())
}

/// Those of `related` that the scope of an inclusion asks for, by their ids, with what it includes.
async fn scoped<R: Entity + Related>(
    store: &Store,
    related: Vec<Stored<R>>,
    scope: Option<&Filter>,
) -> Result<Vec<(String, Map<String, Value>)>> {
    let everything = Filter::default();
    let scope = scope.unwrap_or(&everything);
    let related = related.into_iter().map(Found::of).collect::<Result<Vec<_>>>()?;
    let mut found = scope.select(related);
    include(store, &mut found, &scope.include).await?;
    let finished = found.into_iter().map(|Found { mut wire, .. }| {
        let id = wire.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        scope.fields.cut(&mut wire);
        (id, wire)
    });
    Ok(finished.collect())
}

/// The schema names a relation that its entity does not know how to read.
fn no_relation(name: &str) -> Error {
    Error::aws("including a relation")(format!("there is no way to read {name}"))
}
