//! The `rotator` Lambda.

use rotator::Rotator;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda::consume(Rotator::new, Rotator::handle).await
}
