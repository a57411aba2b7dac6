//! Erasing a person leaves every chain of the audit log whole, and nothing of the person in it.

use serde_json::{Value, json};
use support::{App, contact, lead};

use crate::{
    audit::{entries, log},
    retention::expire,
};

#[tokio::test]
async fn an_erased_person_breaks_no_chain_and_is_nowhere_in_the_log() {
    let app = App::start_silent().await;
    let tenant = app.tenant("acme").await;
    let as_zoe = |mut body: Value| {
        for (member, value) in
            [("firstName", "Zoraida"), ("lastName", "Quimby"), ("email", "z@quimby.test")]
        {
            body[member] = value.into();
        }
        body
    };
    let mut body = as_zoe(lead(""));
    body["address"]["city"] = "Quimbytown".into();
    let lead = app.client.post_without_token("/leads", &body).await.expect(200).text("/id");
    let contact = app.create("/contacts", &as_zoe(contact(&tenant))).await;
    app.settle().await;

    app.client.delete(&app.operator, &format!("/contacts/{contact}")).await.expect(204);
    expire(&app, &[&lead]);
    app.local().sweep_expired().unwrap();
    app.settle().await;
    let recorded = entries(&app);
    let has = |action: &str, target: &str| {
        let mut all = recorded.iter();
        all.any(|entry| entry["action"] == action && entry["target"]["id"] == target)
    };
    assert!(has("contact.deleted", &contact) && has("lead.expired", &lead));
    for chain in ["leads".to_owned(), format!("tenant:{tenant}")] {
        let verified = app.read(&format!("/audit/verify?chain={chain}")).await;
        assert_eq!(verified.body["ok"], true, "{chain}");
    }
    let text = json!(log(&app)).to_string().to_lowercase();
    assert!(text.contains("/firstname") && text.contains("/address"));
    for hidden in ["zoraida", "quimby"] {
        assert!(!text.contains(hidden), "{hidden}");
    }
}
