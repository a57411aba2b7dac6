//! Measures how long `reconciler` takes to renew many subscriptions that are due at once.

use std::time::{Duration, Instant};

use local::Local;
use serde_json::{Value, json};
use support::earlier;

use crate::{
    flows::{Secrets, flow, keys},
    lambda::Lambda,
    load::micros,
    options::Options,
    stack::Stack,
};

/// The kinds of items that a subscription in use consists of.
const KINDS: [&str; 6] =
    ["tenant", "subscription", "timer", "owner", "current-subscription", "entitlements"];

/// How long ago the subscriptions began. Their period of a month has ended since.
const AGE: Duration = Duration::from_secs(32 * 24 * 3600);

/// Subscribes one tenant, copies it as often as `options` say, and lets `reconciler` renew all copies. The
/// functions that follow the stream wait meanwhile: on AWS they run elsewhere, and here they would take most
/// of the machine.
pub(crate) async fn measure(options: &Options) -> Value {
    let mut stack = Stack::start(options).await;
    let secrets = Secrets::Keys(keys(&stack).await);
    let (tenant, _) = flow(&stack.client, &secrets).await;
    let operator = stack.aws.operator().to_owned();
    let plan = json!({
        "name": "Basic", "tier": "BASIC", "price": 30, "currencyCode": "EUR",
        "billingCycle": { "duration": 1, "durationUnit": "month" },
    });
    let plan = stack.client.post(&operator, "/plans", &plan).await.expect(200).text("/id");
    let path = format!("/plans/{plan}/activate");
    let activated = stack.client.post(&operator, &path, &json!({})).await;
    assert!(activated.status < 300, "{}", activated.body);
    let body = json!({ "subscriberId": tenant, "planId": plan });
    stack.client.post(&operator, "/subscriptions", &body).await.expect(200);
    stack.settle().await;
    stack.aws.command("hold").await;
    stack.aws.command(&format!("renewals {}", options.due)).await;

    let env = stack.aws.env("reconciler");
    let reconciler = Lambda::start(&options.binaries.join("reconciler"), &env).await;
    let (cpu, start) = (reconciler.elapsed().cpu, Instant::now());
    reconciler.invoke("{}".into()).await;
    let seconds = start.elapsed().as_secs_f64();
    let cpu = reconciler.elapsed().cpu - cpu;
    let left = stack.aws.command("due").await;
    json!({ "due": options.due, "left": left, "seconds": seconds, "cpu_us": micros(cpu) })
}

/// Adds `many` copies of the subscribed tenant, bypassing the stream. Their subscriptions are due.
pub(crate) fn fill(local: &Local, many: usize) {
    let mut items = local.items().unwrap();
    items.retain(|item| KINDS.contains(&item["entity"]["S"].as_str().unwrap_or_default()));
    let of = |kind: &str| {
        let found = items.iter().find(|item| item["entity"]["S"] == kind).unwrap();
        found["id"]["S"].as_str().unwrap_or_default().to_owned()
    };
    let (tenant, subscription) = (of("tenant"), of("subscription"));
    items.iter_mut().for_each(|item| earlier(item, AGE));
    let text = serde_json::to_string(&items).unwrap();
    for from in (0..many).step_by(1000) {
        let copies = (from..many.min(from + 1000)).flat_map(|n| {
            let copy = text.replace(&tenant, &copy_of(&tenant, n));
            let copy = copy.replace(&subscription, &copy_of(&subscription, n));
            serde_json::from_str::<Vec<Value>>(&copy).unwrap()
        });
        local.import(copies.collect()).unwrap();
    }
}

/// Returns the number of timers that are due.
pub(crate) fn due(local: &Local) -> usize {
    let now = lambda::now().to_string();
    let items = local.items().unwrap().into_iter();
    let due = items.filter(|item| item["entity"]["S"] == "timer");
    due.filter(|timer| timer["at"]["S"].as_str().is_some_and(|at| at < now.as_str())).count()
}

/// Returns another ID of the same version.
fn copy_of(id: &str, n: usize) -> String {
    format!("{}{n:012x}", &id[..id.len() - 12])
}
