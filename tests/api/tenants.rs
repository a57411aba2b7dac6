use serde_json::{Value, json};
use support::{App, join_all, subscription, tenant};

#[tokio::test]
async fn eight_concurrent_conversions_of_one_lead_create_one_tenant() {
    let app = App::start().await;
    let lead = app.verified_lead("ada@acme.test").await;
    let path = format!("/leads/{}/tenants", lead.id);
    let ask = |n: usize| {
        let (client, token, path) = (app.client.clone(), lead.token.clone(), path.clone());
        // Half of the requests have the same key, half have keys of their own.
        let key = if n.is_multiple_of(2) { "acme".to_owned() } else { format!("acme{n}") };
        let body = json!({ "key": key, "domains": ["acme.test"] });
        async move { client.post(&token, &path, &body).await.status }
    };
    let mut statuses = join_all((0..8).map(ask)).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401, 401, 401, 401, 401, 401, 401]);
    assert_eq!(app.items_of("tenant").len(), 1);
    assert_eq!(app.items_of("tenant-key").len(), 1);
}

#[tokio::test]
async fn eight_leads_with_one_key_create_one_tenant() {
    let app = App::start().await;
    let mut leads = Vec::new();
    for n in 0..8 {
        leads.push(app.verified_lead(&format!("ada{n}@acme.test")).await);
    }
    let ask = |lead: support::VerifiedLead| {
        let client = app.client.clone();
        let body = json!({ "key": "acme", "domains": ["acme.test"] });
        async move {
            client.post(&lead.token, &format!("/leads/{}/tenants", lead.id), &body).await.status
        }
    };
    let mut statuses = join_all(leads.into_iter().map(ask)).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(app.items_of("tenant").len(), 1);
}

#[tokio::test]
async fn the_response_to_a_conversion_includes_all_relations() {
    let app = App::start().await;
    let lead = app.verified_lead("ada@acme.test").await;
    let body = json!({ "key": "acme", "domains": ["ACME.test", "acme.example"] });
    let made = app.client.post(&lead.token, &format!("/leads/{}/tenants", lead.id), &body).await;
    let made = made.expect(200);
    insta::assert_json_snapshot!(shape(&made.body), @r#"
    {
      "address": {
        "address": "12 St James's Square",
        "city": "London",
        "country": "GB",
        "state": null,
        "zip": null
      },
      "contacts": [
        {
          "email": "ada@acme.test",
          "firstName": "Ada",
          "isPrimary": true,
          "lastName": "Lovelace",
          "type": "admin"
        }
      ],
      "domains": [
        "acme.test",
        "acme.example"
      ],
      "key": "acme",
      "lead": {
        "companyName": "Acme",
        "email": "ada@acme.test",
        "firstName": "Ada",
        "isValidated": true,
        "lastName": "Lovelace"
      },
      "name": "Acme",
      "previous": null,
      "resources": [],
      "spocUserId": null,
      "status": 1,
      "suspension": null,
      "tier": null
    }
    "#);
    assert_eq!(made.text("/leadId"), lead.id);
    let id = made.text("/id");
    let read = app.client.get(&app.operator, &format!("/tenants/{id}")).await.expect(200);
    for (name, value) in read.body.as_object().unwrap() {
        assert_eq!(value, &made.body[name], "{name}");
    }
}

#[tokio::test]
async fn the_domains_and_address_of_a_tenant_must_match_its_lead() {
    let app = App::start().await;
    let lead = app.verified_lead("ada@acme.test").await;
    let path = format!("/leads/{}/tenants", lead.id);
    for (body, message) in [
        (
            json!({ "key": "acme", "domains": ["other.test"] }),
            "Contact email domain does not match tenant domains",
        ),
        (
            json!({ "key": "acme", "domains": ["acme.test"], "city": "Paris" }),
            "Address mismatch with Lead",
        ),
    ] {
        let refused = app.client.post(&lead.token, &path, &body).await.expect(400);
        assert_eq!(refused.text("/error/message"), message);
    }
    let other = app.verified_lead("bob@acme.test").await;
    let body = json!({ "key": "acme", "domains": ["acme.test"] });
    app.client.post(&other.token, &path, &body).await.expect(401);
    app.client.post(&app.operator, &path, &body).await.expect(401);
    assert_eq!(app.items_of("tenant").len(), 0);
}

#[tokio::test]
async fn an_operator_creates_a_tenant_without_a_lead_and_a_key_is_unique() {
    let app = App::start().await;
    let made = app.client.post(&app.operator, "/tenants", &tenant("acme")).await.expect(200);
    assert_eq!(made.body["leadId"], Value::Null);
    assert_eq!(made.text("/createdBy"), app.operator_id());
    let taken = app.client.post(&app.operator, "/tenants", &tenant("acme")).await.expect(409);
    assert_eq!(
        taken.text("/error/message"),
        "Unique constraint violation error ! Key (key)=(acme) already exists."
    );
}

#[tokio::test]
async fn tenants_are_listed_in_pages_newest_first() {
    let app = App::start().await;
    for n in 0..5 {
        app.client.post(&app.operator, "/tenants", &tenant(&format!("t{n}"))).await.expect(200);
    }
    let (mut keys, mut path) = (Vec::new(), "/tenants?limit=2".to_owned());
    loop {
        let page = app.client.get(&app.operator, &path).await.expect(200);
        let items = page.body.as_array().unwrap();
        keys.extend(items.iter().map(|tenant| tenant["key"].as_str().unwrap().to_owned()));
        let link = page.header("link");
        let Some((next, _)) = link.strip_prefix('<').and_then(|link| link.split_once('>')) else {
            break;
        };
        next.clone_into(&mut path);
    }
    assert_eq!(keys, ["t4", "t3", "t2", "t1", "t0"]);

    for (query, name) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=x", "limit"),
        ("cursor=AAAA", "cursor"),
    ] {
        let refused = app.client.get(&app.operator, &format!("/tenants?{query}")).await.expect(400);
        assert_eq!(refused.text("/error/code"), "INVALID_PARAMETER_VALUE");
        assert!(refused.text("/error/message").starts_with(name), "{}", refused.body);
    }
}

#[tokio::test]
async fn six_concurrent_provision_requests_open_one_job() {
    let app = App::start_silent().await;
    let made = app.client.post(&app.operator, "/tenants", &tenant("acme")).await.expect(200);
    let path = format!("/tenants/{}/provision", made.text("/id"));
    let ask = |_| {
        let (client, operator, path) = (app.client.clone(), app.operator.clone(), path.clone());
        async move { client.post(&operator, &path, &subscription("PREMIUM")).await.status }
    };
    let mut statuses = join_all((0..6).map(ask)).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409, 409, 409, 409, 409]);
    assert_eq!(app.items_of("job").len(), 1);
}

/// Returns `body` without IDs, times and users.
fn shape(body: &Value) -> Value {
    match body {
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| {
                let volatile = ["id", "createdOn", "modifiedOn", "createdBy", "modifiedBy"];
                let constant =
                    ["deleted", "deletedOn", "deletedBy", "leadId", "tenantId", "addressId"];
                !volatile.contains(&name.as_str()) && !constant.contains(&name.as_str())
            })
            .map(|(name, value)| (name.clone(), shape(value)))
            .collect(),
        Value::Array(items) => items.iter().map(shape).collect(),
        plain => plain.clone(),
    }
}
