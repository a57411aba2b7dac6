use serde::Serialize;
use serde_json::{Value, json};
use strum::{Display, VariantArray};

use crate::{Email, Lead, LeadId, Tenant, TenantKey, TenantStatus, Word};
use schema::{FromJson, nullable};

/// The kind of entity that a search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Display, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum HitKind {
    /// A tenant.
    Tenant,
    /// A lead.
    Lead,
}

impl Word for HitKind {}

/// A tenant or lead that a search found.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SearchHit {
    kind: HitKind,
    id: String,
    name: String,
    key: Option<TenantKey>,
    status: Option<TenantStatus>,
    company_name: Option<String>,
    email: Option<Email>,
    is_validated: Option<bool>,
}

impl SearchHit {
    /// Returns the hit for a tenant, with the address of the contact by which it was found.
    #[must_use]
    pub fn of_tenant(tenant: &Tenant, email: Option<Email>) -> Self {
        Self {
            kind: HitKind::Tenant,
            id: tenant.id.to_string(),
            name: tenant.name.to_string(),
            key: Some(tenant.key.clone()),
            status: Some(tenant.status),
            company_name: None,
            email,
            is_validated: None,
        }
    }

    /// Returns the hit for a lead.
    #[must_use]
    pub fn of_lead(lead: &Lead) -> Self {
        Self {
            kind: HitKind::Lead,
            id: lead.id.to_string(),
            name: format!("{} {}", lead.first_name, lead.last_name),
            key: None,
            status: None,
            company_name: Some(lead.company_name.to_string()),
            email: Some(lead.email.clone()),
            is_validated: Some(lead.is_validated),
        }
    }

    /// Returns the JSON Schema of a hit.
    #[must_use]
    pub fn schema() -> Value {
        let text = |most: usize| json!({ "type": "string", "minLength": 1, "maxLength": most });
        let properties = json!({
            "kind": HitKind::schema(),
            "id": LeadId::schema(),
            "name": text(201),
            "key": nullable(TenantKey::schema()),
            "status": nullable(json!({
                "type": "integer", "minimum": 0, "maximum": TenantStatus::ALL.len() - 1,
            })),
            "companyName": nullable(text(100)),
            "email": nullable(Email::schema()),
            "isValidated": nullable(json!({ "type": "boolean" })),
        });
        let names = properties.as_object().into_iter().flatten().map(|(name, _)| name.clone());
        let required: Vec<_> = names.collect();
        json!({
            "type": "object", "properties": properties, "required": required,
            "additionalProperties": false,
        })
    }

    /// Returns an example for the OpenAPI document.
    #[must_use]
    pub fn example() -> Value {
        json!({
            "kind": "tenant", "id": "019aad7e-8a10-7c3e-9d2f-6b5a4c3d2e1f", "name": "Acme",
            "key": "acme", "status": 0, "companyName": null, "email": null, "isValidated": null,
        })
    }
}
