//! Names, ARNs and attributes of simulated resources.

use serde_json::Value;

use super::{Fault, Result, stack::Stack, text};

/// The property that holds the name of a resource, by type.
const NAMED_BY: &[(&str, &str)] = &[
    ("AWS::CodeBuild::Project", "Name"),
    ("AWS::CodePipeline::Pipeline", "Name"),
    ("AWS::DynamoDB::Table", "TableName"),
    ("AWS::Events::EventBus", "Name"),
    ("AWS::Events::Rule", "Name"),
    ("AWS::Logs::LogGroup", "LogGroupName"),
    ("AWS::SQS::Queue", "QueueName"),
    ("AWS::SecretsManager::Secret", "Name"),
    ("AWS::Serverless::Function", "FunctionName"),
];

impl Stack<'_> {
    /// Returns the value of `Ref` for the resource `id`.
    pub(super) fn reference(&self, id: &str) -> Result<String> {
        let name = self.name_of(id)?;
        Ok(match self.kind(id)? {
            "AWS::SecretsManager::Secret" => secret_arn(&self.arn("secretsmanager", ""), &name),
            "AWS::Serverless::HttpApi" => "local".into(),
            "AWS::SQS::Queue" => {
                let host = format!("sqs.{}.amazonaws.com", self.scope.region);
                format!("https://{host}/{}/{name}", self.scope.account)
            }
            _ => name,
        })
    }

    /// Returns the value of `Fn::GetAtt`.
    pub(super) fn attribute(&self, id: &str, attribute: &str) -> Result<String> {
        let name = self.name_of(id)?;
        Ok(match (self.kind(id)?, attribute) {
            ("AWS::DynamoDB::Table", "Arn") => self.arn("dynamodb", &format!("table/{name}")),
            ("AWS::DynamoDB::Table", "StreamArn") => {
                self.arn("dynamodb", &format!("table/{name}/stream/local"))
            }
            ("AWS::Events::EventBus", "Arn") => self.arn("events", &format!("event-bus/{name}")),
            ("AWS::SecretsManager::Secret", _) => self.reference(id)?,
            ("AWS::Serverless::Function", "Arn") => self.arn("lambda", &format!("function:{name}")),
            ("AWS::Serverless::HttpApi", "ApiEndpoint") => self.scope.api_url.clone(),
            ("AWS::SQS::Queue", "Arn") => self.arn("sqs", &name),
            (_, "Arn") => self.arn("local", &name),
            (_, "Name" | "QueueName") => name,
            (_, attribute) => format!("{name}.{attribute}"),
        })
    }

    /// Returns an ARN in the simulated account.
    pub(super) fn arn(&self, service: &str, resource: &str) -> String {
        let (region, account) = (&self.scope.region, &self.scope.account);
        format!("arn:aws:{service}:{region}:{account}:{resource}")
    }

    /// Replaces the URL of the API on AWS with its local URL.
    pub(super) fn own_url(&self, value: &str) -> String {
        let cloud = format!("https://local.execute-api.{}.amazonaws.com", self.scope.region);
        value.replace(&cloud, &self.scope.api_url)
    }

    fn kind(&self, id: &str) -> Result<&str> {
        let kind = self.resource(id)?["Type"].as_str();
        kind.ok_or_else(|| Fault(format!("{id} has no type")))
    }

    fn name_of(&self, id: &str) -> Result<String> {
        let kind = self.kind(id)?;
        let property = NAMED_BY.iter().find(|(named, _)| *named == kind);
        let properties = &self.resource(id)?["Properties"];
        let given = property.map(|(_, property)| &properties[property]);
        match given.map(|given| self.value(given)).transpose()? {
            None | Some(Value::Null) => Ok(format!("{}-{id}", self.name)),
            Some(name) => text(&name, id),
        }
    }
}

/// Returns the ARN of a secret. `prefix` is the part before the resource.
///
/// AWS adds six random characters. This derives them from the name, so that they survive a restart.
pub(crate) fn secret_arn(prefix: &str, name: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, name.as_bytes());
    let suffix = digest.as_ref().iter().take(3).map(|byte| format!("{byte:02x}"));
    format!("{prefix}secret:{name}-{}", suffix.collect::<String>())
}
