mod histogram;

pub use histogram::Histogram;

use serde::Serialize;
use serde_json::{Value, json};
use strum::{Display, VariantArray};

use crate::{Amount, Currency, TenantId, TenantKey, TenantStatus, Text, Word};
use schema::{FromJson, Timestamp, nullable};

/// Dashboard statistics, the answer of `GET /overview`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    /// Number of leads.
    pub leads: Leads,
    /// Number of tenants in each status, indexed by the status's number.
    pub tenants: Vec<u64>,
    /// The subscriptions of all tenants.
    pub subscriptions: SubscriptionFigures,
    /// The last 30 days in UTC, oldest first.
    pub days: Vec<Day>,
    /// Median time from onboarding to active over these days, in seconds.
    pub median_seconds: Option<f64>,
    /// Tenants that need attention, oldest first.
    pub attention: Vec<Attention>,
}

/// The number of leads.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Leads {
    /// All leads that are not deleted.
    pub total: u64,
    /// Leads with a verified email address.
    pub validated: u64,
}

/// The number of subscriptions, and what they bring in.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionFigures {
    /// Subscriptions whose trial runs.
    pub trialing: u64,
    /// Subscriptions with an overdue invoice, within their grace period.
    pub past_due: u64,
    /// Subscriptions that were cancelled in the last 30 days.
    pub cancelled: u64,
    /// The recurring revenue of a month in each currency, by its code.
    pub revenue: Vec<Revenue>,
}

/// The recurring revenue of a month in one currency. Periods of other lengths count in part: a year has
/// 12 months, 52 weeks and 365 days.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Revenue {
    /// The currency.
    pub currency_code: Currency,
    /// The amount.
    #[serde(serialize_with = "Amount::as_number")]
    pub amount: Amount,
}

/// The statistics of one day.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Day {
    /// The date, such as `2026-11-24`.
    pub date: String,
    /// Number of onboarded tenants.
    pub onboarded: u64,
    /// Number of tenants that became active for the first time.
    pub activated: u64,
    /// Median time from onboarding to active of the tenants that became active, in seconds.
    pub median_seconds: Option<f64>,
}

/// A tenant that needs attention.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attention {
    /// The tenant's ID.
    pub tenant_id: TenantId,
    /// The tenant's unique key.
    pub key: TenantKey,
    /// The tenant's name.
    pub name: Text<1, 100>,
    /// The tenant's status.
    pub status: TenantStatus,
    /// Why the tenant needs attention.
    pub reason: Reason,
    /// Since when the tenant needs attention.
    pub since: Timestamp,
}

/// Why a tenant needs attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Display, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Reason {
    /// The latest job failed.
    Failed,
    /// The latest job timed out.
    TimedOut,
    /// The tenant has not been provisioned.
    Pending,
    /// The open job takes unusually long.
    Slow,
}

impl Word for Reason {}

impl Overview {
    /// Returns the JSON Schema of the overview.
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
        let statuses = TenantStatus::ALL.len();
        let numbers = json!({
            "type": "array", "items": number, "minItems": statuses, "maxItems": statuses,
        });
        object(json!({
            "leads": object(json!({ "total": number, "validated": number })),
            "tenants": numbers,
            "subscriptions": object(json!({
                "trialing": number, "pastDue": number, "cancelled": number,
                "revenue": { "type": "array", "items": object(json!({
                    "currencyCode": Currency::schema(), "amount": Amount::schema(),
                })) },
            })),
            "days": { "type": "array", "items": object(json!({
                "date": { "type": "string", "format": "date" },
                "onboarded": number, "activated": number, "medianSeconds": seconds,
            })) },
            "medianSeconds": seconds,
            "attention": { "type": "array", "items": object(json!({
                "tenantId": TenantId::schema(),
                "key": TenantKey::schema(),
                "name": Text::<1, 100>::schema(),
                "status": { "type": "integer", "minimum": 0, "maximum": statuses - 1 },
                "reason": Reason::schema(),
                "since": { "type": "string", "format": "date-time" },
            })) },
        }))
    }

    /// Returns an example for the OpenAPI document.
    #[must_use]
    pub fn example() -> Value {
        json!({
            "leads": { "total": 41, "validated": 30 },
            "tenants": [24, 2, 1, 1, 0, 1, 1],
            "subscriptions": {
                "trialing": 3, "pastDue": 1, "cancelled": 2,
                "revenue": [{ "currencyCode": "EUR", "amount": 1149.5 }],
            },
            "days": [{ "date": "2026-11-24", "onboarded": 3, "activated": 2, "medianSeconds": 97.1 }],
            "medianSeconds": 92.4,
            "attention": [{
                "tenantId": "019aad7e-8a10-7c3e-9d2f-6b5a4c3d2e1f", "key": "acme", "name": "Acme",
                "status": 3, "reason": "failed", "since": "2026-11-24T10:02:41.103Z",
            }],
        })
    }
}
