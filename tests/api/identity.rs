//! The identity set-up that follows a build, at a fake Keycloak.

use std::time::Duration;

use domain::{Error, TenantId, UserId};
use lambda::aws::Aws;
use serde_json::{Value, json};
use store::Store;
use support::{Options, SignedMessage, eventually, lead, subscription, tenant, with_query};

use crate::{identity_plane::Set, overdue::expire};

/// Returns the names and states of a job's steps.
fn steps(job: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let steps = job["steps"].as_array().unwrap().iter();
    steps.map(|step| format!("{} {}", text(&step["name"]), text(&step["state"]))).collect()
}

#[tokio::test]
async fn a_tenant_is_active_and_welcomed_after_its_identity_set_up() {
    let set = Set::start(Options::succeeding()).await;
    let (tenant, job) = set.app.provisioning("acme", "PREMIUM").await;
    set.app.wait_for_status(&tenant.to_string(), 0).await;
    set.app.settle().await;
    let read = set.app.job(tenant, job).await;
    let expected = [
        "queued succeeded",
        "running succeeded",
        "setting_up_identity succeeded",
        "succeeded succeeded",
    ];
    assert_eq!(steps(&read), expected);
    assert_eq!(read["identityProvider"], "keycloak");
    assert_eq!(set.users("acme"), ["ops@acme.test"]);
    let detail = &set.event()["detail"];
    let told = (&detail["job"]["state"], &detail["job"]["identityProvider"]);
    assert_eq!(told, (&json!("setting_up_identity"), &json!("keycloak")));
    assert_eq!(set.app.emails_to("ops@acme.test").len(), 1);
    assert_eq!((set.app.dead_letters(), set.app.job_secrets().len()), (0, 0));

    // A repeated or late event has no effect: the job is closed.
    let calls = set.keycloak.calls();
    set.app.invoke("identity", set.event()).await.unwrap();
    assert_eq!(set.keycloak.calls(), calls);
}

#[tokio::test]
async fn a_subscription_begins_when_the_identity_set_up_has_succeeded() {
    let set = Set::start(Options::succeeding()).await;
    // The tier BASIC is pooled, but not this plan.
    let plan = set.app.active_plan(&json!({ "isolation": "silo" })).await;
    let tenant = set.app.tenant("acme").await;
    set.app.provision_by_plan(&tenant, &plan).await.expect(204);
    set.app.wait_for_status(&tenant, 0).await;
    set.app.settle().await;
    assert_eq!(set.users("acme"), ["ops@acme.test"]);
    assert_eq!(set.app.events_of("SUBSCRIPTION_ACTIVATED").len(), 1);
    assert_eq!(set.app.items_of("invoice").len(), 1);
}

/// A tenant whose identity set-up failed, and whose subscription waits for it.
async fn waiting_for_identity() -> (Set, TenantId, String) {
    // The variables of Auth0 are missing, which fails the set-up at once.
    let set = Set::with_default(Options::succeeding(), "auth0").await;
    let plan = set.app.active_plan(&json!({ "isolation": "silo" })).await;
    let tenant = set.app.tenant("acme").await;
    set.app.provision_by_plan(&tenant, &plan).await.expect(204);
    set.app.wait_for_status(&tenant, 3).await;
    set.app.settle().await;
    (set, tenant.parse().unwrap(), plan)
}

#[tokio::test]
async fn a_set_up_is_not_resumed_for_a_subscription_that_has_ended() {
    let (set, tenant, plan) = waiting_for_identity().await;
    let subscription = set.app.items_of("subscription")[0]["id"]["S"].as_str().unwrap().to_owned();
    set.app.act_on(&subscription, "cancel", &json!({})).await.expect(200);
    let path = format!("/tenants/{tenant}/identity");
    let refused = set.app.client.post(&set.app.operator, &path, &json!(null)).await.expect(409);
    assert_eq!(refused.text("/error/code"), "SUBSCRIPTION_STATE");
    let message = "The subscription has ended. Provision the tenant again.";
    assert_eq!(refused.text("/error/message"), message);
    assert_eq!(set.status(tenant).await, 3);

    set.app.provision_by_plan(&tenant.to_string(), &plan).await.expect(204);
    set.app.wait_for_status(&tenant.to_string(), 3).await;
    set.app.settle().await;
    assert!(set.resume(tenant, 204).await.is_some(), "the new subscription waits");
}

#[tokio::test]
async fn a_subscription_that_ends_while_a_job_is_prepared_is_noticed() {
    let (set, tenant, _) = waiting_for_identity().await;
    let env = set.app.local().env();
    let store = Store::from_env(&env, &Aws::from_env(&env).unwrap()).unwrap();
    let from = store.tenant_to_build(tenant).await.unwrap();
    let (by, now) = (UserId::from("operator"), lambda::now());
    let failed = &from.jobs[0];
    let job = failed.resume_identity(&from.tenant.item, Vec::new(), None, now, &by).unwrap();
    let current = from.current.as_ref().unwrap();
    let job = job.with_subscription(Some(current.item.id));
    let cancelled = current.item.id.to_string();
    set.app.act_on(&cancelled, "cancel", &json!({})).await.expect(200);
    let opened = store.open_job(&from.tenant, Some(current), &job, "request").await;
    assert!(matches!(opened, Err(Error::Stale)), "{opened:?}");
}

#[tokio::test]
async fn nothing_is_set_up_without_a_provider() {
    let set = Set::with_default(Options::succeeding(), "").await;
    let (tenant, job) = set.app.provisioning("acme", "PREMIUM").await;
    set.app.wait_for_status(&tenant.to_string(), 0).await;
    set.app.settle().await;
    let read = set.app.job(tenant, job).await;
    assert_eq!(steps(&read), ["queued succeeded", "running succeeded", "succeeded succeeded"]);
    assert_eq!(read["identityProvider"], Value::Null);
    let events = set.app.events_of("TENANT_IDENTITY_SETUP").len();
    assert_eq!((set.keycloak.calls(), events), (0, 0));
}

#[tokio::test]
async fn a_configuration_of_the_tenant_decides() {
    for (default, provider, realms) in
        [("", "keycloak", 1), ("auth0", "keycloak", 1), ("keycloak", "none", 0)]
    {
        let set = Set::with_default(Options::succeeding(), default).await;
        let id = set.app.tenant("acme").await;
        for (key, value) in [("identityProvider", provider), ("theme", "auth0"), ("a", "b")] {
            let config = json!({
                "configKey": key, "configValue": { "provider": value }, "tenantId": id,
            });
            set.app.create("/tenant-configs", &config).await;
        }
        let (path, plan) = (format!("/tenants/{id}/provision"), subscription("PREMIUM"));
        let before = set.app.table_calls();
        set.app.client.post(&set.app.operator, &path, &plan).await.expect(204);
        // One more than a tenant without the configuration takes.
        assert_eq!(set.app.table_calls() - before, 3);
        set.app.wait_for_status(&id, 0).await;
        assert_eq!(set.users("acme").len(), realms, "{default} {provider}");
    }
}

#[tokio::test]
async fn an_unknown_provider_is_refused_before_the_build() {
    let set = Set::start(Options::succeeding()).await;
    let id = set.app.tenant("acme").await;
    let value = json!({ "provider": "okta" });
    let config = json!({ "configKey": "identityProvider", "configValue": value, "tenantId": id });
    let config = set.app.create("/tenant-configs", &config).await;
    let path = format!("/tenants/{id}/provision");
    let plan = subscription("BASIC");
    let refused = set.app.client.post(&set.app.operator, &path, &plan).await.expect(422);
    let message = refused.text("/error/details/0/message");
    assert!(message.contains("`identityProvider` must be one of auth0, keycloak"), "{message}");
    assert_eq!(set.status(id.parse().unwrap()).await, 1);

    // A deleted configuration does not count.
    let deleted = format!("/tenant-configs/{config}");
    set.app.client.delete(&set.app.operator, &deleted).await.expect(204);
    set.app.client.post(&set.app.operator, &path, &plan).await.expect(204);
}

#[tokio::test]
async fn refused_data_fails_the_step_and_only_the_step_is_resumed() {
    let set = Set::start(Options::succeeding()).await;
    let mut body = tenant("acme");
    body["contact"]["firstName"] = "Bob & Sally".into();
    let id = set.app.create("/tenants", &body).await;
    let tenant: TenantId = id.parse().unwrap();
    assert_eq!(set.resume(tenant, 409).await, None, "there is nothing to resume yet");
    let job = set.app.provision(tenant, "PREMIUM").await;
    set.app.wait_for_status(&id, 3).await;
    set.app.settle().await;
    let read = set.app.job(tenant, job).await;
    assert_eq!(steps(&read)[2..], ["setting_up_identity failed", "failed failed"]);
    let reason = read["reason"].as_str().unwrap();
    let expected = "The identity set-up failed: keycloak: creating the user: `firstName` was \
                    refused by the identity provider: error-person-name-invalid-character";
    assert_eq!(reason, expected);
    assert_eq!(read["steps"][2]["summary"], reason);
    assert!(set.resources(tenant).await > 0, "the resources are kept");
    assert_eq!(set.app.emails_to("ops@acme.test").len(), 0);
    assert_eq!(set.app.dead_letters(), 0);

    let filter = json!({ "where": { "tenantId": id } });
    let contacts = set.app.read(&with_query("/contacts", "filter", &filter)).await;
    let contact = format!("/contacts/{}", contacts.text("/0/id"));
    let name = json!({ "firstName": "Bob" });
    set.app.client.patch(&set.app.operator, &contact, &name).await.expect(204);
    let (built, kept) = (set.app.executions(), set.resources(tenant).await);
    let again = set.resume(tenant, 204).await.unwrap();
    set.app.wait_for_status(&id, 0).await;
    set.app.settle().await;
    let second = set.app.job(tenant, again).await;
    assert_eq!(steps(&second), ["setting_up_identity succeeded", "succeeded succeeded"]);
    assert_eq!((&second["attempt"], &second["kind"]), (&json!(2), &json!("provision")));
    assert_eq!(second["appPlaneUrl"], read["appPlaneUrl"]);
    assert_eq!((set.app.executions(), set.resources(tenant).await), (built, kept));
    assert_eq!(set.users("acme"), ["ops@acme.test"]);
    assert_eq!(set.app.emails_to("ops@acme.test").len(), 1);
    assert_eq!(set.resume(tenant, 409).await, None, "it is active");

    // The pipeline that built the tenant also takes it down.
    let path = format!("/tenants/{tenant}/deprovision");
    set.app.client.post(&set.app.operator, &path, &json!(null)).await.expect(204);
    set.app.wait_for_status(&id, 5).await;
    assert_eq!(set.resources(tenant).await, 0);
}

#[tokio::test]
async fn an_outage_of_the_provider_ends_at_the_deadline_and_can_be_resumed() {
    let set = Set::start(Options::silent()).await;
    let (tenant, job) = set.stuck().await;
    assert_eq!(set.app.dead_letters(), 1);
    let read = set.app.job(tenant, job).await;
    assert_eq!(steps(&read)[2..], ["setting_up_identity running"]);
    assert_eq!((set.status(tenant).await, set.resources(tenant).await), (json!(2), 1));
    let deadline: schema::Timestamp = read["deadline"].as_str().unwrap().parse().unwrap();
    let left = deadline.since(lambda::now());
    assert!(left > Duration::from_secs(600) && left <= Duration::from_secs(900), "{left:?}");

    set.app.reconcile().await;
    assert_eq!(set.status(tenant).await, 2, "the deadline has not passed");
    expire(&set.app, tenant).await;
    set.app.reconcile().await;
    let read = set.app.job(tenant, job).await;
    assert_eq!(steps(&read)[2..], ["setting_up_identity stopped", "timed_out stopped"]);
    let reason = read["reason"].as_str().unwrap();
    assert!(reason.starts_with("The identity set-up did not succeed before"), "{reason}");
    assert_eq!((set.status(tenant).await, set.resources(tenant).await), (json!(3), 1));

    // A late delivery of the event does not revive the job.
    set.keycloak.repair();
    set.app.invoke("identity", set.event()).await.unwrap();
    assert_eq!((set.status(tenant).await, set.users("acme").len()), (json!(3), 0));
    let again = set.resume(tenant, 204).await.unwrap();
    set.app.wait_for_status(&tenant.to_string(), 0).await;
    assert_eq!(set.app.job(tenant, again).await["appPlaneUrl"], read["appPlaneUrl"]);
    assert_eq!(set.users("acme"), ["ops@acme.test"]);
}

#[tokio::test]
async fn messages_of_the_build_do_not_disturb_the_set_up() {
    let set = Set::start(Options::silent()).await;
    let ids = set.stuck().await;
    let (tenant, job) = ids;
    let before = set.app.settled().await;
    assert_eq!(set.report(ids, 1).await, 204, "a repetition");
    assert_eq!(set.report(ids, 0).await, 409, "a contradiction");
    let step = json!({ "initiatorId": tenant, "type": 0, "progress": { "name": "Too late" } });
    let step = SignedMessage::new(&set.app.keys, tenant, job, &step);
    step.send(&set.app.client).await.expect(204);
    let execution = set.app.job(tenant, job).await["executionId"].as_str().unwrap().to_owned();
    set.app.end_execution(&execution, "FAILED").await;
    let kinds = |items: Vec<Value>| -> Vec<Value> {
        let kept = ["tenant", "job", "resource"];
        let is_kept = |item: &Value| kept.contains(&item["entity"]["S"].as_str().unwrap_or(""));
        items.into_iter().filter(is_kept).collect()
    };
    assert_eq!(kinds(set.app.settled().await), kinds(before));
    let path = format!("/tenants/{tenant}/provision");
    let plan = subscription("PREMIUM");
    set.app.client.post(&set.app.operator, &path, &plan).await.expect(409);

    set.keycloak.repair();
    set.app.invoke("identity", set.event()).await.unwrap();
    assert_eq!(set.status(tenant).await, 0);
}

#[tokio::test]
async fn a_set_up_that_was_not_recorded_is_repeated_without_duplicates() {
    let set = Set::start(Options::silent()).await;
    let (tenant, job) = set.stuck().await;
    set.keycloak.repair();
    // The process ends after the set-up, before the job closes.
    set.app.set_failing("TransactWriteItems", true);
    set.app.invoke("identity", set.event()).await.unwrap_err();
    assert_eq!(set.app.job(tenant, job).await["state"], "setting_up_identity");
    set.app.set_failing("TransactWriteItems", false);
    let [one, other] = [set.event(), set.event()].map(|event| set.app.invoke("identity", event));
    let (one, other) = tokio::join!(one, other);
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    assert_eq!(set.app.job(tenant, job).await["state"], "succeeded");
    assert_eq!(set.users("acme"), ["ops@acme.test"]);
    set.app.settle().await;
    assert_eq!(set.app.events_of("TENANT_PROVISIONING_SUCCESS").len(), 1);
    assert_eq!(set.app.emails_to("ops@acme.test").len(), 1);
}

#[tokio::test]
async fn what_needs_a_person_fails_at_once_and_is_named() {
    let set = Set::with_default(Options::succeeding(), "auth0").await;
    let (tenant, job) = set.app.provisioning("acme", "PREMIUM").await;
    set.app.wait_for_status(&tenant.to_string(), 3).await;
    let reason = set.app.job(tenant, job).await["reason"].clone();
    assert!(reason.as_str().unwrap().contains("is not configured"), "{reason}");

    // A failed job can also be built again, and taken down.
    set.app.provision(tenant, "PREMIUM").await;
    set.app.wait_for_status(&tenant.to_string(), 3).await;
    let path = format!("/tenants/{tenant}/deprovision");
    set.app.client.post(&set.app.operator, &path, &json!(null)).await.expect(204);
    set.app.wait_for_status(&tenant.to_string(), 5).await;
}

#[tokio::test]
async fn a_failed_build_leaves_nothing_to_resume() {
    let set = Set::start(Options::failing()).await;
    let (tenant, _) = set.app.provisioning("acme", "PREMIUM").await;
    set.app.wait_for_status(&tenant.to_string(), 3).await;
    assert_eq!(set.resume(tenant, 409).await, None);
    assert_eq!(set.keycloak.calls(), 0);
}

#[tokio::test]
async fn a_lead_resumes_the_set_up_of_its_own_tenant() {
    let set = Set::start(Options::succeeding()).await;
    let mut person = lead("ada@acme.test");
    person["firstName"] = "Ada <ada>".into();
    let id = set.app.client.post_without_token("/leads", &person).await.expect(200).text("/id");
    let key = set.app.verification_key(&id);
    let verified = set.app.client.post(&key, &format!("/leads/{id}/verify"), &json!(null)).await;
    let token = verified.expect(200).text("/token");
    let body = json!({ "key": "acme", "domains": ["acme.test"] });
    let made = set.app.client.post(&token, &format!("/leads/{id}/tenants"), &body).await;
    let tenant: TenantId = made.expect(200).text("/id").parse().unwrap();
    let path = format!("/tenants/{tenant}/provision");
    set.app.client.post(&token, &path, &subscription("PREMIUM")).await.expect(204);
    set.app.wait_for_status(&tenant.to_string(), 3).await;
    eventually("the mail about the failure", async || {
        (set.app.emails_to("ada@acme.test").len() == 2).then_some(())
    })
    .await;
    let path = format!("/tenants/{tenant}/identity");
    let stranger = set.app.verified_lead("eve@eve.test").await;
    set.app.client.post(&stranger.token, &path, &json!(null)).await.expect(403);
    set.app.client.post(&token, &path, &json!(null)).await.expect(204);
}

#[tokio::test]
async fn events_that_cannot_be_read_are_set_aside() {
    let set = Set::start(Options::silent()).await;
    let envelope =
        |detail: Value| json!({ "detail-type": "TENANT_IDENTITY_SETUP", "detail": detail });
    for poison in [json!([]), json!({}), envelope(json!(1)), envelope(json!({ "version": 1 }))] {
        set.app.invoke("identity", poison).await.unwrap();
    }
    assert_eq!(set.app.dead_letters(), 4);
    let other = json!({ "detail-type": "TENANT_SUSPENDED", "detail": {} });
    set.app.invoke("identity", other).await.unwrap();
    assert_eq!((set.app.dead_letters(), set.keycloak.calls()), (4, 0));
}
