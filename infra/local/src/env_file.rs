//! Writes `.local/env`: the variables of this run, for `. .local/env` and
//! `cargo lambda watch --env-file`.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Writes the variables to a file that only its owner can read.
pub(crate) fn write(file: &Path, variables: &BTreeMap<String, String>) -> io::Result<()> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    // Write a new file and rename it, so that nobody reads half a file, and old permissions are
    // dropped.
    let fresh = file.with_extension("new");
    let _ = fs::remove_file(&fresh);
    let mut writer =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
    writer.write_all(text(variables).as_bytes())?;
    fs::rename(fresh, file)
}

fn text(variables: &BTreeMap<String, String>) -> String {
    let mut text = String::from("# Rewritten at each start of `cargo run`.\n");
    for (name, value) in variables {
        let _ = writeln!(text, "{name}={}", quoted(value));
    }
    text
}

/// Quotes a value for both shells and dotenv parsers.
fn quoted(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,=".contains(c);
    if value.chars().all(is_plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_if_a_shell_needs_it() {
        let variables = [("A", "http://127.0.0.1:1/x"), ("B", r#"{"k":"v"}"#), ("C", "")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let written = text(&variables.into());
        assert!(written.ends_with("A=http://127.0.0.1:1/x\nB='{\"k\":\"v\"}'\nC=\n"), "{written}");
    }
}
