use serde_json::{Map, Value, json};

use filter::{Kind, Schema};

const ID: &str = "019aad7e-5f6b-7a51-8c0d-3f2b1e9a4c60";
const MOMENT: &str = "2026-11-23T17:54:06.859Z";

/// Returns a realistic example of an entity.
#[must_use]
pub fn example(schema: &Schema) -> Value {
    let member = |(name, kind): &(&str, Kind)| ((*name).to_owned(), value(schema, name, *kind));
    schema.properties.iter().map(member).collect::<Map<_, _>>().into()
}

fn value(schema: &Schema, name: &str, kind: Kind) -> Value {
    match (name, kind) {
        (
            "deletedOn" | "deletedBy" | "spocUserId" | "invoiceFile" | "suspension" | "previous",
            _,
        ) => Value::Null,
        (
            "pendingChange" | "pastDueSince" | "graceEndsOn" | "cancelReason" | "trialEndsOn"
            | "metaData" | "subscriptionId",
            _,
        ) => Value::Null,
        ("phase", _) => "active".into(),
        ("status", _) if schema.entity == "Subscription" => 1.into(),
        ("anchorDay", _) => 1.into(),
        ("cancelAtPeriodEnd", _) => false.into(),
        ("currentPeriodStart", _) => "2026-11-01T09:30:00.000Z".into(),
        ("currentPeriodEnd", _) => "2026-12-01T09:30:00.000Z".into(),
        ("endDate", _) if schema.entity == "Subscription" => "2026-12-01T00:00:00.000Z".into(),
        ("plan", _) => json!({
            "id": ID, "revision": 1, "name": "Premium", "tier": "PREMIUM", "isolation": "silo",
            "price": 49.9, "currencyCode": "GBP",
            "billingCycle": { "duration": 1, "durationUnit": "month" }, "trialDays": 14,
            "graceDays": 7, "effectOfNonPayment": "suspend", "features": { "seats": 25 },
        }),
        ("createdBy" | "modifiedBy", _) => "operator-1".into(),
        ("firstName", _) => "Ada".into(),
        ("lastName", _) => "Lovelace".into(),
        ("name", _) if schema.entity == "Operator" => "Ada Lovelace".into(),
        ("email", _) if schema.entity == "Operator" => "ada@tenantry.test".into(),
        ("issuer", _) => "https://id.tenantry.test".into(),
        ("subject", _) => "00u1a2b3c4".into(),
        ("roles", _) => json!(["admin"]),
        ("reasons", _) => {
            json!([{ "role": "admin", "claim": "groups", "value": "tenantry-admins" }])
        }
        ("disabled", _) => false.into(),
        ("name", _) if schema.entity == "Plan" => "Premium".into(),
        ("description", _) => "For teams that need their own resources.".into(),
        ("isolation", _) => "silo".into(),
        ("state", _) if schema.entity == "Plan" => "active".into(),
        ("billingCycle", _) => json!({ "duration": 1, "durationUnit": "month" }),
        ("trialDays", _) => 14.into(),
        ("revision", _) => 1.into(),
        ("features", _) => json!({ "seats": 25, "sso": true }),
        ("graceDays", _) => 7.into(),
        ("effectOfNonPayment", _) => "suspend".into(),
        ("companyName" | "name", _) => "Acme".into(),
        ("key", _) => "acme".into(),
        ("tier", _) => "PREMIUM".into(),
        ("currencyCode", _) => "GBP".into(),
        ("configKey", _) => "theme".into(),
        ("configValue", _) => json!({ "colour": "teal" }),
        ("externalIdentifier", _) => "acme-files".into(),
        ("metadata", _) => json!({ "region": "eu-west-1" }),
        ("address", _) => "12 St James's Square".into(),
        ("city", _) => "London".into(),
        ("state", _) => Value::Null,
        ("zip", _) => "SW1Y 4LB".into(),
        ("country", _) => "GB".into(),
        ("type", _) if schema.entity == "Resource" => "bucket".into(),
        ("type", _) => "admin".into(),
        ("startDate", _) => "2026-11-01T00:00:00.000Z".into(),
        ("endDate", _) => "2026-11-30T00:00:00.000Z".into(),
        ("dueDate", _) => "2026-12-31T00:00:00.000Z".into(),
        (_, Kind::Id) => ID.into(),
        (_, Kind::Time | Kind::Day) => MOMENT.into(),
        (_, Kind::Email) => "ada@acme.test".into(),
        (_, Kind::Hosts) => json!(["acme.test"]),
        (_, Kind::Money) => json!(49.9),
        (_, Kind::Number) => 0.into(),
        (_, Kind::Boolean) => (name != "deleted").into(),
        (_, Kind::Object) => json!({}),
        (_, Kind::List) => json!([]),
        (_, Kind::Text) => "text".into(),
    }
}
