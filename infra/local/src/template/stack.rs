//! A template with its parameters, in which references are resolved.

use std::path::{Path, PathBuf};

use lambda::Env;
use serde_json::{Map, Value, json};

use super::{Fault, Result, kinds, yaml};

/// Local values of parameters whose default is missing or meant for production.
const LOCAL_PARAMETERS: &[(&str, &str)] = &[
    ("FromEmail", "noreply@tenantry.test"),
    ("AllowedOrigins", "http://localhost:4200,http://localhost:3000"),
];

/// The environment that a template is read for.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The region.
    pub region: String,
    /// The account ID.
    pub account: String,
    /// The URL of the HTTP API.
    pub api_url: String,
    /// Environment variables of this process, which override parameters: `FROM_EMAIL` sets
    /// `FromEmail`.
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

/// A template or a nested template, with the values of its parameters.
#[derive(Debug)]
pub(super) struct Stack<'a> {
    pub(super) document: Value,
    pub(super) parameters: Map<String, Value>,
    pub(super) folder: PathBuf,
    pub(super) name: String,
    pub(super) scope: &'a Scope,
}

/// A resource whose references are resolved and whose condition is true.
#[derive(Debug)]
pub(super) struct Resource {
    /// The logical ID.
    pub(super) id: String,
    /// The properties.
    pub(super) properties: Value,
    /// The metadata.
    pub(super) metadata: Value,
    /// The value of `Ref`.
    reference: String,
}

impl Resource {
    /// Returns the name of the resource, or whatever `Ref` returns instead.
    pub(super) fn name(&self) -> String {
        self.reference.clone()
    }
}

impl<'a> Stack<'a> {
    /// Creates a stack from `document`. `given` holds the parameters of a nested stack.
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
            let value = value
                .ok_or_else(|| Fault(format!("the parameter {id} has no default and no value")))?;
            parameters.insert(id.clone(), typed(&parameter["Type"], value));
        }
        let stack =
            Self { document, parameters, folder: folder.to_owned(), name: name.to_owned(), scope };
        for (id, resource) in members(&stack.document["Resources"]) {
            if stack.exists(resource)? {
                kinds::check(id, resource["Type"].as_str().unwrap_or("no type"))?;
            }
        }
        Ok(stack)
    }

    /// Returns the resources of a type whose condition is true, including those of nested stacks.
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

    /// Returns whether the condition of the resource is true.
    pub(super) fn exists(&self, resource: &Value) -> Result<bool> {
        match resource["Condition"].as_str() {
            Some(name) => self.condition(name),
            None => Ok(true),
        }
    }

    /// Returns the resource `id` as written in the template.
    pub(super) fn resource(&self, id: &str) -> Result<&Value> {
        let found = self.document["Resources"].get(id);
        found.ok_or_else(|| Fault(format!("{id} is neither a parameter nor a resource")))
    }

    /// Returns the nested stack of the resource `id`.
    pub(super) fn nested(&self, id: &str) -> Result<Stack<'a>> {
        let properties = &self.resource(id)?["Properties"];
        let place = properties.get("TemplateURL").or_else(|| properties.get("Location"));
        let place = place.and_then(Value::as_str);
        let place =
            place.ok_or_else(|| Fault(format!("{id} does not nest a file of this project")))?;
        let file = self.folder.join(place);
        let read = std::fs::read_to_string(&file)
            .map_err(|cause| Fault(format!("{id} nests {place}, which cannot be read: {cause}")))?;
        let given = self.value(&properties["Parameters"])?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let name = format!("{}-{id}", self.name);
        Stack::new(yaml::parse(&read)?, folder, &name, self.scope, given.as_object())
            .map_err(|Fault(fault)| Fault(format!("{place}: {fault}")))
    }

    /// Merges the properties of the resource into those of `Globals`, as SAM does: maps are merged,
    /// lists are concatenated.
    fn with_globals(&self, resource: &Value, section: &str) -> Result<Value> {
        let mut merged = self.value(&self.document["Globals"][section])?;
        merge(&mut merged, self.value(&resource["Properties"])?);
        Ok(merged)
    }
}

/// Returns whether the resource is a nested stack.
pub(super) fn is_nested(resource: &Value) -> bool {
    resource["Type"] == "AWS::CloudFormation::Stack"
        || resource["Type"] == "AWS::Serverless::Application"
}

/// Returns the members of an object, or none for other values.
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

/// Converts the value of a parameter to its type: lists are split.
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

/// Returns the variable that sets a parameter: `FROM_EMAIL` for `FromEmail`.
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
