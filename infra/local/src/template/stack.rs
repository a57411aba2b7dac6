//! A template with its parameters: what references are resolved against.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use shared::Env;

use super::{Fault, Result, resources, yaml};

/// Values of parameters on a developer's machine, where the template has none or one for production.
const LOCAL_PARAMETERS: &[(&str, &str)] = &[
    ("FromEmail", "noreply@tenantry.test"),
    ("AllowedOrigins", "http://localhost:4200,http://localhost:3000"),
];

/// Where a template is deployed.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The region.
    pub region: String,
    /// The account's number.
    pub account: String,
    /// The URL of the HTTP API.
    pub api_url: String,
    /// Variables from outside: `FromEmail` is what `FROM_EMAIL` says, where that is set.
    pub outside: Env,
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            region: "us-east-1".into(),
            account: "000000000000".into(),
            api_url: "http://127.0.0.1:3000".into(),
            outside: Env::default(),
        }
    }
}

/// A template, or one nested in it, with values for its parameters.
#[derive(Debug)]
pub(super) struct Stack<'a> {
    pub(super) document: Value,
    pub(super) parameters: Map<String, Value>,
    pub(super) folder: PathBuf,
    pub(super) name: String,
    pub(super) scope: &'a Scope,
}

/// A resource whose references are resolved and whose condition holds.
#[derive(Debug)]
pub(super) struct Resource {
    /// Its logical id.
    pub(super) id: String,
    /// Its properties.
    pub(super) properties: Value,
    /// Its metadata.
    pub(super) metadata: Value,
    /// What a `Ref` to it gives.
    reference: String,
}

impl Resource {
    /// Its name, or what else a `Ref` to it gives.
    pub(super) fn name(&self) -> String {
        self.reference.clone()
    }
}

impl<'a> Stack<'a> {
    /// A stack of `document`; `given` are the parameters of a nested one.
    pub(super) fn new(
        document: Value,
        folder: &Path,
        name: &str,
        scope: &'a Scope,
        given: Option<&Map<String, Value>>,
    ) -> Result<Self> {
        let mut parameters = Map::new();
        for (id, parameter) in members(&document["Parameters"]) {
            let outside = || scope.outside.get(&variable_of(id)).map(Value::from);
            let local = || LOCAL_PARAMETERS.iter().find(|(name, _)| name == id);
            let value = match given {
                Some(given) => given.get(id).cloned(),
                None => outside().or_else(|| local().map(|(_, value)| json!(value))),
            };
            let value = value.or_else(|| parameter.get("Default").cloned());
            let value = value.ok_or_else(|| {
                Fault(format!("the parameter {id} has no default, and no value is known here"))
            })?;
            parameters.insert(id.clone(), typed(&parameter["Type"], value));
        }
        let stack =
            Self { document, parameters, folder: folder.to_owned(), name: name.to_owned(), scope };
        resources::check_types(&stack)?;
        Ok(stack)
    }

    /// The resources of a type whose condition holds, those of nested stacks too.
    pub(super) fn of_type(&self, kind: &str) -> Result<Vec<Resource>> {
        let mut found = Vec::new();
        for (id, resource) in members(&self.document["Resources"]) {
            if !self.exists(resource)? {
                continue;
            }
            if is_nested(resource) {
                found.extend(self.nested(id)?.of_type(kind)?);
            } else if resource["Type"] == kind {
                let properties = match kind {
                    "AWS::Serverless::Function" => self.with_globals(resource, "Function")?,
                    "AWS::Serverless::HttpApi" => self.with_globals(resource, "HttpApi")?,
                    _ => self.value(&resource["Properties"])?,
                };
                found.push(Resource {
                    id: id.clone(),
                    properties,
                    metadata: resource["Metadata"].clone(),
                    reference: self.reference(id)?,
                });
            }
        }
        Ok(found)
    }

    /// Whether the resource's condition holds.
    pub(super) fn exists(&self, resource: &Value) -> Result<bool> {
        match resource["Condition"].as_str() {
            Some(name) => self.condition(name),
            None => Ok(true),
        }
    }

    /// The resource under `id` as it is written.
    pub(super) fn resource(&self, id: &str) -> Result<&Value> {
        let found = self.document["Resources"].get(id);
        found.ok_or_else(|| Fault(format!("{id} is neither a parameter nor a resource")))
    }

    /// The stack that the resource `id` nests.
    pub(super) fn nested(&self, id: &str) -> Result<Stack<'a>> {
        let properties = &self.resource(id)?["Properties"];
        let place = properties.get("TemplateURL").or_else(|| properties.get("Location"));
        let place = place.and_then(Value::as_str);
        let place = place.ok_or_else(|| Fault(format!("{id} nests no file of this project")))?;
        let file = self.folder.join(place);
        let read = std::fs::read_to_string(&file)
            .map_err(|cause| Fault(format!("{id} nests {place}, which cannot be read: {cause}")))?;
        let given = self.value(&properties["Parameters"])?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let name = format!("{}-{id}", self.name);
        Stack::new(yaml::parse(&read)?, folder, &name, self.scope, given.as_object())
            .map_err(|Fault(fault)| Fault(format!("{place}: {fault}")))
    }

    /// The resource's properties over those that `Globals` gives to all of its kind: maps are
    /// merged, lists are joined, as SAM does.
    fn with_globals(&self, resource: &Value, section: &str) -> Result<Value> {
        let mut merged = self.value(&self.document["Globals"][section])?;
        merge(&mut merged, self.value(&resource["Properties"])?);
        Ok(merged)
    }
}

/// Whether the resource is a stack of its own.
pub(super) fn is_nested(resource: &Value) -> bool {
    resource["Type"] == "AWS::CloudFormation::Stack"
        || resource["Type"] == "AWS::Serverless::Application"
}

/// The members of an object; none of anything else.
pub(crate) fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (name, value) in over {
                merge(under.entry(name).or_insert(Value::Null), value);
            }
        }
        (Value::Array(under), Value::Array(over)) => under.extend(over),
        (_, Value::Null) => {}
        (under, over) => *under = over,
    }
}

/// A parameter's value as its type makes it: lists are split.
fn typed(kind: &Value, value: Value) -> Value {
    let is_list = kind.as_str().is_some_and(|kind| kind.contains("List"));
    match value {
        Value::String(list) if is_list => {
            let parts = list.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.collect()
        }
        Value::Number(number) => number.to_string().into(),
        Value::Bool(value) => value.to_string().into(),
        value => value,
    }
}

/// The variable that stands for a parameter: `FROM_EMAIL` for `FromEmail`.
fn variable_of(parameter: &str) -> String {
    let mut name = String::new();
    for letter in parameter.chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_uppercase());
    }
    name
}
