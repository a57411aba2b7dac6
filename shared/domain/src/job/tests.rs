use serde_json::json;

use super::*;
use crate::NewTenant;
use schema::read;

const HOUR: Duration = Duration::from_secs(3600);

/// Creates a job of this kind.
pub(super) fn job(kind: JobKind, now: Timestamp) -> Job {
    jobs(&[(kind, 0)], now).remove(0)
}

/// Creates jobs with these kinds and ages in hours.
fn jobs(ages: &[(JobKind, u32)], now: Timestamp) -> Vec<Job> {
    let new: NewTenant = read(&json!({
        "key": "acme", "name": "Acme", "domains": ["acme.test"],
        "contact": {
            "firstName": "Ada", "lastName": "L", "email": "ada@acme.test", "isPrimary": true,
        },
    }))
    .unwrap();
    let by = UserId::from("lead");
    let tenant = new.onboard(now, &by).unwrap().tenant;
    let body = json!({ "id": "s1", "plan": { "tier": "BASIC" } });
    let subscription = SubscriptionText::from_text(&body.to_string(), &Tiers::default()).unwrap();
    let open = |(kind, age): &(JobKind, u32)| {
        let (subscription, isolation) = (subscription.clone(), Isolation::Pool);
        let identity_provider = None;
        let work = Work { kind: JobKind::Provision, subscription, isolation, identity_provider };
        let job = Job::open(&tenant, Vec::new(), work, HOUR, now - HOUR * *age, &by).unwrap();
        Job { kind: *kind, ..job }
    };
    ages.iter().map(open).collect()
}

#[test]
fn a_lead_may_start_five_builds_within_24_hours() {
    use JobKind::{Deprovision as Down, Provision as Up};
    let now = crate::now();
    let four = [(Up, 1), (Up, 2), (Up, 3), (Up, 23)];
    let five = [(Up, 1), (Up, 2), (Up, 3), (Up, 9), (Up, 23)];
    let old = [(Up, 1), (Up, 2), (Up, 3), (Up, 9), (Up, 24), (Up, 25)];
    let with_others = [(Up, 1), (Down, 2), (Up, 3), (Down, 4), (Up, 5), (Up, 6)];
    for allowed in [&[][..], &four, &old, &with_others] {
        assert!(Job::check_build_limit(&jobs(allowed, now), now).is_ok(), "{allowed:?}");
    }
    let Err(Error::TooManyBuilds { next, wait }) = Job::check_build_limit(&jobs(&five, now), now)
    else {
        panic!("a sixth one")
    };
    assert_eq!((next, wait), (now + HOUR, HOUR));
}

#[test]
fn steps_of_a_build_end_with_the_next_one_or_with_the_job() {
    let now = crate::now();
    let at = |seconds: u32| now + Duration::from_secs(1) * seconds;
    let mut job = job(JobKind::Provision, now);
    let step = |source, name: &str, seconds| {
        let report = StepReport::new(source, name, StepState::Running, at(seconds));
        report.with_details(Some("why"), Some("https://a.example/"))
    };
    for report in [
        step(StepSource::Pipeline, "Build", 1),
        step(StepSource::Build, "Database", 2),
        step(StepSource::Build, "Website", 4),
    ] {
        job.progress = job.progress_after(report).unwrap();
    }
    let seen = |job: &Job, viewer| -> Vec<String> {
        let view = serde_json::to_value(JobView::new(job, viewer)).unwrap();
        let steps = view["steps"].as_array().unwrap().iter().map(|step| {
            let part = |name: &str| step[name].as_str().unwrap_or("-").to_owned();
            let took = step["endedOn"].as_str().map(|end| {
                let end: Timestamp = end.parse().unwrap();
                end.since(part("startedOn").parse().unwrap()).as_secs()
            });
            format!(
                "{} {} {took:?} {} {}",
                part("name"),
                part("state"),
                part("summary"),
                part("link")
            )
        });
        steps.collect()
    };
    assert_eq!(
        seen(&job, Viewer::Operator),
        [
            "queued succeeded Some(0) - -",
            "Build running None why https://a.example/",
            "Database succeeded Some(2) why https://a.example/",
            "Website running None why https://a.example/",
        ]
    );
    job.steps.push(Step { name: JobState::Failed, time: at(9) });
    job.state = JobState::Failed;
    assert_eq!(
        seen(&job, Viewer::Lead),
        [
            "queued succeeded Some(0) - -",
            "Build failed Some(8) - -",
            "Database succeeded Some(2) - -",
            "Website failed Some(5) - -",
            "failed failed Some(0) - -",
        ]
    );
}

#[test]
fn the_identity_set_up_is_the_last_step_and_ends_with_the_job() {
    let now = crate::now();
    let at = |seconds: u32| now + Duration::from_secs(1) * seconds;
    let mut job = job(JobKind::Provision, now);
    let build = StepReport::new(StepSource::Pipeline, "Build", StepState::Running, at(1));
    job.progress = job.progress_after(build).unwrap();
    job.state = JobState::SettingUpIdentity;
    job.steps.push(Step { name: job.state, time: at(5) });
    let seen = |job: &Job, viewer| -> Vec<String> {
        let view = serde_json::to_value(JobView::new(job, viewer)).unwrap();
        let steps = view["steps"].as_array().unwrap().iter();
        let line = |step: &serde_json::Value| {
            format!("{} {} {}", step["name"], step["state"], step["summary"]).replace('"', "")
        };
        steps.map(line).collect()
    };
    assert_eq!(
        seen(&job, Viewer::Operator),
        ["queued succeeded null", "Build succeeded null", "setting_up_identity running null"]
    );
    job.state = JobState::Failed;
    job.steps.push(Step { name: job.state, time: at(9) });
    job.reason = Some("keycloak: signing in".to_owned());
    let failed = |summary: &str| {
        let identity = format!("setting_up_identity failed {summary}");
        let before = ["queued succeeded null", "Build succeeded null"].map(str::to_owned);
        before.into_iter().chain([identity, "failed failed null".to_owned()]).collect::<Vec<_>>()
    };
    assert_eq!(seen(&job, Viewer::Operator), failed("keycloak: signing in"));
    assert_eq!(seen(&job, Viewer::Lead), failed("null"));
}
