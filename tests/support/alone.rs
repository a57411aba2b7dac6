use std::{
    env::{current_exe, var_os},
    process::Command,
};

/// Set in the process that runs one test only.
const ALONE: &str = "TENANTRY_TEST_ALONE";

/// Runs the named test in a process of its own. Returns whether this is that process.
///
/// The clock belongs to the process, and `cargo test` runs the tests of a binary in one.
#[must_use]
pub fn is_alone(test: &str) -> bool {
    #[expect(clippy::disallowed_methods, reason = "the way a test runs, not configuration")]
    if var_os(ALONE).is_some() {
        return true;
    }
    let mut process = Command::new(current_exe().unwrap());
    let run = process.args([test, "--exact", "--nocapture"]).env(ALONE, "1").output().unwrap();
    let shown = String::from_utf8_lossy(&run.stdout);
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() && shown.contains("1 passed"), "{shown}\n{errors}");
    false
}

/// Returns from the test with this name, which must be the enclosing one, unless it runs in a process of
/// its own.
#[macro_export]
macro_rules! run_alone {
    ($test:ident) => {
        let name = concat!(module_path!(), "::", stringify!($test));
        if !$crate::is_alone(name.split_once("::").map_or(name, |(_, path)| path)) {
            return;
        }
    };
}
