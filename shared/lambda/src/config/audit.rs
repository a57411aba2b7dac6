use std::time::Duration;

use super::{ConfigError, Env};
use domain::AddressDetail;

/// Reads `AUDIT_RETENTION_DAYS`: how long entries of the audit log are kept.
///
/// # Errors
///
/// [`ConfigError::Malformed`] for anything but a whole number of days from 1 to 36,500.
pub fn audit_retention(env: &Env) -> Result<Duration, ConfigError> {
    let rule = "a whole number of days from 1 to 36500";
    match env.parsed::<u32>("AUDIT_RETENTION_DAYS", 400, rule)? {
        days @ 1..=36_500 => Ok(Duration::from_secs(u64::from(days) * 24 * 3600)),
        _ => Err(Env::malformed("AUDIT_RETENTION_DAYS", format!("must be {rule}"))),
    }
}

/// Reads `AUDIT_IP`: how much of a client's address the audit log keeps.
///
/// # Errors
///
/// [`ConfigError::Malformed`] for anything but `full`, `truncated` and `none`.
pub fn audit_address(env: &Env) -> Result<AddressDetail, ConfigError> {
    match env.get("AUDIT_IP").unwrap_or("truncated") {
        "full" => Ok(AddressDetail::Full),
        "truncated" => Ok(AddressDetail::Truncated),
        "none" => Ok(AddressDetail::None),
        _ => Err(Env::malformed("AUDIT_IP", "must be full, truncated or none")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audit_log_is_kept_for_400_days_with_truncated_addresses_by_default() {
        let env = |name, value| [(name, value)].into_iter().collect::<Env>();
        let days = |value| audit_retention(&env("AUDIT_RETENTION_DAYS", value));
        assert_eq!(days("").unwrap(), Duration::from_secs(400 * 24 * 3600));
        for wrong in ["0", "-1", "36501", "ever"] {
            assert!(days(wrong).unwrap_err().to_string().contains("AUDIT_RETENTION_DAYS"));
        }
        let detail = |value| audit_address(&env("AUDIT_IP", value));
        assert_eq!(detail("").unwrap(), AddressDetail::Truncated);
        assert_eq!(detail("none").unwrap(), AddressDetail::None);
        assert!(detail("some").unwrap_err().to_string().contains("AUDIT_IP"));
    }
}
