//! The AWS clients, which share one HTTP client and connection pool.
//!
//! Region, credentials and endpoints come from the environment set by Lambda. The SDK's default
//! chain would first look for profiles, SSO and instance metadata, which functions do not have.

use std::{sync::OnceLock, time::Duration};

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::SharedHttpClient, stalled_stream_protection::StalledStreamProtectionConfig,
};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::{SdkConfig, region::Region, sdk_config::SharedAsyncSleep};

use crate::config::{ConfigError, Env};

/// The only trusted root certificates: those of AWS endpoints.
///
/// Source: <https://www.amazontrust.com/repository/> (Amazon Root CA 1-4, Starfield Services Root
/// CA - G2). Loading the system's roots costs 2.4 ms of CPU at every cold start.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

/// The HTTP client that replaces the one of this crate.
static REPLACEMENT: OnceLock<SharedHttpClient> = OnceLock::new();

/// Makes every client that this process creates from now on send its requests with `client`, so that a
/// simulation answers them in process. Only the first call has an effect.
pub fn replace_http_client(client: SharedHttpClient) {
    let _ = REPLACEMENT.set(client);
}

/// The configuration and the HTTP client shared by all clients.
#[derive(Clone, Debug)]
pub struct Aws {
    shared: SdkConfig,
    env: Env,
}

impl Aws {
    /// Reads `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` and,
    /// for a local run, `AWS_ENDPOINT_URL` or `AWS_ENDPOINT_URL_<SERVICE>`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if one of the first three is missing.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        let credentials = Credentials::new(
            env.required("AWS_ACCESS_KEY_ID")?,
            env.required("AWS_SECRET_ACCESS_KEY")?,
            env.get("AWS_SESSION_TOKEN").map(str::to_owned),
            None,
            "environment",
        );
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_secs(3))
            .operation_timeout(Duration::from_secs(8));
        let shared = SdkConfig::builder()
            .behavior_version(
                aws_smithy_runtime_api::client::behavior_version::BehaviorVersion::latest(),
            )
            .region(Region::new(env.required("AWS_REGION")?.to_owned()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http_client()?)
            .sleep_impl(SharedAsyncSleep::new(aws_smithy_async::rt::sleep::TokioSleep::new()))
            .retry_config(RetryConfig::standard())
            .timeout_config(timeouts.build())
            // Every attempt has a timeout, so its stream needs no protection of its own.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        Ok(Self { shared, env: env.clone() })
    }

    /// Returns the region, for links to the AWS console.
    #[must_use]
    pub fn region(&self) -> &str {
        self.shared.region().map_or("", Region::as_ref)
    }

    /// The configuration of a client of `service`, which is spelled as in `AWS_ENDPOINT_URL_<SERVICE>`.
    #[must_use]
    pub fn service(&self, service: &str) -> SdkConfig {
        let endpoint = self
            .env
            .get(&format!("AWS_ENDPOINT_URL_{service}"))
            .or_else(|| self.env.get("AWS_ENDPOINT_URL"));
        let mut config = self.shared.clone().into_builder();
        config.set_endpoint_url(endpoint.map(str::to_owned));
        config.build()
    }
}

fn http_client() -> Result<SharedHttpClient, ConfigError> {
    if let Some(client) = REPLACEMENT.get() {
        return Ok(client.clone());
    }
    let roots = TrustStore::empty().with_pem_certificate(AMAZON_ROOTS);
    let tls = TlsContext::builder().with_trust_store(roots).build().map_err(|cause| {
        ConfigError::Unreachable { doing: "setting up TLS".into(), cause: cause.to_string() }
    })?;
    Ok(Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls)
        .build_https())
}
