//! The requests of public clients of ARC SaaS with tokens, as they send them: the facade of
//! `arc-saas-sandbox`, which signs tokens for its own work, and the tables of `arc-react-sass-ui`.

use domain::{LeadId, TenantId};
use reqwest::Method;
use serde_json::{Value, json};
use support::{
    App, Options, invoice, subscription, tenant,
    token::{OPERATOR, claims, token, with, without},
    with_query,
};

/// The codes that the facade puts into tokens for its own work; some belong to other services.
const FACADE: &[&str] = &[
    "10200", "10201", "10202", "10203", "10204", "10205", "10206", "10207", "10208", "10209",
    "10210", "10211", "10212", "10213", "10214", "10215", "10216", "2", "7001", "7002", "7004",
    "7008",
];

/// Returns a token as the facade signs it for a user: one UUID is both `id` and `userTenantId`.
fn for_user(id: &str) -> String {
    let claims = with(with(claims(FACADE), "id", id), "userTenantId", id);
    token(OPERATOR, &claims.to_string())
}

/// Returns a token as the facade signs it for the configurations of a tenant: without `id`.
fn for_configs(tenant: &str) -> String {
    let codes: Vec<_> = FACADE.iter().chain(&["10220", "10221"]).copied().collect();
    let claims = with(without(claims(&codes), "id"), "userTenantId", tenant);
    token(OPERATOR, &claims.to_string())
}

/// The configuration that the facade creates for each tenant.
fn auth0(tenant: &str) -> Value {
    json!({
        "configKey": "auth0", "tenantId": tenant,
        "configValue": { "connection": "Database", "verify_email": true, "primary_color": "#0059d6" },
    })
}

#[tokio::test]
async fn the_facade_takes_a_lead_to_a_tenant() {
    let app = App::with_variables(&[("LEAD_KEY_IN_RESPONSE", "true")]).await;
    let body = json!({
        "firstName": "Ada", "lastName": "Lovelace", "companyName": "Acme", "email": "ada@acme.test",
    });
    let lead = app.client.post_without_token("/leads", &body).await.expect(200);
    let (id, key) = (lead.text("/id"), lead.text("/key"));
    let path = format!("/leads/{id}/verify");
    let verified = app.client.post(&key, &path, &json!({})).await.expect(200).text("/token");
    let body = json!({ "key": "acme", "domains": ["acme.test"], "name": "Acme Inc" });
    let path = format!("/leads/{id}/tenants");
    let made = app.client.post(&verified, &path, &body).await.expect(200);
    let made = made.text("/id");
    app.client.post(&verified, "/tenant-configs", &auth0(&made)).await.expect(200);

    // Leads with their tenants, as two lists with the token of the operator who asks.
    let operator = for_user(&LeadId::generate().to_string());
    app.settle().await;
    let leads = with_query("/leads", "filter", &json!({ "where": { "isValidated": true } }));
    let leads = app.client.get(&operator, &leads).await.expect(200);
    assert_eq!(leads.each("id"), [json!(id)]);
    let of_leads = json!({ "where": { "leadId": { "inq": leads.each("id") } } });
    let tenants = with_query("/tenants", "filter", &of_leads);
    let tenants = app.client.get(&operator, &tenants).await.expect(200);
    assert_eq!(tenants.each("id"), [json!(made)]);
}

/// A token of the facade acts with its permissions, whichever IDs it names.
#[tokio::test]
async fn the_facade_works_for_its_users() {
    let app = App::start().await;
    let user = for_user(&TenantId::generate().to_string());
    let body = json!({
        "key": "acme", "name": "Acme", "domains": ["acme.test"], "address": "1 Main St",
        "city": "London", "state": "LDN", "zip": "N1", "country": "GB",
        "contact": tenant("acme")["contact"],
    });
    let id = app.client.post(&user, "/tenants", &body).await.expect(200).text("/id");
    let configs = for_configs(&id);
    let config = app.client.post(&configs, "/tenant-configs", &auth0(&id)).await.expect(200);
    assert_eq!(app.client.get(&configs, "/tenant-configs").await.expect(200).items().len(), 1);
    let path = format!("/tenant-configs/{}/tenant", config.text("/id"));
    assert_eq!(app.client.get(&configs, &path).await.expect(200).text("/id"), id);
    app.client.post(&user, "/invoices", &invoice(&id)).await.expect(200);

    app.settle().await;
    for filter in [
        json!({ "where": { "id": id }, "include": ["lead", "contacts"] }),
        json!({ "where": { "id": id }, "include": ["contacts", "address"] }),
        json!({ "where": { "id": { "inq": [id, TenantId::generate()] } }, "include": ["contacts"] }),
    ] {
        let found = app.client.get(&user, &with_query("/tenants", "filter", &filter)).await;
        let found = found.expect(200);
        assert_eq!(found.items().len(), 1, "{filter}");
        assert_eq!(found.text("/0/contacts/0/firstName"), "Grace");
    }
    let none = with_query("/tenants", "filter", &json!({ "where": { "id": { "inq": [] } } }));
    let lower_case = app.client.send(Method::GET, &none, |request| {
        request.header("authorization", format!("bearer {user}"))
    });
    assert_eq!(lower_case.await.expect(200).body, json!([]));

    // The payment of a plan starts the build.
    let path = format!("/tenants/{id}/provision");
    let mut plan = subscription("PREMIUM");
    plan["subscriberId"] = json!(id);
    plan["invoiceId"] = json!("inv-1");
    plan["status"] = json!(1);
    plan["plan"]["sizeConfig"] = json!({ "nodes": 3 });
    plan["plan"]["features"] = json!([{ "key": "seats", "value": "10" }]);
    app.client.post(&user, &path, &plan).await.expect(204);
    app.wait_for_status(&id, 0).await;
}

/// The tables of the UI: a page and its count, without conditions, with a search and with filters.
#[tokio::test]
async fn the_react_ui_fills_its_tables() {
    let app = App::with_options(Options::silent()).await;
    let user = for_user(&TenantId::generate().to_string());
    app.verified_lead("ada@acme.test").await;
    let acme = app.tenant("acme").await;
    let bill = app.create("/invoices", &invoice(&acme)).await;
    app.settle().await;
    let none = json!({ "and": [] });
    let page = |conditions: &Value| json!({ "limit": 10, "offset": 0, "order": ["modifiedOn DESC"], "where": conditions });
    let get = async |path: &str, parameter: &str, value: &Value| {
        app.client.get(&user, &with_query(path, parameter, value)).await.expect(200)
    };
    for path in ["/leads", "/tenants", "/invoices"] {
        assert_eq!(get(path, "filter", &page(&none)).await.items().len(), 1, "{path}");
        let count = format!("{path}/count");
        assert_eq!(get(&count, "where", &none).await.body, json!({ "count": 1 }), "{path}");
    }
    for (path, conditions) in [
        (
            "/leads",
            json!({ "and": [{ "or": [
            { "firstName": { "ilike": "%ada%" } }, { "email": { "ilike": "%ada%" } },
            { "companyName": { "ilike": "%ada%" } }
        ] }] }),
        ),
        (
            "/leads",
            json!({ "and": [{ "createdOn": {
            "between": ["2020-01-01T00:00:00.000Z", "2099-12-31T23:59:59.999Z"] } }] }),
        ),
        (
            "/tenants",
            json!({ "and": [{ "or": [{ "name": { "ilike": "%acm%" } }] }, { "or": [] }] }),
        ),
        ("/tenants", json!({ "and": [{ "status": { "inq": [0, 1, 2] } }, {}] })),
        ("/invoices", json!({ "and": [{ "status": { "inq": [0] } }, { "tenantId": acme }] })),
    ] {
        assert_eq!(get(path, "filter", &page(&conditions)).await.items().len(), 1, "{conditions}");
        let count = format!("{path}/count");
        assert_eq!(get(&count, "where", &conditions).await.body["count"], 1, "{conditions}");
    }
    // The UI adds parameters of its own backend.
    let others = [
        format!("{}&tenantFilter=%7B%7D", with_query("/invoices", "filter", &page(&none))),
        "/invoices/count?filter=%7B%22where%22%3A%7B%7D%7D&tenantFilter=%7B%7D".to_owned(),
        "/tenants?filter=&_=1732600000000".to_owned(),
        "/tenants/count?where=".to_owned(),
    ];
    for path in others {
        app.client.get(&user, &path).await.expect(200);
    }
    let leads = get("/leads", "filter", &json!({})).await;
    let lead = format!("/leads/{}", leads.text("/0/id"));
    get(&lead, "filter", &json!({ "order": ["modifiedOn DESC"] })).await;
    get(&format!("/invoices/{bill}"), "filter", &json!({ "include": [{ "relation": "tenant" }] }))
        .await;
    let contacts = json!({ "include": [{ "relation": "contacts" }] });
    let found = get(&format!("/tenants/{acme}"), "filter", &contacts).await;
    assert_eq!(found.text("/contacts/0/firstName"), "Grace");
    let mut listed = page(&none);
    listed["include"] = contacts["include"].clone();
    assert_eq!(get("/tenants", "filter", &listed).await.text("/0/contacts/0/firstName"), "Grace");
    let change = json!({ "name": "Acme Ltd" });
    app.client.patch(&user, &format!("/tenants/{acme}"), &change).await.expect(204);
}

/// As the parser of LoopBack reads queries: a repeated name is an array.
#[tokio::test]
async fn repeated_parameters_are_arrays() {
    let app = App::start().await;
    let (acme, other) = (app.tenant("acme").await, app.tenant("other").await);
    app.tenant("third").await;
    app.settle().await;
    let count = format!("/tenants/count?where[id][inq]={acme}&where[id][inq]={other}");
    assert_eq!(app.read(&count).await.body["count"], 2);
    let list = format!(
        "/tenants?filter[where][id][inq]={acme}&filter[where][id][inq]={other}\
         &filter[order]=name&filter[order]=key%20DESC&filter[fields]=key&filter[include]=contacts"
    );
    let keys = app.read(&list).await.each("key");
    assert_eq!(keys, ["other", "acme"]);
    let one = app.read(&format!("/tenants?filter[where][id][inq]={acme}")).await;
    assert_eq!(one.items().len(), 1);
}
