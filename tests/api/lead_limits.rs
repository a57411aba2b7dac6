//! Limits on the number of entities that a lead may create.

use serde_json::{Value, json};
use support::{App, VerifiedLead, config, invoice, join_all};

/// Lists in which a lead may create entities.
const KINDS: [&str; 2] = ["/tenant-configs", "/invoices"];

/// Creates a lead with a tenant.
async fn onboarded(app: &App) -> (VerifiedLead, String) {
    let lead = app.verified_lead("ada@acme.test").await;
    let body = json!({ "key": "acme", "domains": ["acme.test"] });
    let made = app.client.post(&lead.token, &format!("/leads/{}/tenants", lead.id), &body).await;
    (lead, made.expect(200).text("/id"))
}

fn body(path: &str, tenant: &str, number: usize) -> Value {
    match path {
        "/invoices" => invoice(tenant),
        _ => config(tenant, &format!("k{number}")),
    }
}

#[tokio::test]
async fn a_lead_may_own_200_entities_of_each_kind() {
    let app = App::with_variables(&[("LEAD_INVOICES", "true")]).await;
    let (lead, acme) = onboarded(&app).await;
    for path in KINDS {
        let mut ids = Vec::new();
        for number in 0..198 {
            let made = app.client.post(&lead.token, path, &body(path, &acme, number)).await;
            ids.push(made.expect(200).text("/id"));
        }
        let late: Vec<_> = (200..208).map(|number| body(path, &acme, number)).collect();
        let race = join_all(late.iter().map(|body| app.client.post(&lead.token, path, body))).await;
        let passed = race.iter().filter(|made| made.status == 200).count();
        assert_eq!(passed, 2, "{path}: eight concurrent requests");

        let before = app.settled().await;
        let refused = app.client.post(&lead.token, path, &body(path, &acme, 300)).await.expect(422);
        assert_eq!(refused.violations(), ["/tenantId maxItems"]);
        assert_eq!(refused.body["error"]["details"][0]["info"], json!({ "limit": 200 }));
        assert_eq!(app.items(), before);

        // Entities created by an operator are not counted, and deleting them frees nothing.
        let own = app.create(path, &body(path, &acme, 301)).await;
        app.client.delete(&lead.token, &format!("{path}/{own}")).await;
        app.client.delete(&app.operator, &format!("{path}/{own}")).await;
        app.client.post(&lead.token, path, &body(path, &acme, 302)).await.expect(422);

        // Deleting an entity that the lead created frees one place, regardless of who deletes it.
        let one = format!("{path}/{}", ids[7]);
        app.client.delete(&app.operator, &one).await.expect(204);
        app.client.delete(&app.operator, &one).await.expect(404);
        app.client.post(&lead.token, path, &body(path, &acme, 303)).await.expect(200);
        app.client.post(&lead.token, path, &body(path, &acme, 304)).await.expect(422);
    }
}

#[tokio::test]
async fn a_refused_configuration_is_not_counted() {
    let app = App::start_silent().await;
    let (lead, acme) = onboarded(&app).await;
    let body = config(&acme, "theme");
    let made = app.client.post(&lead.token, "/tenant-configs", &body).await.expect(200);
    for _ in 0..3 {
        app.client.post(&lead.token, "/tenant-configs", &body).await.expect(409);
    }
    let count = |app: &App| app.items_of("lead-children")[0]["configCount"]["N"].clone();
    assert_eq!(count(&app), "1");
    let one = format!("/tenant-configs/{}", made.text("/id"));
    let deleted = join_all((0..4).map(|_| app.client.delete(&app.operator, &one))).await;
    let mut statuses: Vec<_> = deleted.iter().map(|deleted| deleted.status).collect();
    statuses.sort_unstable();
    assert_eq!((statuses, count(&app)), (vec![204, 404, 404, 404], json!("0")));
    // The key of the deleted configuration is free again.
    app.client.post(&lead.token, "/tenant-configs", &body).await.expect(200);
}
