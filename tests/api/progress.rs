//! The steps of a job's work, as its pipeline and its build report them.

use domain::{JobId, TenantId};
use serde_json::{Value, json};
use support::{App, Options, SignedMessage, eventually, subscription};

/// Returns the steps of a job's work: name, state, summary and link.
fn work(job: &Value) -> Vec<(String, String, Option<String>, Option<String>)> {
    let steps = job["steps"].as_array().unwrap().iter().filter(|step| step["source"] != "job");
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let view = |step: &Value| {
        let (name, state) = (text(&step["name"]).unwrap(), text(&step["state"]).unwrap());
        (name, state, text(&step["summary"]), text(&step["link"]))
    };
    steps.map(view).collect()
}

/// Returns names and states of the steps of a job's work.
fn states(job: &Value) -> Vec<(String, String)> {
    work(job).into_iter().map(|(name, state, ..)| (name, state)).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, state)| ((*name).to_owned(), (*state).to_owned())).collect()
}

/// Returns the ID of the running execution.
async fn execution(app: &App, tenant: TenantId, job: JobId) -> String {
    let running = async || app.job(tenant, job).await["executionId"].as_str().map(str::to_owned);
    eventually("the execution", running).await
}

/// Returns an event of CodePipeline, `after` seconds from now.
fn event(execution: &str, kind: &str, after: u32, detail: &Value) -> Value {
    let time = lambda::now() + std::time::Duration::from_secs(1) * after;
    let mut all = json!({ "pipeline": "tenantry-pool", "execution-id": execution, "version": 1.0 });
    for (name, value) in detail.as_object().unwrap() {
        all[name] = value.clone();
    }
    json!({
        "version": "0", "id": "c030038d-8c4d-6141-9545-00ff7b7153EX",
        "source": "aws.codepipeline", "time": time,
        "detail-type": format!("CodePipeline {kind} Execution State Change"), "detail": all,
    })
}

fn stage(execution: &str, after: u32, state: &str) -> Value {
    event(execution, "Stage", after, &json!({ "stage": "Deploy", "state": state }))
}

fn action(execution: &str, after: u32, state: &str) -> Value {
    let mut detail = json!({
        "stage": "Deploy", "action": "Stack", "state": state, "region": "eu-west-1",
        "type": { "owner": "AWS", "provider": "CloudFormation", "category": "Deploy", "version": "1" },
    });
    if state == "FAILED" {
        detail["execution-result"] = json!({
            "external-execution-summary": "The bucket acme-files already exists",
            "external-execution-url": "https://eu-west-1.console.aws.amazon.com/cloudformation",
            "external-execution-id": "stack/1", "error-code": "JobFailed",
        });
    }
    event(execution, "Action", after, &detail)
}

fn progress(tenant: TenantId, progress: &Value) -> Value {
    json!({ "initiatorId": tenant, "type": 0, "progress": progress })
}

async fn send(app: &App, tenant: TenantId, job: JobId, body: &Value) -> u16 {
    SignedMessage::new(&app.keys, tenant, job, body).send(&app.client).await.status
}

#[tokio::test]
async fn steps_of_a_pipeline_may_arrive_twice_and_in_any_order() {
    let app = App::start_silent().await;
    let (tenant, job) = app.provisioning("acme", "BASIC").await;
    let (other, untouched) = app.provisioning("other", "BASIC").await;
    let id = execution(&app, tenant, job).await;
    let events = [
        action(&id, 3, "FAILED"),
        stage(&id, 1, "STARTED"),
        action(&id, 1, "STARTED"),
        stage(&id, 2, "STOPPING"),
        stage(&id, 4, "FAILED"),
    ];
    for event in events.iter().chain(events.iter().rev()) {
        app.invoke("pipelines", event.clone()).await.unwrap();
    }
    let read = app.job(tenant, job).await;
    let (why, link) = (
        "The bucket acme-files already exists",
        "https://eu-west-1.console.aws.amazon.com/cloudformation",
    );
    let deployed = ("Deploy".to_owned(), "failed".to_owned(), None, None);
    let failed =
        ("Deploy: Stack".to_owned(), "failed".to_owned(), Some(why.into()), Some(link.into()));
    let mut found = work(&read);
    found.sort();
    assert_eq!(found, [deployed, failed]);
    assert_eq!(read["state"], "running", "the execution decides");
    assert_eq!(work(&app.job(other, untouched).await), []);
    app.settle().await;
    assert_eq!((app.events_of("TENANT_PROVISIONING").len(), app.dead_letters()), (2, 0));

    // A step that arrives after the end is shown, and does not open the job again.
    app.end_execution(&id, "FAILED").await;
    app.invoke("pipelines", stage(&id, 9, "STARTED")).await.unwrap();
    let read = app.job(tenant, job).await;
    assert_eq!((&read["state"], work(&read).len()), (&json!("failed"), 2));
    assert_eq!(read["steps"].as_array().unwrap().last().unwrap()["name"], "failed");
    assert_eq!(app.read(&format!("/tenants/{tenant}")).await.body["status"], 3);
    app.settle().await;
    assert_eq!(app.events_of("TENANT_PROVISIONING_FAILURE").len(), 1);
}

#[tokio::test]
async fn a_build_reports_steps_that_change_no_state() {
    let app = App::start_silent().await;
    let (tenant, job) = app.provisioning("acme", "BASIC").await;
    execution(&app, tenant, job).await;
    let now = lambda::now();
    let database = progress(tenant, &json!({ "name": "Creating the database", "time": now }));
    let website = json!({
        "name": "Deploying the website", "time": now + std::time::Duration::from_millis(5),
        "summary": "3 of 4", "link": "https://build.example/1",
    });
    let website = progress(tenant, &website);
    for body in [&website, &database, &database, &website] {
        assert_eq!(send(&app, tenant, job, body).await, 204);
    }
    let read = app.job(tenant, job).await;
    assert_eq!(read["state"], "running");
    let expected = [("Creating the database", "succeeded"), ("Deploying the website", "running")];
    assert_eq!(states(&read), pairs(&expected));

    let message = SignedMessage::new(&app.keys, tenant, job, &database);
    message.tampered(&website).send(&app.client).await.expect(401);
    let later = SignedMessage::at(&app.keys, tenant, job, &database, now.millis() - 60_000);
    later.send(&app.client).await.expect(401);
    let other = json!({ "initiatorId": tenant, "type": 1, "progress": { "name": "x" } });
    assert_eq!(send(&app, tenant, job, &other).await, 409);
    for bad in [json!({ "name": "" }), json!({ "name": "x", "link": 1 })] {
        assert_eq!(send(&app, tenant, job, &progress(tenant, &bad)).await, 422);
    }

    let failure = json!({ "initiatorId": tenant, "type": 0, "status": "failure" });
    assert_eq!(send(&app, tenant, job, &failure).await, 204);
    let late = progress(tenant, &json!({ "name": "Too late" }));
    assert_eq!(send(&app, tenant, job, &late).await, 204);
    let read = app.job(tenant, job).await;
    let expected = [("Creating the database", "succeeded"), ("Deploying the website", "failed")];
    assert_eq!((&read["state"], states(&read)), (&json!("failed"), pairs(&expected)));
}

#[tokio::test]
async fn the_steps_of_one_job_are_limited() {
    let app = App::start_silent().await;
    let (tenant, job) = app.provisioning("acme", "BASIC").await;
    for n in 0..32 {
        let body = progress(tenant, &json!({ "name": format!("step {n}") }));
        assert_eq!(send(&app, tenant, job, &body).await, 204);
    }
    let read = app.job(tenant, job).await;
    let names = states(&read);
    assert_eq!((names.len(), names[0].0.as_str()), (30, "step 2"));
}

#[tokio::test]
async fn a_lead_sees_names_and_states_only() {
    let app = App::start_silent().await;
    let lead = app.verified_lead("ada@acme.test").await;
    let body = json!({ "key": "acme", "domains": ["acme.test"] });
    let made = app.client.post(&lead.token, &format!("/leads/{}/tenants", lead.id), &body).await;
    let id = made.expect(200).text("/id");
    let path = format!("/tenants/{id}/provision");
    let accepted = app.client.post(&lead.token, &path, &subscription("BASIC")).await.expect(204);
    let location = accepted.header("location").to_owned();
    let job: JobId = location.rsplit('/').next().unwrap().parse().unwrap();
    let execution = execution(&app, id.parse().unwrap(), job).await;
    app.invoke("pipelines", action(&execution, 3, "FAILED")).await.unwrap();
    let seen = app.client.get(&lead.token, &location).await.expect(200).body;
    let listed = app.client.get(&lead.token, &format!("/tenants/{id}/jobs")).await.expect(200);
    for job in [&seen, &listed.items()[0]] {
        assert_eq!(work(job), [("Deploy: Stack".into(), "failed".into(), None, None)]);
    }
}

#[tokio::test]
async fn the_local_pipelines_play_their_stages() {
    let app = App::with_options(Options::failing().pipelines_take_ms(300)).await;
    let (tenant, job) = app.provisioning("acme", "PREMIUM").await;
    app.wait_for_status(&tenant.to_string(), 3).await;
    app.settle().await;
    let read = app.job(tenant, job).await;
    let mut found = states(&read);
    found.sort();
    let expected = [
        ("Build", "failed"),
        ("Creating the resources", "failed"),
        ("Preparing the workspace", "succeeded"),
        ("Source", "succeeded"),
    ];
    assert_eq!(found, pairs(&expected));
    let summaries: Vec<_> =
        work(&read).into_iter().filter_map(|(_, _, summary, _)| summary).collect();
    assert_eq!(summaries, ["Build terminated with state: FAILED"]);
}
