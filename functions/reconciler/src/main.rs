//! The `reconciler` Lambda.

use reconciler::Reconciler;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda::consume(Reconciler::new, Reconciler::handle).await
}
