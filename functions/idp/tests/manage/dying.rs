use axum::http::StatusCode;
use serde_json::Value;

use crate::{
    fake::{Failing, Fake, LEAK},
    idp::{Idp, body},
};

/// What must be in no answer and no log.
const SECRETS: [&str; 4] = [LEAK, "ada@acme.test", "secret-marker", "token-marker"];

/// Lets the provider fail from each call on, before and after that call's effect, then work again:
/// every time the end must be as if it had never failed, and stay so.
pub(crate) async fn survives_dying_after_every_step<S: Send + 'static>(
    provider: &str,
    start: impl AsyncFn() -> (Fake<S>, Idp),
    picture: fn(&S) -> Value,
) {
    let body = body(provider, "acme", "PREMIUM", "ada@acme.test");
    let (fake, idp) = start().await;
    let smooth = idp.manage(&body).await;
    assert_eq!(smooth.status, StatusCode::OK, "{:?} {}", smooth.body, idp.log());
    let (calls, expected) = (fake.calls(), fake.state(|state| picture(state)));

    for failing in [Failing::Before, Failing::After] {
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

            fake.mend();
            for again in ["repeated", "and again"] {
                let answer = idp.manage(&body).await;
                assert_eq!(answer.status, StatusCode::OK, "call {call} {failing:?} {again}");
                assert_eq!(answer.body, smooth.body, "call {call} {failing:?} {again}");
                assert_eq!(fake.state(|state| picture(state)), expected, "call {call} {failing:?}");
            }
        }
    }
}
