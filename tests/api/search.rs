//! `GET /search`: tenants and leads are found by their words, which follow from the table's stream.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::{
    App, Reply, contact, lead, renumber, tenant,
    token::{OPERATOR, claims, token},
};
use url::form_urlencoded;

/// The path of a search for `text`.
pub(crate) fn path(text: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", text).finish();
    format!("/search?{query}")
}

async fn search(app: &App, text: &str) -> Reply {
    app.read(&path(text)).await
}

/// Returns the names of what a search finds.
async fn names(app: &App, text: &str) -> Vec<String> {
    let found = search(app, text).await.each("name");
    found.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// Creates a tenant and returns its ID.
async fn create(app: &App, key: &str, name: &str, domain: &str) -> String {
    let mut body = tenant(key);
    body["name"] = name.into();
    body["domains"] = json!([domain]);
    body["contact"]["email"] = format!("ops@{domain}").into();
    app.create("/tenants", &body).await
}

/// Returns the words of the search items, each with the ID of its entity.
fn words(app: &App) -> BTreeSet<(String, String)> {
    let items = app.items_of("search").into_iter();
    let word =
        |item: &Value| item["sk"]["S"].as_str().unwrap().split('#').next().unwrap().to_owned();
    items.map(|item| (word(&item), item["id"]["S"].as_str().unwrap().to_owned())).collect()
}

#[tokio::test]
async fn tenants_and_leads_are_found_by_every_kind_of_word() {
    let app = App::start_silent().await;
    let id = create(&app, "haus1", "Ärzte-Haus Nord GmbH", "aerzte.test").await;
    let body = json!({
        "firstName": "Zoë", "lastName": "O'Neil", "companyName": "Škoda & Söhne",
        "email": "Zoe.O+x@Mail.test",
    });
    let lead = app.client.post_without_token("/leads", &body).await.expect(200).text("/id");
    app.settle().await;
    for text in [
        "haus1",
        "HAUS",
        "ärzte",
        "arzte-haus",
        "nord gmb",
        "gmbh",
        "aerzte.test",
        "@aerzte.test",
        "ops@aerzte.test",
        "OPS@",
        "n",
    ] {
        let found = search(&app, text).await;
        assert_eq!(found.each("id"), if text == "n" { vec![] } else { vec![json!(id)] }, "{text}");
    }
    for text in ["zoe", "ZOË o'n", "neil", "skoda", "sohne", "zoe.o+x@mail.test", "mail.test"] {
        assert_eq!(search(&app, text).await.each("id"), [json!(lead)], "{text}");
    }
    for text in
        ["", " ", "&", "rzte", "haus2", "nord sud", "zoe nord", "%", "a".repeat(200).as_str()]
    {
        assert_eq!(search(&app, text).await.body, json!([]), "{text}");
    }
    app.read("/search").await;
    insta::assert_json_snapshot!(search(&app, "ops").await.masked(&["/0/id"]), @r#"
    [
      {
        "companyName": null,
        "email": "ops@aerzte.test",
        "id": "…",
        "isValidated": null,
        "key": "haus1",
        "kind": "tenant",
        "name": "Ärzte-Haus Nord GmbH",
        "status": 1
      }
    ]
    "#);
    insta::assert_json_snapshot!(search(&app, "skoda").await.masked(&["/0/id"]), @r#"
    [
      {
        "companyName": "Škoda & Söhne",
        "email": "Zoe.O+x@Mail.test",
        "id": "…",
        "isValidated": false,
        "key": null,
        "kind": "lead",
        "name": "Zoë O'Neil",
        "status": null
      }
    ]
    "#);
}

#[tokio::test]
async fn the_query_is_bounded() {
    let app = App::start_silent().await;
    let long = path(&"ä".repeat(201));
    for bad in [&long, "/search?q=a&limit=0", "/search?q=a&limit=51", "/search?q=a&limit=x"] {
        let refused = app.client.get(&app.operator, bad).await.expect(400);
        assert_eq!(refused.text("/error/code"), "INVALID_PARAMETER_VALUE", "{bad}");
    }
    assert_eq!(search(&app, &"a b c d e f g h ".repeat(12)).await.body, json!([]));
}

#[tokio::test]
async fn a_change_of_the_name_replaces_its_words_and_a_deletion_removes_them() {
    let app = App::start_silent().await;
    let id = create(&app, "one", "Alpha Beta", "one.test").await;
    let contact = app.create("/contacts", &contact(&id)).await;
    app.settle().await;
    let patch = async |path: String, body: Value| {
        app.client.patch(&app.operator, &path, &body).await.expect(204);
        app.settle().await;
    };
    patch(format!("/tenants/{id}"), json!({ "name": "Beta Gamma" })).await;
    assert_eq!(names(&app, "alpha").await, Vec::<String>::new());
    for text in ["gamma beta", "one.test", "grace@acme.test"] {
        assert_eq!(names(&app, text).await, ["Beta Gamma"], "{text}");
    }
    patch(format!("/tenants/{id}"), json!({ "key": "two", "domains": ["two.test"] })).await;
    patch(format!("/contacts/{contact}"), json!({ "email": "joan@acme.test" })).await;
    assert_eq!(names(&app, "one").await, Vec::<String>::new());
    assert_eq!(names(&app, "grace@acme.test").await, Vec::<String>::new());
    let found: Vec<_> = words(&app).into_iter().filter(|(_, of)| *of == id).collect();
    let found: Vec<_> = found.iter().map(|(word, _)| word.as_str()).collect();
    assert_eq!(found, ["beta", "gamma", "two", "two.test"]);
    assert_eq!(names(&app, "joan").await, ["Beta Gamma"]);

    app.client.delete(&app.operator, &format!("/tenants/{id}")).await.expect(204);
    assert_eq!(names(&app, "beta").await, Vec::<String>::new(), "hidden at once");
    app.settle().await;
    assert_eq!(words(&app), BTreeSet::new());
}

#[tokio::test]
async fn an_expired_lead_leaves_no_words() {
    let app = App::start_silent().await;
    let id = app.client.post_without_token("/leads", &lead("ada@acme.test")).await.expect(200);
    let id = id.text("/id");
    app.settle().await;
    assert_eq!(names(&app, "ada").await, ["Ada Lovelace"]);
    let mut item = app.items_of("lead").remove(0);
    item["expiresAt"] = json!({ "N": (lambda::now().seconds() - 1).to_string() });
    app.import(vec![item]);
    assert_eq!(names(&app, "ada").await, Vec::<String>::new(), "hidden at once");
    app.local().sweep_expired().unwrap();
    app.settle().await;
    let left = app.items().into_iter().filter(|item| item.to_string().contains(&id));
    let kept = ["audit", "audit-done", "counted", "idempotency"].map(Value::from);
    let left: Vec<_> = left.filter(|item| !kept.contains(&item["entity"]["S"])).collect();
    assert_eq!(left, Vec::<Value>::new());
}

/// Every record is delivered again, all in reverse, and with a stop after every write.
#[tokio::test]
async fn repeated_reordered_and_interrupted_deliveries_lead_to_the_same_words() {
    let app = App::start_silent().await;
    let id = create(&app, "one", "Alpha Beta", "one.test").await;
    for name in ["Gamma", "Alpha Delta"] {
        let body = json!({ "name": name });
        app.client.patch(&app.operator, &format!("/tenants/{id}"), &body).await.expect(204);
    }
    let other = create(&app, "other", "Gone", "gone.test").await;
    app.client.delete(&app.operator, &format!("/tenants/{other}")).await.expect(204);
    app.settle().await;
    let expected = words(&app);
    assert_eq!(expected.len(), 5, "{expected:?}");
    let mut records = app.local().records("upkeep").unwrap();
    for _ in 0..2 {
        records.reverse();
        for record in &records {
            app.invoke("upkeep", json!({ "Records": [record] })).await.unwrap();
        }
        assert_eq!(words(&app), expected);
    }
    for (action, many) in [("PutItem", 1), ("PutItem", 3), ("DeleteItem", 0), ("DeleteItem", 1)] {
        app.local().calls().fail(action, local::Fault::RejectAfter(many));
        for record in &records {
            // Some fail.
            let _ = app.invoke("upkeep", json!({ "Records": [record] })).await;
        }
        app.local().calls().restore(action);
        app.invoke("upkeep", json!({ "Records": records })).await.unwrap();
        assert_eq!(words(&app), expected, "{action} {many}");
    }
}

#[tokio::test]
async fn a_caller_finds_only_what_it_may_see() {
    let app = App::start_silent().await;
    let id = create(&app, "acme", "Acme", "acme.test").await;
    app.client.post_without_token("/leads", &lead("ada@acme.test")).await.expect(200);
    app.settle().await;
    for (permissions, text, kinds) in [
        (&["10207"][..], "acme", &["tenant"][..]),
        (&["10207"], "ops@acme.test", &[]),
        (&["10207", "10211"], "ops@acme.test", &["tenant"]),
        (&["10207"], "ada@acme.test", &[]),
        (&["10207", "10203"], "acme", &["tenant", "lead"]),
    ] {
        let operator = token(OPERATOR, &claims(permissions).to_string());
        let found = app.client.get(&operator, &path(text)).await.expect(200);
        assert_eq!(found.each("kind"), kinds, "{permissions:?} {text}");
    }
    let ada = app.verified_lead("bob@acme.test").await;
    let all = support::token::with(claims(&["10203", "10207"]), "id", &*ada.id);
    let of_a_lead = token(support::token::LEAD, &all.to_string());
    app.client.get(&of_a_lead, &path(&id)).await.expect(403);
}

#[tokio::test]
async fn a_word_of_10_000_tenants_takes_two_calls() {
    let app = App::start_silent().await;
    app.warm().await;
    create(&app, "acme", "Shared GmbH", "acme.test").await;
    app.settle().await;
    let (stored, words) = (app.items_of("tenant").remove(0), app.items_of("search"));
    let mut all = Vec::new();
    for n in 0..10_000 {
        let mut copy = stored.clone();
        renumber(&mut copy, n, "2026-01-01T00:00:00.000Z".into());
        for word in &words {
            let (start, _) = word["sk"]["S"].as_str().unwrap().rsplit_once('#').unwrap();
            if ["shared#0", "gmbh#0"].contains(&start) {
                let mut word = word.clone();
                let sk = format!("{start}#{}", copy["id"]["S"].as_str().unwrap());
                word["sk"] = json!({ "S": sk });
                word["id"] = copy["id"].clone();
                all.push(word);
            }
        }
        // IDs grow, so a search reads only the first tenants.
        if n < 100 {
            all.push(copy);
        }
    }
    app.import(all);
    let body = json!({
        "firstName": "Ada", "lastName": "Shared", "companyName": "Rarest", "email": "a@b.test",
    });
    app.client.post_without_token("/leads", &body).await.expect(200);
    create(&app, "rare", "Shared Rarity", "rare.test").await;
    app.settle().await;
    for (text, calls, found) in [
        ("shared", 2, 10),
        ("sh", 2, 10),
        ("gmbh", 2, 10),
        ("rarity shared", 2, 1),
        ("shared rare", 3, 2),
        ("nothing", 1, 0),
    ] {
        let before = app.table_calls();
        let hits = search(&app, text).await.items().len();
        assert_eq!((app.table_calls() - before, hits), (calls, found), "{text}");
    }
    assert_eq!(app.read(&(path("shared") + "&limit=50")).await.items().len(), 50);
}

/// Tables that were filled before there was a search.
#[tokio::test]
async fn the_search_can_be_rebuilt_step_by_step() {
    let app = App::start_silent().await;
    let acme = create(&app, "acme", "Acme", "acme.test").await;
    app.create("/contacts", &contact(&acme)).await;
    app.client.post_without_token("/leads", &lead("ada@acme.test")).await.expect(200);
    let gone = create(&app, "gone", "Gone", "gone.test").await;
    app.client.delete(&app.operator, &format!("/tenants/{gone}")).await.expect(204);
    app.settle().await;
    let expected = words(&app);
    for item in app.items_of("search") {
        let delete = json!({
            "TableName": app.local().env().get("TABLE_NAME"),
            "Key": { "pk": item["pk"], "sk": item["sk"] },
        });
        app.call_aws("DYNAMODB", "DynamoDB_20120810.DeleteItem", &delete).await;
    }
    assert_eq!(words(&app), BTreeSet::new());
    let mut payload = json!({ "rebuildSearch": {} });
    while !payload["rebuildSearch"].is_null() {
        payload = app.invoke("upkeep", payload).await.unwrap();
    }
    assert_eq!(words(&app), expected);
    let refused = app.invoke("upkeep", json!({ "rebuildSearch": { "kind": "job" } })).await;
    assert!(refused.is_err());
}
