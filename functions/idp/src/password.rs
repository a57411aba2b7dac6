use ring::rand::{SecureRandom, SystemRandom};
use shared::{Error, Result};

/// One of each is in every password; none of them is read as another or means anything in HTML.
const CLASSES: [&[u8]; 4] =
    [b"ABCDEFGHJKLMNPQRSTUVWXYZ", b"abcdefghijkmnopqrstuvwxyz", b"23456789", b"!#%*+-=?_"];

/// Longer than any usual policy asks for, shorter than the 72 bytes that bcrypt reads.
const LENGTH: usize = 24;

/// A password that nobody has to remember: random, of all four classes, no character twice in a
/// row, as the strictest of Auth0's policies and the defaults of the others want it.
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

/// One of `bytes`, each as likely as the others: what would favour some of them is drawn again.
fn one_of(bytes: &[u8], random: &SystemRandom) -> Result<u8> {
    let fair = 256 / bytes.len() * bytes.len();
    loop {
        let mut byte = [0];
        random.fill(&mut byte).map_err(|_| Error::Busy("the system has no randomness"))?;
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
    fn a_password_satisfies_usual_policies_and_is_never_the_same() {
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
