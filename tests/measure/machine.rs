use std::{fs, process::Command};

use serde_json::{Value, json};

/// Describes the machine and the versions measured.
pub(crate) fn describe() -> Value {
    json!({
        "cpu": cpu_info("model name"),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "kernel": read("/proc/sys/kernel/osrelease"),
        "architecture": std::env::consts::ARCH,
        "commit": output_of(&["git", "describe", "--always", "--dirty", "--abbrev=12"]),
        "rustc": output_of(&["rustc", "--version"]),
        "time": lambda::now().to_string(),
        "load_before": load(),
    })
}

/// Returns the load averages over 1, 5 and 15 minutes.
pub(crate) fn load() -> String {
    read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" ")
}

fn cpu_info(what: &str) -> String {
    let all = read("/proc/cpuinfo");
    let line = all.lines().find(|line| line.starts_with(what)).unwrap_or_default();
    line.split(": ").nth(1).unwrap_or_default().to_owned()
}

fn read(file: &str) -> String {
    fs::read_to_string(file).unwrap_or_default().trim().to_owned()
}

fn output_of(command: &[&str]) -> String {
    let output = Command::new(command[0]).args(&command[1..]).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_default()
}
