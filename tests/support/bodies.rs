use serde_json::{Value, json};

/// The body of a lead with this e-mail.
pub fn lead(email: &str) -> Value {
    json!({
        "firstName": "Ada", "lastName": "Lovelace", "companyName": "Acme", "email": email,
        "address": { "address": "12 St James's Square", "city": "London", "country": "GB" },
    })
}

/// The body of a tenant with this key.
pub fn tenant(key: &str) -> Value {
    json!({
        "key": key, "name": "Acme", "domains": ["acme.test"],
        "contact": {
            "firstName": "Grace", "lastName": "Hopper", "email": "ops@acme.test", "isPrimary": true,
        },
    })
}

/// The body of a provisioning for a plan of this tier.
pub fn subscription(tier: &str) -> Value {
    json!({
        "id": "sub-1", "planId": "plan-1", "startDate": "2026-01-01", "endDate": "2027-01-01",
        "plan": { "id": "plan-1", "name": "The plan", "tier": tier, "price": 99.5 },
    })
}
