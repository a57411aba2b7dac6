use domain::{Error, Result};
use ring::rand::{SecureRandom, SystemRandom};

/// Character classes. None of the characters looks like another or is special in HTML.
const CLASSES: [&[u8]; 4] =
    [b"ABCDEFGHJKLMNPQRSTUVWXYZ", b"abcdefghijkmnopqrstuvwxyz", b"23456789", b"!#%*+-=?_"];

/// Longer than common policies require, and shorter than bcrypt's limit of 72 bytes.
const LENGTH: usize = 24;

/// Generates a random password of all four classes, with no character twice in a row. It meets the
/// strictest policy of Auth0 and the default policies of the other providers.
pub(crate) fn temporary() -> Result<String> {
    let random = SystemRandom::new();
    loop {
        let mut password = String::with_capacity(LENGTH);
        while password.len() < LENGTH {
            let next = char::from(one_of(&CLASSES.concat(), &random)?);
            if !password.ends_with(next) {
                password.push(next);
            }
        }
        if CLASSES.iter().all(|class| password.bytes().any(|byte| class.contains(&byte))) {
            return Ok(password);
        }
    }
}

/// Picks one of `bytes` with equal probability. Random numbers that would favour some are rejected.
fn one_of(bytes: &[u8], random: &SystemRandom) -> Result<u8> {
    let fair = 256 / bytes.len() * bytes.len();
    loop {
        let mut byte = [0];
        random
            .fill(&mut byte)
            .map_err(|_| Error::Busy("the system's random number generator failed"))?;
        let drawn = usize::from(byte[0]);
        if drawn < fair {
            return Ok(bytes[drawn % bytes.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn passwords_satisfy_common_policies_and_differ() {
        let passwords: BTreeSet<_> = (0..200).map(|_| temporary().unwrap()).collect();
        assert_eq!(passwords.len(), 200);
        for password in passwords {
            assert_eq!(password.len(), LENGTH);
            for class in CLASSES {
                assert!(password.bytes().any(|byte| class.contains(&byte)));
            }
            assert!(password.as_bytes().windows(2).all(|pair| pair[0] != pair[1]));
        }
    }
}
