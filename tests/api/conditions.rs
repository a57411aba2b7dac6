//! Write conditions that no single request can violate, tested on the store itself. Each test fails
//! if its condition is removed.

use std::time::Duration;

use domain::{
    ConfigDetails, Contact, ContactDetails, Error, JobId, JobKind, JobPhase, JobRef, JobResult,
    NewChild, Outcome, TenantId, UserId,
};
use lambda::aws::Aws;
use schema::read;
use serde_json::json;
use store::{Claim, JobCompletion, KeyedRequest, RecordedAnswer, RequestClaim, Store, Stored};
use support::{App, SignedMessage, config, contact, join_all, lead};

use crate::signup::{lead_and_renewals, verify};

fn store(app: &App) -> Store {
    let env = app.local().env();
    Store::from_env(&env, &Aws::from_env(&env).unwrap()).unwrap()
}

/// Creates a tenant whose first job failed and whose second job runs.
async fn second_attempt(app: &App) -> (TenantId, JobId, JobId) {
    let (tenant, first) = app.provisioning("acme", "BASIC").await;
    let failed = json!({ "initiatorId": tenant, "type": 0, "status": "failure" });
    SignedMessage::new(&app.keys, tenant, first, &failed).send(&app.client).await.expect(204);
    (tenant, first, app.provision(tenant, "BASIC").await)
}

#[tokio::test]
async fn eight_concurrent_clicks_on_one_link_all_succeed() {
    let app = App::start().await;
    let created = app.client.post_without_token("/leads", &lead("ada@acme.test")).await.expect(200);
    let id = created.text("/id");
    let (key, path) = (app.verification_key(&id), format!("/leads/{id}/verify"));
    let nothing = json!(null);
    let click = |_| app.client.post(&key, &path, &nothing);
    let clicks = join_all((0..8).map(click)).await;
    assert!(clicks.iter().all(|click| click.status == 200), "{clicks:?}");
    assert_eq!(app.items_of("lead")[0]["version"]["N"], "2", "verified once");
}

#[tokio::test]
async fn concurrent_clicks_on_a_renewed_link_all_succeed() {
    let app = App::start_silent().await;
    for (round, again) in lead_and_renewals(&app, 4).await.iter().enumerate() {
        let clicks = join_all((0..8).map(|_| verify(&app, again))).await;
        assert!(clicks.iter().all(|click| click.status == 200), "round {round}: {clicks:?}");
    }
}

#[tokio::test]
async fn verifying_a_lead_that_another_click_has_verified_is_stale() {
    let app = App::start_silent().await;
    let [ada, again] = lead_and_renewals(&app, 1).await.try_into().unwrap();
    verify(&app, &ada).await.expect(200);
    let (store, by) = (store(&app), UserId::from("test"));
    let read = store.lead(again.parse().unwrap()).await.unwrap();
    store.validate_lead(&read, lambda::now(), &by, None).await.unwrap();
    let before = app.settled().await;
    let second = store.validate_lead(&read, lambda::now(), &by, None).await;
    assert!(matches!(second, Err(Error::Stale)), "{second:?}");
    assert_eq!(app.items(), before);
}

#[tokio::test]
async fn only_the_latest_open_job_can_be_closed() {
    let app = App::start_silent().await;
    let (tenant, first, second) = second_attempt(&app).await;
    let (store, before) = (store(&app), app.settled().await);
    let result = JobResult::unsuccessful(Outcome::Failed, "a test");
    let by = UserId::from("test");
    for (id, attempt) in [(first, 2), (second, 1)] {
        let (kind, phase) = (JobKind::Provision, JobPhase::Build);
        let (opened_from, identity_provider, subscription_id, outcome) = (None, None, None, None);
        let job = JobRef {
            id,
            attempt,
            kind,
            opened_from,
            identity_provider,
            phase,
            subscription_id,
            outcome,
        };
        let change = JobCompletion { job: &job, result: &result, now: lambda::now(), by: &by };
        let refused = store.close_job(tenant, &change).await;
        assert!(matches!(refused, Err(Error::Stale)), "{refused:?}");
    }
    assert_eq!(app.items(), before);
}

#[tokio::test]
async fn a_running_or_closed_job_cannot_be_started_again() {
    let app = App::start_silent().await;
    let (tenant, _, _) = second_attempt(&app).await;
    let (store, before) = (store(&app), app.settled().await);
    for attempt in [1, 2] {
        let refused = store.start_job(tenant, attempt, "execution", "log", lambda::now()).await;
        assert!(matches!(refused, Err(Error::Stale)), "{refused:?}");
    }
    assert_eq!(app.items(), before);
}

#[tokio::test]
async fn a_completed_effect_can_be_neither_claimed_nor_released() {
    let app = App::start().await;
    let (store, lease) = (store(&app), Duration::from_secs(10));
    let (now, later) = (lambda::now(), lambda::now() + lease + Duration::from_secs(1));
    let claim = async |at| store.claim_event("test", "e#1", at, lease).await.unwrap();
    assert_eq!(claim(now).await, Claim::Ours);
    assert_eq!(claim(now).await, Claim::Held(now + lease));
    assert_eq!(claim(later).await, Claim::Ours, "an expired lease can be claimed");
    store.release_event("test", "e#1", later).await.unwrap();
    assert_eq!(claim(later).await, Claim::Ours, "a released claim is free at once");
    store.complete_event("test", "e#1", later).await.unwrap();
    assert!(store.release_event("test", "e#1", later).await.is_err());
    assert_eq!(claim(later + lease).await, Claim::Done);
}

/// Condition of the record that belongs to an idempotency key.
#[tokio::test]
async fn a_request_that_has_lost_its_lease_writes_nothing() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    let new: NewChild<ContactDetails> = read(&contact(&acme)).unwrap();
    let (store, by, now) = (store(&app), UserId::from("test"), lambda::now());
    let child = new.create(now, &by);
    let request = KeyedRequest::new(&[b"caller", b"key"], &[b"body"]);
    let claim = async |at| store.claim_request(request.clone(), at).await.unwrap();
    let RequestClaim::Ours(lost) = claim(now).await else { panic!("not claimed") };
    assert!(matches!(claim(now).await, RequestClaim::Running));
    let later = now + Duration::from_secs(31);
    let RequestClaim::Ours(held) = claim(later).await else { panic!("not claimed again") };

    let before = app.settled().await;
    let answer = RecordedAnswer { status: 204, location: None, version: Some(1), body: None };
    let refused = [
        store.recording(&lost, answer.clone()).add_child(&child, None).await,
        store.record_answer(&lost, answer.clone()).await,
        store.release_request(&lost).await,
    ];
    let in_progress = |refused: &_| matches!(refused, Err(Error::IdempotencyInProgress));
    assert!(refused.iter().all(in_progress), "{refused:?}");
    assert_eq!(app.items(), before);

    store.recording(&held, answer.clone()).add_child(&child, None).await.unwrap();
    assert!(in_progress(&store.release_request(&held).await), "an answer is kept");
    let done = claim(later + Duration::from_secs(31)).await;
    assert!(matches!(done, RequestClaim::Done(recorded) if recorded == answer));
}

/// Returns a contact as it was before a change.
async fn outdated(app: &App, store: &Store) -> Stored<Contact> {
    let acme = app.tenant("acme").await;
    let id = app.create("/contacts", &contact(&acme)).await;
    let (before, _) = store.child::<ContactDetails>(id.parse().unwrap()).await.unwrap();
    let change = json!({ "firstName": "Ada" });
    app.client.patch(&app.operator, &format!("/contacts/{id}"), &change).await.expect(204);
    before
}

#[tokio::test]
async fn a_write_based_on_an_outdated_read_is_stale() {
    let app = App::start().await;
    let (store, now, by) = (store(&app), lambda::now(), UserId::from("test"));
    let child = outdated(&app, &store).await;
    let tenant = store.tenant(child.item.tenant_id).await.unwrap();
    let before = app.settled().await;
    let refused = [
        store.replace_child(&child, &child.item).await,
        store.delete_child(&child, &tenant, now, &by).await,
    ];
    assert!(refused.iter().all(|refused| matches!(refused, Err(Error::Stale))), "{refused:?}");
    assert_eq!(app.items(), before);

    let id = child.item.tenant_id;
    let (tenant, deletion) =
        (store.stored_tenant(id).await.unwrap(), store.tenant_to_delete(id).await.unwrap());
    let path = format!("/tenants/{id}");
    app.client.patch(&app.operator, &path, &json!({ "name": "New" })).await.expect(204);
    let before = app.settled().await;
    let mut renamed = tenant.item.clone();
    renamed.key = read(&json!("other")).unwrap();
    let refused = [
        store.replace_tenant(&tenant, &tenant.item).await,
        store.replace_tenant(&tenant, &renamed).await,
        store.delete_tenant(&deletion, now, &by).await,
    ];
    assert!(refused.iter().all(|refused| matches!(refused, Err(Error::Stale))), "{refused:?}");
    assert_eq!(app.items(), before);
}

#[tokio::test]
async fn renaming_or_deleting_an_outdated_config_is_stale() {
    let app = App::start().await;
    let (store, now, by) = (store(&app), lambda::now(), UserId::from("test"));
    let acme = app.tenant("acme").await;
    let id = app.create("/tenant-configs", &config(&acme, "theme")).await;
    let (outdated, tenant) = store.child::<ConfigDetails>(id.parse().unwrap()).await.unwrap();
    let path = format!("/tenant-configs/{id}");
    app.client.patch(&app.operator, &path, &json!({ "configValue": {} })).await.expect(204);
    let before = app.settled().await;
    let mut renamed = outdated.item.clone();
    renamed.details.config_key = read(&json!("other")).unwrap();
    let refused = [
        store.replace_child(&outdated, &renamed).await,
        store.delete_child(&outdated, &tenant.item, now, &by).await,
    ];
    assert!(refused.iter().all(|refused| matches!(refused, Err(Error::Stale))), "{refused:?}");
    assert_eq!(app.items(), before);
}

#[tokio::test]
async fn deleting_a_tenant_is_stale_if_a_child_has_changed() {
    let app = App::start().await;
    let (store, now, by) = (store(&app), lambda::now(), UserId::from("test"));
    let acme = app.tenant("acme").await;
    let id = app.create("/contacts", &contact(&acme)).await;
    let deletion = store.tenant_to_delete(acme.parse().unwrap()).await.unwrap();
    let change = json!({ "firstName": "Ada" });
    app.client.patch(&app.operator, &format!("/contacts/{id}"), &change).await.expect(204);
    let before = app.settled().await;
    let refused = store.delete_tenant(&deletion, now, &by).await;
    assert!(matches!(refused, Err(Error::Stale)), "{refused:?}");
    assert_eq!(app.items(), before);
}

#[tokio::test]
async fn a_config_key_held_by_another_entity_is_not_released() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    let id = app.create("/tenant-configs", &config(&acme, "theme")).await;
    let mut claim = app.items_of("config-key").remove(0);
    claim["holder"] = json!({ "S": acme });
    app.import(vec![claim.clone()]);
    let path = format!("/tenant-configs/{id}");
    app.client.delete(&app.operator, &path).await.expect(503);
    app.client.patch(&app.operator, &path, &json!({ "configKey": "other" })).await.expect(503);
    assert_eq!(app.items_of("config-key"), [claim]);
    app.read(&path).await;
}
