//! The `mailer` Lambda.

use mailer::Mailer;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda::consume(Mailer::new, Mailer::handle).await
}
