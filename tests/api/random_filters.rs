//! Filters over HTTP, in JSON and in brackets, held against a plain evaluation of the same items.

use serde_json::{Value, json};
use support::{App, invoice, with_query};

use crate::{
    paging::rename,
    plain::{Kind, Property, evaluate, matches},
};

/// Numbers that look random and are the same on every run (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap() % limit
    }

    fn of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

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

/// A piece of a text, with something left open in it.
fn pattern(text: &str, random: &mut Random) -> String {
    let mut chars: Vec<char> = text.chars().filter(|c| !"%_\\".contains(*c)).collect();
    for _ in 0..random.below(3) {
        if !chars.is_empty() {
            let place = random.below(chars.len());
            chars[place] = *random.of(&['%', '_', 'a']);
        }
    }
    let piece: String = chars.into_iter().collect();
    if random.chance(50) { format!("%{piece}%") } else { piece }
}

/// What a condition on a property is made of: some operator, and an operand that may fit an item.
fn condition(random: &mut Random, items: &[Value], (name, kind): Property) -> Value {
    let held = |random: &mut Random| loop {
        let value = random.of(items)[name].clone();
        if !value.is_null() {
            return value;
        }
    };
    let value = held(random);
    let compared = ["gt", "gte", "lt", "lte", "between", "inq", "nin"];
    let matched = ["like", "ilike", "nlike", "nilike", "regexp"];
    let mut operators = vec!["eq", "neq", "exists", "plain"];
    match kind {
        Kind::Hosts => operators.push("contains"),
        Kind::Number | Kind::Time => operators.extend(compared),
        Kind::Text | Kind::Id => operators.extend(compared.into_iter().chain(matched)),
    }
    let operator = *random.of(&operators);
    let operand = match operator {
        "plain" if random.chance(20) => return Value::Null,
        "plain" => return value,
        "eq" | "neq" if random.chance(20) => Value::Null,
        "between" => json!([value, held(random)]),
        "inq" | "nin" => {
            let mut values: Vec<_> = (0..=random.below(4)).map(|_| held(random)).collect();
            if random.chance(20) {
                values.push(Value::Null);
            }
            json!(values)
        }
        "exists" => json!(random.chance(50)),
        "contains" => {
            let hosts = value.as_array().unwrap();
            json!([random.of(hosts), random.of(hosts)])
        }
        "regexp" => {
            let start = value.as_str().unwrap().chars().take_while(char::is_ascii_alphanumeric);
            json!(format!("^{}", start.collect::<String>()))
        }
        "like" | "ilike" | "nlike" | "nilike" => json!(pattern(value.as_str().unwrap(), random)),
        _ => value,
    };
    json!({ operator: operand })
}

fn conditions(
    random: &mut Random,
    items: &[Value],
    properties: &[Property],
    depth: usize,
) -> Value {
    let mut made = json!({});
    for _ in 0..=random.below(2) {
        let property = *random.of(properties);
        made[property.0] = condition(random, items, property);
    }
    if depth > 0 && random.chance(40) {
        let name = *random.of(&["and", "or"]);
        let parts = 0..=random.below(3);
        made[name] = parts.map(|_| conditions(random, items, properties, depth - 1)).collect();
        if random.chance(60) {
            return json!({ name: made[name] });
        }
    }
    made
}

fn filter(random: &mut Random, items: &[Value], properties: &[Property]) -> Value {
    let mut filter = json!({ "where": conditions(random, items, properties, 2) });
    if random.chance(70) {
        let ordered: Vec<_> = properties.iter().filter(|(_, kind)| *kind != Kind::Hosts).collect();
        let mut names: Vec<&str> = (0..=random.below(2)).map(|_| random.of(&ordered).0).collect();
        names.dedup();
        let parts =
            names.iter().map(|name| format!("{name} {}", random.of(&["ASC", "DESC", "asc"])));
        filter["order"] = parts.collect();
    }
    if random.chance(50) {
        filter["limit"] = json!(1 + random.below(items.len()));
        filter[*random.of(&["skip", "offset"])] = json!(random.below(20));
    }
    filter
}

/// The bracket form of a parameter, as the `qs` package writes it.
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

async fn agree(app: &App, list: &str, properties: &[Property], seed: u64) {
    let items = app.read(&format!("{list}?limit=1000")).await.items().to_vec();
    assert!(items.len() >= 60, "{}", items.len());
    let (mut random, mut found, mut operators) = (Random(seed), 0, String::new());
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
    assert!((20..75).contains(&found), "{found} of the filters find something");
    for operator in [
        "eq", "neq", "gt", "gte", "lt", "lte", "between", "inq", "nin", "like", "nlike", "ilike",
        "nilike", "regexp", "exists", "and", "or",
    ] {
        assert!(operators.contains(&format!("\"{operator}\":")), "{operator} never came up");
    }
}

#[tokio::test]
async fn tenants_are_found_as_a_plain_evaluation_finds_them() {
    let app = App::start().await;
    app.tenant("acme").await;
    let mut random = Random(7);
    let mut item = app.items_of("tenant").remove(0);
    let mut items = Vec::new();
    for n in 0..70 {
        rename(&mut item, n);
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
        items.push(item.clone());
    }
    app.import(items);
    agree(&app, "/tenants", TENANT, 0x5eed_0001).await;
}

#[tokio::test]
async fn invoices_are_found_as_a_plain_evaluation_finds_them() {
    let app = App::start().await;
    let mut random = Random(11);
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
    agree(&app, "/invoices", INVOICE, 0x5eed_0002).await;
}
