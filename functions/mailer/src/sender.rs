//! The sender address of emails.

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::Email;
use lambda::{Env, config::ConfigError};
use schema::read;

/// Reads the sender from `FROM_EMAIL`: an address, or `Name <address>`.
pub(crate) fn from_env(env: &Env) -> Result<String, ConfigError> {
    let rule = "must be an email address, or a name and an address, as in `Name <address>`";
    parse(env.required("FROM_EMAIL")?).ok_or_else(|| Env::malformed("FROM_EMAIL", rule))
}

fn parse(value: &str) -> Option<String> {
    let value = value.trim();
    let (name, address) = match value.strip_suffix('>') {
        Some(value) => value.rsplit_once('<')?,
        None => ("", value),
    };
    let address: Email = read(&address.into()).ok()?;
    let name = name.trim();
    let name = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
    if name.chars().any(char::is_control) {
        return None;
    }
    Some(if name.is_empty() {
        address.to_string()
    } else {
        format!("{} <{address}>", phrase(name))
    })
}

/// Encodes a name for a header: quoted, or as encoded words of at most 75 characters (RFC 2047).
fn phrase(name: &str) -> String {
    if name.starts_with("=?") && name.ends_with("?=") {
        return name.to_owned();
    }
    if name.is_ascii() {
        return format!("\"{}\"", name.replace('\\', r"\\").replace('"', "\\\""));
    }
    let mut words = vec![String::new()];
    for letter in name.chars() {
        match words.last_mut() {
            Some(word) if word.len() + letter.len_utf8() <= 45 => word.push(letter),
            _ => words.push(letter.into()),
        }
    }
    let words = words.iter().map(|word| format!("=?UTF-8?B?{}?=", STANDARD.encode(word)));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_an_address_with_an_optional_name() {
        for (value, sender) in [
            ("noreply@tenantry.test", "noreply@tenantry.test"),
            ("<noreply@tenantry.test>", "noreply@tenantry.test"),
            ("Acme, Inc. <a@acme.test>", "\"Acme, Inc.\" <a@acme.test>"),
            ("\"Acme, Inc.\" <a@acme.test>", "\"Acme, Inc.\" <a@acme.test>"),
            ("Müller <a@acme.test>", "=?UTF-8?B?TcO8bGxlcg==?= <a@acme.test>"),
            ("=?UTF-8?B?TcO8bGxlcg==?= <a@acme.test>", "=?UTF-8?B?TcO8bGxlcg==?= <a@acme.test>"),
        ] {
            assert_eq!(parse(value).as_deref(), Some(sender), "{value}");
        }
        let long = parse(&format!("{} <a@acme.test>", "ü".repeat(60))).unwrap();
        assert!(long.split(' ').all(|word| word.len() <= 75), "{long}");
    }

    #[test]
    fn the_error_of_a_malformed_sender_names_the_variable_but_not_the_value() {
        for value in
            ["nobody", "a@", "Acme a@acme.test", "Acme <a@acme.test", "A\r\nBcc: x <a@b.c>"]
        {
            let env: Env = [("FROM_EMAIL", value)].into_iter().collect();
            let error = from_env(&env).unwrap_err().to_string();
            assert!(error.contains("FROM_EMAIL must be"), "{error}");
            assert!(!error.contains(value), "{error}");
        }
    }
}
