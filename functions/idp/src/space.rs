use std::collections::BTreeSet;

use ring::digest;

use crate::setup::Setup;

/// Where a provider keeps users apart: a realm, an organization, a user pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Space {
    /// Its name at the provider: a tenant's key, or `tier-` and a tier's name. No key has a hyphen,
    /// so no tenant's space is a tier's.
    pub(crate) name: String,
    /// What people read.
    pub(crate) title: String,
    /// Whose it is, written into it under [`MARK`]: a space of that name without it (such as
    /// Keycloak's `master`, which is a good key) was made by somebody else and is never touched.
    pub(crate) mark: String,
}

/// The name of the attribute, metadata or tag that holds [`Space::mark`].
pub(crate) const MARK: &str = "tenantry";

/// The name of a tier may be any text; what of it goes into a name is this long.
const LONGEST_TIER: usize = 30;

impl Space {
    /// The tenant's own for the tiers in `silo_tiers`, otherwise the one its tier shares.
    pub(crate) fn of(setup: &Setup, silo_tiers: &BTreeSet<String>) -> Self {
        let (tenant, tier) = (&setup.tenant, setup.tier.as_str());
        if silo_tiers.contains(tier) {
            return Self {
                name: tenant.key.to_string(),
                title: tenant.name.to_string(),
                mark: format!("tenant:{}", tenant.id),
            };
        }
        let slug = slug(tier);
        Self { name: format!("tier-{slug}"), title: tier.to_owned(), mark: format!("tier:{slug}") }
    }
}

/// `tier` in the characters that every provider takes; one that does not fit keeps a digest of the
/// rest, so that no two tiers share a space by accident.
fn slug(tier: &str) -> String {
    let folded = tier.to_lowercase();
    let plain = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
    let slug: String = folded.chars().map(plain).take(LONGEST_TIER).collect();
    if slug == folded {
        return slug;
    }
    let digest = digest::digest(&digest::SHA256, folded.as_bytes());
    let digits: String = digest.as_ref()[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{slug}-{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tier_has_one_name_whatever_it_is_called() {
        assert_eq!(slug("STANDARD"), "standard");
        assert_eq!(slug("pre-paid"), "pre-paid");
        let (plus, minus) = (slug("Gold+"), slug("Gold!"));
        assert!(plus.starts_with("gold--") && plus != minus, "{plus} {minus}");
        assert!(slug(&"x".repeat(100)).len() < 45);
    }
}
