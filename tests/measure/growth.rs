use serde_json::{Value, json};

use crate::{
    endpoints::{Endpoint, all},
    load::Load,
    options::Options,
    stack::Stack,
};

/// Requests to each endpoint.
const REQUESTS: usize = 500;

/// Endpoints measured at each table size.
pub(crate) const ENDPOINTS: [&str; 4] = [
    "GET /tenants, a page of 20",
    "GET /tenants/count",
    "GET /tenants, by key",
    "POST /leads, with an address",
];

/// Measures a page, a count, a lookup and a write at each table size.
pub(crate) async fn measure(options: &Options) -> Vec<Value> {
    let (mut measured, requests) = (Vec::new(), options.at_most(REQUESTS));
    for tenants in &options.tenants {
        let mut stack = Stack::start(options).await;
        let operator = stack.aws.operator().to_owned();
        let endpoints = all(&stack.client, &operator).await;
        stack.aws.command(&format!("fill {tenants}")).await;
        let mut figures = json!({ "tenants": tenants });
        for Endpoint { name, request } in endpoints.iter().filter(|of| ENDPOINTS.contains(&of.name))
        {
            let pids = stack.pids();
            Load::run(&stack.url, &pids, (requests.div_ceil(5), 1), &**request).await;
            let load = Load::run(&stack.url, &pids, (requests, 1), &**request).await;
            figures[*name] = load.figures();
            stack.settle().await;
        }
        measured.push(figures);
    }
    measured
}
