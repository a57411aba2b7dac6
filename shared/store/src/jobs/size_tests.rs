//! Tests that any job accepted by the API can be closed, and that its events fit on the bus.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::table::{
    item::{Attributes, encode_from},
    raw_item::RawItem,
};
use domain::{
    Contact, Error, Event, IdentityProvider, Isolation, Job, JobKind, JobState, MAX_STEP_LINK,
    MAX_STEP_NAME, MAX_STEP_SUMMARY, MAX_STEPS, NewContact, NewTenant, Result, Step, StepSource,
    StepState, SubscriptionText, TenantStatus, Tiers, UserId, Work, WorkStep,
};
use schema::{Document, Limits, Timestamp};

/// Maximum item size when a job opens: 409,600 bytes (AWS limit) minus 200 KiB for its closing.
const AT_ITS_OPENING: usize = 409_600 - 200 * 1024;

/// Maximum size in bytes of an entry in a batch for the bus.
const MOST_OF_AN_EVENT: usize = 256 * 1024;

/// Returns the size of an item as DynamoDB counts it.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
fn size(item: &Attributes) -> usize {
    item.iter().map(|(name, value)| name.len() + size_of(value)).sum()
}

fn size_of(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        AttributeValue::L(items) => 3 + items.iter().map(|item| 1 + size_of(item)).sum::<usize>(),
        AttributeValue::M(members) => 3 + members.len() + size(members),
        other => panic!("{other:?}"),
    }
}

fn read<T: schema::FromJson>(body: &Value) -> Result<T> {
    Ok(Document::parse(body.to_string(), Limits::BODY).unwrap().read()?)
}

/// Opens the job for a tenant with these `domains` and `contacts` and the subscription `text`.
fn open(domains: &[String], contacts: &[Value], text: &str) -> Result<Job> {
    let (now, by) = (lambda::now(), UserId::from("019aad7e-5f6b-7a51-8c0d-3f2b1e9a4c60"));
    let long = "\u{1f600}".repeat(25);
    let new: NewTenant = read(&json!({
        "key": "acmeacmeac", "name": long.repeat(4), "domains": domains,
        "address": long.repeat(20), "city": long.repeat(4), "state": long.repeat(4),
        "zip": long, "country": long,
        "contact": {
            "firstName": "Ada", "lastName": "L", "isPrimary": false,
            "email": format!("ada@{}", domains[0]),
        },
    }))?;
    let onboarding = new.onboard(now, &by)?;
    let tenant = onboarding.tenant;
    let others = contacts.iter().map(|contact| {
        let mut contact = contact.clone();
        contact["tenantId"] = json!(tenant.id);
        read::<NewContact>(&contact).map(|new| new.create(now, &by))
    });
    let contacts: Vec<Contact> =
        std::iter::once(Ok(onboarding.contact)).chain(others).collect::<Result<_>>()?;
    let subscription = SubscriptionText::from_text(text, &Tiers::default())?;
    let work = Work {
        kind: JobKind::Provision,
        subscription,
        isolation: Isolation::Silo,
        identity_provider: Some(IdentityProvider::Keycloak),
    };
    Job::open(&tenant, contacts, work, Duration::from_secs(3600), now, &by)
}

/// Closes `job` with the longest values that a build, a pipeline or the clock may report.
fn ended(job: Job) -> Job {
    let longest = |character: &str, many| Some(character.repeat(many));
    let now = lambda::now();
    let steps =
        [JobState::Queued, JobState::Running, JobState::SettingUpIdentity, JobState::Failed];
    Job {
        state: JobState::Failed,
        steps: steps.map(|name| Step { name, time: now }).to_vec(),
        reason: longest("\u{1f600}", 2000),
        app_plane_url: longest("x", 2048),
        execution_id: longest("x", 100),
        log_url: longest("x", 2048),
        progress: longest_steps(now),
        ..job
    }
}

/// Returns the most and longest steps that pipelines and builds may report.
fn longest_steps(now: Timestamp) -> Vec<WorkStep> {
    let text = |length: usize| "\u{1f600}".repeat(length);
    let step = |source| WorkStep {
        source,
        name: text(MAX_STEP_NAME),
        state: StepState::Succeeded,
        started_on: now,
        ended_on: Some(now),
        summary: Some(text(MAX_STEP_SUMMARY)),
        link: Some("x".repeat(MAX_STEP_LINK)),
    };
    let sources = [StepSource::Pipeline, StepSource::Build];
    sources.into_iter().flat_map(|source| vec![step(source); MAX_STEPS]).collect()
}

/// Checks a job in every stage of its life.
fn lives(job: Job) {
    let item = encode_from(&job, &"r".repeat(100)).unwrap();
    assert!(size(&item) <= AT_ITS_OPENING, "{} bytes when opened", size(&item));
    let read: Job = RawItem::of(item).decode().unwrap();
    assert_eq!(format!("{read:?}"), format!("{job:?}"));
    let undone = Job { kind: JobKind::Deprovision, ..job.clone() };
    for job in [job.clone(), undone, ended(job)] {
        let item = encode_from(&job, &"r".repeat(100)).unwrap();
        assert!(size(&item) <= 409_600, "{} bytes when closed", size(&item));
        let job: Job = RawItem::of(item).decode().unwrap();
        assert!(job.subscription.id().len() <= 255);
        let event = serde_json::to_string(&Event::for_job(job, 7, None)).unwrap();
        assert!(event.len() <= MOST_OF_AN_EVENT, "an event has {} bytes", event.len());
        let heard: Event = serde_json::from_str(&event).unwrap();
        assert!(heard.tenant.unwrap().primary_contact().is_some());
        let _: Value = serde_json::from_str(&event).unwrap();
    }
}

fn contact(primary: bool, fill: &str) -> Value {
    let name = fill.repeat(100);
    let email = format!("{}@{}.test", "x".repeat(60), "y".repeat(30));
    json!({ "firstName": name, "lastName": name, "email": email, "isPrimary": primary, "type": name })
}

#[test]
fn the_largest_possible_job_can_be_opened_and_closed() {
    let label = "d".repeat(60);
    let long = (10..59).map(|n| format!("{n}.{label}.{label}.{label}.{label}.test"));
    let domains: Vec<_> = std::iter::once("acme.test".to_owned()).chain(long).collect();
    let mut contacts = vec![contact(false, "\u{1f600}"); 300];
    contacts.push(contact(true, "\""));
    let (head, tail) = (r#"{"id":"s1","plan":{"tier":"BASIC","x":""#, r#""}}"#);
    let text = format!("{head}{}{tail}", "\\\"".repeat((65_536 - head.len() - tail.len()) / 2));
    let job = open(&domains, &contacts, &text).unwrap();
    assert!(job.tenant.contacts[0].details.is_primary);
    assert_eq!(job.tenant.status, TenantStatus::Provisioning);
    lives(job);
}

fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<i128>().prop_map(|n| n.to_string()),
        any::<i64>().prop_map(|n| n.to_string()),
        (any::<i64>(), -500..500_i32).prop_map(|(n, e)| format!("{n}e{e}")),
        ".{0,40}".prop_map(|text| json!(text).to_string()),
        Just(r#""\ud800""#.to_owned()),
        (1..30_000_usize).prop_map(|many| json!("\u{0}".repeat(many / 6)).to_string()),
        (1..40_usize).prop_map(|levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels))),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5)
                .prop_map(|all| format!("[{}]", all.join(","))),
            prop::collection::vec(("[a-c]{0,2}", inner), 0..5).prop_map(|all| {
                let members = all.iter().map(|(name, value)| format!("{}:{value}", json!(name)));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_job_with_any_accepted_subscription_can_be_closed(
        plan in any_json(),
        more in any_json(),
        many in 0..80_usize,
        domains in 1..60_usize,
        fill in "[^\\x00-\\x1f\\x7f-\\x9f]",
    ) {
        let text = format!(r#"{{"id":"s1","status":1,"plan":{{"tier":"BASIC","x":{plan},"y":{more}}}}}"#);
        let domains: Vec<_> = (0..domains).map(|n| format!("d{n}.acme.test")).collect();
        match open(&domains, &vec![contact(true, &fill); many], &text) {
            Ok(job) => lives(job),
            Err(Error::Invalid(violations)) => prop_assert!(!violations.is_empty()),
            Err(Error::TooLarge(_)) => prop_assert!(text.len() > 65_536),
            Err(other) => prop_assert!(false, "{other:?}"),
        }
    }
}
