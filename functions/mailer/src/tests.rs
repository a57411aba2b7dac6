use std::time::Duration;

use domain::{
    EventJob, EventLead, EventTenant, EventType, LeadId, LeadLink, Retention, Stage, Subscription,
    Tenant, TenantId,
};
use lambda::{Env, Payload, aws::Aws, keys::MasterKeys};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::{
    Mailer,
    mail::{Mail, MailContent},
    notice_words::SubscriptionNotice,
    writer::Writer,
};

const HOSTILE: &str = "<img src=x onerror=alert(1)>\u{202E}\"'& http://evil.test";

/// An environment whose endpoint refuses connections.
fn env(more: &[(&str, &str)]) -> Env {
    let base = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("TABLE_NAME", "Table"),
        ("EVENT_FAILURES_URL", "http://127.0.0.1:1/1/failures"),
        ("MASTER_KEYS", "master-key-of-32-bytes-at-the-least"),
        ("FROM_EMAIL", "noreply@tenantry.test"),
        ("APP_VALIDATE_URL", "https://api.test/validate/"),
        ("APP_LOGIN_URL", "https://login.test/?a=1&b=2"),
    ];
    base.iter().chain(more).copied().collect()
}

async fn writer(more: &[(&str, &str)]) -> Writer {
    let env = env(more);
    Writer::from_env(&env, &Aws::from_env(&env).unwrap()).await.unwrap()
}

fn lead(name: &str) -> EventLead {
    let lead = json!({
        "id": LeadId::generate(), "firstName": name, "lastName": "Lovelace", "companyName": "Acme & Co.",
        "email": "ada@acme.test", "address": null,
    });
    serde_json::from_value(lead).unwrap()
}

fn tenant() -> EventTenant {
    let (time, id) = ("2026-11-23T17:54:06.859Z", TenantId::generate());
    let contact = |email: &str, primary: bool| {
        json!({
            "id": TenantId::generate(), "firstName": "Ada", "lastName": "Lovelace", "email": email,
            "isPrimary": primary, "type": null, "tenantId": id, "createdOn": time,
            "modifiedOn": time, "createdBy": "x", "modifiedBy": "x", "deleted": false,
            "deletedOn": null, "deletedBy": null,
        })
    };
    let tenant = json!({
        "id": id, "key": "acme", "name": "Acme", "status": 2, "domains": ["acme.test"],
        "leadId": null, "address": null,
        "contacts": [contact("bob@acme.test", false), contact("ada@acme.test", true)],
    });
    serde_json::from_value(tenant).unwrap()
}

fn job(app_plane_url: Option<&str>) -> EventJob {
    let job = json!({
        "id": TenantId::generate(), "attempt": 1, "kind": "provision", "tier": "PREMIUM",
        "isolation": "silo", "state": "succeeded", "reason": null, "appPlaneUrl": app_plane_url,
    });
    serde_json::from_value(job).unwrap()
}

fn built_in(mail: &Mail) -> (&str, &str, &str) {
    let MailContent::BuiltIn { subject, html, text } = &mail.content else {
        panic!("content of a custom template")
    };
    (subject, html, text)
}

#[tokio::test]
async fn the_verification_email_has_a_link_and_its_expiry() {
    let lead = lead("Ada");
    let writer = writer(&[("APP_NAME", "Rocket")]).await;
    let mail = writer.verification(&lead, lambda::now()).unwrap().unwrap();
    assert_eq!(mail.to.as_str(), "ada@acme.test");

    let env = env(&[]);
    let keys = MasterKeys::load(&env, &Aws::from_env(&env).unwrap()).await.unwrap();
    let key = keys.lead_key(lead.id, 32);
    let key = key.expose_secret();
    let link = format!("https://api.test/validate/{}?code={key}", lead.id);
    let until = crate::words::date(lead.id.created_at().unwrap() + Duration::from_secs(86_400));
    let (subject, html, text) = built_in(&mail);
    insta::assert_snapshot!(subject, @"Confirm your email address for Rocket");
    insta::assert_snapshot!(text.replace(&link, "<link>").replace(&until, "<until>"), @r#"
    Confirm your email address

    Hi Ada, thanks for signing up for Rocket.
    Confirm your email address to set up the workspace for Acme & Co.:

    <link>

    This link expires on <until>.
    If you didn't sign up, you can ignore this email.
    "#);
    assert!(html.contains(&format!("<a href=\"{link}\"")) && html.contains(&until));
    assert!(html.contains("Hi <bdi>Ada</bdi>,") && html.contains("<bdi>Acme &#38; Co.</bdi>"));
}

#[tokio::test]
async fn the_welcome_email_goes_to_the_primary_contact() {
    let writer = writer(&[]).await;
    let job = job(Some("https://acme.app.test/?x=1&y=2"));
    let mail = writer.welcome(&tenant(), Some(&job)).unwrap().unwrap();
    assert_eq!(mail.to.as_str(), "ada@acme.test");
    let (subject, html, text) = built_in(&mail);
    insta::assert_snapshot!(subject, @"Acme is ready on Tenantry");
    insta::assert_snapshot!(text, @r#"
    Your workspace is ready

    Hi Ada, your workspace Acme (acme) on Tenantry is ready to use:

    https://acme.app.test/?x=1&y=2

    Sign in at https://login.test/?a=1&b=2
    "#);
    assert!(html.contains("<a href=\"https://acme.app.test/?x=1&#38;y=2\""));
    assert!(html.contains("<a href=\"https://login.test/?a=1&#38;b=2\""));
}

#[tokio::test]
async fn a_tenant_without_a_url_is_linked_to_the_login_page() {
    let mail = writer(&[]).await.welcome(&tenant(), Some(&job(None))).unwrap().unwrap();
    let (_, html, text) = built_in(&mail);
    assert_eq!(text.matches("https://login.test/?a=1&b=2").count(), 1);
    assert!(html.contains("<a href=\"https://login.test/?a=1&#38;b=2\" style=\"display"));
}

#[tokio::test]
async fn only_a_url_that_a_person_can_open_becomes_a_link() {
    let writer = writer(&[]).await;
    for text in ["redirectUrl", "javascript:alert(1)", "https://a.test/\n\nPay: https://b.test"] {
        let link = LeadLink {
            issued_on: lambda::now(),
            stage: Stage::Ready,
            app_plane_url: Some(text.to_owned()),
        };
        for mail in [
            writer.welcome(&tenant(), Some(&job(Some(text)))).unwrap().unwrap(),
            writer.link(&lead("Ada"), &link, lambda::now()).unwrap().unwrap(),
        ] {
            let (_, html, body) = built_in(&mail);
            assert!(!html.contains(text) && !body.contains(text), "{body}");
            assert!(body.contains("https://login.test/?a=1&b=2"), "{body}");
        }
    }
}

#[tokio::test]
async fn a_link_email_says_where_the_sign_up_is_and_when_the_link_expires() {
    let (writer, lead, now) = (writer(&[]).await, lead("Ada"), lambda::now());
    let mail = |stage, url: Option<&str>| {
        let link = LeadLink { issued_on: now, stage, app_plane_url: url.map(str::to_owned) };
        writer.link(&lead, &link, now).unwrap().unwrap()
    };
    let until = crate::words::date(now + Duration::from_secs(86_400));
    let failed = mail(Stage::Failed, None);
    let (subject, html, text) = built_in(&failed);
    let start = format!("https://api.test/validate/{}?code={}-", lead.id, now.millis());
    let link = text.split_whitespace().find(|word| word.starts_with(&start)).unwrap().to_owned();
    insta::assert_snapshot!(subject, @"We couldn't set up your workspace on Tenantry");
    insta::assert_snapshot!(text.replace(&link, "<link>").replace(&until, "<until>"), @r#"
    We couldn't set up your workspace

    Hi Ada, we couldn't set up the workspace for Acme & Co.. Your details are saved, so you can try again.

    <link>

    This link expires on <until>.
    After that, you can request a new one on the same page.
    "#);
    assert!(html.contains(&link) && html.contains("<bdi>Acme &#38; Co.</bdi>. Your details"));
    let failure = writer.failure(&lead, now).unwrap();
    assert_eq!(built_in(&failure).2, text, "a failed build sends the same email");

    for (url, shown) in [
        (Some("https://a.test/?x=1&y=2"), "https://a.test/?x=1&y=2"),
        (None, "https://login.test/?a=1&b=2"),
    ] {
        let mail = mail(Stage::Ready, url);
        let (_, _, text) = built_in(&mail);
        assert!(
            text.contains(shown) && !text.contains("code=") && !text.contains("expires"),
            "{text}"
        );
    }
    for stage in
        [Stage::Verified, Stage::Planning, Stage::Building, Stage::Suspended, Stage::Removed]
    {
        let mail = mail(stage, None);
        let (subject, _, text) = built_in(&mail);
        assert!(subject.ends_with(" on Tenantry") && text.contains(&link), "{text}");
    }
}

#[tokio::test]
async fn hostile_names_are_shown_as_text() {
    for template in [None, Some("theirs")] {
        let writer = writer(&[("VERIFICATION_TEMPLATE", template.unwrap_or_default())]).await;
        let mail = writer.verification(&lead(HOSTILE), lambda::now()).unwrap().unwrap();
        let (html, rest) = match &mail.content {
            MailContent::BuiltIn { html, text, .. } => (html.clone(), text.clone()),
            MailContent::Template { data, .. } => {
                (data["firstName"].as_str().unwrap().to_owned(), data.to_string())
            }
        };
        assert!(!html.contains("<img") && !html.contains("alert(1)>"), "{html}");
        for part in [html, rest] {
            assert!(!part.contains('\u{202E}') && !part.contains("http://evil"), "{part}");
        }
    }
}

#[tokio::test]
async fn a_custom_template_gets_every_value_as_html_and_as_text() {
    let writer = writer(&[("VERIFICATION_TEMPLATE", "verify"), ("WELCOME_TEMPLATE", "hi")]).await;
    let verification = writer.verification(&lead("Ada"), lambda::now()).unwrap().unwrap();
    let welcome = writer.welcome(&tenant(), None).unwrap().unwrap();
    let data = |mail: &Mail| match &mail.content {
        MailContent::Template { name, data } => (name.clone(), data.clone()),
        MailContent::BuiltIn { .. } => panic!("built-in content"),
    };
    let (name, values) = data(&verification);
    assert_eq!((name.as_str(), &values["companyName"]), ("verify", &json!("Acme &#38; Co.")));
    assert_eq!(values["companyNameText"], "Acme & Co.");
    let names = |values: &Value| values.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    insta::assert_snapshot!(names(&values).join(" "), @"appName appNameText companyName companyNameText firstName firstNameText link linkText validUntil validUntilText");
    let (name, values) = data(&welcome);
    assert_eq!(name, "hi");
    insta::assert_snapshot!(names(&values).join(" "), @"appName appNameText firstName firstNameText link linkText loginUrl loginUrlText tenantKey tenantKeyText tenantName tenantNameText");
    assert!(verification.content().unwrap().template().is_some());
}

#[tokio::test]
async fn emails_about_the_progress_can_have_a_template_of_their_own() {
    let (writer, now) = (writer(&[("PROGRESS_TEMPLATE", "progress")]).await, lambda::now());
    let ready = LeadLink { issued_on: now, stage: Stage::Ready, app_plane_url: None };
    let until = crate::words::date(now + Duration::from_secs(86_400));
    for (mail, heading, shown) in [
        (writer.failure(&lead("Ada"), now).unwrap(), "We couldn't set up your workspace", &*until),
        (writer.link(&lead("Ada"), &ready, now).unwrap().unwrap(), "Your workspace is ready", ""),
    ] {
        let MailContent::Template { name, data } = &mail.content else {
            panic!("built-in content")
        };
        assert_eq!((name.as_str(), &data["headingText"]), ("progress", &json!(heading)));
        assert_eq!(
            (&data["validUntil"], &data["companyName"]),
            (&json!(shown), &json!("Acme &#38; Co."))
        );
        let message = data["messageText"].as_str().unwrap();
        assert!(message.contains("the workspace for Acme & Co."), "{message}");
        assert!(data["buttonText"].is_string() && data["linkText"].is_string());
    }
}

#[tokio::test]
async fn an_expired_key_or_one_that_a_facade_sends_is_not_emailed() {
    let (lead, day) = (lead("Ada"), Duration::from_secs(86_400));
    let created = lead.id.created_at().unwrap();
    let default = writer(&[]).await;
    assert!(default.verification(&lead, created + day).unwrap().is_some());
    assert!(
        default.verification(&lead, created + day + Duration::from_millis(1)).unwrap().is_none()
    );
    let link = LeadLink { issued_on: created, stage: Stage::Verified, app_plane_url: None };
    assert!(default.link(&lead, &link, created + day).unwrap().is_some());
    let late = created + day + Duration::from_millis(1);
    assert!(default.link(&lead, &link, late).unwrap().is_none());
    let facade = writer(&[("LEAD_KEY_IN_RESPONSE", "true")]).await;
    assert!(facade.verification(&lead, created).unwrap().is_none());
    assert!(facade.link(&lead, &link, created).unwrap().is_none());
}

#[tokio::test]
async fn an_event_without_an_email_makes_no_calls() {
    let mailer = Mailer::new(&env(&[("LEAD_KEY_IN_RESPONSE", "true")])).await.unwrap();
    let created = json!({
        "version": 1, "id": "x#1", "time": "2026-11-23T17:54:06.859Z", "lead": lead("Ada"),
    });
    for (kind, detail) in
        [("LEAD_CREATED", created), ("TENANT_PROVISIONING", json!({})), ("Weather", json!(1))]
    {
        let event = json!({ "detail-type": kind, "detail": detail }).to_string();
        let event: Payload = serde_json::from_str(&event).unwrap();
        mailer.handle(event).await.unwrap();
    }
}

#[tokio::test]
async fn the_error_names_a_missing_or_malformed_variable() {
    for (name, value) in [("FROM_EMAIL", "nobody"), ("APP_LOGIN_URL", "/login"), ("TABLE_NAME", "")]
    {
        let error = Mailer::new(&env(&[(name, value)])).await.unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
}

/// Returns a tenant with this status and suspension.
fn stored(status: u8, suspension: Value) -> Tenant {
    let time = "2026-11-23T17:54:06.859Z";
    let mut tenant = json!({
        "id": TenantId::generate(), "key": "acme", "name": "Acme", "status": status, "domains": ["acme.test"],
        "leadId": null, "spocUserId": null, "address": null, "latestJob": null, "createdOn": time,
        "modifiedOn": time, "createdBy": "x", "modifiedBy": "x", "deleted": false, "deletedOn": null,
        "deletedBy": null,
    });
    if suspension.is_object() {
        tenant["suspension"] = suspension;
    }
    serde_json::from_value(tenant).unwrap()
}

fn suspension(reason: &str, note: &str) -> Value {
    json!({ "reason": reason, "note": note, "since": "2026-11-23T17:54:06.859Z", "by": "operator" })
}

#[tokio::test]
async fn the_emails_about_a_suspension_say_why_and_what_to_do() {
    let (writer, contact) = (writer(&[]).await, tenant().contacts.pop().unwrap());
    let note = "Closed until <b>spring</b>";
    let mail = writer.standing(&stored(6, suspension("request", note)), &contact).unwrap();
    assert_eq!(mail.to.as_str(), "ada@acme.test");
    let (subject, html, text) = built_in(&mail);
    insta::assert_snapshot!(subject, @"Your workspace is suspended: Acme on Tenantry");
    insta::assert_snapshot!(text, @r#"
    Your workspace is suspended

    Hi Ada, your workspace Acme (acme) on Tenantry is suspended, as you requested. Its data is kept. Contact us to use it again.

    Note: Closed until <b>spring</b>

    https://login.test/?a=1&b=2
    "#);
    assert!(html.contains("Note: <bdi>Closed until &#60;b&#62;spring"), "{html}");
    for reason in ["non_payment", "trial_ended", "expired", "cancelled", "abuse", "other"] {
        let tenant = stored(6, suspension(reason, "x"));
        let mail = writer.standing(&tenant, &contact).unwrap();
        assert!(built_in(&mail).2.contains("Its data is kept. "), "{reason}");
    }
    let mut leaving = suspension("cancelled", "x");
    leaving["deprovisionOn"] = json!("2026-12-23T17:54:06.859Z");
    let mail = writer.standing(&stored(6, leaving), &contact).unwrap();
    let text = built_in(&mail).2.lines().nth(2).unwrap();
    insta::assert_snapshot!(text, @"Hi Ada, your workspace Acme (acme) on Tenantry is suspended because its subscription was cancelled. Its data is deleted on 23 December 2026, 17:54 UTC. Choose a plan before that day to use it again.");
    let mail = writer.standing(&stored(0, Value::Null), &contact).unwrap();
    let (subject, _, text) = built_in(&mail);
    insta::assert_snapshot!(subject, @"Your workspace is active again: Acme on Tenantry");
    insta::assert_snapshot!(text, @r#"
    Your workspace is active again

    Hi Ada, your workspace Acme (acme) on Tenantry is active again. You can use it as before.

    https://login.test/?a=1&b=2
    "#);
}

#[tokio::test]
async fn a_suspension_can_have_templates_of_its_own() {
    let own = [("SUSPENDED_TEMPLATE", "locked"), ("REACTIVATED_TEMPLATE", "unlocked")];
    let (writer, contact) = (writer(&own).await, tenant().contacts.pop().unwrap());
    let suspended = stored(6, suspension("non_payment", "x"));
    for (tenant, template, reason) in
        [(suspended, "locked", "non_payment"), (stored(0, Value::Null), "unlocked", "")]
    {
        let mail = writer.standing(&tenant, &contact).unwrap();
        let MailContent::Template { name, data } = &mail.content else {
            panic!("built-in content")
        };
        assert_eq!((name.as_str(), &data["reason"]), (template, &json!(reason)));
        let names: Vec<_> = data.as_object().unwrap().keys().map(String::as_str).collect();
        let names: Vec<_> = names.into_iter().filter(|name| !name.ends_with("Text")).collect();
        assert_eq!(
            names.join(" "),
            "appName deletedOn firstName link note reason tenantKey tenantName"
        );
    }
}

/// Returns a subscription to the plan "Premium" in this phase.
fn subscription(phase: &str, with: &[(&str, Value)]) -> Subscription {
    let (time, id) = ("2026-11-23T17:54:06.859Z", TenantId::generate().to_string());
    let mut subscription = json!({
        "id": id, "tenantId": id, "phase": phase, "trialDays": 14, "anchorDay": null, "metaData": null,
        "autoRenew": null, "trialEndsOn": null, "trialNoticeOn": null, "cancelAtPeriodEnd": false,
        "cancelReason": null, "pendingChange": null, "pastDueSince": null, "graceEndsOn": null,
        "overdue": [], "adjustments": [], "reactivateOn": null, "endedOn": null,
        "currentPeriod": { "start": time, "end": "2026-12-07T00:00:00.000Z" },
        "plan": {
            "planId": id, "revision": 1, "name": "Premium", "tier": "PREMIUM", "isolation": "silo",
            "price": "49.9", "currencyCode": "EUR", "trialDays": 14, "graceDays": 7,
            "billingCycle": { "duration": 3, "durationUnit": "month" },
            "effectOfNonPayment": "suspend", "features": {},
        },
        "createdOn": time, "modifiedOn": time, "createdBy": "x", "modifiedBy": "x", "deleted": false,
        "deletedOn": null, "deletedBy": null,
    });
    for (name, value) in with {
        subscription[*name] = value.clone();
    }
    serde_json::from_value(subscription).unwrap()
}

#[tokio::test]
async fn the_emails_about_a_subscription_say_what_happens_when() {
    use EventType as E;
    let (writer, contact) = (writer(&[]).await, tenant().contacts.pop().unwrap());
    let (acme, now) = (stored(0, Value::Null), "2026-12-05T00:00:00Z".parse().unwrap());
    let (soon, past) = (json!("2026-12-07T00:00:00.000Z"), json!("2026-12-04T00:00:00.000Z"));
    let text = |kind, of: &Subscription| {
        let notice = SubscriptionNotice::about(kind, of, Retention(None), now)?;
        let mail = writer.subscription(&notice, &acme, &contact).unwrap();
        let line = built_in(&mail).2.lines().nth(2).unwrap().to_owned();
        line.strip_prefix("Hi Ada, your workspace Acme (acme) on Tenantry ").map(str::to_owned)
    };
    let trial = [("trialEndsOn", soon.clone())];
    insta::assert_snapshot!(text(E::SubscriptionTrialEnding, &subscription("trialing", &trial)).unwrap(),
        @"is on a trial until 7 December 2026, 00:00 UTC. Then your subscription to Premium begins, at EUR 49.90 per 3 months.");
    let trial = [("trialEndsOn", soon.clone()), ("autoRenew", json!(false))];
    insta::assert_snapshot!(text(E::SubscriptionTrialEnding, &subscription("trialing", &trial)).unwrap(),
        @"is on a trial until 7 December 2026, 00:00 UTC. Then it is suspended, and its data is kept. Contact us to go on using it.");
    let unpaid = [("graceEndsOn", soon.clone())];
    insta::assert_snapshot!(text(E::SubscriptionPastDue, &subscription("past_due", &unpaid)).unwrap(),
        @"has an overdue payment. It is suspended on 7 December 2026, 00:00 UTC, unless the payment arrives before.");
    insta::assert_snapshot!(text(E::SubscriptionPastDue, &subscription("past_due", &[])).unwrap(),
        @"has an overdue payment.");
    let cancelled = [("cancelAtPeriodEnd", json!(true))];
    insta::assert_snapshot!(text(E::SubscriptionCancelScheduled, &subscription("active", &cancelled)).unwrap(),
        @"has a cancelled subscription. You can use it until 7 December 2026, 00:00 UTC. Then it is suspended, and its data is kept. Contact us to go on using it.");
    let kept = Retention(Some(Duration::from_secs(30 * 24 * 3600)));
    let leaving = subscription("active", &cancelled);
    let notice = SubscriptionNotice::about(E::SubscriptionCancelScheduled, &leaving, kept, now);
    insta::assert_snapshot!(notice.unwrap().words().text,
        @"has a cancelled subscription. You can use it until 7 December 2026, 00:00 UTC. Then it is suspended, and its data is deleted on 6 January 2027, 00:00 UTC. Contact us before that day to go on using it.");
    for (kind, phase, with) in [
        (E::SubscriptionTrialEnding, "active", ("trialEndsOn", soon)),
        (E::SubscriptionTrialEnding, "trialing", ("trialEndsOn", past)),
        (E::SubscriptionPastDue, "active", ("overdue", json!([]))),
        (E::SubscriptionCancelScheduled, "active", ("cancelAtPeriodEnd", json!(false))),
    ] {
        assert_eq!(text(kind, &subscription(phase, &[with])), None, "{kind} arrives late: {phase}");
    }
}

#[tokio::test]
async fn notices_of_a_subscription_can_have_templates_of_their_own() {
    let own = [
        ("TRIAL_ENDING_TEMPLATE", "ending"),
        ("PAST_DUE_TEMPLATE", "unpaid"),
        ("CANCELLED_TEMPLATE", "over"),
    ];
    let (writer, contact) = (writer(&own).await, tenant().contacts.pop().unwrap());
    let until = "2026-12-07T00:00:00Z".parse().unwrap();
    let plan = &subscription("active", &[]).plan;
    for (notice, template, shown) in [
        (SubscriptionNotice::TrialEnding { plan, until, renews: true }, "ending", true),
        (SubscriptionNotice::PastDue { plan, until: None }, "unpaid", false),
        (SubscriptionNotice::Cancelled { plan, until, deleted_on: Some(until) }, "over", true),
    ] {
        let mail = writer.subscription(&notice, &stored(0, Value::Null), &contact).unwrap();
        let MailContent::Template { name, data } = &mail.content else {
            panic!("built-in content")
        };
        assert_eq!((name.as_str(), &data["planName"]), (template, &json!("Premium")));
        let date = if shown { "7 December 2026, 00:00 UTC" } else { "" };
        assert_eq!(data["until"], date);
        let deleted_on = if template == "over" { date } else { "" };
        assert_eq!(data["deletedOn"], deleted_on);
    }
}
