//! The relations of each entity.

use std::future::ready;

use serde_json::Value;

use crate::{
    Store,
    lists::{
        found::Found,
        inclusions::{IncludeFn, Related},
    },
};
use domain::{
    Address, AddressView, Audit, Child, ContactDetails, Details, Error, Lead, Resource, Result,
    Tenant,
};
use filter::Include;

impl Related for Lead {
    fn relation(name: &str) -> Option<IncludeFn<Self>> {
        Some(match name {
            "tenant" => |inclusions, found, with, allowance| {
                let id = |lead: &Self| lead.tenant_id;
                Box::pin(inclusions.one::<_, Tenant>(found, with, allowance, id))
            },
            "address" => |_, found, with, _| {
                let included =
                    include_address(found, with, |lead| (lead.address.as_ref(), &lead.audit));
                Box::pin(ready(included))
            },
            _ => return None,
        })
    }
}

impl Related for Tenant {
    fn relation(name: &str) -> Option<IncludeFn<Self>> {
        Some(match name {
            "contacts" => |inclusions, found, with, allowance| {
                let read = |store: Store, tenant: Self, limit| async move {
                    store.newest_children::<ContactDetails>(tenant.id, limit).await
                };
                Box::pin(inclusions.many(found, with, allowance, read))
            },
            "resources" => |inclusions, found, with, allowance| {
                let read = |store: Store, tenant: Self, limit| async move {
                    store.newest_resources(&tenant, limit).await
                };
                Box::pin(inclusions.many(found, with, allowance, read))
            },
            "lead" => |inclusions, found, with, allowance| {
                let id = |tenant: &Self| tenant.lead_id;
                Box::pin(inclusions.one::<_, Lead>(found, with, allowance, id))
            },
            "address" => |_, found, with, _| {
                let included =
                    include_address(found, with, |tenant| (tenant.address.as_ref(), &tenant.audit));
                Box::pin(ready(included))
            },
            _ => return None,
        })
    }
}

impl<D: Details> Related for Child<D> {
    fn relation(name: &str) -> Option<IncludeFn<Self>> {
        match name {
            "tenant" => Some(|inclusions, found, with, allowance| {
                let id = |child: &Self| Some(child.tenant_id);
                Box::pin(inclusions.one::<_, Tenant>(found, with, allowance, id))
            }),
            _ => None,
        }
    }
}

impl Related for Resource {
    fn relation(_: &str) -> Option<IncludeFn<Self>> {
        None
    }
}

/// Includes each entity's own address, or `null`.
fn include_address<E>(
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
