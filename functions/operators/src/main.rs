//! The `operators` Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    web::serve_staged("OIDC_ISSUER", operators::router).await
}
