use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{Isolation, Text};
use schema::Violation;

/// The tiers that plans can have, and those whose tenants are siloed. Tiers are compared without
/// case.
#[derive(Clone, Debug)]
pub struct Tiers {
    known: BTreeSet<String>,
    siloed: BTreeSet<String>,
}

impl Tiers {
    /// The tiers that are known by default, separated by commas.
    pub const KNOWN: &str = "BASIC,STANDARD,PREMIUM";
    /// The tiers that are siloed by default.
    pub const SILOED: &str = "PREMIUM";

    /// Creates the list of the tiers `known`, of which those in `siloed` have dedicated resources.
    /// A siloed tier is also a known one.
    #[must_use]
    pub fn new(mut known: BTreeSet<String>, siloed: BTreeSet<String>) -> Self {
        let is_new = |tier: &&String| !known.iter().any(|other| same(other, tier));
        let new: Vec<String> = siloed.iter().filter(is_new).cloned().collect();
        known.extend(new);
        Self { known, siloed }
    }

    /// Returns `tier` in the spelling of the list, or unchanged if it is unknown.
    #[must_use]
    pub fn spelled(&self, tier: Text<1, 100>) -> Text<1, 100> {
        let known = self.known(tier.as_str());
        known.and_then(|known| schema::read(&json!(known)).ok()).unwrap_or(tier)
    }

    /// Returns whether tenants of this `tier` get dedicated or shared resources.
    #[must_use]
    pub fn isolation(&self, tier: &str) -> Isolation {
        let is_siloed = self.siloed.iter().any(|siloed| same(siloed, tier));
        if is_siloed { Isolation::Silo } else { Isolation::Pool }
    }

    /// Returns the violation of a body whose `tier` at `path` is text but not a known tier.
    #[must_use]
    pub fn violation(&self, tier: &Value, path: &str) -> Option<Violation> {
        let tier = tier.as_str().filter(|tier| !tier.is_empty())?;
        if self.known(tier).is_some() {
            return None;
        }
        let names: Vec<&str> = self.known.iter().map(String::as_str).collect();
        Some(Violation {
            path: path.to_owned(),
            code: "enum",
            message: format!("must be one of {}", names.join(", ")),
            info: json!({ "allowedValues": names }),
        })
    }

    fn known(&self, tier: &str) -> Option<&str> {
        self.known.iter().map(String::as_str).find(|known| same(known, tier))
    }
}

impl Default for Tiers {
    fn default() -> Self {
        let of = |tiers: &str| tiers.split(',').map(str::to_owned).collect();
        Self::new(of(Self::KNOWN), of(Self::SILOED))
    }
}

fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_are_compared_without_case_and_siloed_tiers_are_known() {
        let of = |tiers: &[&str]| tiers.iter().map(|&tier| tier.to_owned()).collect();
        let tiers = Tiers::new(of(&["Gold", "Free"]), of(&["GOLD", "Vault"]));
        for (written, spelled, isolation) in [
            ("gold", "Gold", Isolation::Silo),
            ("VAULT", "Vault", Isolation::Silo),
            ("free", "Free", Isolation::Pool),
        ] {
            assert_eq!(tiers.violation(&json!(written), "/tier"), None);
            let tier = tiers.spelled(schema::read(&json!(written)).unwrap());
            assert_eq!(tier.as_str(), spelled);
            assert_eq!(tiers.isolation(tier.as_str()), isolation);
        }
        let unknown = tiers.violation(&json!("BASIC"), "/tier").unwrap();
        assert_eq!(unknown.message, "must be one of Free, Gold, Vault");
    }
}
