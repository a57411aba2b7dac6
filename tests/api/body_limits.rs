//! Limits of request bodies: size, depth, numbers and duplicate members. A refused request changes
//! nothing, and an accepted one works to its end.

use domain::{JobId, TenantId};
use reqwest::Method;
use serde_json::{Value, json};
use support::{
    App, Options, Reply, SignedMessage, config, contact, eventually, invoice, lead, tenant,
};

use crate::random::{Random, any_json};

async fn send(app: &App, path: &str, text: &str) -> Reply {
    app.client.send_text(Method::POST, &app.operator, path, text).await
}

/// Returns every item except the rate counters.
fn without_rates(app: &App) -> Vec<Value> {
    app.items().into_iter().filter(|item| item["entity"]["S"] != "rate").collect()
}

/// Returns a subscription of `bytes` bytes.
fn padded(bytes: usize) -> String {
    let (head, tail) = (r#"{"id":"s1","plan":{"tier":"BASIC","x":""#, r#""}}"#);
    format!("{head}{}{tail}", "x".repeat(bytes - head.len() - tail.len()))
}

fn with_plan(x: &str) -> String {
    format!(r#"{{"id":"s1","plan":{{"tier":"BASIC","x":{x}}}}}"#)
}

pub(crate) fn nested(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

#[tokio::test]
async fn a_duplicate_member_is_refused_on_every_route() {
    let app = App::start_silent().await;
    let acme = app.tenant("acme").await;
    let own = app.create("/contacts", &contact(&acme)).await;
    app.settle().await;
    let before = without_rates(&app);
    let twice = |body: &Value, member: &str| {
        let text = body.to_string();
        let value = &body[member];
        format!("{{{}:{value},{}", json!(member), text.strip_prefix('{').unwrap())
    };
    let change = json!({ "firstName": "Ada" });
    let sent = json!({ "email": "ada@acme.test" });
    for (method, path, body, member) in [
        (Method::POST, "/leads".to_owned(), lead("ada@acme.test"), "email"),
        (Method::POST, "/leads/resend".to_owned(), sent, "email"),
        (Method::POST, "/tenants".to_owned(), tenant("other"), "key"),
        (Method::PATCH, format!("/tenants/{acme}"), json!({ "name": "x" }), "name"),
        (Method::POST, "/contacts".to_owned(), contact(&acme), "email"),
        (Method::PATCH, format!("/contacts/{own}"), change.clone(), "firstName"),
        (Method::PUT, format!("/contacts/{own}"), contact(&acme), "firstName"),
        (Method::PATCH, "/contacts?where={}".to_owned(), change, "firstName"),
        (Method::POST, "/invoices".to_owned(), invoice(&acme), "amount"),
        (Method::POST, "/tenant-configs".to_owned(), config(&acme, "k"), "configKey"),
        (
            Method::POST,
            format!("/tenants/{acme}/provision"),
            support::subscription("BASIC"),
            "plan",
        ),
    ] {
        let reply = app.client.send_text(method, &app.operator, &path, &twice(&body, member)).await;
        assert_eq!(
            reply.expect(422).violations(),
            [format!("/{member} duplicateMember")],
            "{path}"
        );
    }
    let value = format!(
        r#"{{"configKey":"k","configValue":{{"a":[{{"b":1,"b":2}}]}},"tenantId":"{acme}"}}"#
    );
    let refused = send(&app, "/tenant-configs", &value).await.expect(422);
    assert_eq!(refused.violations(), ["/configValue/a/0/b duplicateMember"]);
    assert_eq!(without_rates(&app), before);
}

#[tokio::test]
async fn a_subscription_that_aws_could_not_store_is_refused_and_changes_nothing() {
    let app = App::start_silent().await;
    let acme = app.tenant("acme").await;
    let path = format!("/tenants/{acme}/provision");
    let before = app.settled().await;
    let refused = send(&app, &path, &padded(65_537)).await.expect(413);
    assert!(refused.text("/error/message").contains("65536"));
    let deep = format!("/plan/x{} maxDepth", "/0".repeat(18));
    for (x, expected) in [
        (nested(19), deep.as_str()),
        (nested(125), &deep),
        (nested(10_000), &deep),
        ("99999999999999999999".to_owned(), "/plan/x format"),
        ("[-9223372036854775809]".to_owned(), "/plan/x/0 format"),
        ("1e126".to_owned(), "/plan/x format"),
        ("[1e-131]".to_owned(), "/plan/x/0 format"),
        ("1e400".to_owned(), "/plan/x format"),
        (r#""\ud800""#.to_owned(), "/plan/x format"),
    ] {
        let refused = send(&app, &path, &with_plan(&x)).await.expect(422);
        assert_eq!(refused.violations(), [expected], "{x:.30}");
    }
    assert_eq!(app.items(), before);
    send(&app, &path, &padded(65_536)).await.expect(204);
}

#[tokio::test]
async fn the_number_of_domains_and_the_size_of_values_are_limited() {
    let app = App::start_silent().await;
    let acme = app.tenant("acme").await;
    let named = |many: usize| -> Vec<_> { (0..many).map(|n| format!("d{n}.test")).collect() };
    let before = app.settled().await;
    for (key, domains, expected) in [
        ("many", json!(named(51)), "/domains maxItems"),
        ("ip", json!(["acme.test", "169.254.169.254"]), "/domains/1 format"),
        ("local", json!(["acme.test", "localhost"]), "/domains/1 format"),
        ("com", json!(["acme.test", "com"]), "/domains/1 format"),
        ("hex", json!(["acme.test", "127.0.0.0x1"]), "/domains/1 format"),
    ] {
        let mut body = tenant(key);
        body["domains"] = domains.clone();
        let refused = app.client.post(&app.operator, "/tenants", &body).await.expect(422);
        assert_eq!(refused.violations(), [expected]);
        let change = json!({ "domains": domains });
        let refused = app.client.patch(&app.operator, &format!("/tenants/{acme}"), &change).await;
        assert_eq!(refused.expect(422).violations(), [expected]);
    }
    let value = |bytes: usize| {
        let text = "x".repeat(bytes - r#"{"t":""}"#.len());
        format!(r#"{{"configKey":"k","configValue":{{"t":"{text}"}},"tenantId":"{acme}"}}"#)
    };
    let refused = send(&app, "/tenant-configs", &value(102_401)).await.expect(422);
    assert_eq!(refused.violations(), ["/configValue maxBytes"]);
    for (inner, expected) in [
        ("1e300", "/configValue/a format"),
        ("99999999999999999999", "/configValue/a format"),
        (&nested(63), &*format!("/configValue/a{} maxDepth", "/0".repeat(62))),
    ] {
        let body =
            format!(r#"{{"configKey":"k","configValue":{{"a":{inner}}},"tenantId":"{acme}"}}"#);
        assert_eq!(send(&app, "/tenant-configs", &body).await.expect(422).violations(), [expected]);
    }
    assert_eq!(app.items(), before);
    send(&app, "/tenant-configs", &value(102_400)).await.expect(200);
    let change = json!({ "domains": named(50) });
    app.client.patch(&app.operator, &format!("/tenants/{acme}"), &change).await.expect(204);
}

/// Reports a successful build with one resource that has exactly this metadata.
async fn report(app: &App, tenant: TenantId, job: JobId, metadata: &str) -> Reply {
    let body = format!(
        r#"{{"initiatorId":"{tenant}","type":0,"data":{{"status":1,"resources":[{{"type":"x","externalIdentifier":"y","metadata":{metadata}}}]}}}}"#
    );
    SignedMessage::text(&app.keys, tenant, job, body).send(&app.client).await
}

#[tokio::test]
async fn a_success_with_unusual_metadata_is_accepted_unchanged() {
    let app = App::start_silent().await;
    let deep = format!("{}{}", r#"{"a":"#.repeat(500) + "1", "}".repeat(500));
    for (n, metadata) in [
        r#"{"":1}"#,
        r#"{"a":1e200,"b":1e400,"c":[123456789012345678901234567890123456789012345]}"#,
        r#"{"twice":1,"twice":{"twice":2,"twice":3}}"#,
        r#"{ "spaced" : [ 1.0 , 1E2 ],	"half":"\ud800", "nul":"\u0000" }"#,
        &format!(r#"{{"deep":{}}}"#, nested(32)),
        &deep,
    ]
    .into_iter()
    .enumerate()
    {
        let (tenant, job) = app.provisioning(&format!("t{n}"), "BASIC").await;
        for _ in 0..2 {
            report(&app, tenant, job, metadata).await.expect(204);
        }
        let kept = format!(r#""metadata":{metadata},"#);
        let listed = app.read(&format!("/tenants/{tenant}/resources")).await.raw;
        assert!(listed.contains(&kept), "{listed:.500}");
        let path = format!("/tenants/{tenant}?filter[include][0]=resources");
        assert!(app.read(&path).await.raw.contains(&kept), "{metadata:.80}");
    }
    app.settle().await;
    assert_eq!((app.emails_to("ops@acme.test").len(), app.dead_letters()), (6, 0));
}

#[tokio::test]
async fn a_report_beyond_the_limits_is_refused_and_can_be_corrected() {
    let app = App::start_silent().await;
    let (tenant, job) = app.provisioning("acme", "BASIC").await;
    let text = "x".repeat(16_384 - r#"{"t":""}"#.len());
    let refused = report(&app, tenant, job, &format!(r#"{{"t":"{text}x"}}"#)).await.expect(422);
    assert_eq!(refused.violations(), ["/data/resources/0/metadata maxBytes"]);
    report(&app, tenant, job, &format!(r#"{{"t":"{text}"}}"#)).await.expect(204);
}

/// A job of the maximum size is accepted and times out like any other.
#[tokio::test]
async fn the_largest_job_and_the_one_behind_it_time_out() {
    let app = App::with_options(Options::silent().variable("WEBHOOK_SECRET_EXPIRY", "3000")).await;
    let label = "x".repeat(60);
    let long: Vec<_> =
        (10..59).map(|n| format!("{n}.{label}.{label}.{label}.{label}.test")).collect();
    let mut body = tenant("large");
    body["domains"] = std::iter::once("acme.test".to_owned()).chain(long).collect();
    let large = app.create("/tenants", &body).await;
    let name = "\u{1f600}".repeat(100);
    for _ in 0..60 {
        let mut body = contact(&large);
        (body["firstName"], body["lastName"], body["type"]) =
            (json!(name), json!(name), json!(name));
        app.create("/contacts", &body).await;
    }
    send(&app, &format!("/tenants/{large}/provision"), &padded(65_536)).await.expect(204);
    let small = app.tenant("small").await;
    send(&app, &format!("/tenants/{small}/provision"), &with_plan("1")).await.expect(204);
    for id in [large, small] {
        eventually("a job that timed out", async || {
            app.reconcile().await;
            (app.read(&format!("/tenants/{id}")).await.body["status"] == 3).then_some(())
        })
        .await;
    }
    app.settle().await;
    assert_eq!((app.events_of("TENANT_PROVISIONING_FAILURE").len(), app.dead_letters()), (2, 0));
}

/// Returns the ID of the job that a request opened.
pub(crate) fn opened_job(reply: &Reply) -> JobId {
    reply.header("location").rsplit('/').next().unwrap().parse().unwrap()
}

/// Accepted JSON works in every consumer. Refused JSON is answered with its violations.
#[tokio::test]
async fn random_json_that_is_accepted_can_be_provisioned_listed_and_deleted() {
    let app = App::start_silent().await;
    let mut random = Random::new(1);
    let mut accepted = [0, 0];
    for n in 0..40 {
        let id = app.tenant(&format!("t{n}")).await;
        let tenant: TenantId = id.parse().unwrap();
        let (x, value) = (any_json(&mut random, 4), any_json(&mut random, 4));
        let body =
            format!(r#"{{"configKey":"k","configValue":{{"v":{value}}},"tenantId":"{id}"}}"#);
        let made = send(&app, "/tenant-configs", &body).await;
        if made.status == 200 {
            accepted[0] += 1;
            let kept = format!(r#""configValue":{{"v":{value}}},"#);
            let own = format!("/tenant-configs/{}", made.text("/id"));
            assert!(app.read(&own).await.raw.contains(&kept));
            assert!(app.read("/tenant-configs").await.raw.contains(&kept));
        } else {
            assert!(!made.expect(422).violations().is_empty());
        }
        let own = format!("/tenants/{id}");
        let asked = send(&app, &format!("{own}/provision"), &with_plan(&x)).await;
        if asked.status == 204 {
            accepted[1] += 1;
            let said = if value.len() < 16_000 { &*value } else { "1" };
            let metadata = format!(r#"{{"m":{said}}}"#);
            report(&app, tenant, opened_job(&asked), &metadata).await.expect(204);
            assert!(app.read(&format!("{own}/jobs")).await.raw.contains(&with_plan(&x)));
            let kept = format!(r#""metadata":{metadata},"#);
            assert!(app.read(&format!("{own}/resources")).await.raw.contains(&kept));
            let gone = send(&app, &format!("{own}/deprovision"), "{}").await.expect(204);
            let done = json!({ "initiatorId": id, "type": 1, "status": "success" });
            SignedMessage::new(&app.keys, tenant, opened_job(&gone), &done)
                .send(&app.client)
                .await
                .expect(204);
        } else {
            assert!(asked.status == 413 || !asked.expect(422).violations().is_empty());
        }
        app.client.delete(&app.operator, &own).await.expect(204);
    }
    app.settle().await;
    assert!(
        accepted.iter().all(|many| (10..40).contains(many)),
        "{accepted:?}: some must be accepted and some refused"
    );
    assert_eq!((app.emails_to("ops@acme.test").len(), app.dead_letters()), (accepted[1], 0));
    assert_eq!((app.count("/tenants").await, app.count("/tenant-configs").await), (0, 0));
}

/// The metadata of a subscription is part of its events.
#[tokio::test]
async fn random_metadata_of_a_subscription_is_published_or_refused() {
    let app = App::start().await;
    let (tenant, plan) = (app.tenant_in_use("acme").await, app.active_plan(&json!({})).await);
    let id = app.subscribe(&tenant, &plan).await.expect(200).text("/id");
    let own = format!("/subscriptions/{id}");
    let patch = async |metadata: String| {
        let body = format!(r#"{{"metaData":{metadata}}}"#);
        app.client.send_text(Method::PATCH, &app.operator, &own, &body).await
    };
    for number in ["9223372036854775808", "-9223372036854775809", "1e126", "1e400"] {
        let refused = patch(format!(r#"{{"a":[{number}]}}"#)).await.expect(422);
        assert_eq!(refused.violations(), ["/metaData/a/0 format"], "{number}");
    }
    let mut random = Random::new(2);
    let mut accepted = 0;
    for _ in 0..30 {
        let sent = patch(format!(r#"{{"m":{}}}"#, any_json(&mut random, 4))).await;
        if sent.status == 204 {
            accepted += 1;
            for (action, body) in
                [("cancel", json!({ "when": "period_end" })), ("resume", json!({}))]
            {
                app.act_on(&id, action, &body).await.expect(200);
            }
        } else {
            assert!(!sent.expect(422).violations().is_empty());
        }
    }
    app.settle().await;
    assert!((5..30).contains(&accepted), "{accepted}");
    let published = app.events_of("SUBSCRIPTION_CANCEL_SCHEDULED").len();
    assert_eq!((published, app.dead_letters()), (accepted, 0));
}
