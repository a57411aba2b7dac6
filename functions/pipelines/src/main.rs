//! The `pipelines` Lambda.

use pipelines::Pipelines;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda::consume(Pipelines::new, Pipelines::handle).await
}
