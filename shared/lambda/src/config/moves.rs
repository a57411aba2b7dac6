use super::{ConfigError, Env, millis, tiers};
use domain::MoveRules;

/// Reads how tenants are moved: `TIERS` and `SILO_TIERS`, `WEBHOOK_SECRET_EXPIRY`, and
/// `MOVE_RETENTION_DAYS`.
///
/// # Errors
///
/// [`ConfigError::Malformed`] for anything but a whole number of days from 0 to 365.
pub fn moves(env: &Env) -> Result<MoveRules, ConfigError> {
    let rule = "a whole number of days from 0 to 365";
    match env.parsed::<u32>("MOVE_RETENTION_DAYS", 7, rule)? {
        retention_days @ 0..=365 => Ok(MoveRules {
            tiers: tiers(env),
            expiry: millis(env, "WEBHOOK_SECRET_EXPIRY", 3_600_000)?,
            retention_days,
        }),
        _ => Err(Env::malformed("MOVE_RETENTION_DAYS", format!("must be {rule}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resources_from_before_a_move_are_kept_for_a_week_by_default() {
        let days = |value| moves(&[("MOVE_RETENTION_DAYS", value)].into_iter().collect::<Env>());
        assert_eq!(days("").unwrap().retention_days, 7);
        assert_eq!(days("0").unwrap().retention_days, 0);
        for wrong in ["-1", "366", "ever"] {
            assert!(days(wrong).unwrap_err().to_string().contains("MOVE_RETENTION_DAYS"));
        }
    }
}
