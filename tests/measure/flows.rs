use std::{
    process::Command,
    time::{Duration, Instant},
};

use domain::{JobId, LeadId, TenantId};
use lambda::{Env, aws::Aws, keys::MasterKeys};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use support::{Client, Reply, SignedMessage, join_all, lead, subscription};

use crate::{
    endpoints::{fresh_email, fresh_key},
    load::{median, micros, number, percentile},
    options::Options,
    process,
    stack::{HTTP, Stack},
};

/// Sequential flows of a round.
const ALONE: usize = 100;
/// Concurrent flows, and repetitions of each.
const TOGETHER: (usize, usize) = (8, 50);

/// The secrets that no answer contains: the keys in emails, and those that builds sign with.
pub(crate) enum Secrets {
    /// The master keys of this project's functions.
    Keys(MasterKeys),
    /// A command that knows the secrets of another service.
    Command(String),
}

impl Secrets {
    fn lead_key(&self, lead: &str) -> String {
        match self {
            Self::Keys(keys) => {
                keys.lead_key(lead.parse::<LeadId>().unwrap(), 32).expose_secret().to_owned()
            }
            Self::Command(command) => ask(command, &["lead", lead]),
        }
    }

    fn sign(&self, tenant: &str, location: &str, body: &Value) -> SignedMessage {
        match self {
            Self::Keys(keys) => {
                let job: JobId = location.rsplit('/').next().unwrap().parse().unwrap();
                SignedMessage::new(keys, tenant.parse::<TenantId>().unwrap(), job, body)
            }
            Self::Command(command) => {
                let answer = ask(command, &["webhook", tenant, location]);
                let (secret, context) = answer.split_once(' ').unwrap();
                SignedMessage::with_secret(&secret.into(), context, body)
            }
        }
    }
}

/// Runs a command with the shell, and returns the first line that it prints.
fn ask(command: &str, arguments: &[&str]) -> String {
    let script = format!("{command} \"$@\"");
    let answer = Command::new("sh").args(["-c", &script, "sh"]).args(arguments).output().unwrap();
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    String::from_utf8(answer.stdout).unwrap().lines().next().unwrap_or_default().to_owned()
}

/// Measures the five requests from a new lead to an active tenant. The functions that follow the stream
/// wait while time is measured.
pub(crate) async fn measure(options: &Options) -> Value {
    let mut stack = Stack::start(options).await;
    let secrets = Secrets::Keys(keys(&stack).await);
    stack.aws.command("hold").await;
    let mut found = timed(options, &stack.client, &stack.pids(), &secrets).await;
    stack.aws.command("release").await;
    stack.settle().await;

    stack.aws.command("meter").await;
    let functions = stack.aws.functions();
    let consumers = functions.iter().map(String::as_str).filter(|name| !HTTP.contains(name));
    let consumers: Vec<_> = consumers.collect();
    let before = (cost(&mut stack, &HTTP).await, cost(&mut stack, &consumers).await);
    let (tenant, _) = flow(&stack.client, &secrets).await;
    stack.settle().await;
    let after = (cost(&mut stack, &HTTP).await, cost(&mut stack, &consumers).await);
    let read = stack.client.get(stack.aws.operator(), &format!("/tenants/{tenant}")).await;
    assert_eq!(read.expect(200).body["status"], 0, "the tenant is active");
    found["requests"] = units(before.0, after.0);
    found["consumers"] = units(before.1, after.1);
    found
}

/// Measures rounds of flows one after the other, then several flows at once.
pub(crate) async fn timed(
    options: &Options,
    client: &Client,
    pids: &[u32],
    secrets: &Secrets,
) -> Value {
    let alone = options.at_most(ALONE);
    for _ in 0..alone.div_ceil(10) {
        flow(client, secrets).await;
    }
    let mut rounds = Vec::new();
    for _ in 0..options.rounds {
        rounds.push(round(alone, client, pids, secrets).await);
    }
    let mut found = median(rounds);

    let start = Instant::now();
    let (many, times) = (TOGETHER.0, options.at_most(TOGETHER.1));
    let each = |_| async {
        for _ in 0..times {
            flow(client, secrets).await;
        }
    };
    join_all((0..many).map(each)).await;
    found["per_second_at_8"] = (number(many * times) / start.elapsed().as_secs_f64()).into();
    found
}

/// Measures `many` flows one after the other.
async fn round(many: usize, client: &Client, pids: &[u32], secrets: &Secrets) -> Value {
    let (cpu, start) = (process::cpu(pids), Instant::now());
    let mut took = Vec::new();
    for _ in 0..many {
        took.push(flow(client, secrets).await.1);
    }
    let elapsed = start.elapsed().as_secs_f64();
    let cpu = Duration::from_nanos(process::cpu(pids) - cpu);
    took.sort_unstable();
    json!({
        "cpu_us": micros(cpu) / number(many),
        "p50_us": micros(percentile(&took, 50)),
        "p99_us": micros(percentile(&took, 99)),
        "per_second_at_1": number(many) / elapsed,
    })
}

pub(crate) async fn keys(stack: &Stack) -> MasterKeys {
    let env: Env = stack.aws.env("webhook").into_iter().collect();
    MasterKeys::load(&env, &Aws::from_env(&env).unwrap()).await.unwrap()
}

/// Runs one flow. Returns the tenant's ID and the time that the requests took.
pub(crate) async fn flow(client: &Client, secrets: &Secrets) -> (String, Duration) {
    let mut took = Duration::ZERO;
    let made = time(&mut took, client.post_without_token("/leads", &lead(&fresh_email()))).await;
    let lead = made.expect(200).text("/id");
    let (key, path) = (secrets.lead_key(&lead), format!("/leads/{lead}/verify"));
    let verified = time(&mut took, client.post(&key, &path, &json!(null))).await;
    let token = verified.expect(200).text("/token");
    let body = json!({ "key": fresh_key(), "domains": ["acme.test"] });
    let made = time(&mut took, client.post(&token, &format!("/leads/{lead}/tenants"), &body)).await;
    let tenant = made.expect(200).text("/id");
    let path = format!("/tenants/{tenant}/provision");
    let accepted = time(&mut took, client.post(&token, &path, &subscription("BASIC"))).await;
    let accepted = accepted.expect(204);
    let resource = json!({ "type": "bucket", "metadata": { "bucket": "acme-files" } });
    let done = json!({
        "initiatorId": tenant, "type": 0,
        "data": { "status": 1, "appPlaneUrl": "https://acme.test", "resources": [resource] },
    });
    let message = secrets.sign(&tenant, accepted.header("location"), &done);
    time(&mut took, message.send(client)).await.expect(204);
    (tenant, took)
}

/// Adds the time that a request takes to `all`. Secrets are found in the meantime.
async fn time(all: &mut Duration, request: impl Future<Output = Reply>) -> Reply {
    let start = Instant::now();
    let reply = request.await;
    *all += start.elapsed();
    reply
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
