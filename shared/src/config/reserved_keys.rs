use super::{ConfigError, Env};
use crate::domain::{ReservedKeys, TenantKey, read};

/// Reads `RESERVED_KEYS`, a comma-separated list that adds to the default one.
///
/// # Errors
///
/// [`ConfigError::Malformed`] if a word in it is no tenant key.
pub(crate) fn reserved_keys(env: &Env) -> Result<ReservedKeys, ConfigError> {
    let own = env.list("RESERVED_KEYS", "").into_iter();
    let own: Result<Vec<TenantKey>, _> = own.map(|key| read(&key.into())).collect();
    let rule = "must be keys of 1 to 10 lowercase letters and digits, separated by commas";
    own.map(ReservedKeys::with).map_err(|_| Env::malformed("RESERVED_KEYS", rule))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_no_key_is_refused_by_the_name_of_its_variable() {
        let reserved = |own| reserved_keys(&[("RESERVED_KEYS", own)].into_iter().collect());
        for wrong in ["Acme", "my-brand", "elevenchars", "a;b"] {
            assert!(reserved(wrong).unwrap_err().to_string().contains("RESERVED_KEYS"), "{wrong}");
        }
        assert!(reserved("acme, rival,").unwrap().contains(&read(&"rival".into()).unwrap()));
    }
}
