//! `.local/env`: the variables of this run, for `. .local/env` and `cargo lambda watch --env-file`.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Writes the variables for their owner alone.
pub(crate) fn write(file: &Path, variables: &BTreeMap<String, String>) -> io::Result<()> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    // Another file first, and then its name: nobody reads half of it, and an old one's mode goes.
    let fresh = file.with_extension("new");
    let _ = fs::remove_file(&fresh);
    let mut writer =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
    writer.write_all(text(variables).as_bytes())?;
    fs::rename(fresh, file)
}

fn text(variables: &BTreeMap<String, String>) -> String {
    let mut text = String::from("# Written at each start of the local run.\n");
    for (name, value) in variables {
        let _ = writeln!(text, "{name}={}", quoted(value));
    }
    text
}

/// A value as both a shell and a dotenv reader take it.
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
    fn values_are_quoted_where_a_shell_needs_it() {
        let variables = [("A", "http://127.0.0.1:1/x"), ("B", r#"{"k":"v"}"#), ("C", "")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let written = text(&variables.into());
        assert!(written.ends_with("A=http://127.0.0.1:1/x\nB='{\"k\":\"v\"}'\nC=\n"), "{written}");
    }
}
