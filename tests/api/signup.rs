//! The API behind the sign-up and onboarding pages.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use support::{App, Reply, join_all, lead, subscription};

async fn key(app: &App, key: &str) -> Reply {
    app.send(Method::GET, &format!("/keys/{key}")).await
}

#[tokio::test]
async fn a_key_is_available_until_a_tenant_has_used_it() {
    let app = App::start_silent().await;
    let free = key(&app, "acme").await.expect(200);
    assert_eq!(free.body, json!({ "key": "acme", "available": true }));
    let acme = app.tenant("acme").await;
    assert_eq!(key(&app, "acme").await.expect(200).body["reason"], "taken");
    app.client.delete(&app.operator, &format!("/tenants/{acme}")).await.expect(204);
    assert_eq!(key(&app, "acme").await.expect(200).body["available"], false);
}

#[tokio::test]
async fn an_invalid_key_is_refused() {
    let app = App::with_variables(&[("REDIS_URL", "")]).await;
    app.warm().await;
    for wrong in ["Acme", "ac-me", "elevenchars", "%20", "%FF", "caf%C3%A9"] {
        let refused = key(&app, wrong).await.expect(400);
        assert_eq!(refused.text("/error/name"), "BadRequestError", "{wrong}");
    }
}

#[tokio::test]
async fn key_lookups_and_resend_requests_are_rate_limited() {
    let app = App::with_variables(&[("PUBLIC_API_MAX_ATTEMPTS", "5")]).await;
    for (method, path) in [(Method::GET, "/keys/acme"), (Method::POST, "/leads/resend")] {
        let mut statuses = BTreeSet::new();
        // Twelve calls exceed the limit of two minutes, in case a new minute begins meanwhile.
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
async fn a_resent_email_has_a_working_key_and_the_response_does_not_reveal_the_address() {
    let app = App::start().await;
    let request = json!({ "email": "ADA@acme.test" });
    let first = app.client.post_without_token("/leads", &lead("ada@acme.test")).await.expect(200);
    app.settle().await;
    let known = app.client.post_without_token("/leads/resend", &request).await.expect(204);
    let body = json!({ "email": "nobody@acme.test" });
    let unknown = app.client.post_without_token("/leads/resend", &body).await.expect(204);
    assert_eq!((&known.raw, &unknown.raw), (&String::new(), &String::new()));
    app.settle().await;
    assert_eq!(
        (app.emails_to("ada@acme.test").len(), app.emails_to("nobody@acme.test").len()),
        (2, 0)
    );

    let leads = app.read("/leads").await;
    let again = leads.text("/0/id");
    assert_ne!(again, first.text("/id"));
    let path = format!("/leads/{again}/verify");
    app.client.post(&app.verification_key(&again), &path, &json!(null)).await.expect(200);
}

/// Creates a lead and renews it this often, before it is verified. Returns the IDs, oldest first.
pub(crate) async fn lead_and_renewals(app: &App, renewals: usize) -> Vec<String> {
    let request = json!({ "email": "Ada@acme.test" });
    let lead = app.client.post_without_token("/leads", &lead("ada@acme.test")).await.expect(200);
    let mut leads = vec![lead.text("/id")];
    for _ in 0..renewals {
        app.settle().await;
        app.client.post_without_token("/leads/resend", &request).await.expect(204);
        app.settle().await;
        leads.push(app.read("/leads").await.text("/0/id"));
    }
    leads
}

pub(crate) async fn verify(app: &App, lead: &str) -> Reply {
    let path = format!("/leads/{lead}/verify");
    app.client.post(&app.verification_key(lead), &path, &json!(null)).await
}

/// Returns the IDs of the verified leads.
async fn verified_leads(app: &App) -> Vec<Value> {
    app.settle().await;
    app.read("/leads?filter[where][isValidated]=true").await.each("id")
}

pub(crate) async fn convert(app: &App, lead: &str, token: &str) -> Reply {
    let body = json!({ "key": "acme", "domains": ["acme.test"] });
    app.client.post(token, &format!("/leads/{lead}/tenants"), &body).await
}

#[tokio::test]
async fn a_renewed_lead_takes_over_the_address_until_there_is_a_tenant() {
    let app = App::start().await;
    let [ada, again] = lead_and_renewals(&app, 1).await.try_into().unwrap();
    let first = verify(&app, &ada).await.expect(200).text("/token");
    assert_eq!(verified_leads(&app).await, [json!(ada)], "until the new link is used");
    let token = verify(&app, &again).await.expect(200).text("/token");
    assert_eq!(verified_leads(&app).await, [json!(again)]);
    assert_eq!(app.count("/leads").await, 2);
    convert(&app, &ada, &first).await.expect(401);

    // The first link works until it expires.
    verify(&app, &ada).await.expect(200);
    assert_eq!(verified_leads(&app).await, [json!(ada)]);
    verify(&app, &again).await.expect(200);
    convert(&app, &again, &token).await.expect(200);
    let before = app.settled().await;
    verify(&app, &ada).await.expect(409);
    assert_eq!(app.items(), before);
}

#[tokio::test]
async fn after_conversion_pending_links_for_the_same_email_are_refused() {
    let app = App::start().await;
    let [ada, again] = lead_and_renewals(&app, 1).await.try_into().unwrap();
    let token = verify(&app, &ada).await.expect(200).text("/token");
    convert(&app, &ada, &token).await.expect(200);
    let before = app.settled().await;
    verify(&app, &again).await.expect(409);
    assert_eq!(app.items(), before);
}

#[tokio::test]
async fn of_several_links_used_concurrently_one_lead_is_verified_in_the_end() {
    let app = App::start_silent().await;
    let links = lead_and_renewals(&app, 3).await;
    verify(&app, &links[0]).await.expect(200);
    let replies = join_all(links[1..].iter().map(|lead| verify(&app, lead))).await;
    assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
    let claim = app.items_of("lead-email").remove(0);
    assert_eq!(verified_leads(&app).await, [claim["leadId"]["S"].clone()]);
}

#[tokio::test]
async fn resend_sends_at_most_five_emails_a_day_per_address() {
    let app = App::start_silent().await;
    app.client.post_without_token("/leads", &lead("ada@acme.test")).await.expect(200);
    app.settle().await;
    for email in ["ada@acme.test", "nobody@acme.test"] {
        let request = json!({ "email": email });
        let ask = |_| app.client.post_without_token("/leads/resend", &request);
        let replies = join_all((0..12).map(ask)).await;
        assert!(replies.iter().all(|reply| reply.status == 204 && reply.raw.is_empty()));
    }
    app.settle().await;
    assert_eq!(app.emails_to("ada@acme.test").len(), 5, "the first email counts, too");
    assert_eq!(app.emails_to("nobody@acme.test").len(), 0);
    assert_eq!(app.items_of("mails")[0]["mails"]["N"], "5");
}

#[tokio::test]
async fn a_renewed_lead_keeps_its_data_and_resend_accepts_only_an_address() {
    let app = App::start_silent().await;
    let mut details = lead("ada@acme.test");
    details["address"] = json!({ "city": "Ely", "country": "GB" });
    app.client.post_without_token("/leads", &details).await.expect(200);
    app.settle().await;
    let request = json!({ "email": "ada@acme.test" });
    app.client.post_without_token("/leads/resend", &request).await.expect(204);
    app.settle().await;
    let leads = app.read("/leads?filter[include][0]=address").await;
    assert_eq!(leads.items().len(), 2);
    for name in ["firstName", "lastName", "companyName", "email", "isValidated"] {
        assert_eq!(leads.items()[0][name], leads.items()[1][name], "{name}");
    }
    assert_eq!(leads.text("/0/address/city"), "Ely");
    for wrong in [json!({}), json!({ "email": "x" }), json!({ "email": "a@b.test", "more": 1 })] {
        app.client.post_without_token("/leads/resend", &wrong).await.expect(422);
    }
}

#[tokio::test]
async fn a_lead_can_read_only_the_jobs_of_its_own_tenant() {
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
    // Everything else about a tenant is for operators.
    app.client.get(&ada.token, &format!("/tenants/{acme}")).await.expect(403);
    app.client.get(&ada.token, &format!("/tenants/{acme}/resources")).await.expect(403);
    app.client.get(&ada.token, "/overview").await.expect(403);
}
