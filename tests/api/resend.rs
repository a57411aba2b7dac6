//! Resending the verification email: which lead is renewed, and what the response reveals.

use serde_json::{Value, json};
use support::{App, lead};

use crate::signup::{convert, verify};

const ADA: &str = "ada@acme.test";
const COMPANIES: [&str; 5] = ["Acme", "Evil", "Own", "Second", "Third"];

/// Creates a lead with Ada's email address and this company.
async fn lead_of(app: &App, company: &str) -> String {
    let mut body = lead(ADA);
    body["companyName"] = company.into();
    app.client.post_without_token("/leads", &body).await.expect(200).text("/id")
}

async fn resend(app: &App, body: Value) {
    let sent = app.client.post_without_token("/leads/resend", &body).await.expect(204);
    assert_eq!(sent.raw, "");
    app.settle().await;
}

/// Returns the companies named in the emails to Ada, oldest first.
async fn companies(app: &App) -> Vec<String> {
    app.settle().await;
    let named = |mail: &Value| {
        let text = mail["text"].as_str().unwrap();
        let company = COMPANIES.into_iter().find(|company| text.contains(company));
        company.unwrap().to_owned()
    };
    app.emails_to(ADA).iter().rev().map(named).collect()
}

/// Returns the newest lead with this company.
async fn newest(app: &App, company: &str) -> String {
    let filter = json!({ "where": { "companyName": company } });
    app.read(&support::with_query("/leads", "filter", &filter)).await.text("/0/id")
}

#[tokio::test]
async fn a_lead_of_a_stranger_does_not_replace_that_of_the_owner() {
    let app = App::start().await;
    let own = lead_of(&app, "Own").await;
    let evil = lead_of(&app, "Evil").await;
    assert_eq!(companies(&app).await, ["Own", "Evil"]);
    resend(&app, json!({ "email": ADA, "leadId": own })).await;
    assert_eq!(companies(&app).await[2..], ["Own"], "only the lead with this ID");
    resend(&app, json!({ "email": ADA })).await;
    let mut renewed = companies(&app).await.split_off(3);
    renewed.sort();
    assert_eq!(renewed, ["Evil", "Own"], "without an ID, all leads are renewed");

    let again = newest(&app, "Own").await;
    verify(&app, &again).await.expect(200);
    for other in [evil, newest(&app, "Evil").await] {
        verify(&app, &other).await.expect(409);
    }
    verify(&app, &own).await.expect(409);
}

#[tokio::test]
async fn once_an_email_is_verified_only_its_lead_gets_links() {
    let app = App::start().await;
    let evil = lead_of(&app, "Evil").await;
    let own = lead_of(&app, "Own").await;
    let token = verify(&app, &own).await.expect(200).text("/token");
    app.settle().await;
    for asked in [json!({ "email": ADA, "leadId": evil }), json!({ "email": "Ada@ACME.test" })] {
        resend(&app, asked).await;
    }
    assert_eq!(companies(&app).await[2..], ["Own", "Own"]);
    assert_eq!(app.count("/leads").await, 2, "a verified lead is not copied");
    convert(&app, &own, &token).await.expect(200);
    resend(&app, json!({ "email": ADA, "leadId": evil })).await;
    assert_eq!(companies(&app).await[4..], ["Own"], "with a tenant, too");
}

#[tokio::test]
async fn a_lead_is_renewed_only_for_its_own_email_and_within_the_daily_limit() {
    let app = App::start_silent().await;
    let ada = lead_of(&app, "Acme").await;
    let bob = app
        .client
        .post_without_token("/leads", &lead("bob@acme.test"))
        .await
        .expect(200)
        .text("/id");
    app.settle().await;
    let nobody = "019aad7e-5f6b-7a51-8c0d-3f2b1e9a4c60";
    // The ID of another address is ignored: the owner of a mailbox gets a link in any case.
    for (email, id, mails) in
        [("eve@evil.test", &*ada, 0), ("bob@acme.test", &ada, 2), (ADA, &bob, 2), (ADA, nobody, 3)]
    {
        resend(&app, json!({ "email": email, "leadId": id })).await;
        assert_eq!(app.emails_to(email).len(), mails, "{email} {id}");
    }
    for wrong in [json!("x"), json!(5), json!(format!("{{{nobody}}}"))] {
        let body = json!({ "email": ADA, "leadId": wrong });
        let refused = app.client.post_without_token("/leads/resend", &body).await.expect(422);
        assert!(refused.violations()[0].starts_with("/leadId "), "{wrong}");
    }
    // There are two different leads and one email left, which goes to the older lead.
    lead_of(&app, "Second").await;
    app.settle().await;
    resend(&app, json!({ "email": ADA })).await;
    assert_eq!(companies(&app).await, ["Acme", "Acme", "Acme", "Second", "Acme"]);
}

#[tokio::test]
async fn resend_makes_the_same_calls_for_known_and_unknown_addresses() {
    let app = App::start_silent().await;
    let ada = lead_of(&app, "Acme").await;
    app.verified_lead("bob@acme.test").await;
    app.warm().await;
    let mut calls = Vec::new();
    for body in [
        json!({ "email": "nobody@acme.test" }),
        json!({ "email": "nobody@acme.test", "leadId": ada }),
        json!({ "email": "bob@acme.test" }),
        json!({ "email": ADA, "leadId": ada }),
        json!({ "email": ADA }),
        json!({ "email": ADA }),
        json!({ "email": ADA }),
        json!({ "email": ADA }),
        json!({ "email": ADA }),
    ] {
        app.settle().await;
        app.local().calls().clear();
        app.client.post_without_token("/leads/resend", &body).await.expect(204);
        calls.push(app.local().calls().by("leads"));
    }
    assert_eq!(calls[0], ["UpdateItem", "PutItem"], "the rate counter and the request");
    assert!(calls.iter().all(|made| *made == calls[0]), "{calls:?}");
}

#[tokio::test]
async fn a_resend_request_is_processed_once() {
    let app = App::start_silent().await;
    let ada = lead_of(&app, "Acme").await;
    app.settle().await;
    // The first transaction succeeds without an answer, the second fails at first.
    app.local().calls().fail("TransactWriteItems", local::Fault::LoseAnswers(2));
    resend(&app, json!({ "email": ADA, "leadId": ada })).await;
    app.local().calls().fail("TransactWriteItems", local::Fault::RejectNext(5));
    resend(&app, json!({ "email": ADA, "leadId": ada })).await;
    assert_eq!(
        (app.count("/leads").await, app.emails_to(ADA).len(), app.dead_letters()),
        (3, 3, 0)
    );
    assert_eq!(app.items_of("resend"), Vec::<Value>::new(), "the request is deleted");
    let before = app.settled().await;
    let mut records = app.local().records("upkeep").unwrap();
    records.extend(records.clone());
    let answer = app.invoke("upkeep", json!({ "Records": records })).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([]));
    assert_eq!(app.settled().await, before);
}
