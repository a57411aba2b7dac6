use std::{fs, io::Write, path::Path, time::Duration};

use axum::{body::Bytes, extract::Request};
use flate2::{Compression, write::DeflateEncoder};
use serde_json::{Value, json};

use crate::{
    flows,
    gateway::event,
    lambda::{Elapsed, Lambda},
    load::percentile,
    options::Options,
    process,
    stack::Stack,
};

/// Measures the size, start times and memory of each function.
pub(crate) async fn measure(options: &Options) -> Vec<Value> {
    let mut stack = Stack::start(options).await;
    let secrets = flows::Secrets::Keys(flows::keys(&stack).await);
    flows::flow(&stack.client, &secrets).await;
    stack.settle().await;
    let mut measured = Vec::new();
    let functions = stack.aws.functions();
    for function in functions.into_iter().filter(|function| options.starts(function)) {
        let first = first_event(&mut stack, &function).await;
        measured.push(of(options, &stack, &function, &first).await);
    }
    measured
}

async fn of(options: &Options, stack: &Stack, function: &str, first: &Bytes) -> Value {
    let (binary, env) = (options.binaries.join(function), stack.aws.env(function));
    let (mut polls, mut answers, mut fresh) = (Vec::new(), Vec::new(), 0);
    for _ in 0..options.starts {
        let lambda = Lambda::start(&binary, &env).await;
        polls.push(lambda.start);
        fresh = process::memory(&[lambda.pid()]);
        lambda.invoke(first.clone()).await;
        answers.push(lambda.elapsed());
    }
    let lambda = Lambda::start(&binary, &env).await;
    for _ in 0..options.memory_after {
        lambda.invoke(first.clone()).await;
    }
    json!({
        "function": function,
        "zip_bytes": zipped(&binary),
        "binary_bytes": fs::metadata(&binary).unwrap().len(),
        "to_first_poll": figures(&polls),
        "to_first_answer": figures(&answers),
        "memory_bytes": { "at_start": fresh, "after": process::memory(&[lambda.pid()]) },
    })
}

/// Returns the median and the 99th percentile of the times taken.
pub(crate) fn figures(taken: &[Elapsed]) -> Value {
    let spread = |of: fn(&Elapsed) -> Duration| {
        let mut all: Vec<_> = taken.iter().map(of).collect();
        all.sort_unstable();
        let millis = |share| percentile(&all, share).as_secs_f64() * 1e3;
        json!({ "median_ms": millis(50), "p99_ms": millis(99) })
    };
    json!({ "cpu": spread(|taken| taken.cpu), "wall": spread(|taken| taken.wall) })
}

/// Returns the compressed size of a binary, as `cargo lambda build --output-format zip` packs it.
fn zipped(binary: &Path) -> u64 {
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::best());
    deflated.write_all(&fs::read(binary).unwrap()).unwrap();
    deflated.finish().unwrap().len().try_into().unwrap()
}

/// Returns the event for a function's invocations.
async fn first_event(stack: &mut Stack, function: &str) -> Bytes {
    let request = |method: &str, path: &str, body: &'static str| {
        let bearer = format!("Bearer {}", stack.aws.operator());
        let request = Request::builder().method(method).uri(path).header("authorization", bearer);
        request.header("content-type", "application/json").body(body.into()).unwrap()
    };
    match function {
        "audit" | "contacts" | "invoices" | "leads" | "operators" | "plans" | "subscriptions"
        | "tenant-configs" | "tenants" => event(request("GET", &format!("/{function}"), "")).await,
        "home" => event(request("GET", "/ping", "")).await,
        "idp" => event(request("POST", "/manage/users", "{}")).await,
        "webhook" => event(request("POST", "/webhook", "{}")).await,
        "relay" | "upkeep" => {
            let records = stack.aws.command(&format!("records {function}")).await;
            json!({ "Records": [records[0]] }).to_string().into()
        }
        "mailer" => event_of_type(stack, "LEAD_CREATED").await.to_string().into(),
        "pipelines" => event_of_type(stack, "TENANT_PROVISIONING").await.to_string().into(),
        "identity" => {
            // Of a job that is no longer setting up identity, so the function only reads it.
            let mut event = event_of_type(stack, "TENANT_PROVISIONING").await;
            event["detail-type"] = "TENANT_IDENTITY_SETUP".into();
            event.to_string().into()
        }
        "reconciler" => Bytes::from_static(b"{}"),
        "rotator" => {
            let step =
                json!({ "SecretId": "none", "ClientRequestToken": "none", "Step": "setSecret" });
            step.to_string().into()
        }
        other => panic!("no event defined for {other}"),
    }
}

async fn event_of_type(stack: &mut Stack, kind: &str) -> Value {
    let events = stack.aws.command("events").await;
    let mut events = events.as_array().unwrap().iter();
    events.find(|event| event["detail-type"] == kind).unwrap().clone()
}
