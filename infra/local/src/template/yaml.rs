//! Converts CloudFormation's YAML to JSON. Short tags become their long form.

use serde_json::{Map, Value, json};
use yaml_serde::Value as Yaml;

use super::{Fault, Result};

/// Parses a template.
pub(super) fn parse(text: &str) -> Result<Value> {
    let document: Yaml =
        yaml_serde::from_str(text).map_err(|cause| Fault(format!("is not valid YAML: {cause}")))?;
    plain(document)
}

fn plain(yaml: Yaml) -> Result<Value> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => value.into(),
        Yaml::Number(number) => number_of(&number),
        Yaml::String(text) => text.into(),
        Yaml::Sequence(items) => Value::Array(items.into_iter().map(plain).collect::<Result<_>>()?),
        Yaml::Mapping(members) => {
            let members = members.into_iter().map(|(name, value)| Ok((key(name)?, plain(value)?)));
            Value::Object(members.collect::<Result<_>>()?)
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            long_form(tag.trim_start_matches('!'), plain(tagged.value)?)
        }
    })
}

fn number_of(number: &yaml_serde::Number) -> Value {
    match (number.as_i64(), number.as_f64()) {
        (Some(whole), _) => whole.into(),
        (None, Some(real)) => real.into(),
        (None, None) => number.to_string().into(),
    }
}

fn key(name: Yaml) -> Result<String> {
    match name {
        Yaml::String(name) => Ok(name),
        Yaml::Number(number) => Ok(number.to_string()),
        Yaml::Bool(value) => Ok(value.to_string()),
        _ => Err(Fault("has a key that is not a string".into())),
    }
}

fn long_form(tag: &str, value: Value) -> Value {
    let (name, value) = match (tag, value) {
        ("Ref" | "Condition", value) => (tag.to_owned(), value),
        ("GetAtt", Value::String(path)) => {
            let (resource, attribute) = path.split_once('.').unwrap_or((&path, ""));
            ("Fn::GetAtt".to_owned(), json!([resource, attribute]))
        }
        (tag, value) => (format!("Fn::{tag}"), value),
    };
    Value::Object(Map::from_iter([(name, value)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_tags_become_their_long_form() {
        let parsed = parse("a: !Ref B\nb: !GetAtt T.Stream.Arn\nc: !Sub '${X}-y'\n1: yes").unwrap();
        let long = json!({
            "a": { "Ref": "B" },
            "b": { "Fn::GetAtt": ["T", "Stream.Arn"] },
            "c": { "Fn::Sub": "${X}-y" },
            "1": "yes",
        });
        assert_eq!(parsed, long);
    }
}
