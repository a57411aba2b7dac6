//! CloudFormation's intrinsic functions, references and conditions.

use serde_json::{Map, Value};

use super::{Fault, Result, stack::Stack, stack::is_nested, stack::members, text};

impl Stack<'_> {
    /// Resolves `value`. Members that resolve to `AWS::NoValue` are removed.
    pub(super) fn value(&self, value: &Value) -> Result<Value> {
        match value {
            Value::Array(items) => {
                let items = items.iter().map(|item| self.value(item));
                let items = items.collect::<Result<Vec<_>>>()?;
                Ok(items.into_iter().filter(|item| !item.is_null()).collect())
            }
            Value::Object(object) => match function_of(object) {
                Some((name, argument)) => self.call(name, argument),
                None => {
                    let mut resolved = Map::new();
                    for (name, member) in object {
                        let member = self.value(member)?;
                        if !member.is_null() {
                            resolved.insert(name.clone(), member);
                        }
                    }
                    Ok(resolved.into())
                }
            },
            plain => Ok(plain.clone()),
        }
    }

    fn call(&self, name: &str, argument: &Value) -> Result<Value> {
        let two = || pair(name, argument);
        match name {
            "Ref" => self.refer(&text(argument, "Ref")?),
            "Fn::GetAtt" => self.attribute_of(argument),
            "Fn::Sub" => self.substitute(argument),
            "Fn::Join" => {
                let (separator, parts) = two()?;
                let parts = self.value(parts)?;
                let parts = parts.as_array().into_iter().flatten().map(|part| text(part, name));
                Ok(parts.collect::<Result<Vec<_>>>()?.join(&text(separator, name)?).into())
            }
            "Fn::If" => {
                let [condition, yes, no] = argument.as_array().map_or(&[][..], Vec::as_slice)
                else {
                    return Err(Fault("Fn::If takes three arguments".into()));
                };
                let holds = self.condition(&text(condition, name)?)?;
                self.value(if holds { yes } else { no })
            }
            "Fn::Select" => {
                let (index, list) = two()?;
                let index: usize = text(&self.value(index)?, name)?.parse().unwrap_or(usize::MAX);
                let list = self.value(list)?;
                let chosen = list.get(index).cloned();
                chosen.ok_or_else(|| Fault("Fn::Select has an index beyond its list".into()))
            }
            "Fn::Split" => {
                let (separator, whole) = two()?;
                let (separator, whole) = (text(separator, name)?, self.value(whole)?);
                Ok(text(&whole, name)?.split(&separator).collect())
            }
            "Fn::FindInMap" => {
                let path = self.value(argument)?;
                let mut found = &self.document["Mappings"];
                for step in path.as_array().into_iter().flatten() {
                    found = &found[text(step, name)?];
                }
                match found {
                    Value::Null => Err(Fault(format!("Fn::FindInMap finds nothing at {path}"))),
                    found => Ok(found.clone()),
                }
            }
            "Fn::GetAZs" | "Fn::Cidr" | "Fn::ImportValue" | "Fn::Transform" | "Fn::Base64" => {
                Err(Fault(format!("{name} is not supported")))
            }
            "Condition" => self.condition(&text(argument, name)?).map(Value::from),
            _ => self.test(name, argument).map(Value::from),
        }
    }

    /// Returns whether the condition `name` is true.
    pub(super) fn condition(&self, name: &str) -> Result<bool> {
        let condition = self.document["Conditions"].get(name);
        let condition = condition.ok_or_else(|| Fault(format!("there is no condition {name}")))?;
        self.holds(condition)
    }

    fn holds(&self, condition: &Value) -> Result<bool> {
        let holds = self.value(condition)?.as_bool();
        holds.ok_or_else(|| Fault(format!("{condition} is not a condition")))
    }

    fn test(&self, name: &str, argument: &Value) -> Result<bool> {
        let all = || {
            let each = argument.as_array().into_iter().flatten().map(|one| self.holds(one));
            each.collect::<Result<Vec<_>>>()
        };
        match name {
            "Fn::Equals" => {
                let (left, right) = pair(name, argument)?;
                Ok(text(&self.value(left)?, name)? == text(&self.value(right)?, name)?)
            }
            "Fn::Not" => Ok(!all()?.contains(&true)),
            "Fn::And" => Ok(!all()?.contains(&false)),
            "Fn::Or" => Ok(all()?.contains(&true)),
            _ => Err(Fault(format!("{name} is not supported"))),
        }
    }

    fn refer(&self, name: &str) -> Result<Value> {
        if let Some(pseudo) = name.strip_prefix("AWS::") {
            return self.pseudo(pseudo);
        }
        match self.parameters.get(name) {
            Some(value) => Ok(value.clone()),
            None => self.reference(name).map(Value::from),
        }
    }

    fn pseudo(&self, name: &str) -> Result<Value> {
        Ok(match name {
            "Region" => self.scope.region.as_str().into(),
            "AccountId" => self.scope.account.as_str().into(),
            "StackName" => self.name.as_str().into(),
            "StackId" => self.arn("cloudformation", &format!("stack/{}/local", self.name)).into(),
            "Partition" => "aws".into(),
            "URLSuffix" => "amazonaws.com".into(),
            "NoValue" => Value::Null,
            "NotificationARNs" => Value::Array(Vec::new()),
            _ => return Err(Fault(format!("AWS::{name} is not supported"))),
        })
    }

    fn attribute_of(&self, path: &Value) -> Result<Value> {
        let (id, attribute) = match path {
            Value::String(path) => path.split_once('.').unwrap_or((path, "")),
            _ => {
                let (id, attribute) = pair("Fn::GetAtt", path)?;
                (id.as_str().unwrap_or_default(), attribute.as_str().unwrap_or_default())
            }
        };
        match attribute.strip_prefix("Outputs.") {
            Some(output) if is_nested(self.resource(id)?) => {
                let nested = self.nested(id)?;
                let value = &nested.document["Outputs"][output]["Value"];
                nested.value(value)
            }
            _ => self.attribute(id, attribute).map(Value::from),
        }
    }

    fn substitute(&self, argument: &Value) -> Result<Value> {
        let (pattern, named) = match argument {
            Value::String(pattern) => (pattern.clone(), Value::Null),
            _ => {
                let (pattern, named) = pair("Fn::Sub", argument)?;
                (text(pattern, "Fn::Sub")?, self.value(named)?)
            }
        };
        let mut result = String::new();
        let mut rest = pattern.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after
                .split_once('}')
                .ok_or_else(|| Fault(format!("Fn::Sub has an unclosed brace: {pattern}")))?;
            result.push_str(before);
            let given = members(&named).find(|(given, _)| *given == name);
            match (name.strip_prefix('!'), given) {
                (Some(literal), _) => result.push_str(&format!("${{{literal}}}")),
                (None, Some((_, value))) => result.push_str(&text(value, name)?),
                (None, None) if name.contains('.') => {
                    let value = self.attribute_of(&Value::from(name))?;
                    result.push_str(&text(&value, name)?);
                }
                (None, None) => result.push_str(&text(&self.refer(name)?, name)?),
            }
            rest = after;
        }
        result.push_str(rest);
        Ok(self.own_url(&result).into())
    }
}

/// Returns the name and argument if the object is a call of a function.
fn function_of(object: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = object.iter().next().filter(|_| object.len() == 1)?;
    let is_condition = name == "Condition" && argument.is_string();
    (name == "Ref" || name.starts_with("Fn::") || is_condition).then_some((name.as_str(), argument))
}

fn pair<'v>(name: &str, argument: &'v Value) -> Result<(&'v Value, &'v Value)> {
    match argument.as_array().map(Vec::as_slice) {
        Some([first, second]) => Ok((first, second)),
        _ => Err(Fault(format!("{name} takes two arguments"))),
    }
}
