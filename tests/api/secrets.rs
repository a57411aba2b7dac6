use shared::keys::mac;
use support::{App, JWT_SECRET, MASTER_KEY};

/// What a secret looks like in the forms in which it could leak.
fn forms(secret: &str) -> [String; 2] {
    let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    [secret.to_owned(), hex]
}

#[tokio::test]
async fn nothing_secret_is_in_the_table_or_in_an_event() {
    let app = App::start().await;
    let lead = app.verified_lead("ada@acme.test").await;
    let (tenant, job) = app.provisioning("acme", "PREMIUM").await;
    app.status_of(&tenant.to_string(), 0).await;
    app.settle().await;

    let webhook = app.keys.webhook_secret(tenant, job);
    assert_ne!(webhook, hex(mac(MASTER_KEY.as_bytes(), &[]).as_ref()));
    let secrets = [JWT_SECRET, MASTER_KEY, &webhook, &app.lead_key(&lead.id), &lead.token];
    let table = format!("{:?}", app.items());
    let events = format!("{:?}", app.events());
    assert!(table.contains("ada@acme.test") && events.contains("TENANT_PROVISIONING"));
    for secret in secrets.iter().flat_map(|secret| forms(secret)) {
        assert!(!table.contains(&secret), "a secret is in the table");
        assert!(!events.contains(&secret), "a secret is in an event");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
