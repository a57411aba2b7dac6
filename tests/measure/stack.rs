use std::{collections::BTreeMap, sync::Arc, time::Duration};

use support::Client;

use crate::{aws::Aws, gateway::Gateway, lambda::Lambda, options::Options};

/// The functions that serve HTTP, in the order of the README.
pub(crate) const HTTP: [&str; 12] = [
    "leads",
    "tenants",
    "plans",
    "subscriptions",
    "contacts",
    "invoices",
    "tenant-configs",
    "audit",
    "webhook",
    "idp",
    "operators",
    "home",
];

/// The HTTP functions as processes, with a gateway and an emulated AWS.
#[derive(Debug)]
pub(crate) struct Stack {
    pub(crate) aws: Aws,
    pub(crate) url: String,
    pub(crate) client: Client,
    pub(crate) lambdas: BTreeMap<&'static str, Arc<Lambda>>,
    gateway: Gateway,
}

impl Stack {
    pub(crate) async fn start(options: &Options) -> Self {
        let (gateway, url) = Gateway::start().await;
        let aws = Aws::start(options, &url).await;
        let mut lambdas = BTreeMap::new();
        for function in HTTP {
            let binary = options.binaries.join(function);
            let lambda = Arc::new(Lambda::start(&binary, &aws.env(function)).await);
            gateway.add(function, Arc::clone(&lambda)).await;
            lambdas.insert(function, lambda);
        }
        Self { client: Client::new(&url), aws, url, lambdas, gateway }
    }

    pub(crate) fn pids(&self) -> Vec<u32> {
        self.lambdas.values().map(|lambda| lambda.pid()).collect()
    }

    /// Waits until the control plane is idle.
    pub(crate) async fn settle(&mut self) {
        while self.aws.command("settled").await != true {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Returns a function's table calls, read units and write units.
    pub(crate) async fn cost(&mut self, function: &str) -> [f64; 3] {
        let cost = self.aws.command(&format!("cost {function}")).await;
        ["calls", "read", "write"].map(|what| cost[what].as_f64().unwrap())
    }
}

/// Stops the functions before their Runtime API, so that they do not log errors.
impl Drop for Stack {
    fn drop(&mut self) {
        self.lambdas.clear();
        self.gateway.clear();
    }
}
