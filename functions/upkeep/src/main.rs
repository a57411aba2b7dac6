//! The `upkeep` Lambda.

use upkeep::Upkeep;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda::consume(Upkeep::new, async |upkeep, payload| upkeep.handle(payload).await).await
}
