use serde_json::{Value, json};

/// Returns the body of a lead with this email address.
pub fn lead(email: &str) -> Value {
    json!({
        "firstName": "Ada", "lastName": "Lovelace", "companyName": "Acme", "email": email,
        "address": { "address": "12 St James's Square", "city": "London", "country": "GB" },
    })
}

/// Returns the body of a tenant with this key.
pub fn tenant(key: &str) -> Value {
    json!({
        "key": key, "name": "Acme", "domains": ["acme.test"],
        "contact": {
            "firstName": "Grace", "lastName": "Hopper", "email": "ops@acme.test", "isPrimary": true,
        },
    })
}

/// Returns the body of a tenant's contact.
pub fn contact(tenant: &str) -> Value {
    json!({
        "firstName": "Grace", "lastName": "Hopper", "email": "grace@acme.test", "isPrimary": false,
        "type": "billing", "tenantId": tenant,
    })
}

/// Returns the body of a tenant's invoice.
pub fn invoice(tenant: &str) -> Value {
    json!({
        "startDate": "2026-01-01", "endDate": "2026-01-31", "amount": 1200, "currencyCode": "EUR",
        "dueDate": "2026-02-14", "status": 0, "invoiceFile": "inv-1.pdf", "tenantId": tenant,
    })
}

/// Returns the body of a tenant's configuration with this key.
pub fn config(tenant: &str, key: &str) -> Value {
    json!({ "configKey": key, "configValue": { "colour": "red", "limits": [1, 2] }, "tenantId": tenant })
}

/// Returns the body of a provisioning request for a plan of this tier.
pub fn subscription(tier: &str) -> Value {
    json!({
        "id": "sub-1", "planId": "plan-1", "startDate": "2026-01-01", "endDate": "2027-01-01",
        "plan": { "id": "plan-1", "name": "The plan", "tier": tier, "price": 99.5 },
    })
}

/// Returns the body of a plan with the members in `given`.
pub fn plan(given: Value) -> Value {
    let mut plan = json!({
        "name": "Standard", "tier": "STANDARD", "price": 30, "currencyCode": "EUR",
        "billingCycle": { "duration": 1, "durationUnit": "month" },
    });
    if let Value::Object(given) = given {
        plan.as_object_mut().unwrap().extend(given);
    }
    plan
}
