//! Random filters over HTTP, as JSON and in brackets, compared with a reference implementation.

use serde_json::{Value, json};
use support::{App, invoice, key_claim, renumber, with_query};

use crate::{
    paging::created,
    random::{Random, filter},
    reference_filter::{Kind, Property, evaluate, matches},
};

const TENANT: &[Property] = &[
    ("id", Kind::Id),
    ("name", Kind::Text),
    ("status", Kind::Number),
    ("key", Kind::Text),
    ("spocUserId", Kind::Text),
    ("domains", Kind::Hosts),
    ("createdOn", Kind::Time),
];

const INVOICE: &[Property] = &[
    ("id", Kind::Id),
    ("amount", Kind::Number),
    ("currencyCode", Kind::Text),
    ("status", Kind::Number),
    ("startDate", Kind::Time),
    ("invoiceFile", Kind::Text),
    ("tenantId", Kind::Id),
];

/// Converts a parameter to the bracket form of the `qs` package.
fn brackets(name: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => members
            .iter()
            .for_each(|(member, value)| brackets(&format!("{name}[{member}]"), value, pairs)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(place, value)| brackets(&format!("{name}[{place}]"), value, pairs)),
        Value::String(text) => pairs.push((name.to_owned(), text.clone())),
        plain => pairs.push((name.to_owned(), plain.to_string())),
    }
}

fn in_brackets(path: &str, name: &str, value: &Value) -> String {
    let mut pairs = Vec::new();
    brackets(name, value, &mut pairs);
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{path}?{query}")
}

async fn assert_same_results(app: &App, list: &str, properties: &[Property], seed: u8) {
    let items = app.read(&format!("{list}?limit=1000")).await.items().to_vec();
    assert!(items.len() >= 60, "{}", items.len());
    let (mut random, mut found, mut operators) = (Random::new(seed), 0, String::new());
    for _ in 0..80 {
        let filter = filter(&mut random, &items, properties);
        let expected = evaluate(&items, &filter, properties);
        let by_json = app.read(&with_query(list, "filter", &filter)).await;
        assert_eq!(by_json.each("id"), expected, "{filter}");
        let by_brackets = app.read(&in_brackets(list, "filter", &filter)).await;
        assert_eq!(by_brackets.each("id"), expected, "{filter} in brackets");
        let all = items.iter().filter(|item| matches(item, &filter["where"], properties)).count();
        let counted = with_query(&format!("{list}/count"), "where", &filter["where"]);
        assert_eq!(app.read(&counted).await.body, json!({ "count": all }), "{filter}");
        found += usize::from(!expected.is_empty());
        operators.push_str(&filter.to_string());
    }
    assert!((20..75).contains(&found), "{found} of the filters match an item");
    for operator in [
        "eq", "neq", "gt", "gte", "lt", "lte", "between", "inq", "nin", "like", "nlike", "ilike",
        "nilike", "regexp", "exists", "and", "or",
    ] {
        assert!(operators.contains(&format!("\"{operator}\":")), "{operator} was not generated");
    }
}

#[tokio::test]
async fn filters_of_tenants_match_the_reference_implementation() {
    let app = App::start().await;
    app.tenant("acme").await;
    let mut random = Random::new(7);
    let mut item = app.items_of("tenant").remove(0);
    let mut items = Vec::new();
    for n in 0..70 {
        renumber(&mut item, n, created(n));
        let status = random.below(6).to_string();
        item["gsi2pk"] = json!({ "S": format!("tenant-status#{status}") });
        item["status"] = json!({ "N": status });
        let names = ["Acme", "acme", "Ácme", "a%b_c", "Zürich AG", "日本", "aab", "Acme Ltd", "1"];
        item["name"] = json!({ "S": random.of(&names) });
        let hosts = ["a.test", "b.test", "c.test"];
        let few = 1 + random.below(3);
        let few: Vec<_> = hosts.iter().take(few).map(|host| json!({ "S": host })).collect();
        item["domains"] = json!({ "L": few });
        item["spocUserId"] = json!({ "S": random.of(&["u1", "u2", "U2", "7"]) });
        if random.chance(40) {
            item.as_object_mut().unwrap().remove("spocUserId");
        }
        items.extend([key_claim(&item), item.clone()]);
    }
    app.import(items);
    assert_same_results(&app, "/tenants", TENANT, 2).await;
}

#[tokio::test]
async fn filters_of_invoices_match_the_reference_implementation() {
    let app = App::start().await;
    let mut random = Random::new(11);
    let mut tenants = Vec::new();
    for key in ["a", "b", "c"] {
        tenants.push(app.tenant(key).await);
    }
    let amounts = [json!(0), json!(10), json!(10.5), json!(9), json!(100.25), json!(0.1)];
    for _ in 0..70 {
        let tenant: &String = random.of(&tenants);
        let mut body = invoice(tenant);
        body["amount"] = random.of(&amounts).clone();
        body["status"] = json!(random.below(3));
        body["currencyCode"] = json!(random.of(&["EUR", "USD", "CHF"]));
        body["startDate"] = json!(format!("2026-01-0{}", 1 + random.below(9)));
        body["invoiceFile"] = match random.chance(40) {
            true => Value::Null,
            false => json!(random.of(&["a.pdf", "A.pdf", "b%.pdf", "", "a_b"])),
        };
        app.create("/invoices", &body).await;
    }
    assert_same_results(&app, "/invoices", INVOICE, 3).await;
}
