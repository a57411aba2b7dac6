//! Bodies as other programs write them: with a byte order mark, compressed, with a charset.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use lambda::keys::mac;
use reqwest::Method;
use serde_json::json;
use support::{App, Reply, contact, lead};

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn post(app: &App, path: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Reply {
    let body = body.into();
    let sent = app.client.send(Method::POST, path, |request| {
        let request = request.bearer_auth(&app.operator).header("content-type", "application/json");
        headers
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value))
            .body(body)
    });
    sent.await
}

#[tokio::test]
async fn a_byte_order_mark_is_dropped() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    for (path, body) in [
        ("/leads", lead("ada@acme.test")),
        ("/contacts", contact(&acme)),
        (&format!("/tenants/{acme}/provision"), support::subscription("BASIC")),
    ] {
        let answer = post(&app, path, &[], format!("\u{FEFF}{body}")).await;
        assert!([200, 204].contains(&answer.status), "{path}: {}", answer.raw);
    }
    post(&app, "/leads", &[], "\u{FEFF}").await.expect(400);
}

#[tokio::test]
async fn a_gzip_body_is_read() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    let gzip = [("content-encoding", "gzip")];
    let body = zipped(contact(&acme).to_string().as_bytes());
    let made = post(&app, "/contacts", &gzip, body).await.expect(200);
    assert_eq!(made.text("/firstName"), "Grace");
    let identity = [("content-encoding", "identity")];
    post(&app, "/contacts", &identity, contact(&acme).to_string()).await.expect(200);

    let plain = post(&app, "/contacts", &gzip, contact(&acme).to_string()).await.expect(400);
    assert_eq!(plain.text("/error/code"), "MALFORMED_JSON");
    let bomb = zipped(&vec![b' '; 50_000_000]);
    assert!(bomb.len() < 100_000);
    let large = post(&app, "/contacts", &gzip, bomb).await.expect(413);
    assert_eq!(large.text("/error/code"), "PAYLOAD_TOO_LARGE");
    for coding in ["br", "deflate", "gzip, gzip", "unknown"] {
        let refused =
            post(&app, "/contacts", &[("content-encoding", coding)], "{}").await.expect(415);
        assert_eq!(refused.header("accept-encoding"), "gzip", "{coding}");
        assert_eq!(refused.text("/error/code"), "UNSUPPORTED_MEDIA_TYPE");
    }
    // The token is checked first.
    let refused = app.client.send(Method::POST, "/contacts", |request| {
        request.header("content-encoding", "br").body("{}")
    });
    refused.await.expect(401);
}

/// The signature covers the text, not its compressed form, which proxies may change.
#[tokio::test]
async fn a_signed_body_is_decompressed_before_it_is_verified() {
    let app = App::start_silent().await;
    for (key, mark) in [("acme", ""), ("marked", "\u{FEFF}")] {
        let (tenant, job) = app.provisioning(key, "BASIC").await;
        let report = json!({ "initiatorId": tenant, "type": 0, "status": "success" });
        let (body, timestamp) = (format!("{mark}{report}"), lambda::now().millis().to_string());
        let context = job.to_string();
        let parts = [body.as_bytes(), context.as_bytes(), timestamp.as_bytes()];
        let signature = mac(&app.keys.webhook_secret(tenant, job), &parts);
        let hex: String = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let headers =
            [("content-encoding", "gzip"), ("x-timestamp", &timestamp), ("x-signature", &hex)];
        post(&app, "/webhook", &headers, zipped(body.as_bytes())).await.expect(204);
        app.wait_for_status(&tenant.to_string(), 0).await;
    }
}

#[tokio::test]
async fn a_body_must_be_in_utf_8() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    for (kind, status) in [
        ("application/json; charset=utf-8", 200),
        ("application/json;charset=\"UTF-8\"", 200),
        ("application/json; charset=us-ascii", 200),
        ("application/json; charset=iso-8859-1", 415),
        ("application/json; charset=utf-16", 415),
    ] {
        let answer = app.client.send(Method::POST, "/contacts", |request| {
            let request = request.bearer_auth(&app.operator).header("content-type", kind);
            request.body(contact(&acme).to_string())
        });
        assert_eq!(answer.await.status, status, "{kind}");
    }
}

/// Numbers are stored as text.
#[tokio::test]
async fn numbers_of_clients_keep_their_digits() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    let numbers = r#"{"a":9223372036854775807,"b":1.10,"c":1E2,"d":-0,"e":0.1000000000000000055511151231257827,"f":12345678901234567.89}"#;
    let changed = numbers.replace("9223372036854775807", "12345678901234567891");
    let body = format!(r#"{{"configKey":"n","tenantId":"{acme}","configValue":{numbers}}}"#);
    let made = post(&app, "/tenant-configs", &[], body).await.expect(200);
    assert!(made.raw.contains(numbers), "{}", made.raw);
    let own = format!("/tenant-configs/{}", made.text("/id"));
    assert!(app.read(&own).await.raw.contains(numbers));
    let change = format!(r#"{{"configValue":{changed}}}"#);
    app.client.send_text(Method::PATCH, &app.operator, &own, &change).await.expect(204);
    assert!(app.read(&own).await.raw.contains(&changed));
    app.settle().await;
    assert!(app.read("/tenant-configs").await.raw.contains(&changed));

    let plan = format!(r#"{{"id":"s","plan":{{"tier":"BASIC","price":49.00,"x":{numbers}}}}}"#);
    post(&app, &format!("/tenants/{acme}/provision"), &[], plan.clone()).await.expect(204);
    app.wait_for_status(&acme, 0).await;
    assert!(app.read(&format!("/tenants/{acme}/jobs")).await.raw.contains(&plan));
}
