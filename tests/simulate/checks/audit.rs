//! The audit log and the counters equal the history.

use std::{collections::BTreeMap, sync::Arc};

use aws_lambda_events::dynamodb::EventRecord;
use domain::{AddressDetail, AuditEntry};
use serde::Deserialize;
use serde_json::Value;
use upkeep::StreamChange;

use crate::{
    history::{number, text},
    person::Asked,
    world::World,
};

impl World {
    /// Checks that each change has its entry in a genuine chain, and that the counters are their sum.
    pub(super) async fn check_audit(self: &Arc<Self>) {
        let (mut entries, mut counters) =
            (BTreeMap::new(), BTreeMap::<(String, String), i64>::new());
        for change in self.followed() {
            if let Some(entry) = change.audit_entry() {
                entries.insert(entry.id.clone(), entry.clone());
            }
            let counted = [change.counter_change(), change.daily_change()].into_iter().flatten();
            for counted in counted {
                for (name, number) in counted.numbers {
                    *counters.entry((counted.kind.clone(), name)).or_default() += number;
                }
            }
        }
        self.check_entries(entries);
        self.check_counters(&counters);
        for chain in self.chains() {
            self.verify(&chain).await;
        }
    }

    /// Returns the changes as the function sees them that follows up on them.
    fn followed(&self) -> Vec<StreamChange> {
        let functions = &self.services.template().functions;
        let upkeep = functions.iter().find(|function| function.binary == "upkeep");
        let mapping = upkeep.and_then(|upkeep| upkeep.streams.first());
        let changes = self.history.since(0).into_iter();
        let wanted = changes.filter(|it| mapping.is_some_and(|mapping| mapping.wants(&it.record)));
        let read = |record: &Value| {
            let record = EventRecord::deserialize(record).map_err(|it| it.to_string())?;
            StreamChange::of(&record, AddressDetail::Truncated).map_err(|it| it.to_string())
        };
        wanted
            .map(|change| read(&change.record))
            .collect::<Result<_, String>>()
            .unwrap_or_else(|error| self.violated("changes can be read", &error))
    }

    /// Compares the entries of all chains with those that the changes must have.
    fn check_entries(&self, mut expected: BTreeMap<String, AuditEntry>) {
        for item in self.history.items() {
            if item.entity() != "audit" {
                continue;
            }
            let stored: Value =
                serde_json::from_str(text(item.after(), "entry")).unwrap_or_default();
            let id = stored["id"].as_str().unwrap_or_default();
            let Some(entry) = expected.remove(id) else {
                self.violated("each change has one entry in the audit log", id);
            };
            let (prev, key) = (stored["prev"].as_str(), stored["key"].as_str().unwrap_or_default());
            let signed = entry.signed(number(item.after(), "seq"), prev, key);
            if signed != text(item.after(), "entry") {
                self.violated("the audit log equals the history", &format!("{signed} {stored}"));
            }
        }
        if let Some(missing) = expected.keys().next() {
            self.violated("each change is in the audit log", missing);
        }
    }

    fn check_counters(&self, expected: &BTreeMap<(String, String), i64>) {
        for ((kind, name), expected) in expected {
            let counter = self.history.item(&format!("COUNTER#{kind}"), "COUNTER");
            let number = counter.as_ref().and_then(|it| it.after().get(name)?["N"].as_str());
            let counted: i64 = number.and_then(|number| number.parse().ok()).unwrap_or_default();
            if counted != *expected {
                let how = format!("{kind} {name}: {counted} instead of {expected}");
                self.violated("counters equal what they count", &how);
            }
        }
    }

    fn chains(&self) -> Vec<String> {
        let items = self.history.items().into_iter();
        let heads = items.filter(|item| item.entity() == "audit-head");
        heads.filter_map(|head| Some(head.key.0.strip_prefix("AUDIT#")?.to_owned())).collect()
    }

    /// Lets the product verify a chain.
    async fn verify(self: &Arc<Self>, chain: &str) {
        let path = format!("/audit/verify?chain={chain}");
        let verified = self.ask(Asked::get(&path, &self.operator().await)).await;
        if verified.body["ok"] != true {
            self.violated("each chain of the audit log verifies", &verified.body.to_string());
        }
    }
}
