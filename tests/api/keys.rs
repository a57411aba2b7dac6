//! A function does not start with a key that is too weak for signing.

use axum::Router;
use lambda::{Env, config::ConfigError};
use support::App;

/// Returns the error that prevents a function from starting.
async fn refusal(built: impl Future<Output = Result<Router, ConfigError>>) -> String {
    Box::pin(built).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_key_under_256_bits_prevents_every_function_that_uses_it_from_starting() {
    let app = App::start().await;
    let env = app.local().env();
    let (short, enough) = ("s".repeat(31), "e".repeat(32));
    let key_set = format!(r#"{{"current":"k2","k1":"{short}","k2":"{enough}"}}"#);
    for weak in ["weak-marker", &short, &" ".repeat(64), &key_set] {
        let with = |name: &str| env.clone().with(Env::from_iter([(name, weak)]));
        let (jwt, master) = (with("JWT_SECRET"), with("MASTER_KEYS"));
        let facade = with("IDP_WEBHOOK_SECRET");
        for (name, refused) in [
            ("JWT_SECRET", refusal(leads::router(&jwt)).await),
            ("JWT_SECRET", refusal(tenants::router(&jwt)).await),
            ("JWT_SECRET", refusal(contacts::router(&jwt)).await),
            ("JWT_SECRET", refusal(invoices::router(&jwt)).await),
            ("JWT_SECRET", refusal(tenant_configs::router(&jwt)).await),
            ("MASTER_KEYS", refusal(leads::router(&master)).await),
            ("MASTER_KEYS", refusal(tenants::router(&master)).await),
            ("MASTER_KEYS", refusal(contacts::router(&master)).await),
            ("MASTER_KEYS", refusal(invoices::router(&master)).await),
            ("MASTER_KEYS", refusal(tenant_configs::router(&master)).await),
            ("MASTER_KEYS", refusal(webhook::router(&master)).await),
            ("MASTER_KEYS", refusal(idp::router(&master)).await),
        ] {
            let rule = format!("{name} must have keys of at least 32 bytes (RFC 7518 §3.2)");
            assert!(refused.contains(&rule) && !refused.contains(weak), "{refused}");
        }
        if weak != key_set {
            let refused = refusal(idp::router(&facade)).await;
            assert!(refused.contains("IDP_WEBHOOK_SECRET must have"), "{refused}");
        }
    }
    let strong = env.with(Env::from_iter([("JWT_SECRET", &enough), ("MASTER_KEYS", &enough)]));
    drop(leads::router(&strong).await.unwrap());
}
