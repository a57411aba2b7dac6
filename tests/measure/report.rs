use std::{
    fs,
    io::{self, Write},
};

use serde_json::Value;

use crate::{growth::ENDPOINTS, options::Options};

/// Prints when and on which machine the figures were measured.
pub(crate) fn machine(of: &Value) {
    let [cpu, rustc, commit, time] = ["cpu", "rustc", "commit", "time"].map(|what| text(&of[what]));
    let machine = format!("{} cores of {cpu}", plain(&of["cores"]));
    let _ = writeln!(io::stdout(), "Measured at {time} on {machine}; commit {commit}, {rustc}");
}

/// Prints the size, start times and memory of each function.
pub(crate) fn functions(measured: &Value) {
    let rows = each(measured).map(|of| {
        let (poll, answer) = (&of["to_first_poll"], &of["to_first_answer"]);
        let pair = |spread: &Value| {
            format!("{} / {}", rounded(&spread["median_ms"], 1), rounded(&spread["p99_ms"], 1))
        };
        let memory = &of["memory_bytes"];
        vec![
            text(&of["function"]),
            mega(&of["zip_bytes"]),
            pair(&poll["cpu"]),
            pair(&poll["wall"]),
            pair(&answer["cpu"]),
            pair(&answer["wall"]),
            format!("{} / {}", mega(&memory["at_start"]), mega(&memory["after"])),
        ]
    });
    let head = [
        "function",
        "zip MB",
        "to first poll: CPU ms",
        "elapsed ms",
        "to first answer: CPU ms",
        "elapsed ms",
        "memory MB, fresh / after load",
    ];
    print(&head, rows);
}

/// Prints the figures of one request to each endpoint.
pub(crate) fn endpoints(measured: &Value) {
    let rows = each(measured).map(|of| {
        let (alone, together) = (&of["at_1"], &of["at_16"]);
        if let Some(refused) = [alone, together].iter().find_map(|load| load["refused"].as_object())
        {
            let statuses = refused.iter().map(|(status, times)| format!("{status}, {times} times"));
            let statuses = statuses.collect::<Vec<_>>().join("; ");
            let said = format!("refused with {statuses}").replace("with 0,", "without an answer,");
            return [text(&of["endpoint"]), said]
                .into_iter()
                .chain(vec!["-".to_owned(); 7])
                .collect();
        }
        let times = |load: &Value| {
            format!("{} / {}", rounded(&load["p50_us"], 0), rounded(&load["p99_us"], 0))
        };
        let both =
            |what: &str| format!("{} / {}", rounded(&alone[what], 0), rounded(&together[what], 0));
        vec![
            text(&of["endpoint"]),
            both("cpu_us"),
            format!("{} / {}", percent(&alone["cpu_spread"]), percent(&together["cpu_spread"])),
            percent(&alone["user_share"]),
            both("per_second"),
            times(alone),
            times(together),
            rounded(&of["calls"], 0),
            format!("{} / {}", plain(&of["read_units"]), plain(&of["write_units"])),
        ]
    });
    let head = [
        "endpoint",
        "CPU µs, at 1 / 16",
        "spread of rounds",
        "user share",
        "requests/s, at 1 / 16",
        "p50 / p99 µs, at 1",
        "p50 / p99 µs, at 16",
        "calls",
        "R / W units",
    ];
    print(&head, rows);
}

/// Prints the figures of a flow from a new lead to an active tenant.
pub(crate) fn flows(of: &Value) {
    let row = vec![
        rounded(&of["cpu_us"], 0),
        percent(&of["cpu_spread"]),
        format!("{} / {}", rounded(&of["p50_us"], 0), rounded(&of["p99_us"], 0)),
        format!("{} / {}", rounded(&of["per_second_at_1"], 0), rounded(&of["per_second_at_8"], 0)),
        table(&of["requests"]),
        table(&of["consumers"]),
    ];
    let head = [
        "lead to active: CPU µs",
        "spread of rounds",
        "p50 / p99 µs",
        "flows/s, at 1 / 8",
        "HTTP calls, R / W units",
        "consumer calls, R / W units",
    ];
    print(&head, [row].into_iter());
}

/// Prints the figures of a running service.
pub(crate) fn service(of: &Value) {
    machine(&of["machine"]);
    endpoints(&of["endpoints"]);
    if of["flows"].is_object() {
        flows(&of["flows"]);
    }
    let memory = &of["memory_bytes"];
    let row = vec![mega(&memory["at_start"]), mega(&memory["after"])];
    print(&["memory MB, before", "after"], [row].into_iter());
}

/// Prints the times that a service takes to start.
pub(crate) fn starts(of: &Value) {
    let taken = &of["to_first_answer"];
    let pair = |spread: &Value| {
        format!("{} / {}", rounded(&spread["median_ms"], 1), rounded(&spread["p99_ms"], 1))
    };
    let row = vec![pair(&taken["cpu"]), pair(&taken["wall"])];
    print(&["start to first answer: CPU ms, median / p99", "elapsed ms"], [row].into_iter());
}

fn table(of: &Value) -> String {
    let units = [plain(&of["read_units"]), plain(&of["write_units"])];
    format!("{}, {}", rounded(&of["calls"], 0), units.join(" / "))
}

/// Prints the figures of the same requests at each table size.
pub(crate) fn growth(measured: &Value) {
    let rows = each(measured).map(|of| {
        let figures = ENDPOINTS.map(|endpoint| {
            format!(
                "{} / {}",
                rounded(&of[endpoint]["p50_us"], 0),
                rounded(&of[endpoint]["cpu_us"], 0)
            )
        });
        [plain(&of["tenants"])].into_iter().chain(figures).collect()
    });
    let columns = ENDPOINTS.map(|endpoint| format!("{endpoint}: p50 / CPU µs"));
    let head: Vec<_> = ["tenants"].into_iter().chain(columns.iter().map(String::as_str)).collect();
    print(&head, rows);
}

/// Prints how long it takes to renew subscriptions that are due at once.
pub(crate) fn renewals(of: &Value) {
    let number = |name: &str| of[name].as_f64().unwrap_or_default();
    let each = number("cpu_us") / (number("due") - number("left")).max(1.0);
    let row = vec![
        plain(&of["due"]),
        plain(&of["left"]),
        rounded(&of["seconds"], 1),
        rounded(&each.into(), 0),
    ];
    let head = ["renewals due", "left after one run", "seconds", "CPU µs of each"];
    print(&head, [row].into_iter());
}

/// Writes all figures to the output file.
pub(crate) fn write(options: &Options, found: &Value) {
    let text = serde_json::to_string_pretty(found).unwrap();
    fs::write(&options.out, text + "\n").unwrap();
    let _ = writeln!(io::stdout(), "Figures written to {}", options.out.display());
}

fn print(head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let head = head.iter().map(|&cell| cell.to_owned()).collect();
    let rows: Vec<Vec<String>> = [head].into_iter().chain(rows).collect();
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|n| rows.iter().map(|row| row[n].chars().count()).max().unwrap_or(0))
        .collect();
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut lines = String::new();
    for (n, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        lines += &line(cells.collect());
        if n == 0 {
            lines += &line(widths.iter().map(|&width| "-".repeat(width)).collect());
        }
    }
    let _ = writeln!(io::stdout(), "\n{lines}");
}

fn each(measured: &Value) -> impl Iterator<Item = &Value> {
    measured.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn rounded(value: &Value, digits: usize) -> String {
    value.as_f64().map_or_else(|| "-".to_owned(), |number| format!("{number:.digits$}"))
}

fn plain(value: &Value) -> String {
    value.as_f64().map_or_else(|| "-".to_owned(), |number| number.to_string())
}

fn percent(share: &Value) -> String {
    share.as_f64().map_or_else(|| "-".to_owned(), |share| format!("{:.0} %", share * 100.0))
}

fn mega(bytes: &Value) -> String {
    bytes.as_f64().map_or_else(|| "-".to_owned(), |bytes| format!("{:.2}", bytes / 1e6))
}
