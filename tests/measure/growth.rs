use serde_json::{Value, json};

use crate::{
    endpoints::{Endpoint, all, settle},
    load::Load,
    options::Options,
    stack::Stack,
};

/// Requests of each kind.
const REQUESTS: usize = 500;

/// What is asked as the table grows.
pub(crate) const ASKED: [&str; 4] =
    ["GET /tenants, a page of 20", "GET /tenants/count", "GET /tenants, by key", "POST /leads"];

/// A page, a count, a look-up and a write, with more and more in the table.
pub(crate) async fn measure(options: &Options) -> Vec<Value> {
    let (mut measured, requests) = (Vec::new(), options.at_most(REQUESTS));
    for tenants in &options.tenants {
        let mut stack = Stack::start(options).await;
        let operator = stack.aws.operator().to_owned();
        let endpoints = all(&stack.client, &operator).await;
        stack.aws.ask(&format!("fill {tenants}")).await;
        let mut figures = json!({ "tenants": tenants });
        for Endpoint { name, shot } in endpoints.iter().filter(|of| ASKED.contains(&of.name)) {
            let pids = stack.pids();
            Load::of(&stack.url, &pids, (requests.div_ceil(5), 1), &**shot).await;
            let load = Load::of(&stack.url, &pids, (requests, 1), &**shot).await;
            figures[*name] = load.figures();
            settle(&mut stack).await;
        }
        measured.push(figures);
    }
    measured
}
