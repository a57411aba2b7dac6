//! A complete control plane in one process, with a client, for tests.

#![expect(clippy::unwrap_used, reason = "a broken test set-up should panic")]
#![expect(clippy::missing_panics_doc, reason = "everything here panics to fail the test")]

mod alone;
mod app;
mod bodies;
mod browser;
mod client;
mod documented;
mod effects;
mod gate;
mod items;
mod options;
pub mod provider;
mod raw;
mod redis;
mod subscriptions;
pub mod token;
mod watch;
mod webhook;

pub use alone::is_alone;
pub use app::{App, JWT_SECRET, MASTER_KEY, VerifiedLead, eventually};
pub use bodies::{config, contact, invoice, lead, plan, subscription, tenant};
pub use browser::{Browser, Page};
pub use client::{Client, Reply, with_query};
pub use gate::Gate;
pub use items::{key_claim, long_domains, renumber, sibling};
pub use options::Options;
pub use redis::Redis;
pub use subscriptions::{basic_plan, earlier};
pub use webhook::SignedMessage;

/// Runs all futures concurrently. Returns their results in order.
pub async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    futures_util::future::join_all(futures).await
}
