//! The `upkeep` Lambda.

use upkeep::Upkeep;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda::consume(Upkeep::new, async |upkeep, batch| Ok(upkeep.handle(batch).await)).await
}
