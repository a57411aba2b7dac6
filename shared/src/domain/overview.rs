use serde::Serialize;
use serde_json::{Value, json};

use super::{FromJson, TenantId, TenantKey, TenantStatus, Text, Timestamp, nullable};

/// How things stand: what `GET /overview` answers.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    /// The leads there are.
    pub leads: Leads,
    /// How many tenants there are of each status, by its number.
    pub tenants: [u64; 6],
    /// The last 30 days in UTC, today at the end.
    pub days: Vec<Day>,
    /// The median of these days, from onboarding to active, in seconds.
    pub median_seconds: Option<f64>,
    /// What somebody should look at, the longest waiting first.
    pub attention: Vec<Attention>,
}

/// How many leads there are.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Leads {
    /// All that are not deleted.
    pub total: u64,
    /// Those whose address is proven.
    pub validated: u64,
}

/// What happened on one day.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Day {
    /// Which, `2026-11-24`.
    pub date: String,
    /// Tenants that came.
    pub onboarded: u64,
    /// Tenants that became active for the first time.
    pub activated: u64,
    /// What half of the latter took at most, from onboarding on, in seconds.
    pub median_seconds: Option<f64>,
}

/// A tenant that somebody should look at.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attention {
    /// Its id.
    pub tenant_id: TenantId,
    /// Its unique short name.
    pub key: TenantKey,
    /// What it is called.
    pub name: Text<1, 100>,
    /// Where it is in its life.
    pub status: TenantStatus,
    /// Why.
    pub reason: Reason,
    /// Since when.
    pub since: Timestamp,
}

/// Why a tenant needs attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Its last job failed.
    Failed,
    /// Nobody reported on its last job.
    TimedOut,
    /// Nobody has it provisioned.
    Pending,
    /// Its job takes long.
    Slow,
}

impl Overview {
    /// It as JSON Schema.
    #[must_use]
    pub fn schema() -> Value {
        let object = |properties: Value| {
            let names = properties.as_object().into_iter().flatten().map(|(name, _)| name.clone());
            let required: Vec<_> = names.collect();
            json!({
                "type": "object", "properties": properties, "required": required,
                "additionalProperties": false,
            })
        };
        let number = json!({ "type": "integer", "minimum": 0 });
        let seconds = nullable(json!({ "type": "number", "minimum": 0 }));
        let numbers = json!({ "type": "array", "items": number, "minItems": 6, "maxItems": 6 });
        object(json!({
            "leads": object(json!({ "total": number, "validated": number })),
            "tenants": numbers,
            "days": { "type": "array", "items": object(json!({
                "date": { "type": "string", "format": "date" },
                "onboarded": number, "activated": number, "medianSeconds": seconds,
            })) },
            "medianSeconds": seconds,
            "attention": { "type": "array", "items": object(json!({
                "tenantId": TenantId::schema(),
                "key": TenantKey::schema(),
                "name": Text::<1, 100>::schema(),
                "status": { "type": "integer", "minimum": 0, "maximum": 5 },
                "reason": { "type": "string", "enum": ["failed", "timed_out", "pending", "slow"] },
                "since": { "type": "string", "format": "date-time" },
            })) },
        }))
    }

    /// One of them.
    #[must_use]
    pub fn example() -> Value {
        json!({
            "leads": { "total": 41, "validated": 30 },
            "tenants": [24, 2, 1, 1, 0, 1],
            "days": [{ "date": "2026-11-24", "onboarded": 3, "activated": 2, "medianSeconds": 97.1 }],
            "medianSeconds": 92.4,
            "attention": [{
                "tenantId": "019aad7e-8a10-7c3e-9d2f-6b5a4c3d2e1f", "key": "acme", "name": "Acme",
                "status": 3, "reason": "failed", "since": "2026-11-24T10:02:41.103Z",
            }],
        })
    }
}
