//! Tests of background work (deliveries, pipelines, restarts) and of the gateway.

#![expect(clippy::unwrap_used, reason = "a broken test setup should panic")]

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use aws_sdk_codepipeline::types::PipelineVariable;
use lambda::{Env, aws::Aws};
use local::{
    Data, Fault, Local, Options, Outcome,
    state::{DeliveryState, Status},
};
use serde_json::{Value, json};

const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");

fn options() -> Options {
    Options::private(TEMPLATE)
}

async fn start(options: Options) -> Local {
    Local::start(options, Env::default()).await.unwrap()
}

async fn settle(local: &Local) {
    for _ in 0..3000 {
        if local.is_settled().unwrap() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("work is still pending: {:?}", local.state().events());
}

fn folder() -> PathBuf {
    std::env::temp_dir().join(format!("tenantry-{}", std::process::id()))
}

async fn post(url: &str, path: &str, body: &Value) -> (u16, Value) {
    let client = reqwest::Client::new();
    let reply = client.post(format!("{url}{path}")).json(body).send().await.unwrap();
    (reply.status().as_u16(), reply.json().await.unwrap_or_default())
}

fn ada() -> Value {
    json!({ "firstName": "Ada", "lastName": "L", "companyName": "Acme", "email": "a@acme.test" })
}

#[tokio::test]
async fn a_lead_gets_its_email() {
    let local = start(options()).await;
    let (status, _) = post(local.base_url(), "/leads", &ada()).await;
    assert_eq!(status, 200);
    settle(&local).await;
    let mails = local.state().mails().unwrap();
    assert_eq!(mails[0].to, ["a@acme.test"]);
    assert!(mails[0].links[0].starts_with(&format!("{}/validate/", local.base_url())));
    assert!(local.state().dead_letters().unwrap().is_empty());
    local.stop().await;
}

#[tokio::test]
async fn no_event_is_lost_while_the_bus_fails() {
    let local = start(options()).await;
    local.calls().reject("PutEvents");
    assert_eq!(post(local.base_url(), "/leads", &ada()).await.0, 200);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(local.state().events().unwrap().is_empty());
    assert!(!local.is_settled().unwrap());
    local.calls().restore("PutEvents");
    settle(&local).await;
    assert_eq!(local.state().mails().unwrap().len(), 1);
}

#[tokio::test]
async fn pending_work_continues_after_a_restart() {
    let folder = folder();
    let kept = || Options { data: Data::Folder(folder.clone()), ..options() };
    let local = start(kept()).await;
    let token = local.operator_token();
    local.calls().reject("SendEmail");
    assert_eq!(post(local.base_url(), "/leads", &ada()).await.0, 200);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let again = Local::start(kept(), Env::default()).await.unwrap_err().to_string();
    assert!(again.contains("another process is using it"), "{again}");
    local.stop().await;

    let local = start(kept()).await;
    settle(&local).await;
    assert_eq!(local.state().mails().unwrap().len(), 1);
    assert_eq!(local.state().events().unwrap().len(), 1);
    let url = format!("{}/tenants", local.base_url());
    let read = reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap();
    assert_eq!(read.status(), 200, "the keys of the first start are still in use");
    local.stop().await;
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn an_event_that_always_fails_becomes_a_dead_letter() {
    let local = start(options()).await;
    local.calls().reject("SendEmail");
    assert_eq!(post(local.base_url(), "/leads", &ada()).await.0, 200);
    settle(&local).await;
    let events = local.state().events().unwrap();
    let delivery = &events[0].deliveries[0];
    assert_eq!((delivery.state, delivery.attempts), (DeliveryState::Dead, 3));
    let letters = local.state().dead_letters().unwrap();
    assert_eq!((letters.len(), letters[0].function.as_str()), (1, "mailer"));
    assert_eq!(letters[0].payload["detail"]["lead"]["email"], "a@acme.test");
}

#[tokio::test]
async fn a_build_without_a_job_fails_and_publishes_an_event() {
    let local = start(Options { pipeline_outcome: Outcome::Silent, ..options() }).await;
    let aws = Aws::from_env(&local.env()).unwrap();
    let callback = format!("{}/webhook", local.base_url());
    let id = "01a20b8a-4862-71dd-8066-3bc426e94d38";
    let variables = [
        ("TENANT_ID", id),
        ("CONTEXT_ID", id),
        ("JOB_ID", id),
        ("JOB_KIND", "provision"),
        ("CALLBACK_URL", &callback),
        ("SECRET_ARN", "nothing"),
    ];
    let pipelines = aws_sdk_codepipeline::Client::new(&aws.service("CODEPIPELINE"));
    let mut request = pipelines.start_pipeline_execution().name("tenantry-pool");
    for (name, value) in variables {
        let variable = PipelineVariable::builder().name(name).value(value).build().unwrap();
        request = request.variables(variable);
    }
    request.send().await.unwrap();
    settle(&local).await;
    assert_eq!(local.state().executions().unwrap()[0].status, Status::InProgress);
    local.end_pipelines_with(Outcome::Success);
    settle(&local).await;
    let execution = &local.state().executions().unwrap()[0];
    assert_eq!(execution.status, Status::Failed);
    assert!(execution.log.contains("the secret nothing does not exist"), "{}", execution.log);
    let events = local.state().events().unwrap();
    let states: Vec<_> = events.iter().map(|event| &event.envelope["detail"]["state"]).collect();
    assert_eq!(states, ["FAILED", "STARTED"]);
    assert_eq!(events[0].deliveries[0].function, "pipelines");
}

#[tokio::test]
async fn the_gateway_answers_like_api_gateway() {
    let local = start(options()).await;
    let client = reqwest::Client::new();
    let url = format!("{}/leads", local.base_url());
    let origin = "http://localhost:4200";
    let preflight = client.request(reqwest::Method::OPTIONS, &url);
    let preflight = preflight.header("origin", origin);
    let answer = preflight.header("access-control-request-method", "POST").send().await.unwrap();
    assert_eq!(answer.status(), 204);
    assert_eq!(answer.headers()["access-control-allow-origin"], origin);
    assert!(answer.headers()["access-control-allow-methods"].to_str().unwrap().contains("POST"));
    for (origin, is_allowed) in [
        ("http://localhost", true),
        ("https://localhost:5173", true),
        ("http://app.localhost:3001", true),
        ("http://127.0.0.1:8080", true),
        ("http://[::1]:4200", true),
        ("http://evil.test", false),
        ("http://localhost.evil.test", false),
        ("http://127.0.0.1.evil.test", false),
        ("http://evil-localhost", false),
        ("null", false),
    ] {
        let answer = client.get(&url).header("origin", origin).send().await.unwrap();
        let allowed = answer.headers().get("access-control-allow-origin");
        assert_eq!(
            allowed.map(|allowed| allowed == origin),
            is_allowed.then_some(true),
            "{origin}"
        );
    }
    let large = client.post(&url).body(vec![b'x'; 11 << 20]).send().await.unwrap();
    assert_eq!(large.status(), 413);
    let ping = client.get(format!("{}/ping", local.base_url())).send().await.unwrap();
    let ping: Value = ping.json().await.unwrap();
    assert_eq!(ping["headers"]["x-forwarded-for"], "127.0.0.1");
}

#[tokio::test]
async fn start_errors_are_reported_in_one_line() {
    let fails = async |options: Options, outside: &[(&str, &str)]| {
        let outside = outside.iter().copied().collect();
        Local::start(options, outside).await.unwrap_err().to_string()
    };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let fault = fails(Options { port, ..options() }, &[]).await;
    assert!(fault.starts_with(&format!("cannot listen on 127.0.0.1:{port}: ")), "{fault}");
    let fault = fails(Options { data: Data::Folder(TEMPLATE.into()), ..options() }, &[]).await;
    assert!(fault.starts_with("cannot use the data folder "), "{fault}");
    let fault = fails(Options::private("nowhere.yaml"), &[]).await;
    assert!(fault.starts_with("nowhere.yaml: cannot be read: "), "{fault}");
    let fault = fails(options(), &[("PUBLIC_API_MAX_ATTEMPTS", "many")]).await;
    assert!(fault.contains("leads cannot start") && fault.contains("PUBLIC_API_MAX_ATTEMPTS"));
    assert!(!fault.contains('\n'), "{fault}");
}

#[tokio::test]
async fn a_record_that_always_fails_becomes_a_dead_letter_and_reading_continues() {
    let folder = folder().with_extension("poison");
    std::fs::create_dir_all(&folder).unwrap();
    let impatient = std::fs::read_to_string(TEMPLATE).unwrap();
    let impatient = impatient.replace("MaximumRetryAttempts: -1", "MaximumRetryAttempts: 2");
    let infra = concat!(env!("CARGO_MANIFEST_DIR"), "/.."); // nested by the template
    std::os::unix::fs::symlink(infra, folder.join("infra")).unwrap();
    std::fs::write(folder.join("template.yaml"), impatient).unwrap();
    let local = start(Options::private(folder.join("template.yaml"))).await;
    // Three deliveries with three attempts of the SDK each.
    local.calls().fail("PutEvents", Fault::RejectNext(9));
    assert_eq!(post(local.base_url(), "/leads", &ada()).await.0, 200);
    settle(&local).await;
    let mut grace = ada();
    grace["email"] = json!("grace@acme.test");
    assert_eq!(post(local.base_url(), "/leads", &grace).await.0, 200);
    settle(&local).await;
    let letters = local.state().dead_letters().unwrap();
    assert_eq!((letters.len(), letters[0].function.as_str()), (1, "relay"));
    let lost = &letters[0].payload["Records"];
    assert_eq!(lost[0]["dynamodb"]["NewImage"]["email"]["S"], "a@acme.test");
    assert_eq!(lost.as_array().unwrap().len(), 1);
    let mails = local.state().mails().unwrap();
    assert_eq!((mails.len(), mails[0].to[0].as_str()), (1, "grace@acme.test"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn example_data_is_written_once_per_folder() {
    let folder = folder().join("example-data");
    let of_folder =
        || Options { data: Data::Folder(folder.clone()), demo: true, ..Options::private(TEMPLATE) };
    let numbers = async || {
        let local = start(of_folder()).await;
        settle(&local).await;
        let items = local.items().unwrap();
        let of = |kind: &str| items.iter().filter(|item| item["entity"]["S"] == kind).count();
        let tenants = items.iter().filter(|item| item["entity"]["S"] == "tenant");
        let statuses: BTreeSet<_> = tenants.map(|item| item["status"]["N"].to_string()).collect();
        let kinds = ["tenant", "lead", "contact", "invoice", "job"].map(of);
        assert!(local.state().dead_letters().unwrap().is_empty());
        assert!(local.state().executions().unwrap().is_empty());
        local.stop().await;
        (kinds, statuses.len())
    };
    let first = numbers().await;
    assert_eq!(first, ([30, 12, 60, 43, 35], 6));
    assert_eq!(numbers().await, first);
    std::fs::remove_dir_all(&folder).unwrap();
}
