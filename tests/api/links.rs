//! Links for verified leads: the owner of a mailbox gets back in at every stage of a sign-up.

use local::Fault;
use serde_json::{Value, json};
use support::{App, Options, subscription};

use crate::signup::convert;

const ADA: &str = "ada@acme.test";

/// Asks for a link and returns the email.
async fn ask(app: &App) -> Value {
    app.settle().await;
    let before = app.emails_to(ADA).len();
    let body = json!({ "email": ADA });
    app.client.post_without_token("/leads/resend", &body).await.expect(204);
    app.settle().await;
    assert_eq!(app.emails_to(ADA).len(), before + 1, "one email");
    app.emails_to(ADA).remove(0)
}

/// Opens the link in an email. Returns the lead and its new token.
async fn open(app: &App, mail: &Value) -> (String, String) {
    let link = mail["links"][0].as_str().unwrap();
    let (page, key) = link.split_once("?code=").unwrap();
    let lead = page.rsplit('/').next().unwrap();
    let path = format!("/leads/{lead}/verify");
    let verified = app.client.post(key, &path, &json!(null)).await.expect(200);
    (lead.to_owned(), verified.text("/token"))
}

fn subject(mail: &Value) -> &str {
    mail["subject"].as_str().unwrap()
}

async fn provision(app: &App, tenant: &str, token: &str) {
    let path = format!("/tenants/{tenant}/provision");
    app.client.post(token, &path, &subscription("BASIC")).await.expect(204);
}

#[tokio::test]
async fn at_every_stage_the_email_says_where_the_sign_up_is_and_its_link_goes_on() {
    let app = App::start().await;
    let ada = app.verified_lead(ADA).await;
    let mail = ask(&app).await;
    assert_eq!(subject(&mail), "Continue setting up your workspace on Tenantry");
    let (lead, token) = open(&app, &mail).await;
    assert_eq!(lead, ada.id, "the same lead");
    let acme = convert(&app, &lead, &token).await.expect(200).text("/id");

    let mail = ask(&app).await;
    assert_eq!(subject(&mail), "Choose a plan for your workspace on Tenantry");
    let (_, token) = open(&app, &mail).await;
    provision(&app, &acme, &token).await;
    app.wait_for_status(&acme, 0).await;

    // The tenant is ready: the link leads there, and needs no key.
    let mail = ask(&app).await;
    assert_eq!(subject(&mail), "Your workspace is ready on Tenantry");
    let url = app.read(&format!("/tenants/{acme}/jobs")).await.text("/0/appPlaneUrl");
    assert_eq!(
        (&mail["links"][0], mail["text"].to_string().contains("code=")),
        (&json!(url), false)
    );

    app.client
        .post(&app.operator, &format!("/tenants/{acme}/deprovision"), &json!(null))
        .await
        .expect(204);
    app.wait_for_status(&acme, 5).await;
    let mail = ask(&app).await;
    assert_eq!(subject(&mail), "Your workspace was removed on Tenantry");
    open(&app, &mail).await;
}

#[tokio::test]
async fn a_link_grants_what_the_first_one_did_and_only_for_its_own_tenant() {
    let app = App::start_silent().await;
    let (ada, bob) = (app.verified_lead(ADA).await, app.verified_lead("bob@other.test").await);
    let acme = convert(&app, &ada.id, &ada.token).await.expect(200).text("/id");
    let body = json!({ "key": "other", "domains": ["other.test"] });
    let path = format!("/leads/{}/tenants", bob.id);
    let other = app.client.post(&bob.token, &path, &body).await.expect(200).text("/id");
    provision(&app, &acme, &ada.token).await;
    let mail = ask(&app).await;
    assert_eq!(subject(&mail), "Your workspace is being set up on Tenantry");
    let (_, token) = open(&app, &mail).await;
    assert_eq!(
        app.client.get(&token, &format!("/tenants/{acme}/jobs")).await.expect(200).items().len(),
        1
    );
    app.client.get(&token, &format!("/tenants/{other}/jobs")).await.expect(403);
    app.client.get(&token, &format!("/leads/{}", bob.id)).await.expect(403);
    app.client.get(&token, &format!("/tenants/{acme}")).await.expect(403);
    convert(&app, &ada.id, &token).await.expect(401);

    let key = mail["links"][0].as_str().unwrap().split_once("code=").unwrap().1;
    let foreign = format!("/leads/{}/verify", bob.id);
    app.client.post(key, &foreign, &json!(null)).await.expect(401);
}

#[tokio::test]
async fn a_failed_build_is_mailed_once_to_the_lead_and_the_link_can_retry_it() {
    let app = App::with_options(Options::failing()).await;
    let ada = app.verified_lead(ADA).await;
    let acme = convert(&app, &ada.id, &ada.token).await.expect(200).text("/id");
    provision(&app, &acme, &ada.token).await;
    app.wait_for_status(&acme, 3).await;
    app.settle().await;
    let mails = app.emails_to(ADA);
    assert_eq!(
        (mails.len(), subject(&mails[0])),
        (2, "We couldn't set up your workspace on Tenantry")
    );
    let failure = app.events_of("TENANT_PROVISIONING_FAILURE").remove(0);
    for _ in 0..2 {
        app.invoke("mailer", failure.clone()).await.unwrap();
    }
    assert_eq!(app.emails_to(ADA).len(), 2, "once per job");

    let (_, token) = open(&app, &mails[0]).await;
    app.pipelines_succeed();
    provision(&app, &acme, &token).await;
    app.wait_for_status(&acme, 0).await;
    app.settle().await;
    assert_eq!(subject(&app.emails_to(ADA)[0]), "Acme is ready on Tenantry");
    assert_eq!(app.dead_letters(), 0);
}

#[tokio::test]
async fn events_of_builds_that_arrive_late_are_not_mailed() {
    let app = App::with_options(Options::failing()).await;
    let ada = app.verified_lead(ADA).await;
    let acme = convert(&app, &ada.id, &ada.token).await.expect(200).text("/id");
    for _ in 0..2 {
        provision(&app, &acme, &ada.token).await;
        app.wait_for_status(&acme, 3).await;
        app.settle().await;
    }
    // Delivers an event that was not delivered before, and returns the number of emails.
    let deliver = async |event: &Value, id: &str| {
        let (before, mut late) = (app.emails_to(ADA).len(), event.clone());
        late["detail"]["id"] = json!(id);
        app.invoke("mailer", late).await.unwrap();
        app.emails_to(ADA).len() - before
    };
    let mut failures = app.events_of("TENANT_PROVISIONING_FAILURE");
    failures.sort_by_key(|event| event["detail"]["job"]["attempt"].as_u64());
    let [first, second] = &failures[..] else { panic!("{failures:?}") };
    assert_eq!(deliver(first, "a#1").await, 0, "another job has failed since");
    assert_eq!(deliver(second, "b#1").await, 1);

    app.pipelines_succeed();
    provision(&app, &acme, &ada.token).await;
    app.wait_for_status(&acme, 0).await;
    app.settle().await;
    assert_eq!(deliver(second, "c#1").await, 0, "the tenant was built since");
    let welcome = app.events_of("TENANT_PROVISIONING_SUCCESS").remove(0);
    assert_eq!(deliver(&welcome, "d#1").await, 1);

    let path = format!("/tenants/{acme}");
    app.client.post(&app.operator, &format!("{path}/deprovision"), &json!(null)).await.expect(204);
    app.wait_for_status(&acme, 5).await;
    assert_eq!(deliver(&welcome, "e#1").await, 0, "the tenant was deprovisioned");
    app.client.delete(&app.operator, &path).await.expect(204);
    assert_eq!(deliver(&welcome, "f#1").await, 0, "the tenant was deleted");
    assert_eq!(app.dead_letters(), 0);
}

#[tokio::test]
async fn only_a_lead_was_promised_an_email_about_a_failure() {
    let app = App::with_options(Options::failing()).await;
    let (tenant, _) = app.provisioning("acme", "BASIC").await;
    app.wait_for_status(&tenant.to_string(), 3).await;
    app.settle().await;
    assert_eq!(app.emails().len(), 0);
    let facade =
        App::with_options(Options::failing().variable("LEAD_KEY_IN_RESPONSE", "true")).await;
    let body = support::lead(ADA);
    let made = facade.client.post_without_token("/leads", &body).await.expect(200);
    let path = format!("/leads/{}/verify", made.text("/id"));
    let token = facade.client.post(&made.text("/key"), &path, &json!(null)).await.expect(200);
    let token = token.text("/token");
    let acme = convert(&facade, &made.text("/id"), &token).await.expect(200).text("/id");
    provision(&facade, &acme, &token).await;
    facade.wait_for_status(&acme, 3).await;
    facade.client.post_without_token("/leads/resend", &json!({ "email": ADA })).await.expect(204);
    facade.settle().await;
    let mails = facade.emails_to(ADA);
    assert_eq!(mails.len(), 1, "a facade sends keys, but does not know of failures");
    open(&facade, &mails[0]).await;
}

#[tokio::test]
async fn a_link_works_until_it_expires_however_old_the_lead_is() {
    let app = App::with_variables(&[("VALIDATION_TOKEN_EXPIRY", "3000")]).await;
    let ada = app.verified_lead(ADA).await;
    let path = format!("/leads/{}/verify", ada.id);
    tokio::time::sleep(std::time::Duration::from_millis(3100)).await;
    app.client.post(&app.verification_key(&ada.id), &path, &json!(null)).await.expect(401);
    let mail = ask(&app).await;
    open(&app, &mail).await;
    open(&app, &mail).await;
    tokio::time::sleep(std::time::Duration::from_millis(3100)).await;
    let key = mail["links"][0].as_str().unwrap().split_once("code=").unwrap().1.to_owned();
    app.client.post(&key, &path, &json!(null)).await.expect(401);
    let (issued, mac) = key.split_once('-').unwrap();
    let later = issued.parse::<u64>().unwrap() + 3_600_000;
    for forged in [format!("{later}-{mac}"), format!("{later}-"), format!("-{mac}"), "-".into()] {
        app.client.post(&forged, &path, &json!(null)).await.expect(401);
    }
}

#[tokio::test]
async fn links_are_part_of_the_five_emails_a_day_and_are_issued_once_per_request() {
    let app = App::start_silent().await;
    let ada = app.verified_lead(ADA).await;
    convert(&app, &ada.id, &ada.token).await.expect(200);
    app.settle().await;
    // The first transaction succeeds without an answer, so it is repeated.
    app.local().calls().fail("TransactWriteItems", Fault::LoseAnswers(1));
    ask(&app).await;
    for _ in 0..8 {
        app.client.post_without_token("/leads/resend", &json!({ "email": ADA })).await.expect(204);
    }
    app.settle().await;
    assert_eq!((app.emails_to(ADA).len(), app.dead_letters()), (5, 0));
    assert_eq!(app.events_of("LEAD_LINK_REQUESTED").len(), 4);
    assert_eq!(app.count("/leads").await, 1);
}

#[tokio::test]
async fn signing_up_again_does_not_use_up_the_emails_of_the_owner() {
    let app = App::start_silent().await;
    app.verified_lead(ADA).await;
    for _ in 0..6 {
        app.client.post_without_token("/leads", &support::lead(ADA)).await.expect(409);
    }
    ask(&app).await;
    assert_eq!(app.items_of("mails")[0]["mails"]["N"], "2");
}

#[tokio::test]
async fn a_lead_that_is_not_verified_any_more_gets_no_link() {
    let app = App::start_silent().await;
    app.verified_lead(ADA).await;
    app.settle().await;
    let mut lead = app.items_of("lead").remove(0);
    lead["isValidated"] = json!({ "BOOL": false });
    app.import(vec![lead]);
    let before = app.emails().len();
    app.client.post_without_token("/leads/resend", &json!({ "email": ADA })).await.expect(204);
    app.settle().await;
    assert_eq!(app.emails().len(), before);
    assert_eq!(app.items_of("lead")[0].get("link"), None);
    assert_eq!(app.items_of("resend").len(), 1, "kept until it expires");
}
