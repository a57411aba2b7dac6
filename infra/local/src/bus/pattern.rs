//! Event patterns of rules and filters.

use serde_json::{Map, Value};

/// A supported event pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern(Value);

impl Pattern {
    /// Checks that every part of `pattern` is supported.
    ///
    /// # Errors
    ///
    /// A message that names the unsupported operator or invalid part.
    pub fn parse(pattern: Value) -> Result<Self, String> {
        match &pattern {
            Value::Object(members) if !members.is_empty() => check(members)?,
            _ => return Err("an event pattern must be an object with members".into()),
        }
        Ok(Self(pattern))
    }

    /// Returns the pattern as JSON.
    #[must_use]
    pub fn as_json(&self) -> &Value {
        &self.0
    }

    /// Returns whether `event` matches.
    #[must_use]
    pub fn matches(&self, event: &Value) -> bool {
        self.0.as_object().is_some_and(|pattern| fits(pattern, Some(event)))
    }
}

fn check(members: &Map<String, Value>) -> Result<(), String> {
    for (name, part) in members {
        match part {
            Value::Object(members) => check(members)?,
            Value::Array(choices) if name == "$or" => {
                for choice in choices {
                    check(choice.as_object().ok_or("each choice of $or must be an object")?)?;
                }
            }
            Value::Array(choices) => choices.iter().try_for_each(check_choice)?,
            _ => return Err(format!("the event pattern's {name} must be an array or an object")),
        }
    }
    Ok(())
}

fn check_choice(choice: &Value) -> Result<(), String> {
    let Some(operators) = choice.as_object() else { return Ok(()) };
    for (operator, operand) in operators {
        let is_good = match operator.as_str() {
            "prefix" | "suffix" => {
                operand.is_string()
                    || operand.get("equals-ignore-case").is_some_and(Value::is_string)
            }
            "equals-ignore-case" | "wildcard" => operand.is_string(),
            "exists" => operand.is_boolean(),
            "numeric" => comparisons(operand).is_some(),
            "anything-but" => match operand {
                Value::Object(inner) => {
                    let simple = ["prefix", "suffix", "equals-ignore-case", "wildcard"];
                    inner.iter().all(|(name, of)| {
                        simple.contains(&name.as_str()) && strings(of).next().is_some()
                    })
                }
                _ => true,
            },
            _ => return Err(format!("the event pattern's operator {operator} is not supported")),
        };
        if !is_good {
            return Err(format!("the event pattern's operator {operator} has an invalid operand"));
        }
    }
    Ok(())
}

/// Returns whether each member of `pattern` matches. An array in the event matches if one of its
/// elements does.
fn fits(pattern: &Map<String, Value>, event: Option<&Value>) -> bool {
    if let Some(Value::Array(elements)) = event {
        return elements.iter().any(|element| fits(pattern, Some(element)));
    }
    pattern.iter().all(|(name, part)| match part {
        Value::Array(choices) if name == "$or" => {
            choices.iter().filter_map(Value::as_object).any(|choice| fits(choice, event))
        }
        Value::Array(choices) => {
            let value = event.and_then(|event| event.get(name));
            choices.iter().any(|choice| chosen(choice, value))
        }
        Value::Object(members) => fits(members, event.and_then(|event| event.get(name))),
        _ => false,
    })
}

fn chosen(choice: &Value, value: Option<&Value>) -> bool {
    if let Some(wanted) = choice.get("exists").and_then(Value::as_bool) {
        // EventBridge tests only leaves: an object does not exist.
        return value.is_some_and(|value| !value.is_object()) == wanted;
    }
    match value {
        None => false,
        Some(Value::Array(elements)) => elements.iter().any(|element| fits_one(choice, element)),
        Some(value) => fits_one(choice, value),
    }
}

fn fits_one(choice: &Value, value: &Value) -> bool {
    let Some(operators) = choice.as_object() else { return same(choice, value) };
    operators.iter().all(|(operator, operand)| match operator.as_str() {
        "anything-but" => match operand {
            Value::Object(inner) => !inner
                .iter()
                .any(|(name, of)| strings(of).any(|operand| compares(name, operand, value))),
            Value::Array(refused) => !refused.iter().any(|refused| same(refused, value)),
            refused => !same(refused, value),
        },
        "numeric" => value.as_f64().is_some_and(|number| {
            comparisons(operand).is_some_and(|all| all.iter().all(|(is, limit)| is(&number, limit)))
        }),
        "prefix" | "suffix" if operand.is_object() => {
            let lower = |of: &Value| of.as_str().map(str::to_lowercase).map(Value::from);
            let operand = lower(&operand["equals-ignore-case"]);
            lower(value).zip(operand).is_some_and(|(value, operand)| {
                compares(operator, operand.as_str().unwrap_or_default(), &value)
            })
        }
        name => operand.as_str().is_some_and(|operand| compares(name, operand, value)),
    })
}

fn compares(operator: &str, operand: &str, value: &Value) -> bool {
    let Some(text) = value.as_str() else { return false };
    match operator {
        "prefix" => text.starts_with(operand),
        "suffix" => text.ends_with(operand),
        "equals-ignore-case" => text.to_lowercase() == operand.to_lowercase(),
        "wildcard" => wildcard(operand, text),
        _ => false,
    }
}

/// Returns whether two values are equal. Numbers are compared by value: 300, 300.0 and 3.0e2 are
/// equal.
fn same(left: &Value, right: &Value) -> bool {
    match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => left.total_cmp(&right).is_eq(),
        _ => left == right,
    }
}

fn wildcard(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(start) else { return false };
    let from = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    from.into_iter().any(|at| wildcard(rest, &text[at..]))
}

type Comparison = (fn(&f64, &f64) -> bool, f64);

fn comparisons(operand: &Value) -> Option<Vec<Comparison>> {
    let parts = operand.as_array().filter(|parts| !parts.is_empty() && parts.len() % 2 == 0)?;
    let pairs = parts.chunks(2).map(|pair| {
        let is: fn(&f64, &f64) -> bool = match pair[0].as_str()? {
            "<" => f64::lt,
            "<=" => f64::le,
            ">" => f64::gt,
            ">=" => f64::ge,
            "=" => f64::eq,
            _ => return None,
        };
        Some((is, pair[1].as_f64()?))
    });
    pairs.collect()
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    let one = value.as_str().into_iter();
    one.chain(value.as_array().into_iter().flatten().filter_map(Value::as_str))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event() -> Value {
        json!({
            "source": "tenantry",
            "detail-type": "TENANT_PROVISIONING",
            "resources": ["arn:a", "arn:b"],
            "detail": {
                "job": { "isolation": "silo", "attempt": 2, "reason": null, "done": false },
                "contacts": [{ "type": "admin" }, { "type": "owner" }],
                "path": "a/b/c.txt",
                "empty": {},
            },
        })
    }

    #[test]
    fn patterns_match_as_on_eventbridge() {
        let detail = |pattern: Value| json!({ "detail": pattern });
        let cases = [
            (json!({ "source": ["tenantry"] }), true),
            (
                json!({ "source": ["other", "tenantry"], "detail-type": ["TENANT_PROVISIONING"] }),
                true,
            ),
            (json!({ "source": ["tenantry"], "detail-type": ["LEAD_CREATED"] }), false),
            (json!({ "missing": ["tenantry"] }), false),
            (json!({ "resources": ["arn:b"] }), true),
            (json!({ "resources": ["arn:c"] }), false),
            (detail(json!({ "job": { "isolation": ["silo"] } })), true),
            (detail(json!({ "job": { "isolation": ["Silo"] } })), false),
            (detail(json!({ "job": { "attempt": [2] } })), true),
            (detail(json!({ "job": { "attempt": [2.0] } })), true),
            (detail(json!({ "job": { "attempt": ["2"] } })), false),
            (detail(json!({ "job": { "done": [false] } })), true),
            (detail(json!({ "job": { "reason": [null] } })), true),
            (detail(json!({ "contacts": { "type": ["owner"] } })), true),
            (detail(json!({ "contacts": { "type": ["user"] } })), false),
            (detail(json!({ "path": [{ "prefix": "a/" }] })), true),
            (detail(json!({ "path": [{ "prefix": { "equals-ignore-case": "A/" } }] })), true),
            (detail(json!({ "path": [{ "suffix": ".TXT" }] })), false),
            (detail(json!({ "path": [{ "suffix": ".txt" }] })), true),
            (detail(json!({ "path": [{ "wildcard": "a/*/c*" }] })), true),
            (detail(json!({ "path": [{ "wildcard": "a/*/d*" }] })), false),
            (detail(json!({ "path": [{ "equals-ignore-case": "A/B/C.txt" }] })), true),
            (detail(json!({ "path": [{ "anything-but": "x" }] })), true),
            (detail(json!({ "path": [{ "anything-but": ["x", "a/b/c.txt"] }] })), false),
            (detail(json!({ "path": [{ "anything-but": { "prefix": "a" } }] })), false),
            (detail(json!({ "nothing": [{ "anything-but": "x" }] })), false),
            (detail(json!({ "path": [{ "exists": true }] })), true),
            (detail(json!({ "path": [{ "exists": false }] })), false),
            (detail(json!({ "nothing": [{ "exists": false }] })), true),
            (detail(json!({ "nothing": { "deep": [{ "exists": false }] } })), true),
            (detail(json!({ "empty": [{ "exists": true }] })), false),
            (detail(json!({ "job": { "attempt": [{ "numeric": [">", 1, "<=", 2] }] } })), true),
            (detail(json!({ "job": { "attempt": [{ "numeric": ["<", 2] }] } })), false),
            (
                json!({ "$or": [{ "source": ["x"] }, { "detail-type": [{ "prefix": "TENANT" }] }] }),
                true,
            ),
            (json!({ "$or": [{ "source": ["x"] }, { "detail-type": ["y"] }] }), false),
        ];
        for (pattern, expected) in cases {
            let parsed = Pattern::parse(pattern.clone()).unwrap();
            assert_eq!(parsed.matches(&event()), expected, "{pattern}");
        }
    }

    #[test]
    fn errors_name_the_unsupported_part() {
        let cases = [
            (json!({ "a": [{ "cidr": "10.0.0.0/8" }] }), "operator cidr is not supported"),
            (json!({ "a": "b" }), "a must be an array"),
            (json!({ "a": [{ "numeric": ["~", 1] }] }), "numeric has an invalid operand"),
            (json!({}), "must be an object with members"),
        ];
        for (pattern, fault) in cases {
            let refusal = Pattern::parse(pattern).unwrap_err();
            assert!(refusal.contains(fault), "{refusal}");
        }
    }
}
