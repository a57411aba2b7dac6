use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    str::FromStr,
    time::Duration,
};

use super::ConfigError;

/// The environment variables of a function.
///
/// A map instead of the process environment, so that one process can host several functions with
/// different variables.
#[derive(Clone, Default)]
pub struct Env(HashMap<String, String>);

impl Env {
    /// Returns the environment of this process.
    #[must_use]
    pub fn process() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
        std::env::vars().collect()
    }

    /// Returns the value of `name`. An empty value counts as not set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Returns the value of a required variable.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Missing`] if the variable is not set.
    pub fn required(&self, name: &str) -> Result<&str, ConfigError> {
        self.get(name).ok_or_else(|| ConfigError::Missing(name.to_owned()))
    }

    /// Returns the value of `name` as a `T`, or `default` if it is not set. A leading `+` is
    /// rejected, although Rust's parsers accept it.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Malformed`] if the value cannot be parsed.
    pub fn parsed<T: FromStr>(&self, name: &str, default: T, rule: &str) -> Result<T, ConfigError> {
        let Some(value) = self.get(name) else { return Ok(default) };
        let parsed = value.parse().ok().filter(|_| !value.starts_with('+'));
        parsed.ok_or_else(|| Self::malformed(name, format!("must be {rule}")))
    }

    /// Returns a whole number of at least 1, or `default` if it is not set.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Malformed`] for anything else.
    pub fn count(&self, name: &str, default: u32) -> Result<u32, ConfigError> {
        let rule = "a whole number of at least 1";
        match self.parsed(name, default, rule)? {
            0 => Err(Self::malformed(name, format!("must be {rule}"))),
            count => Ok(count),
        }
    }

    /// Returns `true` or `false`; `false` if it is not set.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Malformed`] for anything else.
    pub fn flag(&self, name: &str) -> Result<bool, ConfigError> {
        self.parsed(name, false, "true or false")
    }

    /// Returns the parts of a comma-separated list, or those of `default` if it is not set.
    #[must_use]
    pub fn list(&self, name: &str, default: &str) -> BTreeSet<String> {
        let parts = self.get(name).unwrap_or(default).split(',').map(str::trim);
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    /// Returns an absolute `http` or `https` URL, without a trailing slash.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the variable is missing or not such a URL.
    pub fn url(&self, name: &str) -> Result<String, ConfigError> {
        let value = self.required(name)?;
        match url::Url::parse(value) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
                Ok(value.trim_end_matches('/').to_owned())
            }
            _ => Err(Self::malformed(name, "must be an absolute http or https URL")),
        }
    }

    /// Returns this environment, overridden by the variables of `other`.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Returns the names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Creates the error for a variable that violates `rule`.
    pub fn malformed(name: &str, rule: impl Into<String>) -> ConfigError {
        ConfigError::Malformed { name: name.to_owned(), rule: rule.into() }
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl fmt::Debug for Env {
    /// Shows names only, because values may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Reads a duration in milliseconds, as in the `*_EXPIRY` variables of ARC SaaS for keys and
/// webhooks.
///
/// # Errors
///
/// [`ConfigError::Malformed`] for anything but a whole number of at least 1.
pub fn millis(env: &Env, name: &str, default: u32) -> Result<Duration, ConfigError> {
    env.count(name, default).map(|millis| Duration::from_millis(millis.into()))
}

/// Reads a duration in seconds.
///
/// # Errors
///
/// [`ConfigError::Malformed`] for anything but a whole number of at least 1.
pub fn seconds(env: &Env, name: &str, default: u32) -> Result<Duration, ConfigError> {
    env.count(name, default).map(|seconds| Duration::from_secs(seconds.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_malformed_variable_is_named() {
        let env: Env = [("PUBLIC_API_MAX_ATTEMPTS", "many"), ("EMPTY", ""), ("URL", "ftp://x")]
            .into_iter()
            .collect();
        let count = env.count("PUBLIC_API_MAX_ATTEMPTS", 30).unwrap_err();
        assert!(count.to_string().contains("PUBLIC_API_MAX_ATTEMPTS must be a whole number"));
        assert!(!count.to_string().contains("many"));
        assert!(env.required("EMPTY").unwrap_err().to_string().contains("EMPTY is required"));
        assert!(env.url("URL").is_err());
        assert_eq!(env.count("UNSET", 30).unwrap(), 30);
    }

    #[test]
    fn a_number_consists_of_digits_only() {
        for number in ["+5", "-5", " 5", "5 ", "5.0", "0x5", "5e0", "0"] {
            let env: Env = [("COUNT", number)].into_iter().collect();
            assert!(env.count("COUNT", 30).is_err(), "{number}");
        }
    }
}
