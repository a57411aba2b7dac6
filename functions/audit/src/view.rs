//! Entries as filters and exports see them.

use domain::{Error, TenantId};
use filter::{
    Kind::{Id, Number, Text, Time},
    Schema,
};
use serde_json::{Map, Value};

/// The members of an entry that a filter may name.
pub(crate) static ENTRY: Schema = Schema {
    entity: "AuditEntry",
    view: &[],
    properties: &[
        ("id", Text),
        ("chain", Text),
        ("seq", Number),
        ("time", Time),
        ("action", Text),
        ("via", Text),
        ("actorId", Text),
        ("actorType", Text),
        ("targetId", Text),
        ("targetType", Text),
        ("tenantId", Id),
    ],
    nullable: &["actorId", "targetId", "tenantId"],
    relations: &[],
};

/// The columns of an export as CSV, each with the JSON Pointer to its value.
const COLUMNS: [(&str, &str); 20] = [
    ("time", "/time"),
    ("chain", "/chain"),
    ("seq", "/seq"),
    ("id", "/id"),
    ("action", "/action"),
    ("via", "/via"),
    ("actorType", "/actor/type"),
    ("actorId", "/actor/id"),
    ("tenantId", "/tenantId"),
    ("targetType", "/target/type"),
    ("targetId", "/target/id"),
    ("targetName", "/target/name"),
    ("changes", "/changes"),
    ("requestId", "/request/id"),
    ("ip", "/request/ip"),
    ("agent", "/request/agent"),
    ("prev", "/prev"),
    ("mac", "/mac"),
    ("reason", "/reason"),
    ("key", "/key"),
];

/// Returns the members of an entry by which it is filtered. An entry that was tampered with in
/// the table may lack any of them.
pub(crate) fn filtered(entry: &Map<String, Value>) -> Map<String, Value> {
    let part = |whole: &str, name: &str| entry.get(whole).and_then(|whole| whole.get(name));
    let member = |name: &str| match name {
        "actorId" => part("actor", "id").cloned().unwrap_or_default(),
        "actorType" => part("actor", "type").cloned().unwrap_or_default(),
        "targetId" => part("target", "id").cloned().unwrap_or_default(),
        "targetType" => part("target", "type").cloned().unwrap_or_default(),
        name => entry.get(name).cloned().unwrap_or_default(),
    };
    ENTRY.properties.iter().map(|(name, _)| ((*name).to_owned(), member(name))).collect()
}

/// Returns the error for a parameter that breaks a rule.
pub(crate) fn bad(rule: &str) -> Error {
    Error::BadParameter(rule.to_owned())
}

/// Reads the parameter `tenantId`.
pub(crate) fn tenant(value: &str) -> Result<TenantId, Error> {
    value.parse().map_err(|_| bad("tenantId: must be a UUID"))
}

/// Returns the first line of an export as CSV.
pub(crate) fn csv_header() -> String {
    COLUMNS.map(|(name, _)| name).join(",") + "\r\n"
}

/// Returns an entry as a line of CSV (RFC 4180).
pub(crate) fn csv_line(entry: &Value) -> String {
    let cell = |(_, pointer): (&str, &str)| match entry.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => quoted(text),
        Some(other) => quoted(&other.to_string()),
    };
    COLUMNS.map(cell).join(",") + "\r\n"
}

/// Returns a cell in quotes. Spreadsheets would run a text as a formula that starts with one of
/// these characters (OWASP, "CSV Injection").
fn quoted(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entry_without_its_members_is_listed() {
        let bare = filtered(&Map::new());
        assert!(bare.len() == ENTRY.properties.len() && bare.values().all(Value::is_null));
    }

    #[test]
    fn a_cell_is_quoted_and_never_a_formula() {
        let entry = json!({ "seq": 7, "actor": { "id": "=1+1" }, "target": { "name": "a \"b\"" },
            "changes": [{ "path": "/a" }], "reason": "-1", "key": "k1" });
        let line = csv_line(&entry);
        assert_eq!(
            line,
            ",,\"7\",,,,,\"'=1+1\",,,,\"a \"\"b\"\"\",\"[{\"\"path\"\":\"\"/a\"\"}]\",,,,,,\"'-1\",\"k1\"\r\n"
        );
        assert_eq!(csv_header().split(',').count(), COLUMNS.len());
    }
}
