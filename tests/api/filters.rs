//! Validation of filters and queries, and projection by fields and scopes.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{App, contact, with_query};

/// Maximum time for a response.
pub(crate) const RESPONSE_TIME: Duration = Duration::from_secs(2);

#[tokio::test]
async fn every_error_in_a_where_is_reported() {
    let app = App::start().await;
    app.tenant("acme").await;
    let many = vec![1; 1001];
    let deep = (0..100).fold(json!({ "key": "a" }), |inner, _| json!({ "and": [inner] }));
    for (conditions, fault) in [
        (json!({ "colour": 1 }), "colour: is not a property of Tenant"),
        (json!({ "contacts": 1 }), "contacts: is not a property of Tenant"),
        (json!({ "key": { "eqq": 1 } }), "key.eqq: is not an operator"),
        (json!({ "key": {} }), "key: must have an operator"),
        (json!({ "key": 7 }), "key: must be a string or null"),
        (json!({ "status": "1" }), "status: must be a number or null"),
        (json!({ "id": "acme" }), "id: must be a UUID or null"),
        (json!({ "deleted": "true" }), "deleted: must be true or false"),
        (json!({ "createdOn": "now" }), "createdOn: must be a date"),
        (json!({ "domains": "a.test" }), "domains: must be an array"),
        (json!({ "domains": { "gt": ["a"] } }), "domains.gt: does not apply"),
        (json!({ "status": { "like": "1" } }), "status.like: does not apply"),
        (json!({ "key": { "gt": null } }), "key.gt: must be a string"),
        (json!({ "key": { "inq": "a" } }), "key.inq: must be an array"),
        (json!({ "key": { "inq": [1] } }), "key.inq.0: must be a string"),
        (json!({ "status": { "inq": many } }), "status.inq: must NOT have more than 1000 items"),
        (json!({ "key": { "between": ["a"] } }), "key.between: must be an array of two"),
        (json!({ "key": { "exists": 1 } }), "key.exists: must be true or false"),
        (json!({ "key": { "regexp": "(" } }), "key.regexp: is not a valid regular expression"),
        (json!({ "key": { "regexp": "(?=a)" } }), "key.regexp: is not a valid regular expression"),
        (json!({ "key": { "regexp": "/a/x" } }), "key.regexp: must not have flags other than"),
        (json!({ "key": { "regexp": "(a{1000}){1000}" } }), "key.regexp: is too large"),
        (json!({ "or": "key" }), "or: must be an array of conditions"),
        (json!({ "and": [{}, { "colour": "red" }] }), "and.1.colour: is not a property"),
        (deep, "and.0.and.0.and.0"),
    ] {
        for (path, name, query) in [
            ("/tenants", "filter.where", json!({ "where": conditions })),
            ("/tenants/count", "where", conditions.clone()),
        ] {
            let started = Instant::now();
            let parameter = name.split('.').next().unwrap();
            let path = with_query(path, parameter, &query);
            let refused = app.client.get(&app.operator, &path).await.expect(400);
            assert_eq!(refused.text("/error/code"), "INVALID_PARAMETER_VALUE");
            let message = refused.text("/error/message");
            assert!(message.starts_with(&format!("{name}.{fault}")), "{message:.300}");
            assert!(
                message.len() < 2000 && started.elapsed() < RESPONSE_TIME,
                "{:?}",
                started.elapsed()
            );
        }
    }
}

#[tokio::test]
async fn every_error_in_a_filter_is_reported() {
    let app = App::start().await;
    let scope = json!({ "where": { "key": "a" } });
    for (filter, fault) in [
        (json!({ "where": [] }), "filter.where: must be an object"),
        (json!({ "where": null }), "filter.where: must be an object"),
        (json!({ "order": "colour ASC" }), "filter.order.colour: is not a property of Tenant"),
        (
            json!({ "order": "key UP" }),
            "filter.order: \"key UP\" is not a property with an optional ASC or DESC",
        ),
        (
            json!({ "order": "domains ASC" }),
            "filter.order: domains is an array, which can't be sorted by",
        ),
        (
            json!({ "order": ["key", "key DESC"] }),
            "filter.order.1: must not name key more than once",
        ),
        (json!({ "order": { "key": 1 } }), "filter.order: must be a string"),
        (json!({ "limit": 0 }), "filter.limit: must be a whole number from 1 to 1000"),
        (json!({ "limit": 1001 }), "filter.limit: must be a whole number from 1 to 1000"),
        (json!({ "limit": "1" }), "filter.limit: must be a whole number from 1 to 1000"),
        (json!({ "limit": 1.5 }), "filter.limit: must be a whole number from 1 to 1000"),
        (json!({ "skip": -1 }), "filter.skip: must be a whole number"),
        (json!({ "skip": 1, "offset": 1 }), "filter.offset: is an alias of skip"),
        (json!({ "fields": ["colour"] }), "filter.fields.colour: is not a property of Tenant"),
        (json!({ "fields": { "key": 1 } }), "filter.fields.key: must be true or false"),
        (json!({ "fields": "key" }), "filter.fields: must be an array or an object"),
        (json!({ "include": ["invoices"] }), "filter.include.0: \"invoices\" is not a relation"),
        (
            json!({ "include": ["lead", "lead"] }),
            "filter.include.1: must not name lead more than once",
        ),
        (
            json!({ "include": [{ "relation": "lead", "scop": {} }] }),
            "filter.include.0.scop: is not a member",
        ),
        (
            json!({ "include": [{ "relation": "lead", "scope": scope }] }),
            "filter.include.0.scope.where.key: is not a property of Lead",
        ),
        (json!({ "wher": {} }), "filter.wher: is not a member of a filter"),
        (json!([]), "filter: must be an object"),
        (json!("where"), "filter: must be an object"),
    ] {
        let path = with_query("/tenants", "filter", &filter);
        let refused = app.client.get(&app.operator, &path).await.expect(400);
        assert_eq!(refused.text("/error/code"), "INVALID_PARAMETER_VALUE");
        let message = refused.text("/error/message");
        assert!(message.starts_with(fault), "{message:.300}");
    }
}

#[tokio::test]
async fn every_error_in_a_query_string_is_reported() {
    let app = App::start().await;
    let id = app.tenant("acme").await;
    let brackets = format!("filter{}=1", "[where]".repeat(1000));
    let arrays = format!("filter={}", "[".repeat(1000));
    for (query, fault) in [
        (brackets.as_str(), "filter: is nested deeper than 32 levels"),
        (&arrays, "filter: is not valid JSON"),
        ("filter[where][key=a", "filter: has unclosed brackets"),
        ("filter[where]key]=a", "filter: has unclosed brackets"),
        ("filter[where][key]=a&filter[where][key]=b", "filter.where.key: must be a string or null"),
        ("filter[where]=a&filter[where][key]=b", "filter.where: has conflicting brackets"),
        ("filter={}&filter[where][key]=b", "filter: must not be given more than once"),
        (
            "filter[where][and][0][key]=a&filter[where][and][x]=b",
            "filter.where.and: mixes array positions and names",
        ),
        ("filter[where][colour]=a", "filter.where.colour: is not a property"),
        ("filter[limit]=many", "filter.limit: must be a whole number"),
        ("filter[limit]=2&limit=2", "limit: is also given in the filter. Use only one of them."),
        ("limit[a]=2", "limit: does not support brackets"),
        (
            "filter={\"where\":{\"key\":\"a\",\"key\":\"b\"}}",
            "filter.where.key: must not be given more than once",
        ),
        ("filter={\"limit\":1e400}", "filter.limit: must be a whole number"),
        ("filter=%FF", "the query string is not valid UTF-8"),
    ] {
        let refused = app.client.get(&app.operator, &format!("/tenants?{query}")).await.expect(400);
        let message = refused.text("/error/message");
        assert!(message.starts_with(fault), "{query:.100}: {message:.300}");
    }
    let own = format!("/tenants/{id}");
    for (path, fault) in [
        (
            format!("{own}?filter[where][key]=a"),
            "filter.where: can't be combined with an ID in the path",
        ),
        ("/leads?filter[include][0]=contacts".to_owned(), "filter.include.0: \"contacts\" is no"),
        ("/contacts/count?where=7".to_owned(), "where: must be an object"),
    ] {
        let refused = app.client.get(&app.operator, &path).await.expect(400);
        assert!(refused.text("/error/message").starts_with(fault), "{path}: {}", refused.body);
    }
}

#[tokio::test]
async fn fields_and_scopes_limit_the_response() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    for (name, primary) in [("Bea", false), ("Cy", true), ("Ann", false)] {
        let mut body = contact(&acme);
        body["firstName"] = json!(name);
        body["isPrimary"] = json!(primary);
        app.create("/contacts", &body).await;
    }
    let own = format!("/tenants/{acme}");
    let scope = json!({ "where": { "isPrimary": false }, "order": "firstName DESC", "skip": 1,
        "limit": 1, "fields": { "firstName": true, "tenantId": true },
        "include": [{ "relation": "tenant", "scope": { "fields": ["key"] } }] });
    let filter =
        json!({ "fields": ["key"], "include": [{ "relation": "contacts", "scope": scope }] });
    let cut = json!({ "key": "acme", "contacts": [
        { "firstName": "Ann", "tenantId": acme, "tenant": { "key": "acme" } }] });
    assert_eq!(app.read(&with_query(&own, "filter", &filter)).await.body, cut);
    assert_eq!(app.read(&with_query("/tenants", "filter", &filter)).await.body, json!([cut]));

    let without = json!({ "fields": { "createdBy": false, "id": false } });
    let read = app.read(&with_query(&own, "filter", &without)).await.body;
    assert_eq!((read.get("id"), read.get("createdBy")), (None, None));
    assert_eq!(read["key"], "acme");
    let within = |relation: &str, include: Value| json!([{ "relation": relation, "scope": { "include": include } }]);
    let nested = within("contacts", within("tenant", json!(["contacts"])));
    let read = app.read(&with_query(&own, "filter", &json!({ "include": nested }))).await.body;
    let innermost = &read["contacts"][0]["tenant"]["contacts"];
    assert_eq!(innermost.as_array().unwrap().len(), 4);
    let deeper = json!({ "include": within("lead", within("tenant", nested)) });
    let refused = app.client.get(&app.operator, &with_query(&own, "filter", &deeper)).await;
    assert!(refused.expect(400).text("/error/message").contains("more than 3 levels deep"));
}
