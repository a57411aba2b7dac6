//! Limits on abuse by strangers: emails per mailbox, builds per lead, and unreachable addresses.

use std::{collections::BTreeSet, time::Duration};

use serde_json::json;
use support::{App, Options, config, contact, join_all, lead, subscription, tenant};

use crate::signup::{convert, verify};

#[tokio::test]
async fn a_mailbox_gets_at_most_five_sign_up_emails_a_day_in_any_spelling() {
    let app = App::start_silent().await;
    let spellings = ["ada@acme.test", "ADA@Acme.test", "\"ada\"@acme.test", "ada+x@acme.test"];
    let bodies: Vec<_> = spellings.iter().cycle().take(12).map(|email| lead(email)).collect();
    let replies =
        join_all(bodies.iter().map(|body| app.client.post_without_token("/leads", body))).await;
    let ids: BTreeSet<_> =
        replies.iter().map(|reply| reply.clone().expect(200).text("/id")).collect();
    assert_eq!(ids.len(), 12);
    assert!(replies.iter().all(|reply| reply.body.as_object().unwrap().len() == 1));
    app.client.post_without_token("/leads", &lead("bob@acme.test")).await.expect(200);
    app.settle().await;
    assert_eq!(app.emails().len(), 5 + 1, "another mailbox is not limited");
    assert_eq!(app.count("/leads").await, 13, "leads without an email are stored, too");
    assert_eq!(app.events_of("LEAD_CREATED").len(), 13);

    // Leads without an email can still be verified, and resend does not send further emails.
    for id in &ids {
        let request = json!({ "email": "ada@acme.test" });
        app.client.post_without_token("/leads/resend", &request).await.expect(204);
        let read = app.read(&format!("/leads/{id}")).await;
        assert_eq!(read.body.get("unmailed"), None, "not in the response");
    }
    app.settle().await;
    assert_eq!(app.emails().len(), 6);
    let last = ids.last().unwrap();
    verify(&app, last).await.expect(200);
}

#[tokio::test]
async fn sign_up_is_not_limited_when_the_response_contains_the_key() {
    let app = App::with_variables(&[("LEAD_KEY_IN_RESPONSE", "true")]).await;
    for _ in 0..7 {
        let made =
            app.client.post_without_token("/leads", &lead("ada@acme.test")).await.expect(200);
        made.text("/key");
    }
    assert_eq!(app.items_of("mails").len(), 0);
}

#[tokio::test]
async fn unreachable_email_addresses_are_refused_on_every_route() {
    let app = App::start_silent().await;
    let acme = app.tenant("acme").await;
    for wrong in ["a@127.0.0.1", "a@localhost", "a@intranet", "\"<svg onload=alert(1)>\"@acme.test"]
    {
        let mut operator = tenant("other");
        operator["contact"]["email"] = wrong.into();
        let mut of_tenant = contact(&acme);
        of_tenant["email"] = wrong.into();
        for (path, body, at) in [
            ("/leads", lead(wrong), "/email format"),
            ("/leads/resend", json!({ "email": wrong }), "/email format"),
            ("/tenants", operator, "/contact/email format"),
            ("/contacts", of_tenant, "/email format"),
        ] {
            let refused = app.client.post(&app.operator, path, &body).await.expect(422);
            assert_eq!(refused.violations(), [at], "{path} {wrong}");
        }
    }
    for wrong in ["localhost", "com", "169.254.169.254", "mail.local"] {
        let mut body = tenant("other");
        body["domains"] = json!(["acme.test", wrong]);
        let refused = app.client.post(&app.operator, "/tenants", &body).await.expect(422);
        assert_eq!(refused.violations(), ["/domains/1 format"], "{wrong}");
    }
    let twice = ["\"ada\"@acme.test", "ada@acme.test"];
    app.verified_lead(twice[0]).await;
    app.client.post_without_token("/leads", &lead(twice[1])).await.expect(409);
}

#[tokio::test]
async fn a_lead_may_start_five_builds_a_day_and_an_operator_any_number() {
    let app = App::with_options(Options::failing()).await;
    let ada = app.verified_lead("ada@acme.test").await;
    let acme = convert(&app, &ada.id, &ada.token).await.expect(200).text("/id");
    let path = format!("/tenants/{acme}/provision");
    for _ in 0..5 {
        app.client.post(&ada.token, &path, &subscription("PREMIUM")).await.expect(204);
        app.wait_for_status(&acme, 3).await;
    }
    let (before, asked) = (app.settled().await, lambda::now());
    let refused = app.client.post(&ada.token, &path, &subscription("PREMIUM")).await.expect(429);
    assert_eq!(refused.text("/error/code"), "TOO_MANY_BUILDS");
    let message = refused.text("/error/message");
    let next = message.split(' ').next_back().unwrap().trim_end_matches('.');
    let next: schema::Timestamp = next.parse().unwrap();
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((86_000..=86_400).contains(&wait), "{wait}");
    assert!(next.since(asked).as_secs().abs_diff(wait) <= 2, "{message}");
    assert_eq!((app.items(), app.executions()), (before, 5));

    app.client.post(&app.operator, &path, &subscription("PREMIUM")).await.expect(204);
    app.wait_for_status(&acme, 3).await;
    app.client.post(&ada.token, &path, &subscription("PREMIUM")).await.expect(429);

    // A day later, only four builds are within the last 24 hours.
    let mut jobs = app.items_of("job");
    jobs.retain(|job| ["1", "2"].contains(&job["attempt"]["N"].as_str().unwrap()));
    let earlier = lambda::now() - Duration::from_secs(24 * 3600);
    jobs.iter_mut().for_each(|job| job["createdOn"]["S"] = earlier.to_string().into());
    app.import(jobs);
    app.client.post(&ada.token, &path, &subscription("PREMIUM")).await.expect(204);
}

#[tokio::test]
async fn reserved_keys_are_refused_on_every_route() {
    let app = App::with_variables(&[("RESERVED_KEYS", "rival, brand")]).await;
    let ada = app.verified_lead("ada@acme.test").await;
    let acme = format!("/tenants/{}", app.tenant("acme").await);
    let kept = || [app.items_of("tenant"), app.items_of("tenant-key"), app.items_of("lead")];
    app.settle().await;
    let before = kept();
    for key in ["www", "api", "wpad", "postmaster", "none", "pool", "master", "rival", "brand"] {
        let availability = app.client.get("", &format!("/keys/{key}")).await.expect(200).body;
        assert_eq!(availability, json!({ "key": key, "available": false, "reason": "reserved" }));
        let onboard = json!({ "key": key, "domains": ["acme.test"] });
        let whole = json!({ "key": key, "name": "Acme", "domains": ["acme.test"] });
        let (lead, operator) = (&ada.token, &app.operator);
        let replies = [
            app.client.post(lead, &format!("/leads/{}/tenants", ada.id), &onboard).await,
            app.client.post(operator, "/tenants", &tenant(key)).await,
            app.client.patch(operator, &acme, &json!({ "key": key })).await,
            app.client.patch(operator, "/tenants?where={}", &json!({ "key": key })).await,
            app.client.put(operator, &acme, &whole).await,
        ];
        for refused in replies {
            let refused = refused.expect(409);
            assert_eq!(refused.text("/error/code"), "TENANT_KEY_RESERVED", "{key}");
            assert!(refused.text("/error/message").contains(key));
        }
    }
    assert_eq!(kept(), before);
    for free in ["wwww", "apis", "rivals"] {
        let availability = app.client.get("", &format!("/keys/{free}")).await.expect(200).body;
        assert_eq!(availability, json!({ "key": free, "available": true }));
    }
}

#[tokio::test]
async fn a_tenant_keeps_a_key_that_is_reserved_later() {
    let app = App::start_silent().await;
    let id = app.tenant("acme").await;
    let mut items = app.settled().await;
    items.retain(|item| item["id"]["S"] == id.as_str());
    items.iter_mut().for_each(|item| item["key"]["S"] = "www".into());
    app.import(items);
    let path = format!("/tenants/{id}");
    let mut read = app.read(&path).await.body;
    read["name"] = "Renamed".into();
    app.client.put(&app.operator, &path, &read).await.expect(204);
    app.client.patch(&app.operator, &path, &json!({ "key": "acme" })).await.expect(204);
    app.client.patch(&app.operator, &path, &json!({ "key": "www" })).await.expect(409);
}

#[tokio::test]
async fn invisible_names_are_refused() {
    let app = App::start_silent().await;
    let acme = app.tenant("acme").await;
    for blank in ["  ", "\u{200B}\u{FEFF}", "\u{3164}"] {
        let (mut ada, mut theme) = (lead("ada@acme.test"), config(&acme, "theme"));
        ada["firstName"] = blank.into();
        ada["companyName"] = blank.into();
        theme["configKey"] = blank.into();
        let refused = app.client.post_without_token("/leads", &ada).await.expect(422);
        assert_eq!(refused.violations(), ["/firstName pattern", "/companyName pattern"]);
        let refused = app.client.post(&app.operator, "/tenant-configs", &theme).await.expect(422);
        assert_eq!(refused.violations(), ["/configKey pattern"]);
    }
}
