use domain::TenantId;
use serde_json::{Value, json};

/// Turns a stored tenant item into tenant number `n` with a new ID and creation time.
pub fn renumber(item: &mut Value, n: usize, created: String) {
    let id = TenantId::generate().to_string();
    let text = |text: String| json!({ "S": text });
    let place = format!("{created}#{id}");
    item["pk"] = text(format!("TENANT#{id}"));
    item["id"] = text(id);
    item["key"] = text(format!("k{n}"));
    item["createdOn"] = text(created);
    item["gsi1sk"] = text(place.clone());
    item["gsi2sk"] = text(place);
}

/// Returns the item that claims the key of a stored tenant.
pub fn key_claim(tenant: &Value) -> Value {
    let key = tenant["key"]["S"].as_str().unwrap();
    json!({
        "pk": { "S": format!("TENANT_KEY#{key}") }, "sk": { "S": "CLAIM" },
        "entity": { "S": "tenant-key" }, "tenantId": tenant["id"],
    })
}

/// Copies a stored child item, with a new ID and creation time. Returns the copy and the item that
/// maps its ID to its tenant.
pub fn sibling(item: &Value, created: &str) -> [Value; 2] {
    let id = TenantId::generate().to_string();
    let text = |text: String| json!({ "S": text });
    let prefix = item["sk"]["S"].as_str().unwrap().split('#').next().unwrap().to_owned();
    let mut child = item.clone();
    child["sk"] = text(format!("{prefix}#{id}"));
    child["id"] = text(id.clone());
    child["createdOn"] = text(created.to_owned());
    if child.get("gsi1sk").is_some() {
        child["gsi1sk"] = text(format!("{created}#{id}"));
    }
    let owner = json!({
        "pk": text(format!("{prefix}#{id}")), "sk": { "S": "OWNER" },
        "entity": { "S": "owner" }, "tenantId": child["tenantId"],
    });
    [child, owner]
}

/// Returns `many` host names of 250 characters, as a stored list.
pub fn long_domains(many: usize) -> Value {
    let label = "x".repeat(59);
    let name = |n: usize| json!({ "S": format!("d{n:04}.{label}.{label}.{label}.{label}.test") });
    json!({ "L": (0..many).map(name).collect::<Vec<_>>() })
}
