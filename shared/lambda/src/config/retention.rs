use std::time::Duration;

use super::{ConfigError, Env};
use domain::Retention;

/// Reads how long a tenant keeps its resources after the cancellation of its subscription:
/// `RETENTION_DAYS`, if `AUTO_DEPROVISION` is `true`.
///
/// # Errors
///
/// [`ConfigError::Malformed`] for anything but `true` or `false` and a whole number of days from 1 to
/// 3,650. Nobody returns within a retention of no days, so there is none.
pub fn retention(env: &Env) -> Result<Retention, ConfigError> {
    let rule = "a whole number of days from 1 to 3650";
    let is_on = env.flag("AUTO_DEPROVISION")?;
    match env.parsed::<u32>("RETENTION_DAYS", 30, rule)? {
        days @ 1..=3650 => {
            let kept = Duration::from_secs(u64::from(days) * 24 * 3600);
            Ok(Retention(is_on.then_some(kept)))
        }
        _ => Err(Env::malformed("RETENTION_DAYS", format!("must be {rule}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_kept_unless_their_removal_is_switched_on() {
        let read = |is_on, days| {
            let env = [("AUTO_DEPROVISION", is_on), ("RETENTION_DAYS", days)];
            let kept = retention(&env.into_iter().collect::<Env>())?.0;
            Ok::<_, ConfigError>(kept.map(|kept| kept.as_secs() / (24 * 3600)))
        };
        for (is_on, days, kept) in
            [("", "", None), ("false", "7", None), ("true", "", Some(30)), ("true", "1", Some(1))]
        {
            assert_eq!(read(is_on, days).unwrap(), kept, "{is_on} {days}");
        }
        for (is_on, days, named) in [
            ("yes", "", "AUTO_DEPROVISION"),
            ("true", "0", "RETENTION_DAYS"),
            ("false", "3651", "RETENTION_DAYS"),
            ("true", "ever", "RETENTION_DAYS"),
        ] {
            assert!(read(is_on, days).unwrap_err().to_string().contains(named), "{named}");
        }
    }
}
