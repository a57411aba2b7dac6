//! The IAM permissions that a call needs: actions, and resources as named in the request.
//!
//! Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html>

use serde_json::Value;

use crate::template::members;

/// An IAM action and its resource, such as `dynamodb:PutItem` and `table/Table`. A secret has the
/// name given in the request.
pub(crate) type Permission = (String, String);

/// Returns the permissions that a call needs.
pub(crate) fn of(service: &str, action: &str, request: &Value) -> Vec<Permission> {
    let text = |name: &str| request[name].as_str().unwrap_or_default();
    match service {
        "DynamoDB" => of_table(action, request),
        "EventBridge" => {
            let entries = request["Entries"].as_array().into_iter().flatten();
            let bus =
                |entry: &Value| entry["EventBusName"].as_str().unwrap_or("default").to_owned();
            entries.map(|entry| one("events", action, "event-bus", &bus(entry))).collect()
        }
        "SecretsManager" => {
            let secret = if action == "CreateSecret" { text("Name") } else { text("SecretId") };
            vec![(format!("secretsmanager:{action}"), secret.to_owned())]
        }
        "CodePipeline" => {
            let name = if action == "StartPipelineExecution" { "name" } else { "pipelineName" };
            vec![(format!("codepipeline:{action}"), text(name).to_owned())]
        }
        "SES" => of_mail(request),
        "SQS" => {
            let queue = text("QueueUrl").rsplit('/').next().unwrap_or_default();
            vec![(format!("sqs:{action}"), queue.to_owned())]
        }
        _ => vec![(format!("{service}:{action}"), String::new())],
    }
}

/// Returns the permissions of a DynamoDB call. In a transaction, each item needs its own action.
fn of_table(action: &str, request: &Value) -> Vec<Permission> {
    let table = |value: &Value| value["TableName"].as_str().unwrap_or_default().to_owned();
    match action {
        "TransactWriteItems" | "TransactGetItems" => {
            let items = request["TransactItems"].as_array().into_iter().flatten();
            let named = items.flat_map(members).map(|(kind, item)| {
                let action = if kind == "ConditionCheck" {
                    "ConditionCheckItem".into()
                } else {
                    format!("{kind}Item")
                };
                one("dynamodb", &action, "table", &table(item))
            });
            named.collect()
        }
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = members(&request["RequestItems"]);
            tables.map(|(table, _)| one("dynamodb", action, "table", table)).collect()
        }
        _ => {
            let index = request["IndexName"].as_str().map(|index| format!("/index/{index}"));
            let resource = table(request) + &index.unwrap_or_default();
            vec![one("dynamodb", action, "table", &resource)]
        }
    }
}

/// Returns the permissions for sending an email: on the sender's identity and the configuration
/// set. With a template, the action is a different one.
fn of_mail(request: &Value) -> Vec<Permission> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let from = text(&request["FromEmailAddress"]).unwrap_or_default();
    let address = from.rsplit('<').next().unwrap_or_default().trim_end_matches('>').to_owned();
    let template = text(&request["Content"]["Template"]["TemplateName"]);
    let action = if template.is_some() { "SendTemplatedEmail" } else { "SendEmail" };
    let named = [
        ("identity", Some(address)),
        ("configuration-set", text(&request["ConfigurationSetName"])),
        ("template", template),
    ];
    let named = named.into_iter().filter_map(|(kind, name)| Some((kind, name?)));
    named.map(|(kind, name)| one("ses", action, kind, &name)).collect()
}

fn one(service: &str, action: &str, kind: &str, name: &str) -> Permission {
    (format!("{service}:{action}"), format!("{kind}/{name}"))
}
