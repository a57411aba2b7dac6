//! Retention: unverified leads expire.

use serde_json::{Value, json};
use support::{App, lead};

use crate::signup::{convert, lead_and_renewals, verify};

const DAY: i64 = 24 * 3600;

/// Returns the item of a lead.
fn item(app: &App, id: &str) -> Value {
    app.items_of("lead").into_iter().find(|item| item["id"]["S"] == id).unwrap()
}

/// Returns the days from a lead's last change to its expiry, or `None` if it does not expire.
fn kept(app: &App, id: &str) -> Option<i64> {
    let item = item(app, id);
    let expiry: i64 = item["expiresAt"]["N"].as_str()?.parse().unwrap();
    let changed = item["modifiedOn"]["S"].as_str().unwrap();
    let changed: schema::Timestamp = changed.parse().unwrap();
    Some((expiry - changed.seconds()) / DAY)
}

/// Sets the expiry of leads to one second ago.
pub(crate) fn expire(app: &App, ids: &[&str]) {
    let expired = |id: &&str| {
        let mut item = item(app, id);
        item["expiresAt"] = json!({ "N": (lambda::now().seconds() - 1).to_string() });
        item
    };
    app.import(ids.iter().map(expired).collect());
}

async fn create(app: &App, email: &str) -> String {
    app.client.post_without_token("/leads", &lead(email)).await.expect(200).text("/id")
}

#[tokio::test]
async fn an_expired_lead_is_hidden_at_once_and_not_counted_after_its_deletion() {
    let app = App::start_silent().await;
    let bob = app.verified_lead("bob@acme.test").await;
    let (ada, eve) = (create(&app, "ada@acme.test").await, create(&app, "eve@acme.test").await);
    app.settle().await;
    assert_eq!(app.count("/leads").await, 3);
    expire(&app, &[&ada, &eve]);
    let all = app.read("/leads").await;
    assert_eq!(all.each("id"), [json!(bob.id)]);
    assert_eq!(app.read("/leads?filter[where][email]=ada@acme.test").await.body, json!([]));
    assert_eq!(app.read(&format!("/leads?filter[where][id]={ada}")).await.body, json!([]));
    let some = app.read("/leads/count?where[companyName]=Acme").await;
    assert_eq!(some.body["count"], 1);
    app.client.get(&app.operator, &format!("/leads/{ada}")).await.expect(404);
    verify(&app, &ada).await.expect(404);
    let mails = app.emails().len();
    for body in
        [json!({ "email": "ada@acme.test" }), json!({ "email": "ada@acme.test", "leadId": ada })]
    {
        app.client.post_without_token("/leads/resend", &body).await.expect(204);
    }
    app.settle().await;
    assert_eq!(app.emails().len(), mails);
    let events = app.events().len();

    assert!(app.local().sweep_expired().unwrap() >= 2);
    app.settle().await;
    assert_eq!((app.items_of("lead").len(), app.count("/leads").await), (1, 1));
    assert_eq!(
        (app.events().len(), app.dead_letters()),
        (events, 0),
        "an expiry publishes no event"
    );
    let records = app.local().records("upkeep").unwrap();
    let removed = records.iter().filter(|record| record["eventName"] == "REMOVE").count();
    assert_eq!(removed, 2, "only leads are reported");
    let before = app.items();
    let answer = app.invoke("upkeep", json!({ "Records": records })).await.unwrap();
    assert_eq!((answer["batchItemFailures"].clone(), app.items()), (json!([]), before));
}

#[tokio::test]
async fn a_lead_expires_unless_it_is_verified() {
    for (days, kept_for) in [("", Some(90)), ("1", Some(1)), ("0", None)] {
        let app = App::with_variables(&[("LEAD_RETENTION_DAYS", days)]).await;
        let [ada, again] = lead_and_renewals(&app, 1).await.try_into().unwrap();
        assert_eq!(kept(&app, &ada), kept_for, "{days}");
        let token = verify(&app, &ada).await.expect(200).text("/token");
        assert_eq!((kept(&app, &again), kept(&app, &ada)), (kept_for, None));
        verify(&app, &again).await.expect(200);
        assert_eq!(
            (kept(&app, &again), kept(&app, &ada)),
            (None, kept_for),
            "the renewed lead took over the email"
        );
        verify(&app, &ada).await.expect(200);
        convert(&app, &ada, &token).await.expect(200);
        assert_eq!((kept(&app, &again), kept(&app, &ada)), (kept_for, None));
    }
}
