use std::time::Duration;

use super::{ConfigError, Env, millis};

/// Settings of the keys in verification emails.
#[derive(Clone, Copy, Debug)]
pub struct LeadKeys {
    /// Length in hex characters, `LEAD_KEY_LENGTH`.
    pub length: usize,
    /// Lifetime from the lead's creation, `VALIDATION_TOKEN_EXPIRY` (milliseconds).
    pub expiry: Duration,
    /// `LEAD_KEY_IN_RESPONSE`: the answer contains the key for a facade to send, and Tenantry sends
    /// no email.
    pub in_response: bool,
}

/// Reads `LEAD_RETENTION_DAYS`: how long an unverified lead is kept after its creation. Returns
/// `None` for 0, which keeps leads forever.
///
/// # Errors
///
/// [`ConfigError::Malformed`] for anything but a whole number of days up to 36,500.
pub fn lead_retention(env: &Env) -> Result<Option<Duration>, ConfigError> {
    let rule = "a whole number of days from 0 to 36500";
    match env.parsed::<u32>("LEAD_RETENTION_DAYS", 90, rule)? {
        0 => Ok(None),
        days @ 1..=36_500 => Ok(Some(Duration::from_secs(u64::from(days) * 24 * 3600))),
        _ => Err(Env::malformed("LEAD_RETENTION_DAYS", format!("must be {rule}"))),
    }
}

impl LeadKeys {
    /// Reads the three variables.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a variable is malformed. A key must have 16 to 64 characters: a shorter
    /// one can be guessed, and an HMAC-SHA256 is no longer than 64.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        let rule = "a whole number from 16 to 64";
        let length = env.parsed("LEAD_KEY_LENGTH", 32, rule)?;
        if !(16..=64).contains(&length) {
            return Err(Env::malformed("LEAD_KEY_LENGTH", format!("must be {rule}")));
        }
        Ok(Self {
            length,
            expiry: millis(env, "VALIDATION_TOKEN_EXPIRY", 86_400_000)?,
            in_response: env.flag("LEAD_KEY_IN_RESPONSE")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unverified_leads_are_kept_for_90_days_by_default() {
        let kept = |days| {
            let days = lead_retention(&[("LEAD_RETENTION_DAYS", days)].into_iter().collect())?;
            Ok::<_, ConfigError>(days.map(|kept| kept.as_secs() / (24 * 3600)))
        };
        assert_eq!(kept("").unwrap(), Some(90));
        assert_eq!((kept("0").unwrap(), kept("7").unwrap()), (None, Some(7)));
        for wrong in ["-1", "1.5", "36501", "99999999999", "ever"] {
            let refused = kept(wrong).unwrap_err().to_string();
            assert!(refused.contains("LEAD_RETENTION_DAYS must be a whole number"), "{refused}");
        }
    }
}
