//! Conditions of writes that no request can bring about alone, asked of the store itself. Each of
//! these fails where its condition is deleted.

use std::time::Duration;

use serde_json::json;
use shared::{
    Error,
    aws::Aws,
    domain::{Closing, JobId, JobKind, JobRef, Outcome, TenantId, UserId},
    store::{Change, Claim, Store},
};
use support::{App, Signed, at_once, lead};

fn store(app: &App) -> Store {
    let env = app.local().env();
    Store::from_env(&env, &Aws::from_env(&env).unwrap()).unwrap()
}

/// A tenant whose first job failed and whose second one runs.
async fn second_attempt(app: &App) -> (TenantId, JobId, JobId) {
    let (tenant, first) = app.provisioning("acme", "BASIC").await;
    let failed = json!({ "initiatorId": tenant, "type": 0, "status": "failure" });
    Signed::new(&app.keys, tenant, first, &failed).send(&app.client).await.expect(204);
    (tenant, first, app.provision(tenant, "BASIC").await)
}

#[tokio::test]
async fn eight_clicks_at_once_on_one_link_all_work() {
    let app = App::start().await;
    let created = app.client.post_openly("/leads", &lead("ada@acme.test")).await.expect(200);
    let id = created.text("/id");
    let (key, path) = (app.lead_key(&id), format!("/leads/{id}/verify"));
    let nothing = json!(null);
    let click = |_| app.client.post(&key, &path, &nothing);
    let clicks = at_once((0..8).map(click)).await;
    assert!(clicks.iter().all(|click| click.status == 200), "{clicks:?}");
    assert_eq!(app.items_of("lead")[0]["version"]["N"], "2", "validated once");
}

#[tokio::test]
async fn a_job_is_closed_only_as_the_latest_and_only_while_it_is_open() {
    let app = App::silent().await;
    let (tenant, first, second) = second_attempt(&app).await;
    let (store, before) = (store(&app), app.items());
    let closing = Closing::badly(Outcome::Failed, "a test");
    let by = UserId::from("test");
    for (id, attempt) in [(first, 2), (second, 1)] {
        let job = JobRef { id, attempt, kind: JobKind::Provision, outcome: None };
        let change = Change { job: &job, closing: &closing, now: shared::now(), by: &by };
        let refused = store.close_job(tenant, &change).await;
        assert!(matches!(refused, Err(Error::Stale)), "{refused:?}");
    }
    assert_eq!(app.items(), before);
}

#[tokio::test]
async fn a_job_that_runs_or_is_closed_is_not_started_again() {
    let app = App::silent().await;
    let (tenant, _, _) = second_attempt(&app).await;
    let (store, before) = (store(&app), app.items());
    for attempt in [1, 2] {
        let refused = store.start_job(tenant, attempt, "execution", "log", shared::now()).await;
        assert!(matches!(refused, Err(Error::Stale)), "{refused:?}");
    }
    assert_eq!(app.items(), before);
}

#[tokio::test]
async fn an_effect_that_happened_is_neither_claimed_nor_given_up() {
    let app = App::start().await;
    let (store, lease) = (store(&app), Duration::from_secs(10));
    let (now, later) = (shared::now(), shared::now() + lease + Duration::from_secs(1));
    let claim = async |at| store.claim_event("test", "e#1", at, lease).await.unwrap();
    assert_eq!(claim(now).await, Claim::Ours);
    assert_eq!(claim(now).await, Claim::Held(now + lease));
    assert_eq!(claim(later).await, Claim::Ours, "a lease that is over is nobody's");
    store.release_event("test", "e#1", later).await.unwrap();
    assert_eq!(claim(later).await, Claim::Ours, "what was given up is free at once");
    store.complete_event("test", "e#1", later).await.unwrap();
    assert!(store.release_event("test", "e#1", later).await.is_err());
    assert_eq!(claim(later + lease).await, Claim::Done);
}
