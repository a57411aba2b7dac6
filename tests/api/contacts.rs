use serde_json::json;
use support::{App, contact, tenant, with_query};

#[tokio::test]
async fn all_violations_of_a_contact_are_in_one_response() {
    let app = App::start().await;
    let body = json!({
        "firstName": "", "email": "nobody", "isPrimary": "yes", "type": 7, "tenantId": null, "x": 1,
    });
    let refused = app.client.post(&app.operator, "/contacts", &body).await.expect(422);
    let mut violations = refused.violations();
    violations.sort();
    assert_eq!(
        violations,
        [
            " additionalProperties",
            " required",
            "/email format",
            "/firstName minLength",
            "/isPrimary type",
            "/tenantId type",
            "/type type",
        ]
    );
}

#[tokio::test]
async fn the_contact_of_a_new_tenant_is_an_ordinary_contact() {
    let app = App::start().await;
    let made = app.client.post(&app.operator, "/tenants", &tenant("acme")).await.expect(200);
    let first = made.text("/contacts/0/id");
    let own = format!("/contacts/{first}");
    assert_eq!(app.read(&own).await.body, made.body["contacts"][0]);
    let second = app.create("/contacts", &contact(&made.text("/id"))).await;
    app.client.patch(&app.operator, &own, &json!({ "email": "Ops@Acme.test" })).await.expect(204);

    let by_email = json!({ "where": { "email": "ops@ACME.test" } });
    let found = app.read(&with_query("/contacts", "filter", &by_email)).await;
    assert_eq!(
        (found.each("id"), found.each("email")),
        (vec![json!(first)], vec![json!("Ops@Acme.test")])
    );
    let path = format!("/tenants/{}", made.text("/id"));
    let filter = json!({ "include": [{ "relation": "contacts", "scope": { "order": "firstName DESC, id" } }] });
    let refused = app.client.get(&app.operator, &with_query(&path, "filter", &filter)).await;
    let message = refused.expect(400).text("/error/message");
    assert!(message.starts_with("filter.include.0.scope.order"), "{message}");
    let filter =
        json!({ "include": [{ "relation": "contacts", "scope": { "order": "isPrimary ASC" } }] });
    let with_contacts = app.read(&with_query(&path, "filter", &filter)).await.body;
    let ids = [&with_contacts["contacts"][0]["id"], &with_contacts["contacts"][1]["id"]];
    assert_eq!(ids, [&json!(second), &json!(first)]);

    app.client.delete(&app.operator, &own).await.expect(204);
    let left =
        app.read(&with_query(&path, "filter", &json!({ "include": ["contacts"] }))).await.body;
    assert_eq!(left["contacts"].as_array().unwrap().len(), 1);
    assert_eq!(left["contacts"][0]["id"], json!(second));
}
