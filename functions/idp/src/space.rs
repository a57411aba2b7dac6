use domain::Isolation;
use ring::digest;

use crate::setup::Setup;

/// A separate set of users at a provider: a realm, an organization or a user pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Space {
    /// The name at the provider: a tenant's key, or `tier-` and a tier's name. Keys have no hyphen,
    /// so the two cannot collide.
    pub(crate) name: String,
    /// The display name.
    pub(crate) title: String,
    /// The owner, stored in the space under [`MARK`]. A space of the same name without this mark
    /// was not created by Tenantry and is never changed. An example is Keycloak's `master`, which
    /// is a valid key.
    pub(crate) mark: String,
}

/// The name of the attribute, metadata or tag that holds [`Space::mark`].
pub(crate) const MARK: &str = "tenantry";

/// Maximum number of characters of a tier's name in the name of its space.
const MAX_TIER_LENGTH: usize = 30;

impl Space {
    /// Returns the tenant's own space if it is siloed, otherwise the tier's space.
    pub(crate) fn of(setup: &Setup, isolation: Isolation) -> Self {
        let (tenant, tier) = (&setup.tenant, setup.plan.tier.as_str());
        if isolation == Isolation::Silo {
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

/// Converts `tier` to characters that every provider accepts. If that loses information, a digest
/// is appended, so that no two tiers share a space by accident.
fn slug(tier: &str) -> String {
    let folded = tier.to_lowercase();
    let safe_char = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
    let slug: String = folded.chars().map(safe_char).take(MAX_TIER_LENGTH).collect();
    if slug == folded {
        return slug;
    }
    format!("{slug}-{}", digits(&folded))
}

/// Returns eight hex digits of a digest, which tell names apart that lost characters.
pub(crate) fn digits(name: &str) -> String {
    let digest = digest::digest(&digest::SHA256, name.as_bytes());
    digest.as_ref()[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tier_has_a_valid_and_unique_name() {
        assert_eq!(slug("STANDARD"), "standard");
        assert_eq!(slug("pre-paid"), "pre-paid");
        let (plus, minus) = (slug("Gold+"), slug("Gold!"));
        assert!(plus.starts_with("gold--") && plus != minus, "{plus} {minus}");
        assert!(slug(&"x".repeat(100)).len() < 45);
    }
}
