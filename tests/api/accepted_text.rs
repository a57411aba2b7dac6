//! Text of any kind that a sign-up accepts goes through the whole life of its tenant: every consumer reads it, and
//! it is listed, found, printed and deleted again.

use domain::{JobId, TenantId};
use serde_json::{Value, json};
use support::{App, Reply, SignedMessage, config, contact, invoice, lead, subscription};

use crate::{body_limits::opened_job, random::Random, search};

/// Texts that some program on the way takes for something else, or cannot keep.
const TEXTS: [&str; 24] = [
    "",
    " ",
    "\u{200b}",
    "a\nb",
    "a\u{0}b",
    "\u{7f}",
    "\u{202e}gpj.exe",
    "\u{fffe}x\u{ffff}",
    "\u{10ffff}x",
    "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
    "e\u{301}\u{301}\u{301}",
    "\u{fdfa}",
    "\u{5e9}\u{5dc}\u{5d5}\u{5dd} (1)",
    "<img src=x onerror=alert(1)>",
    "{{firstName}} ${jndi:x} %00 %s",
    "'; DROP TABLE leads; --",
    "=cmd|' /C calc'!A0",
    "\\ \" ' / # ? &",
    "https://evil.test",
    "null",
    "__proto__",
    "1e5",
    "TENANT#x",
    "Ada",
];

/// Returns a text, sometimes repeated up to or beyond the limit of a name.
fn any_text(random: &mut Random) -> String {
    let text = *random.of(&TEXTS);
    if random.chance(80) || text.is_empty() {
        return text.to_owned();
    }
    text.chars().cycle().take(95 + random.below(8)).collect()
}

/// Replaces some of the members by any text.
fn with_any_text(mut body: Value, members: &[&str], random: &mut Random) -> Value {
    for member in members {
        if random.chance(40) {
            *body.pointer_mut(member).unwrap() = any_text(random).into();
        }
    }
    body
}

/// Whether a body was accepted. A refused one names the members.
#[track_caller]
fn is_accepted(reply: &Reply) -> bool {
    if [200, 204].contains(&reply.status) {
        return true;
    }
    assert!(reply.status == 422 && !reply.violations().is_empty(), "{}", reply.body);
    false
}

/// A lead with a verified address.
struct SignedUp {
    id: String,
    token: String,
    email: String,
}

async fn signed_up(app: &App, n: usize, random: &mut Random) -> Option<SignedUp> {
    let local = *random.of(&["", "o'neil", "a+b", "x/y=z", "A.B", "{}|~", "\u{fc}"]);
    let host = *random.of(&["acme.test", "B\u{fc}cher.test", "XN--BCHER-KVA.test", "localhost"]);
    let names = ["/firstName", "/lastName", "/companyName", "/address/address", "/address/city"];
    let body = with_any_text(lead(&format!("{n}{local}@{host}")), &names, random);
    let made = app.client.post_without_token("/leads", &body).await;
    if !is_accepted(&made) {
        return None;
    }
    let id = made.text("/id");
    let path = format!("/leads/{id}");
    let key = app.verification_key(&id);
    let verified = app.client.post(&key, &format!("{path}/verify"), &json!(null)).await.expect(200);
    let token = verified.text("/token");
    let read = app.client.get(&token, &path).await.expect(200);
    assert_eq!(read.body["companyName"], body["companyName"]);
    Some(SignedUp { id, token, email: read.text("/email") })
}

/// Creates the children of a tenant, as far as they are accepted, and reads each in its list.
async fn with_children(app: &App, lead: &SignedUp, tenant: &str, random: &mut Random) {
    let (names, key) = (["/firstName", "/lastName", "/type"], ["/configKey"]);
    for (list, body, members) in [
        ("/contacts", contact(tenant), &names[..]),
        ("/tenant-configs", config(tenant, "theme"), &key[..]),
        ("/invoices", invoice(tenant), &["/invoiceFile"][..]),
    ] {
        let body = with_any_text(body, members, random);
        let token = if list == "/tenant-configs" { &lead.token } else { &app.operator };
        let made = app.client.post(token, list, &body).await;
        if !is_accepted(&made) {
            continue;
        }
        let id = &made.body["id"];
        let listed = app.client.get(token, list).await.expect(200);
        assert!(listed.each("id").contains(id), "{list} {body}");
        if list == "/invoices" {
            let path = format!("{list}/{}/download", made.text("/id"));
            let (printed, pdf) = app.client.download(&app.operator, &path).await;
            assert!(printed.status == 200 && pdf.starts_with(b"%PDF"), "{body}");
        }
    }
}

/// Reports the end of a job. Its resource has any text that is accepted.
async fn report(app: &App, tenant: TenantId, job: JobId, kind: u8, random: &mut Random) {
    let resource = json!({ "type": "bucket", "externalIdentifier": "x", "metadata": { "a": "b" } });
    let members = ["/type", "/externalIdentifier", "/metadata/a"];
    for resource in [with_any_text(resource.clone(), &members, random), resource] {
        let data = json!({ "status": 1, "resources": [resource] });
        let body = json!({ "initiatorId": tenant, "type": kind, "data": data });
        let sent = SignedMessage::new(&app.keys, tenant, job, &body).send(&app.client).await;
        if is_accepted(&sent) {
            return;
        }
    }
}

/// Builds a tenant, lists what it has, and removes and deletes it.
async fn live_and_die(app: &App, lead: &SignedUp, tenant: &str, random: &mut Random) {
    let (path, id) = (format!("/tenants/{tenant}"), tenant.parse().unwrap());
    let built = format!("{path}/provision");
    let built = app.client.post(&lead.token, &built, &subscription("BASIC")).await.expect(204);
    report(app, id, opened_job(&built), 0, random).await;
    for list in ["jobs", "resources", "audit"] {
        app.read(&format!("{path}/{list}")).await;
    }
    app.settle().await;
    let found = app.read(&search::path(&lead.email)).await;
    assert!(found.each("id").contains(&json!(tenant)), "{}", lead.email);
    let removed = app.client.post(&app.operator, &format!("{path}/deprovision"), &json!({})).await;
    report(app, id, opened_job(&removed.expect(204)), 1, random).await;
    app.client.delete(&app.operator, &path).await.expect(204);
}

#[tokio::test]
async fn any_text_that_is_accepted_can_be_read_listed_and_deleted() {
    let app = App::start_silent().await;
    let mut random = Random::new(3);
    let (mut leads, mut tenants) = (0, 0);
    for n in 0..18 {
        let Some(lead) = signed_up(&app, n, &mut random).await else { continue };
        leads += 1;
        let domain = lead.email.rsplit('@').next().unwrap();
        let body = json!({ "key": format!("t{n}"), "domains": [domain], "name": "Acme" });
        let body = with_any_text(body, &["/name"], &mut random);
        let path = format!("/leads/{}/tenants", lead.id);
        let made = app.client.post(&lead.token, &path, &body).await;
        if is_accepted(&made) {
            tenants += 1;
            let tenant = made.text("/id");
            with_children(&app, &lead, &tenant, &mut random).await;
            live_and_die(&app, &lead, &tenant, &mut random).await;
        }
    }
    assert!((4..18).contains(&tenants) && leads < 18, "{leads} leads, {tenants} tenants");
    app.settle().await;
    assert_eq!((app.emails().len(), app.dead_letters()), (leads + tenants, 0));
    assert_eq!((app.count("/tenants").await, app.count("/contacts").await), (0, 0));
    let verified = app.read("/audit/verify?chain=leads").await;
    assert_eq!(verified.body["ok"], true);
}
