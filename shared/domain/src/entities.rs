//! Schemas of the entities that can be listed or included.

use crate::{
    Contact, Entity, Invoice, Lead, Operator, Permit, Plan, Resource, Subscription, Tenant,
    TenantConfig,
};
use filter::{
    Kind::{self, *},
    Relation, Schema,
};

/// Returns the permissions to view an entity of this type. Any one is enough.
const fn view_of<E: Entity>() -> &'static [u16] {
    <E::View as Permit>::CODES
}

/// Lists the properties of an entity: its ID, its own properties and its audit.
macro_rules! properties {
    ($($name:literal: $kind:expr),* $(,)?) => {
        &[
            ("id", Id),
            $(($name, $kind),)*
            ("createdOn", Time),
            ("modifiedOn", Time),
            ("createdBy", Text),
            ("modifiedBy", Text),
            ("deleted", Boolean),
            ("deletedOn", Time),
            ("deletedBy", Text),
        ] as &[(&str, Kind)]
    };
}

/// A lead.
pub static LEAD: Schema = Schema {
    entity: "Lead",
    view: view_of::<Lead>(),
    properties: properties! {
        "firstName": Text, "lastName": Text, "companyName": Text, "email": Email,
        "isValidated": Boolean, "addressId": Id,
    },
    nullable: &["addressId", "deletedOn", "deletedBy"],
    relations: &[
        Relation { name: "tenant", schema: &TENANT, many: false },
        Relation { name: "address", schema: &ADDRESS, many: false },
    ],
};

/// A tenant.
pub static TENANT: Schema = Schema {
    entity: "Tenant",
    view: view_of::<Tenant>(),
    properties: properties! {
        "name": Text, "status": Number, "key": Text, "spocUserId": Text, "domains": Hosts,
        "leadId": Id, "addressId": Id, "tier": Text, "suspension": Object,
        "previous": Object,
    },
    nullable: &[
        "spocUserId",
        "leadId",
        "addressId",
        "tier",
        "suspension",
        "previous",
        "deletedOn",
        "deletedBy",
    ],
    relations: &[
        Relation { name: "contacts", schema: &CONTACT, many: true },
        Relation { name: "resources", schema: &RESOURCE, many: true },
        Relation { name: "lead", schema: &LEAD, many: false },
        Relation { name: "address", schema: &ADDRESS, many: false },
    ],
};

/// A contact of a tenant.
pub static CONTACT: Schema = Schema {
    entity: "Contact",
    view: view_of::<Contact>(),
    properties: properties! {
        "firstName": Text, "lastName": Text, "email": Email, "isPrimary": Boolean, "type": Text,
        "tenantId": Id,
    },
    nullable: &["type", "deletedOn", "deletedBy"],
    relations: &[Relation { name: "tenant", schema: &TENANT, many: false }],
};

/// An invoice of a tenant.
pub static INVOICE: Schema = Schema {
    entity: "Invoice",
    view: view_of::<Invoice>(),
    properties: properties! {
        "startDate": Day, "endDate": Day, "amount": Money, "currencyCode": Text,
        "dueDate": Day, "status": Number, "invoiceFile": Text, "tenantId": Id,
        "subscriptionId": Id, "lines": List,
    },
    nullable: &["invoiceFile", "subscriptionId", "deletedOn", "deletedBy"],
    relations: &[Relation { name: "tenant", schema: &TENANT, many: false }],
};

/// A configuration of a tenant.
pub static TENANT_CONFIG: Schema = Schema {
    entity: "TenantConfig",
    view: view_of::<TenantConfig>(),
    properties: properties! { "configKey": Text, "configValue": Object, "tenantId": Id },
    nullable: &["deletedOn", "deletedBy"],
    relations: &[Relation { name: "tenant", schema: &TENANT, many: false }],
};

/// A resource of a tenant.
pub static RESOURCE: Schema = Schema {
    entity: "Resource",
    view: view_of::<Resource>(),
    properties: properties! {
        "externalIdentifier": Text, "type": Text, "metadata": Object, "tenantId": Id,
    },
    nullable: &["deletedOn", "deletedBy"],
    relations: &[],
};

/// A plan.
pub static PLAN: Schema = Schema {
    entity: "Plan",
    view: view_of::<Plan>(),
    properties: properties! {
        "name": Text, "description": Text, "tier": Text, "isolation": Text, "price": Money,
        "currencyCode": Text, "billingCycle": Object, "trialDays": Number, "public": Boolean,
        "state": Text, "revision": Number, "features": Object, "graceDays": Number,
        "effectOfNonPayment": Text, "metaData": Object,
    },
    nullable: &["description", "isolation", "metaData", "deletedOn", "deletedBy"],
    relations: &[],
};

/// An operator that has signed in.
pub static OPERATOR: Schema = Schema {
    entity: "Operator",
    view: view_of::<Operator>(),
    properties: properties! {
        "issuer": Text, "subject": Text, "name": Text, "email": Text, "roles": List,
        "reasons": List, "lastSignInOn": Time, "disabled": Boolean,
    },
    nullable: &["email", "deletedOn", "deletedBy"],
    relations: &[],
};

/// A subscription of a tenant.
pub static SUBSCRIPTION: Schema = Schema {
    entity: "Subscription",
    view: view_of::<Subscription>(),
    properties: properties! {
        "tenantId": Id, "subscriberId": Id, "planId": Id, "status": Number, "phase": Text,
        "startDate": Day, "endDate": Day, "currentPeriodStart": Time, "currentPeriodEnd": Time,
        "anchorDay": Number, "trialEndsOn": Time, "autoRenew": Boolean,
        "cancelAtPeriodEnd": Boolean, "cancelReason": Text, "pendingChange": Object,
        "pastDueSince": Time, "graceEndsOn": Time, "overdue": List, "adjustments": List,
        "metaData": Object, "plan": Object,
    },
    nullable: &[
        "startDate",
        "endDate",
        "currentPeriodStart",
        "currentPeriodEnd",
        "anchorDay",
        "trialEndsOn",
        "cancelReason",
        "pendingChange",
        "pastDueSince",
        "graceEndsOn",
        "metaData",
        "deletedOn",
        "deletedBy",
    ],
    relations: &[Relation { name: "tenant", schema: &TENANT, many: false }],
};

/// The address of a lead or a tenant.
pub static ADDRESS: Schema = Schema {
    entity: "Address",
    // An address is a part of its lead or tenant, so it requires no permission of its own.
    view: &[],
    properties: properties! {
        "address": Text, "city": Text, "state": Text, "zip": Text, "country": Text,
    },
    nullable: &["address", "city", "state", "zip", "country", "deletedOn", "deletedBy"],
    relations: &[],
};

#[cfg(test)]
mod tests;
