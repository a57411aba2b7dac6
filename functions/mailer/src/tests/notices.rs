//! Emails about a suspension or a subscription.

use std::time::Duration;

use domain::{EventType, Retention, Subscription, Tenant, TenantId};
use serde_json::{Value, json};

use super::{built_in, tenant, writer};
use crate::{mail::MailContent, notice_words::SubscriptionNotice};

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
    insta::assert_snapshot!(text, @"Hi Ada, your workspace Acme (acme) on Tenantry is suspended because its subscription was cancelled. Its data is deleted on 23 December 2026, 17:54 UTC. Contact us before that day to use it again.");
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
