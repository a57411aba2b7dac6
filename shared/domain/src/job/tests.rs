use serde_json::json;

use super::*;
use crate::NewTenant;
use schema::read;

const HOUR: Duration = Duration::from_secs(3600);

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
    let subscription = Subscription::from_text(&body.to_string(), &Tiers::default()).unwrap();
    let open = |(kind, age): &(JobKind, u32)| {
        let (subscription, isolation) = (subscription.clone(), Isolation::Pool);
        let work = Work { kind: JobKind::Provision, subscription, isolation };
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
