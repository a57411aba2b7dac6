mod notices;

use std::time::Duration;

use domain::{EventJob, EventLead, EventTenant, LeadId, LeadLink, Stage, TenantId};
use lambda::{Env, Payload, aws::Aws, keys::MasterKeys};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::{
    Mailer,
    mail::{Mail, MailContent},
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
