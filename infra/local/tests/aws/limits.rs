//! Tests of the limits of AWS services: a value at each limit, and a value beyond.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};

use super::*;

fn event() -> aws_sdk_eventbridge::types::builders::PutEventsRequestEntryBuilder {
    let entry = PutEventsRequestEntry::builder().source("test").detail_type("TEST").detail("{}");
    entry.event_bus_name("tenantry-local")
}

#[tokio::test]
async fn entries_of_put_events_are_accepted_or_rejected_separately() {
    let (local, aws) = start().await;
    let malformed = Some("MalformedDetail");
    let invalid = Some("InvalidArgument");
    for (good, bad, code) in [
        (r#"{"a":9223372036854775807}"#, r#"{"a":9223372036854775808}"#, malformed),
        (r#"{"a":-9223372036854775808}"#, r#"{"a":[-9223372036854775809]}"#, malformed),
        (r#"{"a":1,"b":1}"#, r#"{"a":1,"a":1}"#, malformed),
        ("{}", "[]", malformed),
        ("{}", "{\"a\":}", malformed),
    ] {
        let entries = [event().detail(bad).build(), event().detail(good).build()];
        assert_eq!(codes(&aws, entries.into()).await, [code, None], "{bad}");
    }
    let text = |letters: usize| "x".repeat(letters);
    for (good, bad) in [
        (event().detail_type(text(128)), event().detail_type(text(129))),
        (event().source(text(256)), event().source(text(257))),
        (event().resources(text(2048)), event().resources(text(2049))),
    ] {
        assert_eq!(codes(&aws, vec![bad.build(), good.build()]).await, [invalid, None]);
    }
    assert_eq!(local.state().events().unwrap().len(), 8);
}

/// Returns the error code of each entry.
async fn codes(aws: &Aws, entries: Vec<PutEventsRequestEntry>) -> Vec<Option<&'static str>> {
    let reply = aws_sdk_eventbridge::Client::new(&aws.service("EVENTBRIDGE"))
        .put_events()
        .set_entries(Some(entries))
        .send()
        .await
        .unwrap();
    let known = ["MalformedDetail", "InvalidArgument"];
    let named = |code: Option<&str>| {
        code.map(|code| *known.iter().find(|known| **known == code).unwrap_or(&"another"))
    };
    reply.entries().iter().map(|entry| named(entry.error_code())).collect()
}

#[tokio::test]
async fn put_events_is_limited_to_10_entries_and_1_mb() {
    let (_local, aws) = start().await;
    let send = |entries| {
        aws_sdk_eventbridge::Client::new(&aws.service("EVENTBRIDGE"))
            .put_events()
            .set_entries(Some(entries))
            .send()
    };
    assert!(send(vec![event().build(); 10]).await.is_ok());
    assert!(send(vec![event().build(); 11]).await.is_err());
    let around = "testTEST".len() + r#"{"a":""}"#.len();
    let large = |bytes: usize| {
        event().detail(format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - around))).build()
    };
    assert!(send(vec![large(1 << 20)]).await.is_ok());
    assert!(send(vec![large((1 << 20) + 1)]).await.is_err());
    assert!(send(vec![large(1 << 19), large((1 << 19) + 1)]).await.is_err());
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn item(name: &str, value: AttributeValue) -> HashMap<String, AttributeValue> {
    let key = |key: &str| (key.to_owned(), text("x"));
    HashMap::from([key("pk"), key("sk"), (name.to_owned(), value)])
}

/// Returns `value` inside this number of nested lists.
fn nested(lists: usize, value: AttributeValue) -> AttributeValue {
    (0..lists).fold(value, |value, _| AttributeValue::L(vec![value]))
}

#[tokio::test]
async fn items_have_the_limits_of_dynamodb() {
    let (_local, aws) = start().await;
    let put = async |item: HashMap<String, AttributeValue>| {
        let request = aws_sdk_dynamodb::Client::new(&aws.service("DYNAMODB"))
            .put_item()
            .table_name("tenantry-local-Table");
        match request.set_item(Some(item)).send().await {
            Ok(_) => true,
            Err(error) => {
                let error = error.into_service_error();
                assert_eq!(error.meta().code(), Some("ValidationException"), "{error:?}");
                false
            }
        }
    };
    let number = |text: String| item("n", AttributeValue::N(text));
    let around = "pkxskxs".len();
    for (good, bad) in [
        (
            item("s", text(&"x".repeat(400 * 1024 - around))),
            item("s", text(&"x".repeat(400 * 1024 - around + 1))),
        ),
        (number("9".repeat(38)), number("9".repeat(39))),
        (number(format!("-{}", "9".repeat(38))), number(format!("-0.{}", "9".repeat(39)))),
        (number("9e125".into()), number("1e126".into())),
        (number("1e-130".into()), number("1e-131".into())),
        (item("s", text("")), item("pk", text(""))),
        (item("s", text("")), item("sk", text(""))),
        (item("l", nested(31, text("x"))), item("l", nested(32, text("x")))),
    ] {
        let name = format!("{bad:?}").chars().take(120).collect::<String>();
        assert!(put(good).await, "the valid counterpart of {name}");
        assert!(!put(bad).await, "{name}");
    }
}

#[tokio::test]
async fn batches_have_the_limits_of_dynamodb() {
    let (_local, aws) = start().await;
    let (dynamodb, table) =
        (aws_sdk_dynamodb::Client::new(&aws.service("DYNAMODB")), "tenantry-local-Table");
    let keyed =
        |n: usize| HashMap::from([("pk".into(), text(&format!("k{n}"))), ("sk".into(), text("x"))]);
    let write = |count: usize| {
        let put = |n| PutRequest::builder().set_item(Some(keyed(n))).build().unwrap();
        let writes = (0..count).map(|n| WriteRequest::builder().put_request(put(n)).build());
        dynamodb.batch_write_item().request_items(table, writes.collect()).send()
    };
    assert!(write(25).await.is_ok() && write(26).await.is_err());
    let read = |count: usize| {
        let keys = aws_sdk_dynamodb::types::KeysAndAttributes::builder();
        let keys = keys.set_keys(Some((0..count).map(keyed).collect())).build().unwrap();
        dynamodb.batch_get_item().request_items(table, keys).send()
    };
    assert!(read(100).await.is_ok() && read(101).await.is_err());
    let transact = |count: usize, bytes: usize| {
        let put = |n| {
            let mut item = keyed(n);
            item.insert("s".into(), text(&"x".repeat(bytes)));
            let put =
                aws_sdk_dynamodb::types::Put::builder().table_name(table).set_item(Some(item));
            aws_sdk_dynamodb::types::TransactWriteItem::builder().put(put.build().unwrap()).build()
        };
        dynamodb
            .transact_write_items()
            .set_transact_items(Some((0..count).map(put).collect()))
            .send()
    };
    assert!(transact(100, 1).await.is_ok() && transact(101, 1).await.is_err());
    assert!(transact(10, 390_000).await.is_ok() && transact(11, 390_000).await.is_err());
}

#[tokio::test]
async fn emails_with_invalid_addresses_or_subjects_are_rejected() {
    let (local, aws) = start().await;
    let send = async |from: &str, to: Vec<String>, subject: &str| {
        let part = |text: &str| Content::builder().data(text).build().unwrap();
        let body = Body::builder().text(part("x")).build();
        let message = Message::builder().subject(part(subject)).body(body).build();
        let to = Destination::builder().set_to_addresses(Some(to)).build();
        let content = EmailContent::builder().simple(message).build();
        let request = aws_sdk_sesv2::Client::new(&aws.service("SESV2"))
            .send_email()
            .from_email_address(from)
            .destination(to);
        request.content(content).send().await.is_ok()
    };
    let to = |address: &str| vec![address.to_owned()];
    let (from, ada) = ("no@x.test", to("ada@acme.test"));
    let local_part = |letters| to(&format!("{}@acme.test", "a".repeat(letters)));
    assert!(send(from, ada.clone(), "Hi").await);
    assert!(send("Tenantry <no@x.test>", local_part(64), "Grüße").await);
    for (from, to, subject) in [
        (from, to("ada@acme.test\r\nBcc: eve@evil.test"), "Hi"),
        (from, to("ada@acme.test\n"), "Hi"),
        ("no@x.test\r\nBcc: eve@evil.test", ada.clone(), "Hi"),
        (from, ada.clone(), "Hi\r\nBcc: eve@evil.test"),
        (from, ada.clone(), &"x".repeat(999)),
        (from, local_part(65), "Hi"),
        (from, to("ä@acme.test"), "Hi"),
        (from, to("ada"), "Hi"),
        (from, to("@acme.test"), "Hi"),
        (from, to("ada@acme..test"), "Hi"),
        (from, to(&format!("ada@{}", "a.".repeat(130))), "Hi"),
        (from, to(&format!("ada@{}.test", "a".repeat(64))), "Hi"),
        (from, vec![], "Hi"),
    ] {
        assert!(!send(from, to.clone(), subject).await, "{from:?} {to:?} {subject:?}");
    }
    assert!(send(from, vec![ada[0].clone(); 50], &"x".repeat(998)).await);
    assert!(!send(from, vec![ada[0].clone(); 51], "Hi").await);
    assert_eq!(local.state().mails().unwrap().len(), 3);
}

#[tokio::test]
async fn messages_are_limited_to_1_mb_and_secrets_to_64_kb() {
    let (_local, aws) = start().await;
    let message = |payload: String| {
        let body = format!(r#"{{"requestPayload":"{payload}"}}"#);
        aws_sdk_sqs::Client::new(&aws.service("SQS"))
            .send_message()
            .queue_url("http://q/1/Q")
            .message_body(body)
            .send()
    };
    let around = r#"{"requestPayload":""}"#.len();
    assert!(message("x".repeat((1 << 20) - around)).await.is_ok());
    assert!(message("x".repeat((1 << 20) - around + 1)).await.is_err());
    assert!(message("ä\u{10000}".into()).await.is_ok());
    for refused in ["\u{fffe}", "\u{ffff}", "\u{0}"] {
        assert!(message(refused.into()).await.is_err(), "{refused:?}");
    }
    let secret = |name: &'static str, bytes: usize, token: usize| {
        let request = aws_sdk_secretsmanager::Client::new(&aws.service("SECRETS_MANAGER"))
            .create_secret()
            .name(name)
            .secret_string("x".repeat(bytes));
        request.client_request_token("t".repeat(token)).send()
    };
    assert!(secret("large", 65_536, 32).await.is_ok());
    assert!(secret("larger", 65_537, 32).await.is_err());
    assert!(secret("token", 1, 64).await.is_ok());
    assert!(secret("short", 1, 31).await.is_err() && secret("long", 1, 65).await.is_err());
}

#[tokio::test]
async fn executions_are_limited_to_50_variables_of_1000_characters() {
    let (_local, aws) = start().await;
    let start = async |count: usize, value: &str, token: &str| {
        let named = |n: usize| if n == 0 { "TENANT_ID".into() } else { format!("V{n}") };
        let variable = |n| PipelineVariable::builder().name(named(n)).value(value).build().unwrap();
        let request = aws_sdk_codepipeline::Client::new(&aws.service("CODEPIPELINE"))
            .start_pipeline_execution()
            .name("tenantry-silo");
        let request = request.set_variables(Some((0..count).map(variable).collect()));
        match request.client_request_token(token).send().await {
            Ok(_) => String::new(),
            Err(error) => {
                let error = error.into_service_error();
                assert!(error.is_validation_exception(), "{error:?}");
                error.meta().message().unwrap_or_default().to_owned()
            }
        }
    };
    assert_eq!(start(1, &"ä".repeat(1000), "value").await, "");
    assert!(start(1, &"ä".repeat(1001), "value-2").await.contains("1 to 1000 characters"));
    assert!(start(1, "", "value-3").await.contains("1 to 1000 characters"));
    assert!(!start(50, "v", "many").await.contains("at most 50"));
    assert!(start(51, "v", "many-2").await.contains("at most 50"));
    assert_eq!(start(1, "v", &"t".repeat(128)).await, "");
    for token in ["t".repeat(129), "a_b".into(), "a b".into(), "ä".into(), String::new()] {
        assert!(start(1, "v", &token).await.contains("clientRequestToken"), "{token}");
    }
}
