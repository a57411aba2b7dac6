//! Calls of AWS that no other test makes, so that each permission in `template.yaml` is seen to be
//! needed: `tests/permissions_test.py` compares what was recorded with what is allowed.

use support::{App, Options, subscription};

/// Secrets are given by their ARNs here, as they are on AWS.
#[tokio::test]
async fn functions_read_their_secrets_by_arn() {
    let app = App::with_options(
        Options::succeeding().variable("JWT_SECRET", "").variable("MASTER_KEYS", ""),
    )
    .await;
    let lead = app.verified_lead("ada@acme.test").await;
    let body = serde_json::json!({ "key": "acme", "domains": ["acme.test"] });
    let path = format!("/leads/{}/tenants", lead.id);
    let tenant = app.client.post(&lead.token, &path, &body).await.expect(200).text("/id");
    let path = format!("/tenants/{tenant}/provision");
    app.client.post(&lead.token, &path, &subscription("BASIC")).await.expect(204);
    app.status_of(&tenant, 0).await;
    app.settle().await;
    assert_eq!(app.mails_to("ada@acme.test").len(), 2);
}
