//! Random filters and JSON, the same on every run.

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};

use crate::{
    body_limits::nested,
    reference_filter::{Kind, Property},
};

/// A source of random values that depend only on its seed.
pub(crate) struct Random(TestRunner);

impl Random {
    pub(crate) fn new(seed: u8) -> Self {
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
        Self(TestRunner::new_with_rng(Config::default(), rng))
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (0..limit).new_tree(&mut self.0).unwrap().current()
    }

    pub(crate) fn of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// Returns a pattern made of `text`, with some characters replaced by wildcards.
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

/// Returns a condition on a property: an operator, and an operand that often matches an item.
fn condition(random: &mut Random, items: &[Value], (name, kind): Property) -> Value {
    let stored = |random: &mut Random| loop {
        let value = random.of(items)[name].clone();
        if !value.is_null() {
            return value;
        }
    };
    let value = stored(random);
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
        "between" => json!([value, stored(random)]),
        "inq" | "nin" => {
            let mut values: Vec<_> = (0..=random.below(4)).map(|_| stored(random)).collect();
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

pub(crate) fn filter(random: &mut Random, items: &[Value], properties: &[Property]) -> Value {
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

/// Returns random JSON text, including values that some consumers cannot store.
pub(crate) fn any_json(random: &mut Random, depth: usize) -> String {
    match random.below(if depth == 0 { 8 } else { 11 }) {
        0 => "null".to_owned(),
        1 => format!("-{}", random.below(1 << 30)),
        2 => format!("{}{}", 1 + random.below(1 << 30), "0".repeat(random.below(14))),
        3 => format!("{}.5e{}", random.below(10), random.below(150)),
        4 => format!("1e-{}", random.below(150)),
        5 => json!("\u{0}\"\u{1f600}".repeat(random.below(2000))).to_string(),
        6 => nested(1 + random.below(30)),
        7 => random.of(&[r#""\ud83d\ude00""#, r#""\ud83d""#, "true", "[{},[]]"]).to_string(),
        8 => {
            let items: Vec<_> = (0..random.below(5)).map(|_| any_json(random, depth - 1)).collect();
            format!("[{}]", items.join(","))
        }
        _ => {
            let member = |random: &mut Random| {
                let name = *random.of(&["", "a", "b", "c", "__proto__", "a/b", "\u{65e5}"]);
                format!("{}:{}", json!(name), any_json(random, depth - 1))
            };
            let members: Vec<_> = (0..random.below(4)).map(|_| member(random)).collect();
            format!("{{{}}}", members.join(","))
        }
    }
}
