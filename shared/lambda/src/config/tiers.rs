use super::Env;
use domain::Tiers;

/// Reads `TIERS` and `SILO_TIERS`, comma-separated lists.
#[must_use]
pub fn tiers(env: &Env) -> Tiers {
    Tiers::new(env.list("TIERS", Tiers::KNOWN), env.list("SILO_TIERS", Tiers::SILOED))
}
