//! The clock of the local run: what happens when time passes.

use std::time::Duration;

use serde_json::{Value, json};
use support::{App, Options, lead, run_alone};

use crate::signup::verify;

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn sign_up(app: &App, email: &str) -> String {
    app.client.post_without_token("/leads", &lead(email)).await.expect(200).text("/id")
}

#[tokio::test]
async fn a_month_passes_for_requests_links_emails_and_builds() {
    run_alone!(a_month_passes_for_requests_links_emails_and_builds);
    let mut app = App::start().await;
    let (start, old) = (lambda::now(), sign_up(&app, "ada@acme.test").await);
    app.advance("31d").await;
    let passed = lambda::now().since(start);
    assert!(passed >= 31 * DAY && passed < 32 * DAY, "{passed:?}");

    let date = app.read("/ping").await.text("/date");
    assert!(date.parse::<schema::Timestamp>().unwrap().since(start) >= 31 * DAY, "{date}");
    verify(&app, &old).await.expect(401);
    let fresh = sign_up(&app, "bob@acme.test").await;
    verify(&app, &fresh).await.expect(200);
    let (tenant, job) = app.provisioning("acme", "PREMIUM").await;
    app.wait_for_status(&tenant.to_string(), 0).await;
    let job = app.job(tenant, job).await;
    let closed = job["modifiedOn"].as_str().unwrap().parse::<schema::Timestamp>().unwrap();
    assert!(closed.since(start) >= 31 * DAY, "{job}");
    app.settle().await;
    assert_eq!(app.dead_letters(), 0);
}

#[tokio::test]
async fn builds_report_their_steps_at_the_moved_time() {
    run_alone!(builds_report_their_steps_at_the_moved_time);
    let mut app = App::with_options(Options::succeeding().pipelines_take_ms(30)).await;
    app.advance("1y").await;
    let (tenant, job) = app.provisioning("acme", "BASIC").await;
    app.wait_for_status(&tenant.to_string(), 0).await;
    app.settle().await;
    let job = app.job(tenant, job).await;
    let steps = job["progress"]["steps"].as_array().or(job["steps"].as_array()).unwrap();
    assert!(!steps.is_empty(), "{job}");
    let created = job["createdOn"].as_str().unwrap();
    for step in steps {
        let started = step["startedOn"].as_str().unwrap();
        assert!(started >= created, "{step} of {created}");
    }
}

#[tokio::test]
async fn schedules_run_and_expired_items_are_deleted_when_time_passes() {
    run_alone!(schedules_run_and_expired_items_are_deleted_when_time_passes);
    let mut app = App::start_silent().await;
    let lead = sign_up(&app, "ada@acme.test").await;
    let job = app.provisioning("acme", "BASIC").await;
    app.advance("89d").await;
    assert_eq!(app.job(job.0, job.1).await["state"], "timed_out");
    assert_eq!(app.items_of("lead").len(), 1);
    app.advance("2d").await;
    assert_eq!(app.items_of("lead"), Vec::<Value>::new(), "{lead}");
    app.settle().await;
    assert_eq!(app.count("/leads").await, 0, "the stream reported the expiry");
    assert_eq!(app.dead_letters(), 0);
}

#[tokio::test]
async fn the_clock_moves_alone_while_nothing_runs() {
    run_alone!(the_clock_moves_alone_while_nothing_runs);
    let app = App::start_silent().await;
    let job = app.provisioning("acme", "BASIC").await;
    app.settle().await;
    app.local().skip(DAY / 2).unwrap();
    assert_eq!(app.job(job.0, job.1).await["state"], "running");
    app.reconcile().await;
    assert_eq!(app.job(job.0, job.1).await["state"], "timed_out");
}

#[tokio::test]
async fn only_a_span_ahead_moves_the_clock() {
    let app = App::start_silent().await;
    let url = format!("{}/clock", app.local().pages_url());
    let (http, start) = (reqwest::Client::new(), lambda::now());
    let refused = [
        (json!({ "advance": "-1d" }), 400),
        (json!({ "advance": "0d" }), 400),
        (json!({ "advance": "11y" }), 400),
        (json!({ "advance": "tomorrow" }), 400),
        (json!({ "advance": 31 }), 422),
        (json!({ "advance": "1d", "x": 1 }), 422),
    ];
    for (body, status) in refused {
        assert_eq!(http.post(&url).json(&body).send().await.unwrap().status(), status, "{body}");
    }
    let form = http.post(&url).header("content-type", "text/plain");
    let form = form.body(r#"{"advance":"1d"}"#).send().await.unwrap();
    assert_eq!(form.status(), 415, "a website can send this to any host");
    let foreign = http.post(&url).header("host", "evil.test").json(&json!({ "advance": "1d" }));
    assert_eq!(foreign.send().await.unwrap().status(), 421);
    let shown: Value = http.get(&url).send().await.unwrap().json().await.unwrap();
    let now: schema::Timestamp = shown["now"].as_str().unwrap().parse().unwrap();
    assert!(now.since(start) < DAY, "{shown}");
}
