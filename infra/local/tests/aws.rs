//! Tests of the simulated AWS services, with the real SDK clients.

#![expect(clippy::unwrap_used, reason = "a broken test setup should panic")]

#[path = "aws/limits.rs"]
mod limits;

use aws_sdk_codepipeline::types::PipelineVariable;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, Template};
use lambda::aws::Aws;
use local::{Fault, Local, Options, Outcome};

const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");

async fn start() -> (Local, Aws) {
    let mut options = Options::private(TEMPLATE);
    options.pipeline_outcome = Outcome::Silent;
    let local = Local::start(options, lambda::Env::default()).await.unwrap();
    let aws = Aws::from_env(&local.env()).unwrap();
    (local, aws)
}

fn entry(bus: &str, detail: &str) -> PutEventsRequestEntry {
    let entry = PutEventsRequestEntry::builder().source("test").detail_type("TEST");
    entry.event_bus_name(bus).detail(detail).build()
}

#[tokio::test]
async fn put_events_accepts_valid_entries_and_reports_invalid_ones() {
    let (local, aws) = start().await;
    let entries = [
        entry("tenantry-local", r#"{"a":1}"#),
        entry("tenantry-local", "[]"),
        entry("nowhere", "{}"),
        PutEventsRequestEntry::builder().source("aws.x").detail_type("T").detail("{}").build(),
    ];
    let request = aws_sdk_eventbridge::Client::new(&aws.service("EVENTBRIDGE"))
        .put_events()
        .set_entries(Some(entries.into()));
    let reply = request.send().await.unwrap();
    assert_eq!(reply.failed_entry_count(), 3);
    let codes: Vec<_> = reply.entries().iter().map(|entry| entry.error_code()).collect();
    let denied = Some("NotAuthorizedForSourceException");
    let unknown = Some("ResourceNotFoundException");
    assert_eq!(codes, [None, Some("MalformedDetail"), unknown, denied]);
    let events = local.state().events().unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].envelope["detail"]["a"], 1);
    assert_eq!(events[0].envelope["id"], reply.entries()[0].event_id().unwrap());

    let many = vec![entry("default", "{}"); 11];
    let refused = aws_sdk_eventbridge::Client::new(&aws.service("EVENTBRIDGE"))
        .put_events()
        .set_entries(Some(many))
        .send()
        .await;
    assert!(refused.is_err());
    let large = entry("default", &format!("{{\"a\":\"{}\"}}", "x".repeat(1 << 20)));
    assert!(
        aws_sdk_eventbridge::Client::new(&aws.service("EVENTBRIDGE"))
            .put_events()
            .entries(large)
            .send()
            .await
            .is_err()
    );
}

#[tokio::test]
async fn emails_arrive_and_are_shown() {
    let (local, aws) = start().await;
    let part = |text: &str| Content::builder().data(text).build().unwrap();
    let body = Body::builder().html(part("<a href=\"http://h/x?a&#38;b\">x</a><script>1</script>"));
    let message = Message::builder().subject(part("Hi <b>")).body(body.text(part("x")).build());
    let send = |content: EmailContent| {
        let to = Destination::builder().to_addresses("ada@acme.test").build();
        aws_sdk_sesv2::Client::new(&aws.service("SESV2"))
            .send_email()
            .from_email_address("no@x.test")
            .destination(to)
            .content(content)
    };
    let simple = EmailContent::builder().simple(message.build()).build();
    assert!(send(simple).send().await.unwrap().message_id().is_some());
    let template = Template::builder().template_name("T").template_data(r#"{"k":"v"}"#).build();
    send(EmailContent::builder().template(template).build()).send().await.unwrap();

    let url = local.pages_url();
    let list: serde_json::Value =
        reqwest::get(format!("{url}/mails.json")).await.unwrap().json().await.unwrap();
    assert_eq!(list[0]["subject"], "SES template T");
    assert_eq!(list[1]["links"][0], "http://h/x?a&b");
    assert_eq!(list[1]["to"][0], "ada@acme.test");
    let page = reqwest::get(format!("{url}/mails/1")).await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'"));
    let page = page.text().await.unwrap();
    assert!(page.contains("Hi &#60;b&#62;") && !page.contains("<script>"), "{page}");
    for name in ["", "/mails", "/events", "/pipelines", "/dead-letters"] {
        assert_eq!(reqwest::get(format!("{url}{name}")).await.unwrap().status(), 200, "{name}");
    }
    assert_eq!(reqwest::get(format!("{url}/mails/7")).await.unwrap().status(), 404);
}

#[tokio::test]
async fn secrets_are_created_once_read_and_deleted() {
    let (_local, aws) = start().await;
    let secrets = aws_sdk_secretsmanager::Client::new(&aws.service("SECRETS_MANAGER"));
    let create = |value: &str, token: &str| {
        let request = secrets.create_secret().name("tenantry/jobs/1").client_request_token(token);
        request.secret_string(value).send()
    };
    let token = "01234567-0123-0123-0123-0123456789ab";
    let arn = create("v", token).await.unwrap().arn.unwrap();
    assert_eq!(create("v", token).await.unwrap().arn.unwrap(), arn);
    let other = create("w", token).await.unwrap_err();
    assert!(other.as_service_error().unwrap().is_resource_exists_exception());
    let read = secrets.get_secret_value().secret_id(&arn).send().await.unwrap();
    assert_eq!(read.secret_string(), Some("v"));
    assert_eq!(read.name(), Some("tenantry/jobs/1"));
    let described = secrets.describe_secret().secret_id("tenantry/jobs/1").send().await.unwrap();
    assert_eq!(described.arn(), Some(arn.as_str()));
    for _ in 0..2 {
        let delete = secrets.delete_secret().secret_id(&arn).force_delete_without_recovery(true);
        delete.send().await.unwrap();
    }
    let gone = secrets.get_secret_value().secret_id(&arn).send().await.unwrap_err();
    assert!(gone.as_service_error().unwrap().is_resource_not_found_exception());
}

#[tokio::test]
async fn executions_start_once_per_token_and_return_their_variables() {
    let (_local, aws) = start().await;
    let pipelines = aws_sdk_codepipeline::Client::new(&aws.service("CODEPIPELINE"));
    let start = |pipeline: &str, name: &str, value: &str, token: &str| {
        let variable = PipelineVariable::builder().name(name).value(value).build().unwrap();
        let request = pipelines.start_pipeline_execution().name(pipeline).variables(variable);
        request.client_request_token(token).send()
    };
    let mut started = Vec::new();
    for token in ["job-1", "job-1", "job-2"] {
        let reply = start("tenantry-silo", "TENANT_ID", "t", token).await.unwrap();
        started.push(reply.pipeline_execution_id.unwrap());
    }
    let first = &started[0];
    assert_eq!(first, &started[1]);
    assert_ne!(first, &started[2]);
    let unknown = start("nowhere", "TENANT_ID", "t", "job-1").await.unwrap_err();
    assert!(unknown.as_service_error().unwrap().is_pipeline_not_found_exception());
    let empty = start("tenantry-silo", "TENANT_ID", "", "job-3").await.unwrap_err();
    assert!(empty.as_service_error().unwrap().is_validation_exception());
    let bad = start("tenantry-silo", "TENANT ID", "t", "job-3").await.unwrap_err();
    assert!(bad.as_service_error().unwrap().is_validation_exception());

    let read = pipelines.get_pipeline_execution().pipeline_name("tenantry-silo");
    let read = read.pipeline_execution_id(first).send().await.unwrap().pipeline_execution.unwrap();
    let variable = &read.variables()[0];
    assert_eq!((variable.name(), variable.resolved_value()), (Some("TENANT_ID"), Some("t")));
    assert_eq!(read.status().unwrap().as_str(), "InProgress");
    let read = pipelines.get_pipeline_execution().pipeline_name("tenantry-silo");
    let missing = read.pipeline_execution_id("x").send().await.unwrap_err();
    assert!(missing.as_service_error().unwrap().is_pipeline_execution_not_found_exception());
}

#[tokio::test]
async fn other_calls_are_rejected_by_name() {
    let (_local, aws) = start().await;
    let refused = aws_sdk_sesv2::Client::new(&aws.service("SESV2"))
        .list_contact_lists()
        .send()
        .await
        .unwrap_err();
    let message = format!("{refused:?}");
    assert!(message.contains("GET /v2/email/contact-lists is not simulated"), "{message}");
    let refused = aws_sdk_secretsmanager::Client::new(&aws.service("SECRETS_MANAGER"))
        .list_secrets()
        .send()
        .await
        .unwrap_err();
    assert!(format!("{refused:?}").contains("SecretsManager ListSecrets is not simulated"));
}

#[tokio::test]
async fn calls_are_counted_and_can_be_made_to_fail() {
    let (local, aws) = start().await;
    let put = || {
        let id = aws_sdk_dynamodb::types::AttributeValue::S("x".into());
        let request = aws_sdk_dynamodb::Client::new(&aws.service("DYNAMODB"))
            .put_item()
            .table_name("tenantry-local-Table");
        request.item("pk", id.clone()).item("sk", id).send()
    };
    local.calls().clear();
    put().await.unwrap();
    let calls = local.calls().all();
    let seen = calls.iter().map(|call| (&*call.caller, call.service, &*call.action));
    assert_eq!(seen.collect::<Vec<_>>(), [("local", "DynamoDB", "PutItem")]);
    assert_eq!(local.items().unwrap().len(), 1);
    local.calls().fail("PutItem", Fault::RejectNext(1));
    put().await.unwrap();
    assert_eq!(local.calls().count("PutItem"), 3, "the SDK retries");
    local.calls().reject("PutItem");
    assert!(put().await.is_err());
    local.calls().restore("PutItem");
    put().await.unwrap();
}
