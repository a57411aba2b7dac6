use reqwest::Method;
use serde_json::{Value, json};
use support::{
    App, lead,
    token::{OPERATOR, claims, token},
    with_query,
};

#[tokio::test]
async fn leads_are_listed_counted_and_filtered_by_email_regardless_of_case() {
    let app = App::start().await;
    let mut ids = vec![json!(app.verified_lead("ada@acme.test").await.id)];
    for email in ["Bob@Acme.test", "cy@acme.test"] {
        let created = app.client.post_without_token("/leads", &lead(email)).await.expect(200);
        ids.push(created.body["id"].clone());
    }
    let [ada, bob, cy] = <[Value; 3]>::try_from(ids).unwrap();
    assert_eq!(app.read("/leads").await.each("id"), [cy.clone(), bob.clone(), ada.clone()]);
    for (conditions, found) in [
        (json!({ "email": "ADA@ACME.TEST" }), vec![&ada]),
        (json!({ "email": "bob@acme.test" }), vec![&bob]),
        (json!({ "email": "nobody@acme.test" }), vec![]),
        (json!({ "email": { "like": "%@acme.test" } }), vec![&cy, &bob, &ada]),
        (json!({ "isValidated": true }), vec![&ada]),
        (json!({ "id": ada }), vec![&ada]),
        (json!({ "email": "ada@acme.test", "isValidated": false }), vec![]),
    ] {
        let filter = json!({ "where": conditions });
        let list = app.read(&with_query("/leads", "filter", &filter)).await;
        assert_eq!(list.each("id").iter().collect::<Vec<_>>(), found, "{conditions}");
        let count = app.read(&with_query("/leads/count", "where", &conditions)).await;
        assert_eq!(count.body, json!({ "count": found.len() }), "{conditions}");
    }
    app.settle().await;
    assert_eq!(app.count("/leads").await, 3);
}

#[tokio::test]
async fn a_lead_can_include_its_tenant_and_address() {
    let app = App::start().await;
    let ada = app.verified_lead("ada@acme.test").await;
    let filter = json!({ "include": ["tenant", "address"] });
    let own = with_query(&format!("/leads/{}", ada.id), "filter", &filter);
    let read = app.read(&own).await.body;
    assert_eq!((&read["tenant"], &read["address"]["city"]), (&json!(null), &json!("London")));
    assert_eq!(read["address"]["id"], read["addressId"]);
    let body = json!({ "key": "acme", "domains": ["acme.test"] });
    let made = app.client.post(&ada.token, &format!("/leads/{}/tenants", ada.id), &body).await;
    let tenant = made.expect(200).text("/id");
    let scope = json!({ "fields": ["key"], "include": ["contacts", { "relation": "lead", "scope": { "fields": ["email"] } }] });
    let filter = json!({ "include": [{ "relation": "tenant", "scope": scope }] });
    for path in ["/leads".to_owned(), format!("/leads/{}", ada.id)] {
        let read =
            app.client.get(&ada.token, &with_query(&path, "filter", &filter)).await.expect(200);
        let read = if path == "/leads" { read.body[0].clone() } else { read.body };
        assert_eq!(read["tenant"]["key"], "acme");
        assert_eq!(read["tenant"]["contacts"][0]["tenantId"], json!(tenant));
        assert_eq!(read["tenant"]["lead"], json!({ "email": "ada@acme.test" }));
    }
    let filter = json!({ "include": [{ "relation": "address", "scope": { "where": { "city": "Paris" } } }] });
    let read = app.read(&with_query(&format!("/leads/{}", ada.id), "filter", &filter)).await.body;
    assert_eq!(read["address"], json!(null));
}

#[tokio::test]
async fn leads_are_read_only() {
    let app = App::start().await;
    let ada = app.verified_lead("ada@acme.test").await;
    let operator = |permissions: &[&str]| token(OPERATOR, &claims(permissions).to_string());
    let before = app.settled().await;
    let own = format!("/leads/{}", ada.id);
    for (method, path, permission, other) in [
        (Method::PATCH, "/leads?where={}", "10201", "10202"),
        (Method::PATCH, &own, "10201", "10202"),
        (Method::PUT, &own, "10201", "10202"),
        (Method::DELETE, &own, "10202", "10201"),
        (Method::DELETE, "/leads/not-a-uuid", "10202", "10201"),
    ] {
        let body = r#"{"firstName":"Eve"}"#;
        let with = operator(&[permission]);
        let refused = app.client.send_text(method.clone(), &with, path, body).await.expect(405);
        assert_eq!(refused.text("/error/name"), "MethodNotAllowedError");
        let without = operator(&["10200", "10203", other]);
        app.client.send_text(method.clone(), &without, path, body).await.expect(403);
        app.client.send_text(method, "", path, body).await.expect(401);
    }
    assert_eq!(app.items(), before);
}
