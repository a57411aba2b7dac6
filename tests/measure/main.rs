//! The benchmark behind `tests/bench`. It runs the functions' release binaries behind a Runtime
//! API, with DynamoDB over HTTP in a separate process, and measures them under load.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot continue has failed")]

mod aws;
mod endpoints;
mod flows;
mod gateway;
mod growth;
mod lambda;
mod load;
mod machine;
mod options;
mod process;
mod renewals;
mod report;
mod service;
mod stack;
mod starts;

use clap::Parser;
use serde_json::json;

use options::{Options, Part};

#[tokio::main]
async fn main() {
    let options = Options::parse();
    match &options.part {
        Some(Part::Aws) => aws::emulate(&options).await,
        Some(Part::Service(service)) => {
            report::write(&options, &service::measure(&options, service).await);
        }
        Some(Part::Start(start)) => {
            report::write(&options, &service::measure_starts(&options, start).await);
        }
        None => everything(&options).await,
    }
}

async fn everything(options: &Options) {
    let mut found = json!({ "machine": machine::describe() });
    report::machine(&found["machine"]);
    if options.runs("starts") {
        found["functions"] = starts::measure(options).await.into();
        report::functions(&found["functions"]);
    }
    if options.runs("endpoints") {
        found["endpoints"] = endpoints::measure(options).await.into();
        report::endpoints(&found["endpoints"]);
    }
    if options.runs("flows") {
        found["flows"] = flows::measure(options).await;
        report::flows(&found["flows"]);
    }
    if options.runs("growth") {
        found["growth"] = growth::measure(options).await.into();
        report::growth(&found["growth"]);
    }
    if options.runs("renewals") {
        found["renewals"] = renewals::measure(options).await;
        report::renewals(&found["renewals"]);
    }
    found["machine"]["load_after"] = machine::load().into();
    report::write(options, &found);
}
