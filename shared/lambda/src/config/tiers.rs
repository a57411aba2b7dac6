use super::Env;
use domain::Tiers;

/// Reads `TIERS` and `SILO_TIERS`, comma-separated lists.
#[must_use]
pub fn tiers(env: &Env) -> Tiers {
    Tiers::new(env.list("TIERS", "BASIC,STANDARD,PREMIUM"), env.list("SILO_TIERS", "PREMIUM"))
}
