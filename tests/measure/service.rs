//! A running service of the same API, in any language.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::{Value, json};
use support::{Client, tenant};

use crate::{
    endpoints::{all, fresh_key, of},
    flows::{self, Secrets},
    lambda::Elapsed,
    load::{Load, Request},
    machine,
    options::{Options, Service, Start},
    process, report, starts,
};

/// Connections that fill the service.
const FILLING: usize = 8;

/// Fills the service, then measures the endpoints, the flow and the memory.
pub(crate) async fn measure(options: &Options, service: &Service) -> Value {
    let (client, url, pids) = (Client::new(&service.url), &service.url, &service.pid);
    let mut found = json!({
        "machine": machine::describe(),
        "memory_bytes": { "at_start": process::memory(pids) },
    });
    let new_tenant = || {
        Request::new(Method::POST, "/tenants".into(), &service.token, Some(tenant(&fresh_key())))
    };
    let filled = Load::run(url, pids, (service.fill, FILLING), &new_tenant).await;
    found["fill"] = filled.figures();
    let mut measured = Vec::new();
    for endpoint in all(&client, &service.token).await {
        measured.push(of(options, url, pids, &endpoint).await);
    }
    found["endpoints"] = measured.into();
    if let Some(command) = &service.secrets {
        let secrets = Secrets::Command(command.clone());
        found["flows"] = flows::timed(options, &client, pids, &secrets).await;
    }
    found["memory_bytes"]["after"] = process::memory(pids).into();
    report::service(&found);
    found
}

/// Starts a service again and again, and measures the time until it answers.
pub(crate) async fn measure_starts(options: &Options, start: &Start) -> Value {
    let mut taken = Vec::new();
    for _ in 0..options.starts {
        taken.push(start_once(start).await);
    }
    let found = json!({ "to_first_answer": starts::figures(&taken) });
    report::starts(&found);
    found
}

async fn start_once(start: &Start) -> Elapsed {
    let (program, arguments) = start.command.split_first().unwrap();
    let began = Instant::now();
    let mut command = Command::new(program);
    let mut child =
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while reqwest::get(format!("{}/ping", start.url)).await.is_err() {
        assert!(child.try_wait().unwrap().is_none(), "the service has ended");
        assert!(began.elapsed() < Duration::from_secs(120), "the service does not answer");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let (wall, cpu) = (began.elapsed(), process::cpu(&[child.id()]));
    child.kill().unwrap();
    child.wait().unwrap();
    Elapsed { cpu: Duration::from_nanos(cpu), wall }
}
