use std::time::Duration;

use super::{ConfigError, Env, millis};

/// How the keys in verification mails are: their length, how long they are good, who mails them.
#[derive(Clone, Copy, Debug)]
pub struct LeadKeys {
    /// Characters of hex, `LEAD_KEY_LENGTH`.
    pub length: usize,
    /// From the lead's creation on, `VALIDATION_TOKEN_EXPIRY` (milliseconds).
    pub expiry: Duration,
    /// `LEAD_KEY_IN_RESPONSE`: a facade gets the key and mails it by itself; we send no mail.
    pub in_response: bool,
}

impl LeadKeys {
    /// Reads the three variables.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the one that is malformed. A key has 16 to 64 characters: fewer can be
    /// guessed, and an HMAC-SHA256 has no more.
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
