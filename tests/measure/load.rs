use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::process;

/// A request and its expected status.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) bearer: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<String>,
    pub(crate) status: u16,
}

impl Request {
    /// Returns a request whose expected status is 200.
    pub(crate) fn new(method: Method, path: String, bearer: &str, body: Option<Value>) -> Self {
        let (bearer, body) = (bearer.to_owned(), body.map(|body| body.to_string()));
        Self { method, path, bearer, headers: Vec::new(), body, status: 200 }
    }
}

/// The measurements of many requests.
#[derive(Debug)]
pub(crate) struct Load {
    /// Latencies in ascending order.
    latencies: Vec<Duration>,
    /// How often each status was answered that was not expected; 0 stands for no answer.
    unexpected: BTreeMap<u16, usize>,
    elapsed: Duration,
    /// CPU time of the serving processes, in nanoseconds.
    cpu: u64,
    /// CPU ticks in user space and in the kernel.
    ticks: (u64, u64),
}

impl Load {
    /// Sends requests over several connections and measures the processes `pids` meanwhile.
    pub(crate) async fn run(
        url: &str,
        pids: &[u32],
        (requests, connections): (usize, usize),
        request: &(impl Fn() -> Request + ?Sized),
    ) -> Self {
        let next = AtomicUsize::new(0);
        let (cpu, ticks) = (process::cpu(pids), process::ticks(pids));
        let start = Instant::now();
        let each = (0..connections).map(async |_| {
            let http = reqwest::Client::builder().pool_max_idle_per_host(1).build().unwrap();
            let mut answers = Vec::new();
            while next.fetch_add(1, Ordering::Relaxed) < requests {
                answers.push(fire(&http, url, request()).await);
            }
            answers
        });
        let answers = join_all(each).await.concat();
        let mut latencies: Vec<_> = answers.iter().map(|(_, took)| *took).collect();
        latencies.sort_unstable();
        let mut unexpected = BTreeMap::new();
        for status in answers.iter().filter_map(|(unexpected, _)| *unexpected) {
            *unexpected.entry(status).or_default() += 1;
        }
        let after = process::ticks(pids);
        Self {
            latencies,
            unexpected,
            elapsed: start.elapsed(),
            cpu: process::cpu(pids) - cpu,
            ticks: (after.0 - ticks.0, after.1 - ticks.1),
        }
    }

    /// Returns the figures, in microseconds and requests per second. If a request was answered
    /// otherwise than expected, the figures say so instead, because they would compare other work. A load
    /// without requests has no figures.
    pub(crate) fn figures(&self) -> Value {
        if self.latencies.is_empty() {
            return Value::Null;
        }
        if !self.unexpected.is_empty() {
            return json!({ "refused": self.unexpected });
        }
        let requests = self.latencies.len();
        let (user, system) = self.ticks;
        json!({
            "requests": requests,
            "cpu_us": micros(Duration::from_nanos(self.cpu)) / number(requests),
            "user_share": share(user, user + system),
            "per_second": number(requests) / self.elapsed.as_secs_f64(),
            "p50_us": micros(percentile(&self.latencies, 50)),
            "p99_us": micros(percentile(&self.latencies, 99)),
        })
    }
}

/// Returns the round with the median CPU time, with the difference between the least and the most in
/// relation to it. A round without figures stands for all.
pub(crate) fn median(mut rounds: Vec<Value>) -> Value {
    let cpu = |of: &Value| of["cpu_us"].as_f64();
    if let Some(without) = rounds.iter().position(|of| cpu(of).is_none()) {
        return rounds.swap_remove(without);
    }
    rounds.sort_by(|one, other| cpu(one).partial_cmp(&cpu(other)).unwrap());
    let spread = cpu(rounds.last().unwrap()).unwrap() - cpu(&rounds[0]).unwrap();
    let mut median = rounds.swap_remove(rounds.len() / 2);
    median["cpu_spread"] = (spread / cpu(&median).unwrap()).into();
    median
}

/// Sends a request. Returns its status, unless it is the expected one, and the time taken.
async fn fire(http: &reqwest::Client, url: &str, request: Request) -> (Option<u16>, Duration) {
    let Request { method, path, bearer, headers, body, status } = request;
    let mut request = http.request(method, format!("{url}{path}"));
    if !bearer.is_empty() {
        request = request.bearer_auth(bearer);
    }
    for (name, value) in headers {
        request = request.header(name, value);
    }
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body);
    }
    let start = Instant::now();
    let answered = match request.send().await {
        Ok(response) => {
            let answered = response.status().as_u16();
            response.bytes().await.map_or(0, |_| answered)
        }
        Err(_) => 0,
    };
    ((answered != status).then_some(answered), start.elapsed())
}

/// Returns a percentile of a sorted slice that is not empty.
pub(crate) fn percentile<T: Copy>(sorted: &[T], of_hundred: usize) -> T {
    sorted[((sorted.len() - 1) * of_hundred).div_ceil(100)]
}

pub(crate) fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// Converts a count to a float.
pub(crate) fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

fn share(part: u64, all: u64) -> f64 {
    let count = |n| number(usize::try_from(n).unwrap());
    if all == 0 { 0.0 } else { count(part) / count(all) }
}
