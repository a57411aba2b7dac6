//! `GenerateSecretString` of CloudFormation.

use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Map, Value};

use super::{AwsFault, Result};

const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// The value of a secret, generated as `rules` say.
pub(super) fn value(rules: &Value) -> Result<String> {
    let length = rules["PasswordLength"].as_u64().unwrap_or(32);
    let password = password(&alphabet(rules), usize::try_from(length).unwrap_or(32))?;
    let (Some(template), Some(key)) =
        (rules["SecretStringTemplate"].as_str(), rules["GenerateStringKey"].as_str())
    else {
        return Ok(password);
    };
    let mut members: Map<String, Value> = serde_json::from_str(template)
        .map_err(|_| AwsFault::bad("ValidationException", "SecretStringTemplate is no JSON"))?;
    members.insert(key.to_owned(), password.into());
    Ok(Value::Object(members).to_string())
}

fn alphabet(rules: &Value) -> Vec<u8> {
    let is_set = |name: &str| rules[name] == true || rules[name] == "true";
    let excluded = rules["ExcludeCharacters"].as_str().unwrap_or_default();
    let all = (b'a'..=b'z').chain(b'A'..=b'Z').chain(b'0'..=b'9').chain(PUNCTUATION.bytes());
    let mut alphabet: Vec<u8> = all
        .filter(|letter| match letter {
            b'a'..=b'z' => !is_set("ExcludeLowercase"),
            b'A'..=b'Z' => !is_set("ExcludeUppercase"),
            b'0'..=b'9' => !is_set("ExcludeNumbers"),
            _ => !is_set("ExcludePunctuation"),
        })
        .collect();
    if is_set("IncludeSpace") {
        alphabet.push(b' ');
    }
    alphabet.retain(|letter| !excluded.contains(char::from(*letter)));
    alphabet
}

/// Letters drawn evenly: a byte beyond the last whole multiple of the alphabet is drawn again.
fn password(alphabet: &[u8], length: usize) -> Result<String> {
    let fault = |message| AwsFault::bad("InternalServiceError", message);
    if alphabet.is_empty() {
        return Err(fault("the rules leave no letters"));
    }
    let random = SystemRandom::new();
    let even = 256 - 256 % alphabet.len();
    let mut password = String::new();
    while password.len() < length {
        let mut bytes = [0; 64];
        random.fill(&mut bytes).map_err(|_| fault("no random bytes"))?;
        let letters = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < even);
        let left = length - password.len();
        let letters = letters.map(|byte| char::from(alphabet[byte % alphabet.len()]));
        password.extend(letters.take(left));
    }
    Ok(password)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn passwords_follow_the_rules() {
        let plain = value(&json!({ "PasswordLength": 64, "ExcludePunctuation": true })).unwrap();
        assert_eq!(plain.len(), 64);
        assert!(plain.chars().all(|letter| letter.is_ascii_alphanumeric()));
        let rules =
            json!({ "SecretStringTemplate": r#"{"current":"k1"}"#, "GenerateStringKey": "k1" });
        let set: Value = serde_json::from_str(&value(&rules).unwrap()).unwrap();
        assert_eq!(set["current"], "k1");
        assert_eq!(set["k1"].as_str().unwrap().len(), 32);
    }
}
