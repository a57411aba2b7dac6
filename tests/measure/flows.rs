use std::time::{Duration, Instant};

use domain::{JobId, LeadId, TenantId};
use lambda::{Env, aws::Aws, keys::MasterKeys};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use support::{Client, SignedMessage, join_all, lead, subscription};

use crate::{
    endpoints::{fresh_email, fresh_key, settle},
    load::{micros, number, percentile},
    options::Options,
    process,
    stack::{HTTP, Stack},
};

/// Sequential flows.
const ALONE: usize = 200;
/// Concurrent flows, and repetitions of each.
const TOGETHER: (usize, usize) = (8, 50);

/// Measures the five requests from a new lead to an active tenant.
pub(crate) async fn measure(options: &Options) -> Value {
    let mut stack = Stack::start(options).await;
    let keys = keys(&stack).await;
    let alone = options.at_most(ALONE);
    for _ in 0..alone.div_ceil(10) {
        flow(&stack.client, &keys).await;
    }
    let (pids, start) = (stack.pids(), Instant::now());
    let cpu = process::cpu(&pids);
    let mut took = Vec::new();
    for _ in 0..alone {
        took.push(flow(&stack.client, &keys).await.1);
    }
    let elapsed = start.elapsed().as_secs_f64();
    let cpu = Duration::from_nanos(process::cpu(&pids) - cpu);
    took.sort_unstable();
    settle(&mut stack).await;

    let start = Instant::now();
    let (many, times) = (TOGETHER.0, options.at_most(TOGETHER.1));
    let each = |_| async {
        for _ in 0..times {
            flow(&stack.client, &keys).await;
        }
    };
    join_all((0..many).map(each)).await;
    let together = number(many * times) / start.elapsed().as_secs_f64();
    settle(&mut stack).await;

    stack.aws.command("meter").await;
    let functions = stack.aws.functions();
    let consumers = functions.iter().map(String::as_str).filter(|name| !HTTP.contains(name));
    let consumers: Vec<_> = consumers.collect();
    let before = (cost(&mut stack, &HTTP).await, cost(&mut stack, &consumers).await);
    let (tenant, _) = flow(&stack.client, &keys).await;
    settle(&mut stack).await;
    let after = (cost(&mut stack, &HTTP).await, cost(&mut stack, &consumers).await);
    let read = stack.client.get(stack.aws.operator(), &format!("/tenants/{tenant}")).await;
    assert_eq!(read.expect(200).body["status"], 0, "the tenant is active");
    json!({
        "cpu_us": micros(cpu) / number(alone),
        "p50_us": micros(percentile(&took, 50)),
        "p99_us": micros(percentile(&took, 99)),
        "per_second_at_1": number(alone) / elapsed,
        "per_second_at_8": together,
        "requests": units(before.0, after.0),
        "consumers": units(before.1, after.1),
    })
}

pub(crate) async fn keys(stack: &Stack) -> MasterKeys {
    let env: Env = stack.aws.env("webhook").into_iter().collect();
    MasterKeys::load(&env, &Aws::from_env(&env).unwrap()).await.unwrap()
}

/// Runs one flow. Returns the tenant and the time taken.
pub(crate) async fn flow(client: &Client, keys: &MasterKeys) -> (TenantId, Duration) {
    let start = Instant::now();
    let made = client.post_without_token("/leads", &lead(&fresh_email())).await.expect(200);
    let lead: LeadId = made.text("/id").parse().unwrap();
    let (key, path) = (keys.lead_key(lead, 32), format!("/leads/{lead}/verify"));
    let token =
        client.post(key.expose_secret(), &path, &json!(null)).await.expect(200).text("/token");
    let body = json!({ "key": fresh_key(), "domains": ["acme.test"] });
    let made = client.post(&token, &format!("/leads/{lead}/tenants"), &body).await.expect(200);
    let tenant: TenantId = made.text("/id").parse().unwrap();
    let path = format!("/tenants/{tenant}/provision");
    let accepted = client.post(&token, &path, &subscription("BASIC")).await.expect(204);
    let job: JobId = accepted.header("location").rsplit('/').next().unwrap().parse().unwrap();
    let resource = json!({ "type": "bucket", "metadata": { "bucket": "acme-files" } });
    let done = json!({
        "initiatorId": tenant, "type": 0,
        "data": { "status": 1, "appPlaneUrl": "https://acme.test", "resources": [resource] },
    });
    SignedMessage::new(keys, tenant, job, &done).send(client).await.expect(204);
    (tenant, start.elapsed())
}

async fn cost(stack: &mut Stack, functions: &[&str]) -> [f64; 3] {
    let mut all = [0.0; 3];
    for function in functions {
        let cost = stack.cost(function).await;
        all.iter_mut().zip(cost).for_each(|(sum, part)| *sum += part);
    }
    all
}

fn units(before: [f64; 3], after: [f64; 3]) -> Value {
    let [calls, read, write] = [0, 1, 2].map(|n| after[n] - before[n]);
    json!({ "calls": calls, "read_units": read, "write_units": write })
}
