//! The `identity` Lambda.

use idp::Identity;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda::consume(Identity::new, Identity::handle).await
}
