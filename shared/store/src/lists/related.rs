use std::{future::Future, pin::Pin};

use serde_json::Value;

use crate::{
    Store,
    lists::{
        found::Found,
        inclusions::{Allowance, Inclusions},
    },
};
use domain::{
    Address, AddressView, Audit, Child, ContactDetails, Details, Error, Lead, Resource, Result,
    Tenant,
};
use filter::Include;

/// The future that reads an inclusion.
type Included<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// An entity with relations that can be included.
pub trait Related: Sized {
    /// Includes the relation `with` in each of `found`. If the inclusions exceed `allowance`,
    /// entities are dropped from the end of `found`; the first one always stays.
    fn relate<'a>(
        inclusions: &'a mut Inclusions,
        found: &'a mut Vec<Found<Self>>,
        with: &'a Include,
        allowance: Allowance,
    ) -> Included<'a>;
}

impl Related for Lead {
    fn relate<'a>(
        inclusions: &'a mut Inclusions,
        found: &'a mut Vec<Found<Self>>,
        with: &'a Include,
        allowance: Allowance,
    ) -> Included<'a> {
        Box::pin(async move {
            match with.relation {
                "tenant" => {
                    let id = |lead: &Self| lead.tenant_id;
                    inclusions.one::<_, Tenant>(found, with, allowance, id).await
                }
                "address" => address(found, with, |lead| (lead.address.as_ref(), &lead.audit)),
                other => Err(no_relation(other)),
            }
        })
    }
}

impl Related for Tenant {
    fn relate<'a>(
        inclusions: &'a mut Inclusions,
        found: &'a mut Vec<Found<Self>>,
        with: &'a Include,
        allowance: Allowance,
    ) -> Included<'a> {
        Box::pin(async move {
            match with.relation {
                "contacts" => {
                    let read = |store: Store, tenant: Self, limit| async move {
                        store.newest_children::<ContactDetails>(tenant.id, limit).await
                    };
                    inclusions.many(found, with, allowance, read).await
                }
                "resources" => {
                    let read = |store: Store, tenant: Self, limit| async move {
                        store.newest_resources(&tenant, limit).await
                    };
                    inclusions.many(found, with, allowance, read).await
                }
                "lead" => {
                    let id = |tenant: &Self| tenant.lead_id;
                    inclusions.one::<_, Lead>(found, with, allowance, id).await
                }
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
        inclusions: &'a mut Inclusions,
        found: &'a mut Vec<Found<Self>>,
        with: &'a Include,
        allowance: Allowance,
    ) -> Included<'a> {
        Box::pin(async move {
            match with.relation {
                "tenant" => {
                    let id = |child: &Self| Some(child.tenant_id);
                    inclusions.one::<_, Tenant>(found, with, allowance, id).await
                }
                other => Err(no_relation(other)),
            }
        })
    }
}

impl Related for Resource {
    fn relate<'a>(
        _: &'a mut Inclusions,
        _: &'a mut Vec<Found<Self>>,
        with: &'a Include,
        _: Allowance,
    ) -> Included<'a> {
        Box::pin(async move { Err(no_relation(with.relation)) })
    }
}

/// Includes each entity's own address, or `null`.
fn address<E>(
    found: &mut [Found<E>],
    with: &Include,
    part: impl Fn(&E) -> (Option<&Address>, &Audit),
) -> Result<()> {
    for each in found {
        let (address, audit) = part(&each.stored.item);
        let view = address.map(|address| AddressView::new(address, audit));
        let mut wire = serde_json::to_value(view).map_err(Error::internal("writing an address"))?;
        if let (Some(scope), Value::Object(members)) = (&with.scope, &mut wire) {
            if scope.conditions.matches(members) {
                scope.fields.apply(members);
            } else {
                wire = Value::Null;
            }
        }
        each.wire.insert(with.relation.to_owned(), wire);
    }
    Ok(())
}

/// Returns the error for a relation that is in the schema but not implemented.
fn no_relation(name: &str) -> Error {
    Error::internal("including a relation")(format!("the relation {name} is not implemented"))
}
