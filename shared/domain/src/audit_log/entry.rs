use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::{AuditAction, AuditChain, AuditedKind, Trace, Via, canonical, changes::changes};
use schema::Timestamp;

/// How much of a client's address an entry keeps, `AUDIT_IP`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AddressDetail {
    /// The whole address.
    Full,
    /// The network: 24 bits of an IPv4 address, 48 bits of an IPv6 address.
    #[default]
    Truncated,
    /// Nothing.
    None,
}

/// A change of an item, as the table's stream reports it.
#[derive(Clone, Copy, Debug)]
pub struct ItemChange<'a> {
    /// The item before the change. `None` if the change created it.
    pub old: Option<&'a Map<String, Value>>,
    /// The item after the change. `None` if the change removed it.
    pub new: Option<&'a Map<String, Value>>,
    /// When the stream recorded the change.
    pub time: Timestamp,
}

/// An entry that has no place in its chain yet.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// The chain to which the entry belongs.
    pub chain: AuditChain,
    /// The ID of the entry: `<entity>#<id of the item>#<version of the item>`. Equal for repeated
    /// deliveries of one change.
    pub id: String,
    /// When the change was made.
    pub time: Timestamp,
    /// The version of the item after the change.
    pub version: u64,
    /// The ID of the operator, machine or lead.
    pub actor: Option<String>,
    members: Map<String, Value>,
}

impl AuditEntry {
    /// Returns the entry for a change. Returns `None` if the audit log does not record it.
    #[must_use]
    pub fn of(change: ItemChange<'_>, detail: AddressDetail) -> Option<Self> {
        let item = change.new.or(change.old)?;
        let text = |member: &str| item.get(member).and_then(Value::as_str);
        let entity = text("entity")?;
        let kind = AuditedKind::of_entity(entity)?;
        let action = AuditAction::between(kind, change.old, change.new)?;
        let empty = Map::new();
        let changes = match (change.old, change.new) {
            // The values that a removed item had are of no use any more.
            (_, None) => Vec::new(),
            (old, Some(new)) => changes(kind, old.unwrap_or(&empty), new),
        };
        if changes.is_empty() && change.old.is_some() && change.new.is_some() {
            return None;
        }
        let trace = change.trace();
        let actor = trace.actor_id(kind, item);
        let (time, version) = (change.made(), item.get("version")?.as_u64()?);
        let removed = if change.new.is_none() { "#removed" } else { "" };
        let id = format!("{entity}#{}#{}{removed}", text("id")?, version);
        let target = if kind == AuditedKind::Session { None } else { text("id") };
        let members = json!({
            "id": id,
            "time": time,
            "actor": { "type": trace.actor_type(), "id": actor },
            "via": trace.via,
            "action": action,
            "target": { "type": action.noun(), "id": target, "name": kind.name_of(item) },
            "tenantId": kind.tenant_of(item),
            "changes": changes,
            "reason": kind.reason_of(change.old, change.new),
            "request": {
                "id": trace.request_id, "ip": trace.ip.and_then(|ip| detail.of(ip)), "agent": trace.agent,
            },
        });
        let Value::Object(members) = members else { return None };
        Some(Self { chain: kind.chain_of(item), id, time, version, actor, members })
    }

    /// Returns the canonical JSON that the MAC of the entry signs, at this place in its chain. `key`
    /// is the ID of the key that signs, `prev` the MAC of the entry before.
    #[must_use]
    pub fn signed(&self, seq: u64, prev: Option<&str>, key: &str) -> String {
        let mut members = self.members.clone();
        members.insert("chain".to_owned(), self.chain.as_str().into());
        members.insert("seq".to_owned(), seq.into());
        members.insert("prev".to_owned(), prev.into());
        members.insert("key".to_owned(), key.into());
        canonical(&Value::Object(members))
    }
}

impl ItemChange<'_> {
    /// Returns how the change came about. A removed item is removed by the control plane, whatever
    /// its last version says.
    fn trace(&self) -> Trace {
        let stamped = self.new.and_then(|item| item.get("trace"));
        stamped.and_then(|trace| serde_json::from_value(trace.clone()).ok()).unwrap_or_default()
    }

    /// Returns the time that the change wrote to the item. If it wrote none, returns the time of the
    /// stream, which has whole seconds and so may be before that of the previous change.
    fn made(&self) -> Timestamp {
        let time = |item: &Map<String, Value>| item.get("modifiedOn")?.as_str()?.parse().ok();
        let (old, new): (Option<Timestamp>, Option<Timestamp>) =
            (self.old.and_then(time), self.new.and_then(time));
        match new.or(old) {
            Some(written) if new.is_some() && old != new => written,
            Some(earlier) => earlier.max(self.time),
            None => self.time,
        }
    }
}

impl Trace {
    fn actor_type(&self) -> &'static str {
        match self.via {
            Via::Console | Via::Api if self.machine => "machine",
            Via::Console | Via::Api => "operator",
            Via::Lead => "lead",
            Via::Build => "build",
            Via::System => "system",
        }
    }

    /// Returns the ID of the caller who changed `item`.
    fn actor_id(&self, kind: AuditedKind, item: &Map<String, Value>) -> Option<String> {
        let member = match self.via {
            Via::Build | Via::System => return None,
            // A sign-up has no token yet, and is recorded as a change by the system user.
            Via::Lead if kind == AuditedKind::Lead => "id",
            // A session that was not ended yet: its operator started it.
            _ if kind == AuditedKind::Session && !item.contains_key("modifiedBy") => "operatorId",
            Via::Lead | Via::Console | Via::Api => "modifiedBy",
        };
        item.get(member)?.as_str().map(str::to_owned)
    }
}

impl AddressDetail {
    /// Returns what an entry keeps of an address.
    fn of(self, ip: IpAddr) -> Option<String> {
        match (self, ip) {
            (Self::None, _) => None,
            (Self::Full, ip) => Some(ip.to_string()),
            (Self::Truncated, IpAddr::V4(ip)) => {
                let [a, b, c, _] = ip.octets();
                Some(format!("{a}.{b}.{c}.0"))
            }
            (Self::Truncated, IpAddr::V6(ip)) => {
                let [a, b, c, ..] = ip.segments();
                Some(std::net::Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(old: &Value, new: &Value) -> Option<Value> {
        let change = ItemChange {
            old: old.as_object(),
            new: new.as_object(),
            time: Timestamp::from_millis(1_764_000_000_000),
        };
        let entry = AuditEntry::of(change, AddressDetail::Truncated)?;
        Some(serde_json::from_str(&entry.signed(7, Some("aa"), "k1")).unwrap())
    }

    fn contact(version: u64, primary: bool) -> Value {
        json!({
            "pk": "TENANT#t1", "sk": "CONTACT#c1", "entity": "contact", "version": version, "id": "c1",
            "tenantId": "t1", "firstName": "Ada", "lastName": "Lovelace", "email": "ada@acme.test",
            "isPrimary": primary, "modifiedBy": "grace", "deleted": false,
            "modifiedOn": format!("2026-01-01T00:00:0{version}.000Z"),
            "trace": { "requestId": "r1", "via": "api", "ip": "203.0.113.9", "agent": "curl/8" },
        })
    }

    #[test]
    fn an_entry_says_who_changed_what_and_how() {
        let entry = entry(&contact(1, false), &contact(2, true)).unwrap();
        let expected = json!({
            "chain": "tenant:t1", "seq": 7, "id": "contact#c1#2", "time": "2026-01-01T00:00:02.000Z",
            "actor": { "type": "operator", "id": "grace" }, "via": "api", "action": "contact.updated",
            "target": { "type": "contact", "id": "c1", "name": null }, "tenantId": "t1",
            "changes": [{ "path": "/isPrimary", "from": false, "to": true }], "reason": null,
            "request": { "id": "r1", "ip": "203.0.113.0", "agent": "curl/8" }, "prev": "aa", "key": "k1",
        });
        assert_eq!(entry, expected);
    }

    #[test]
    fn the_reason_is_what_an_operator_has_typed() {
        let tenant = |version: u64, name: &str, note: Option<&str>| {
            let suspension = note.map(|note| json!({ "reason": "other", "note": note }));
            json!({ "entity": "tenant", "id": "t1", "version": version, "key": "acme", "name": name,
                "status": 6, "suspension": suspension })
        };
        let reason = |old: &Value, new: &Value| entry(old, new).unwrap()["reason"].clone();
        let (before, noted) = (tenant(1, "Acme", None), tenant(2, "Acme", Some("Closed")));
        assert_eq!(reason(&before, &noted), "Closed");
        assert_eq!(reason(&noted, &tenant(3, "Acme Inc.", Some("Closed"))), Value::Null);
        assert_eq!(reason(&noted, &tenant(3, "Acme", Some("Until May"))), "Until May");
        let subscription = |reason: Option<&str>| {
            json!({ "entity": "subscription", "id": "s1",
            "version": 1, "tenantId": "t1", "phase": "active", "cancelReason": reason })
        };
        assert_eq!(reason(&subscription(None), &subscription(Some("Too dear"))), "Too dear");
    }

    #[test]
    fn a_change_that_shows_nothing_is_not_recorded() {
        assert_eq!(entry(&contact(1, true), &contact(2, true)), None);
        let search = json!({ "entity": "search", "id": "x", "version": 1 });
        assert_eq!(entry(&Value::Null, &search), None);
    }

    #[test]
    fn an_expired_item_is_removed_by_the_system() {
        let lead = json!({ "entity": "lead", "id": "l1", "version": 3, "firstName": "Ada",
            "modifiedBy": "grace", "trace": { "via": "api" } });
        let entry = entry(&lead, &Value::Null).unwrap();
        assert_eq!(entry["actor"], json!({ "type": "system", "id": null }));
        assert_eq!((&entry["id"], &entry["chain"]), (&json!("lead#l1#3#removed"), &json!("leads")));
        assert_eq!(
            (&entry["changes"], &entry["time"]),
            (&json!([]), &json!("2025-11-24T16:00:00.000Z"))
        );
    }

    #[test]
    fn a_person_who_signs_up_is_the_actor() {
        let lead = json!({ "entity": "lead", "id": "l1", "version": 1, "modifiedBy": "system",
            "trace": { "via": "lead" } });
        assert_eq!(
            entry(&Value::Null, &lead).unwrap()["actor"],
            json!({ "type": "lead", "id": "l1" })
        );
        let machine = json!({ "entity": "tenant", "id": "t1", "version": 1, "modifiedBy": "ci",
            "key": "acme", "trace": { "via": "api", "machine": true } });
        let entry = entry(&Value::Null, &machine).unwrap();
        assert_eq!(entry["actor"], json!({ "type": "machine", "id": "ci" }));
        assert_eq!(entry["target"], json!({ "type": "tenant", "id": "t1", "name": "acme" }));
    }

    #[test]
    fn a_session_is_started_by_its_operator_and_may_be_ended_by_another() {
        let session = json!({ "entity": "session", "id": "s1", "version": 1, "operatorId": "ada",
            "trace": { "via": "console" } });
        let actor = |old: &Value, new: &Value| entry(old, new).unwrap()["actor"]["id"].clone();
        assert_eq!(actor(&Value::Null, &session), "ada");
        let mut ended = session.clone();
        ended["endedOn"] = "2026-01-01T00:00:00.000Z".into();
        ended["modifiedBy"] = "grace".into();
        assert_eq!(actor(&session, &ended), "grace");
    }

    #[test]
    fn a_change_that_writes_no_time_has_that_of_the_stream() {
        let at = |second: i64| Timestamp::from_millis(second * 1000);
        let item = |second: i64| json!({ "modifiedOn": at(second) });
        for (old, new, expected) in [
            (Value::Null, item(2), 2),
            (item(1), item(2), 2),
            (item(1), item(1), 5),
            (item(7), item(7), 7),
            (item(1), Value::Null, 5),
            (item(7), Value::Null, 7),
            (json!({}), json!({}), 5),
        ] {
            let change = ItemChange { old: old.as_object(), new: new.as_object(), time: at(5) };
            assert_eq!(change.made(), at(expected), "{old} {new}");
        }
    }

    #[test]
    fn an_address_is_kept_as_configured() {
        let (v4, v6): (IpAddr, IpAddr) =
            ("203.0.113.9".parse().unwrap(), "2001:db8:1:2::3".parse().unwrap());
        let kept = |detail: AddressDetail| [v4, v6].map(|ip| detail.of(ip).unwrap_or_default());
        assert_eq!(kept(AddressDetail::Full), ["203.0.113.9", "2001:db8:1:2::3"]);
        assert_eq!(kept(AddressDetail::Truncated), ["203.0.113.0", "2001:db8:1::"]);
        assert_eq!(kept(AddressDetail::None), ["", ""]);
    }
}
