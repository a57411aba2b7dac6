//! Reads `template.yaml`.
//!
//! The template is the only source of routes, tables, rules, schedules, secrets and variables.
//! Anything that is not simulated is a [`Fault`] that names it, except for types that are left out
//! on purpose (`LEFT_OUT` in `kinds`).

mod events;
mod function;
mod intrinsic;
mod kinds;
mod names;
mod pipelines;
mod resources;
mod rules;
mod stack;
mod yaml;

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

pub use events::{Mapping, Route, Schedule};
pub(crate) use names::secret_arn;
pub(crate) use stack::members;

pub use function::{Function, Retries};
pub use resources::{Cors, GeneratedSecret, Table};
pub use rules::Rule;
pub use stack::Scope;

use crate::Error;
use stack::Stack;

/// A problem with a template. The message continues the name of the file.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub(crate) String);

type Result<T, E = Fault> = std::result::Result<T, E>;

/// The contents of a template, with every reference resolved.
#[derive(Clone, Debug)]
pub struct Template {
    /// The functions, sorted by logical ID.
    pub functions: Vec<Function>,
    /// The tables.
    pub tables: Vec<Table>,
    /// The secrets that are generated on the first start.
    pub secrets: Vec<GeneratedSecret>,
    /// The names of the event buses, without `default`.
    pub buses: Vec<String>,
    /// The rules that send events to functions.
    pub rules: Vec<Rule>,
    /// The pipelines by name, each with the variables that it declares. `None` if the template does
    /// not define the pipeline; then any variable is accepted.
    pub pipelines: BTreeMap<String, Option<Vec<String>>>,
    /// The CORS configuration of the HTTP API.
    pub cors: Option<Cors>,
    /// The SES templates, by name.
    pub mail_templates: BTreeMap<String, MailTemplate>,
}

/// An SES template.
#[derive(Clone, Debug, Default)]
pub struct MailTemplate {
    /// The subject with `{{placeholders}}`.
    pub subject: String,
    /// The HTML part.
    pub html: String,
    /// The text part.
    pub text: String,
}

impl Template {
    /// Reads the template in `file`, with references resolved in `scope`.
    ///
    /// # Errors
    ///
    /// [`Error::Template`] if the file cannot be read, is invalid, or contains something that is
    /// not simulated.
    pub fn read(file: &Path, scope: &Scope) -> Result<Self, Error> {
        let fault = |fault: Fault| Error::Template { file: file.to_owned(), fault: fault.0 };
        let text = std::fs::read_to_string(file)
            .map_err(|cause| fault(Fault(format!("cannot be read: {cause}"))))?;
        let folder = file.parent().unwrap_or(Path::new(""));
        Self::parse(&text, folder, scope).map_err(fault)
    }

    /// Reads a template from its text. Paths in the template are relative to `folder`.
    ///
    /// # Errors
    ///
    /// [`Fault`] if the text is invalid, or contains something that is not simulated.
    pub fn parse(text: &str, folder: &Path, scope: &Scope) -> Result<Self> {
        let stack = Stack::new(yaml::parse(text)?, folder, "tenantry-local", scope, None)?;
        let functions = function::all(&stack)?;
        Ok(Self {
            rules: rules::all(&stack, &functions)?,
            tables: resources::tables(&stack)?,
            secrets: resources::secrets(&stack)?,
            buses: stack
                .of_type("AWS::Events::EventBus")?
                .iter()
                .map(stack::Resource::name)
                .collect(),
            pipelines: pipelines::all(&stack, &functions)?,
            cors: resources::cors(&stack)?,
            mail_templates: resources::mail_templates(&stack)?,
            functions,
        })
    }

    /// Returns the routes of all functions.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.functions.iter().flat_map(|function| &function.routes)
    }

    /// Returns the function with this binary.
    #[must_use]
    pub fn function(&self, binary: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.binary == binary)
    }
}

/// Returns the text of `value`. The fault names `of`.
fn text(value: &Value, of: &str) -> Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(value) => Ok(value.to_string()),
        _ => Err(Fault(format!("{of} must be text"))),
    }
}

/// Returns the integer property `name`, if there is one.
fn number(properties: &Value, name: &str) -> Result<Option<u64>> {
    match &properties[name] {
        Value::Null => Ok(None),
        value => {
            let number = text(value, name)?.parse();
            number.map(Some).map_err(|_| Fault(format!("{name} must be an integer")))
        }
    }
}

#[cfg(test)]
mod tests;
