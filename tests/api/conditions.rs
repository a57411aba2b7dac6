//! Conditions of writes that no request can bring about alone, asked of the store itself. Each of
//! these fails where its condition is deleted.

use std::time::Duration;

use serde_json::json;
use shared::{
    Error,
    aws::Aws,
    domain::{
        Closing, ConfigDetails, Contact, ContactDetails, JobId, JobKind, JobRef, Outcome, TenantId,
        UserId, read,
    },
    store::{Change, Claim, Store, Stored},
};
use support::{App, Signed, at_once, config, contact, lead};

use crate::signup::verify;

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
async fn clicks_at_once_on_a_link_that_was_sent_again_all_work() {
    let app = App::silent().await;
    let ada = app.verified_lead("ada@acme.test").await;
    for round in 0..4 {
        let asked = json!({ "email": "ada@acme.test", "leadId": ada.id });
        app.client.post_openly("/leads/resend", &asked).await.expect(204);
        app.settle().await;
        let again = app.read("/leads").await.text("/0/id");
        let clicks = at_once((0..8).map(|_| verify(&app, &again))).await;
        assert!(clicks.iter().all(|click| click.status == 200), "round {round}: {clicks:?}");
    }
}

#[tokio::test]
async fn a_lead_that_was_read_before_another_click_validated_it_is_stale() {
    let app = App::silent().await;
    let ada = app.verified_lead("ada@acme.test").await;
    let asked = json!({ "email": "ada@acme.test", "leadId": ada.id });
    app.client.post_openly("/leads/resend", &asked).await.expect(204);
    app.settle().await;
    let (store, by) = (store(&app), UserId::from("test"));
    let again = app.read("/leads").await.text("/0/id").parse().unwrap();
    let read = store.lead(again).await.unwrap();
    store.validate_lead(&read, shared::now(), &by, None).await.unwrap();
    let before = app.settled().await;
    let second = store.validate_lead(&read, shared::now(), &by, None).await;
    assert!(matches!(second, Err(Error::Stale)), "{second:?}");
    assert_eq!(app.items(), before);
}

#[tokio::test]
async fn a_job_is_closed_only_as_the_latest_and_only_while_it_is_open() {
    let app = App::silent().await;
    let (tenant, first, second) = second_attempt(&app).await;
    let (store, before) = (store(&app), app.settled().await);
    let closing = Closing::badly(Outcome::Failed, "a test");
    let by = UserId::from("test");
    for (id, attempt) in [(first, 2), (second, 1)] {
        let kind = JobKind::Provision;
        let job = JobRef { id, attempt, kind, opened_from: None, outcome: None };
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
    let (store, before) = (store(&app), app.settled().await);
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

/// A contact of a tenant, as it was before somebody changed it.
async fn outdated(app: &App, store: &Store) -> Stored<Contact> {
    let acme = app.tenant("acme").await;
    let id = app.create("/contacts", &contact(&acme)).await;
    let (before, _) = store.child::<ContactDetails>(id.parse().unwrap()).await.unwrap();
    let change = json!({ "firstName": "Ada" });
    app.client.patch(&app.operator, &format!("/contacts/{id}"), &change).await.expect(204);
    before
}

#[tokio::test]
async fn nothing_is_written_over_a_change_that_was_not_read() {
    let app = App::start().await;
    let (store, now, by) = (store(&app), shared::now(), UserId::from("test"));
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
    let (tenant, doomed) =
        (store.stored_tenant(id).await.unwrap(), store.tenant_to_delete(id).await.unwrap());
    let path = format!("/tenants/{id}");
    app.client.patch(&app.operator, &path, &json!({ "name": "New" })).await.expect(204);
    let before = app.settled().await;
    let mut renamed = tenant.item.clone();
    renamed.key = read(&json!("other")).unwrap();
    let refused = [
        store.replace_tenant(&tenant, &tenant.item).await,
        store.replace_tenant(&tenant, &renamed).await,
        store.delete_tenant(&doomed, now, &by).await,
    ];
    assert!(refused.iter().all(|refused| matches!(refused, Err(Error::Stale))), "{refused:?}");
    assert_eq!(app.items(), before);
}

#[tokio::test]
async fn a_config_s_key_is_neither_moved_nor_given_up_after_a_change_that_was_not_read() {
    let app = App::start().await;
    let (store, now, by) = (store(&app), shared::now(), UserId::from("test"));
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
        store.delete_child(&outdated, &tenant, now, &by).await,
    ];
    assert!(refused.iter().all(|refused| matches!(refused, Err(Error::Stale))), "{refused:?}");
    assert_eq!(app.items(), before);
}

#[tokio::test]
async fn a_child_that_changes_while_its_tenant_is_deleted_is_read_again() {
    let app = App::start().await;
    let (store, now, by) = (store(&app), shared::now(), UserId::from("test"));
    let acme = app.tenant("acme").await;
    let id = app.create("/contacts", &contact(&acme)).await;
    let doomed = store.tenant_to_delete(acme.parse().unwrap()).await.unwrap();
    let change = json!({ "firstName": "Ada" });
    app.client.patch(&app.operator, &format!("/contacts/{id}"), &change).await.expect(204);
    let before = app.settled().await;
    let refused = store.delete_tenant(&doomed, now, &by).await;
    assert!(matches!(refused, Err(Error::Stale)), "{refused:?}");
    assert_eq!(app.items(), before);
}

#[tokio::test]
async fn a_claim_that_is_another_s_is_not_given_up() {
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
