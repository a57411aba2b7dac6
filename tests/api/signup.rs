//! What the pages of sign-up and onboarding ask of the API.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use support::{App, Reply, at_once, lead, subscription};

async fn key(app: &App, key: &str) -> Reply {
    app.send(Method::GET, &format!("/keys/{key}")).await
}

#[tokio::test]
async fn a_key_is_free_until_a_tenant_has_it_and_never_again() {
    let app = App::silent().await;
    let free = key(&app, "acme").await.expect(200);
    assert_eq!(free.body, json!({ "key": "acme", "available": true }));
    let acme = app.tenant("acme").await;
    assert_eq!(key(&app, "acme").await.expect(200).body["reason"], "taken");
    app.client.delete(&app.operator, &format!("/tenants/{acme}")).await.expect(204);
    assert_eq!(key(&app, "acme").await.expect(200).body["available"], false);
}

#[tokio::test]
async fn what_can_be_no_key_is_refused_without_a_look() {
    let app = App::with(&[("REDIS_URL", "")]).await;
    app.warm().await;
    for wrong in ["Acme", "ac-me", "elevenchars", "%20", "%FF", "caf%C3%A9"] {
        let refused = key(&app, wrong).await.expect(400);
        assert_eq!(refused.text("/error/name"), "BadRequestError", "{wrong}");
    }
}

#[tokio::test]
async fn looking_at_keys_and_asking_for_mails_is_limited() {
    let app = App::with(&[("PUBLIC_API_MAX_ATTEMPTS", "5")]).await;
    for (method, path) in [(Method::GET, "/keys/acme"), (Method::POST, "/leads/resend")] {
        let mut statuses = BTreeSet::new();
        // Twelve calls are more than two minutes' worth, so the turn of a minute changes nothing.
        for _ in 0..12 {
            let body = json!({ "email": "nobody@acme.test" });
            let call = app.client.send(method.clone(), path, |request| request.json(&body)).await;
            assert_eq!(call.header("x-ratelimit-limit"), "5");
            statuses.insert(call.status);
        }
        assert!(statuses.contains(&429), "{path}: {statuses:?}");
    }
}

#[tokio::test]
async fn another_mail_has_a_key_that_works_and_the_answer_does_not_say_who_is_known() {
    let app = App::start().await;
    let asked = json!({ "email": "ADA@acme.test" });
    let first = app.client.post_openly("/leads", &lead("ada@acme.test")).await.expect(200);
    app.settle().await;
    let known = app.client.post_openly("/leads/resend", &asked).await.expect(204);
    let body = json!({ "email": "nobody@acme.test" });
    let unknown = app.client.post_openly("/leads/resend", &body).await.expect(204);
    assert_eq!((&known.raw, &unknown.raw), (&String::new(), &String::new()));
    app.settle().await;
    assert_eq!(
        (app.mails_to("ada@acme.test").len(), app.mails_to("nobody@acme.test").len()),
        (2, 0)
    );

    let leads = app.read("/leads").await;
    let again = leads.text("/0/id");
    assert_ne!(again, first.text("/id"));
    let path = format!("/leads/{again}/verify");
    app.client.post(&app.lead_key(&again), &path, &json!(null)).await.expect(200);
}

/// The newest lead of this e-mail, once another mail was asked for.
async fn asked_again(app: &App, email: &str) -> String {
    app.client.post_openly("/leads/resend", &json!({ "email": email })).await.expect(204);
    app.settle().await;
    app.read("/leads").await.text("/0/id")
}

pub(crate) async fn verify(app: &App, lead: &str) -> Reply {
    let path = format!("/leads/{lead}/verify");
    app.client.post(&app.lead_key(lead), &path, &json!(null)).await
}

/// The leads that are validated.
async fn validated(app: &App) -> Vec<Value> {
    app.settle().await;
    app.read("/leads?filter[where][isValidated]=true").await.each("id")
}

pub(crate) async fn become_tenant(app: &App, lead: &str, token: &str) -> Reply {
    let body = json!({ "key": "acme", "domains": ["acme.test"] });
    app.client.post(token, &format!("/leads/{lead}/tenants"), &body).await
}

#[tokio::test]
async fn who_is_verified_and_has_no_tenant_gets_another_way_in() {
    let app = App::start().await;
    let ada = app.verified_lead("ada@acme.test").await;
    let again = asked_again(&app, "Ada@acme.test").await;
    assert_ne!(again, ada.id);
    assert_eq!(validated(&app).await, [json!(ada.id)], "until the new link is followed");
    let token = verify(&app, &again).await.expect(200).text("/token");
    assert_eq!(validated(&app).await, [json!(again)]);
    assert_eq!(app.count("/leads").await, 2);
    become_tenant(&app, &ada.id, &ada.token).await.expect(401);

    // The first link works as long as it is good.
    verify(&app, &ada.id).await.expect(200);
    assert_eq!(validated(&app).await, [json!(ada.id)]);
    verify(&app, &again).await.expect(200);
    become_tenant(&app, &again, &token).await.expect(200);
    let before = app.settled().await;
    verify(&app, &ada.id).await.expect(409);
    assert_eq!(app.items(), before);

    let mails = app.mails_to("ada@acme.test").len();
    asked_again(&app, "ada@acme.test").await;
    assert_eq!(app.mails_to("ada@acme.test").len(), mails, "who has a tenant needs none");
}

#[tokio::test]
async fn a_lead_that_becomes_a_tenant_keeps_its_address_from_mails_that_are_under_way() {
    let app = App::start().await;
    let ada = app.verified_lead("ada@acme.test").await;
    let again = asked_again(&app, "ada@acme.test").await;
    become_tenant(&app, &ada.id, &ada.token).await.expect(200);
    let before = app.settled().await;
    verify(&app, &again).await.expect(409);
    assert_eq!(app.items(), before);
}

#[tokio::test]
async fn of_links_that_are_followed_at_once_one_has_the_address_in_the_end() {
    let app = App::silent().await;
    let mut links = vec![app.verified_lead("ada@acme.test").await.id];
    for _ in 0..3 {
        links.push(asked_again(&app, "ada@acme.test").await);
    }
    let followed = at_once(links[1..].iter().map(|lead| verify(&app, lead))).await;
    assert!(followed.iter().all(|reply| reply.status == 200), "{followed:?}");
    let claim = app.items_of("lead-email").remove(0);
    assert_eq!(validated(&app).await, [claim["leadId"]["S"].clone()]);
}

#[tokio::test]
async fn an_address_gets_five_mails_a_day_whoever_asks_and_no_answer_tells() {
    let app = App::silent().await;
    app.client.post_openly("/leads", &lead("ada@acme.test")).await.expect(200);
    app.settle().await;
    for email in ["ada@acme.test", "nobody@acme.test"] {
        let asked = json!({ "email": email });
        let ask = |_| app.client.post_openly("/leads/resend", &asked);
        let replies = at_once((0..12).map(ask)).await;
        assert!(replies.iter().all(|reply| reply.status == 204 && reply.raw.is_empty()));
    }
    app.settle().await;
    assert_eq!(app.mails_to("ada@acme.test").len(), 5, "the first one counts too");
    assert_eq!(app.mails_to("nobody@acme.test").len(), 0);
    assert_eq!(app.items_of("mails")[0]["mails"]["N"], "5");
}

#[tokio::test]
async fn asking_again_keeps_what_was_said_and_takes_an_address_alone() {
    let app = App::silent().await;
    let mut wish = lead("ada@acme.test");
    wish["address"] = json!({ "city": "Ely", "country": "GB" });
    app.client.post_openly("/leads", &wish).await.expect(200);
    app.settle().await;
    let asked = json!({ "email": "ada@acme.test" });
    app.client.post_openly("/leads/resend", &asked).await.expect(204);
    app.settle().await;
    let leads = app.read("/leads?filter[include][0]=address").await;
    assert_eq!(leads.items().len(), 2);
    for name in ["firstName", "lastName", "companyName", "email", "isValidated"] {
        assert_eq!(leads.items()[0][name], leads.items()[1][name], "{name}");
    }
    assert_eq!(leads.text("/0/address/city"), "Ely");
    for wrong in [json!({}), json!({ "email": "x" }), json!({ "email": "a@b.test", "more": 1 })] {
        app.client.post_openly("/leads/resend", &wrong).await.expect(422);
    }
}

#[tokio::test]
async fn a_lead_follows_the_jobs_of_its_own_tenant_alone() {
    let app = App::start().await;
    let (ada, bob) =
        (app.verified_lead("ada@acme.test").await, app.verified_lead("bob@other.test").await);
    let body = json!({ "key": "acme", "domains": ["acme.test"] });
    let path = format!("/leads/{}/tenants", ada.id);
    let acme = app.client.post(&ada.token, &path, &body).await.expect(200).text("/id");
    let provision = format!("/tenants/{acme}/provision");
    let opened = app.client.post(&ada.token, &provision, &subscription("BASIC")).await.expect(204);
    let job = opened.header("location").to_owned();
    let jobs = format!("/tenants/{acme}/jobs");
    assert_eq!(app.client.get(&ada.token, &jobs).await.expect(200).items().len(), 1);
    app.client.get(&ada.token, &job).await.expect(200);
    for path in [&jobs, &job] {
        app.client.get(&bob.token, path).await.expect(403);
    }
    // What else there is of a tenant is for operators.
    app.client.get(&ada.token, &format!("/tenants/{acme}")).await.expect(403);
    app.client.get(&ada.token, &format!("/tenants/{acme}/resources")).await.expect(403);
    app.client.get(&ada.token, "/overview").await.expect(403);
}
