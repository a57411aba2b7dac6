use super::{ConfigError, Env};
use domain::{ReservedKeys, TenantKey};
use schema::read;

/// Reads `RESERVED_KEYS`, a comma-separated list of keys in addition to the default list.
///
/// # Errors
///
/// [`ConfigError::Malformed`] if an entry is not a valid tenant key.
pub fn reserved_keys(env: &Env) -> Result<ReservedKeys, ConfigError> {
    let own = env.list("RESERVED_KEYS", "").into_iter();
    let own: Result<Vec<TenantKey>, _> = own.map(|key| read(&key.into())).collect();
    let rule = "must be keys of 1 to 10 lowercase letters and digits, separated by commas";
    own.map(ReservedKeys::with_own).map_err(|_| Env::malformed("RESERVED_KEYS", rule))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_key_is_refused_with_the_name_of_the_variable() {
        let reserved = |own| reserved_keys(&[("RESERVED_KEYS", own)].into_iter().collect());
        for wrong in ["Acme", "my-brand", "elevenchars", "a;b"] {
            assert!(reserved(wrong).unwrap_err().to_string().contains("RESERVED_KEYS"), "{wrong}");
        }
        assert!(reserved("acme, rival,").unwrap().contains(&read(&"rival".into()).unwrap()));
    }
}
