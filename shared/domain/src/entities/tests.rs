use std::collections::BTreeSet;

use filter::Filter;
use schema::{Timestamp, read};
use serde_json::json;

use super::*;
use crate::{AddressView, LeadView, NewLead, NewResource, NewTenant, TenantView, UserId};

#[test]
fn every_schema_has_an_id_and_a_creation_time() {
    for schema in [&LEAD, &TENANT, &CONTACT, &INVOICE, &TENANT_CONFIG, &RESOURCE, &ADDRESS] {
        Filter::from_query("filter[where][createdOn][exists]=true&filter[fields][]=id", schema)
            .unwrap();
    }
    let tenants = "filter[include][0]=contacts&filter[where][domains][contains]=acme.test";
    Filter::from_query(tenants, &TENANT).unwrap();
    Filter::from_query("filter[where][amount][gt]=0.1", &INVOICE).unwrap();
}

/// Returns the names of the members of `entity` except its relations.
fn members(entity: &impl serde::Serialize, schema: &Schema) -> BTreeSet<String> {
    let entity = serde_json::to_value(entity).unwrap();
    let related = |name: &str| schema.relations.iter().any(|relation| relation.name == name);
    entity.as_object().unwrap().keys().filter(|name| !related(name)).cloned().collect()
}

#[test]
fn schemas_list_exactly_the_members_on_the_wire() {
    let known = |schema: &Schema| -> BTreeSet<String> {
        schema.properties.iter().map(|(name, _)| (*name).to_owned()).collect()
    };
    let (now, by) = (Timestamp::from_millis(0), UserId::from("ada"));
    let address = json!({ "city": "Ulm" });
    let lead = json!({ "firstName": "Ada", "lastName": "L", "companyName": "Acme",
                       "email": "ada@acme.test", "address": address });
    let lead = read::<NewLead>(&lead).unwrap().into_lead(now, &by, None);
    let tenant = json!({ "key": "acme", "name": "Acme", "domains": ["acme.test"], "city": "Ulm",
                         "contact": { "firstName": "Ada", "lastName": "L",
                                      "email": "ada@acme.test", "isPrimary": true } });
    let onboarding = read::<NewTenant>(&tenant).unwrap().onboard(now, &by).unwrap();
    let resource = json!({ "type": "bucket", "externalIdentifier": "b" });
    let resource =
        read::<NewResource>(&resource).unwrap().to_resource(onboarding.tenant.id, 1, now, &by);
    let address = onboarding.tenant.address.clone().unwrap();
    let address = AddressView::new(&address, &onboarding.tenant.audit);

    let tenant = TenantView::onboarded(&onboarding, Some(&lead));
    assert_eq!(members(&LeadView::from(&lead), &LEAD), known(&LEAD));
    assert_eq!(members(&tenant, &TENANT), known(&TENANT));
    assert_eq!(members(&onboarding.contact, &CONTACT), known(&CONTACT));
    assert_eq!(members(&resource.wire().unwrap(), &RESOURCE), known(&RESOURCE));
    assert_eq!(members(&address, &ADDRESS), known(&ADDRESS));
}
