//! The `relay` Lambda.

use relay::Relay;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda::consume(Relay::new, async |relay, batch| Ok(relay.handle(batch).await)).await
}
