//! Resources other than functions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Fault, MailTemplate, Result,
    stack::{Resource, Stack},
    text,
};

/// A table, with its `CreateTable` request.
#[derive(Clone, Debug)]
pub struct Table {
    /// The name.
    pub name: String,
    /// The request that creates the table.
    pub create: Value,
    /// The attribute that holds the expiry time of an item.
    pub ttl_attribute: Option<String>,
}

/// Properties that `CreateTable` accepts unchanged.
const TABLE_MEMBERS: &[&str] = &[
    "AttributeDefinitions",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
    "ProvisionedThroughput",
];

pub(super) fn tables(stack: &Stack<'_>) -> Result<Vec<Table>> {
    stack.of_type("AWS::DynamoDB::Table")?.iter().map(table).collect()
}

fn table(resource: &Resource) -> Result<Table> {
    let given = &resource.properties;
    let mut create = json!({ "TableName": resource.name() });
    for member in TABLE_MEMBERS {
        if let Some(value) = given.get(member) {
            create[member] = value.clone();
        }
    }
    if let Some(view) = given["StreamSpecification"].get("StreamViewType") {
        create["StreamSpecification"] = json!({ "StreamEnabled": true, "StreamViewType": view });
    }
    let ttl = &given["TimeToLiveSpecification"];
    let is_on =
        ttl.get("Enabled").is_some_and(|enabled| text(enabled, "").as_deref() == Ok("true"));
    let ttl_attribute = ttl.get("AttributeName").filter(|_| is_on);
    let ttl_attribute = ttl_attribute.map(|name| text(name, "AttributeName")).transpose()?;
    Ok(Table { name: resource.name(), create, ttl_attribute })
}

/// A secret whose value is generated at the first start.
#[derive(Clone, Debug)]
pub struct GeneratedSecret {
    /// The ARN.
    pub arn: String,
    /// The name.
    pub name: String,
    /// The rules for its value (`GenerateSecretString`).
    pub generate: Value,
}

pub(super) fn secrets(stack: &Stack<'_>) -> Result<Vec<GeneratedSecret>> {
    let generated = |resource: &Resource| {
        let generate = resource.properties.get("GenerateSecretString");
        let generate = generate.cloned().ok_or_else(|| {
            Fault(format!("{} has no GenerateSecretString, so its value is unknown", resource.id))
        })?;
        let arn = resource.name();
        let name = arn.split_once(":secret:").and_then(|(_, named)| named.rsplit_once('-'));
        let name = name.map_or_else(|| arn.clone(), |(name, _)| name.to_owned());
        Ok(GeneratedSecret { name, arn, generate })
    };
    stack.of_type("AWS::SecretsManager::Secret")?.iter().map(generated).collect()
}

/// The CORS configuration of the HTTP API (`CorsConfiguration`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cors {
    /// Origins, or `*`.
    pub origins: Vec<String>,
    /// Methods, or `*`.
    pub methods: Vec<String>,
    /// Request headers, or `*`.
    pub headers: Vec<String>,
    /// Response headers that a page may read.
    pub exposed: Vec<String>,
    /// How long a browser may cache the answer, in seconds.
    pub max_age: Option<u64>,
    /// Whether a page may send credentials.
    pub credentials: bool,
}

pub(super) fn cors(stack: &Stack<'_>) -> Result<Option<Cors>> {
    let apis = stack.of_type("AWS::Serverless::HttpApi")?;
    let Some(api) = apis.first() else { return Ok(None) };
    if apis.len() > 1 {
        return Err(Fault("has more than one HttpApi, but only one is supported".into()));
    }
    for member in ["Auth", "DefinitionBody", "DefinitionUri"] {
        if api.properties.get(member).is_some() {
            return Err(Fault(format!("{} has {member}, which is not simulated", api.id)));
        }
    }
    Ok(match api.properties.get("CorsConfiguration") {
        None | Some(Value::Bool(false)) => None,
        Some(Value::Bool(true)) => Some(Cors::any()),
        Some(given) => Some(Cors {
            origins: list(&given["AllowOrigins"])?,
            methods: list(&given["AllowMethods"])?,
            headers: list(&given["AllowHeaders"])?,
            exposed: list(&given["ExposeHeaders"])?,
            max_age: match &given["MaxAge"] {
                Value::Null => None,
                age => text(age, "MaxAge")?.parse().ok(),
            },
            credentials: given["AllowCredentials"] == true || given["AllowCredentials"] == "true",
        }),
    })
}

impl Cors {
    fn any() -> Self {
        let any = || vec!["*".to_owned()];
        Self { origins: any(), methods: any(), headers: any(), ..Self::default() }
    }
}

fn list(value: &Value) -> Result<Vec<String>> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => items.iter().map(|item| text(item, "a list item")).collect(),
        one => Ok(vec![text(one, "a list")?]),
    }
}

pub(super) fn mail_templates(stack: &Stack<'_>) -> Result<BTreeMap<String, MailTemplate>> {
    let templates = stack.of_type("AWS::SES::Template")?;
    let read = |resource: &Resource| {
        let part = |name: &str| {
            let part = resource.properties["Template"].get(name).and_then(Value::as_str);
            part.unwrap_or_default().to_owned()
        };
        let name = match part("TemplateName") {
            name if name.is_empty() => resource.name(),
            name => name,
        };
        let (subject, html, text) = (part("SubjectPart"), part("HtmlPart"), part("TextPart"));
        (name, MailTemplate { subject, html, text })
    };
    Ok(templates.iter().map(read).collect())
}
