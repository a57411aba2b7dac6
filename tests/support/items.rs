use serde_json::{Value, json};
use shared::domain::TenantId;

/// Makes of a tenant's item, as it is stored, that of tenant number `n`, created at another moment.
pub fn rename(item: &mut Value, n: usize, created: String) {
    let id = TenantId::mint().to_string();
    let text = |text: String| json!({ "S": text });
    let place = format!("{created}#{id}");
    item["pk"] = text(format!("TENANT#{id}"));
    item["id"] = text(id);
    item["key"] = text(format!("k{n}"));
    item["createdOn"] = text(created);
    item["gsi1sk"] = text(place.clone());
    item["gsi2sk"] = text(place);
}
