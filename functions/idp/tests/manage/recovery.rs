use axum::http::StatusCode;
use serde_json::Value;

use crate::{
    fake::{FailurePoint, Fake, LEAK},
    idp::{Idp, body},
};

/// Texts that must not appear in answers and logs.
const SECRETS: [&str; 4] = [LEAK, "ada@acme.test", "secret-marker", "token-marker"];

/// Makes the provider fail at each call, before and after its effect, and then recover. The final
/// state must be the same as without the failure, also after another repetition.
pub(crate) async fn recovers_after_every_failure<S: Send + 'static>(
    provider: &str,
    start: impl AsyncFn() -> (Fake<S>, Idp),
    snapshot: fn(&S) -> Value,
) {
    let body = body(provider, "acme", "PREMIUM", "ada@acme.test");
    let (fake, idp) = start().await;
    let uninterrupted = idp.manage(&body).await;
    assert_eq!(uninterrupted.status, StatusCode::OK, "{:?} {}", uninterrupted.body, idp.log());
    let (calls, expected) = (fake.calls(), fake.state(|state| snapshot(state)));

    for failing in [FailurePoint::Before, FailurePoint::After] {
        for call in 0..calls {
            let (fake, idp) = start().await;
            fake.fail_after(call, failing);
            let failed = idp.manage(&body).await;
            assert_eq!(failed.status, StatusCode::BAD_GATEWAY, "call {call} {failing:?}");
            let error = &failed.body["error"];
            assert_eq!(error["name"], "BadGatewayError");
            assert!(error["message"].as_str().unwrap().starts_with(&format!("{provider}: ")));
            let log = idp.log();
            assert_eq!(log.matches("request failed").count(), 1, "{log}");
            for secret in SECRETS {
                assert!(!failed.body.to_string().contains(secret), "{}", failed.body);
                assert!(!log.contains(secret), "{log}");
            }

            fake.repair();
            for again in ["repeated", "and again"] {
                let answer = idp.manage(&body).await;
                assert_eq!(answer.status, StatusCode::OK, "call {call} {failing:?} {again}");
                assert_eq!(answer.body, uninterrupted.body, "call {call} {failing:?} {again}");
                assert_eq!(
                    fake.state(|state| snapshot(state)),
                    expected,
                    "call {call} {failing:?}"
                );
            }
        }
    }
}
