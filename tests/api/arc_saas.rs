//! Compatibility with ARC SaaS: every operation of its API, with the status of a success.

use domain::TenantId;
use lambda::keys::mac;
use reqwest::Method;
use serde_json::{Value, json};
use support::{App, Options, SignedMessage, VerifiedLead, lead, subscription, tenant};

/// ARC SaaS's operations, in an order in which they can be called. Differences: leads are
/// read-only, `/manage/users` returns the created resources, and a download returns a file.
const OPERATIONS: &[(&str, &str, u16)] = &[
    ("GET", "/", 200),
    ("GET", "/ping", 200),
    ("POST", "/leads", 200),
    ("GET", "/leads", 200),
    ("GET", "/leads/count", 200),
    ("GET", "/leads/{id}", 200),
    ("PATCH", "/leads", 405),
    ("PATCH", "/leads/{id}", 405),
    ("PUT", "/leads/{id}", 405),
    ("DELETE", "/leads/{id}", 405),
    ("POST", "/leads/{id}/verify", 200),
    ("POST", "/leads/{id}/tenants", 200),
    ("POST", "/tenants", 200),
    ("GET", "/tenants", 200),
    ("GET", "/tenants/count", 200),
    ("GET", "/tenants/{id}", 200),
    ("PATCH", "/tenants", 200),
    ("PATCH", "/tenants/{id}", 204),
    ("PUT", "/tenants/{id}", 204),
    ("POST", "/contacts", 200),
    ("GET", "/contacts", 200),
    ("GET", "/contacts/count", 200),
    ("GET", "/contacts/{id}", 200),
    ("PATCH", "/contacts", 200),
    ("PATCH", "/contacts/{id}", 204),
    ("PUT", "/contacts/{id}", 204),
    ("DELETE", "/contacts/{id}", 204),
    ("POST", "/invoices", 200),
    ("GET", "/invoices", 200),
    ("GET", "/invoices/count", 200),
    ("GET", "/invoices/{id}", 200),
    ("PATCH", "/invoices", 200),
    ("PATCH", "/invoices/{id}", 204),
    ("PUT", "/invoices/{id}", 204),
    ("GET", "/invoices/download", 200),
    ("DELETE", "/invoices/{id}", 204),
    ("POST", "/tenant-configs", 200),
    ("GET", "/tenant-configs", 200),
    ("GET", "/tenant-configs/count", 200),
    ("GET", "/tenant-configs/{id}", 200),
    ("GET", "/tenant-configs/{id}/tenant", 200),
    ("PATCH", "/tenant-configs", 200),
    ("PATCH", "/tenant-configs/{id}", 204),
    ("PUT", "/tenant-configs/{id}", 204),
    ("DELETE", "/tenant-configs/{id}", 204),
    ("POST", "/manage/users", 200),
    ("POST", "/tenants/{id}/provision", 204),
    ("POST", "/webhook", 204),
    ("DELETE", "/tenants/{id}", 204),
];

const SECRET: &str = "idp-secret-marker-2b7d-of-32-bytes-at-least";

/// The entities that the calls use.
struct Walk {
    app: App,
    lead: VerifiedLead,
    tenant: TenantId,
    /// The ID of the last contact, invoice or configuration.
    child: String,
    /// The ID of a tenant without resources.
    empty: String,
}

impl Walk {
    fn body(&self, method: &str, path: &str) -> Value {
        let child = |mut details: Value| {
            details["tenantId"] = json!(self.tenant);
            details
        };
        match path.split('/').nth(1).unwrap_or_default() {
            "leads" if path.ends_with("tenants") => {
                json!({ "key": "beta", "domains": ["acme.test"] })
            }
            "leads" => lead("eve@acme.test"),
            "tenants" if path.ends_with("provision") => subscription("BASIC"),
            "tenants" if (method, path) == ("POST", "/tenants") => tenant("gamma"),
            "tenants" if path == "/tenants" => json!({ "name": "Acme" }),
            "tenants" => json!({ "key": "delta", "name": "Delta", "domains": ["acme.test"] }),
            "contacts" => child(json!({
                "firstName": "Ada", "lastName": "L", "email": "a@acme.test", "isPrimary": false,
            })),
            "invoices" => child(json!({
                "startDate": "2026-01-01", "endDate": "2026-01-31", "dueDate": "2026-02-28",
                "amount": 9.5, "currencyCode": "GBP", "status": 0,
            })),
            "tenant-configs" => child(json!({ "configKey": "theme", "configValue": { "a": 1 } })),
            _ => json!({
                "tenant": {
                    "id": self.tenant, "name": "Acme", "key": "acme",
                    "contacts": [tenant("acme")["contact"]],
                },
                "plan": { "tier": "BASIC" },
            }),
        }
    }

    fn path(&self, method: &str, path: &str) -> String {
        let id = match path.split('/').nth(1) {
            Some("leads") => self.lead.id.clone(),
            Some("tenants") => self.tenant.to_string(),
            _ => self.child.clone(),
        };
        match (method, path) {
            ("PATCH", _) if !path.contains('{') => format!("{path}?where={{\"id\":\"{id}\"}}"),
            (_, "/invoices/download") => format!("{path}?id={id}"),
            ("DELETE", "/tenants/{id}") => path.replace("{id}", &self.empty),
            _ => path.replace("{id}", &id),
        }
    }

    fn bearer(&self, path: &str) -> String {
        match path {
            "/leads/{id}/verify" => self.app.verification_key(&self.lead.id),
            "/leads/{id}/tenants" => self.lead.token.clone(),
            _ => self.app.operator.clone(),
        }
    }

    async fn report(&self) -> u16 {
        let path = format!("/tenants/{}/jobs", self.tenant);
        let jobs = self.app.client.get(&self.app.operator, &path).await.expect(200);
        let job = jobs.text("/0/id").parse().unwrap();
        let body = json!({ "initiatorId": self.tenant, "type": 0, "status": "success" });
        SignedMessage::new(&self.app.keys, self.tenant, job, &body)
            .send(&self.app.client)
            .await
            .status
    }

    async fn call(&mut self, method: &str, path: &str) -> u16 {
        if path == "/webhook" {
            return self.report().await;
        }
        let body = self.body(method, path).to_string();
        let timestamp = lambda::now().millis().to_string();
        let signature = mac(&SECRET.into(), &[body.as_bytes(), timestamp.as_bytes()]);
        let hex: String = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let verb = Method::from_bytes(method.as_bytes()).unwrap();
        let asked = self.path(method, path);
        let reply = self.app.client.send(verb, &asked, |request| {
            let request = request.bearer_auth(self.bearer(path));
            match method {
                "GET" | "DELETE" => request,
                _ => request
                    .header("content-type", "application/json")
                    .header("x-timestamp", timestamp)
                    .header("x-signature", hex)
                    .body(body),
            }
        });
        let reply = reply.await;
        if method == "POST" && ["/contacts", "/invoices", "/tenant-configs"].contains(&path) {
            self.child = reply.text("/id");
        }
        if (method, path) == ("POST", "/tenants") {
            self.empty = reply.text("/id");
        }
        reply.status
    }
}

#[tokio::test]
async fn every_operation_of_arc_saas_has_its_status() {
    let app = App::with_options(Options::silent().variable("IDP_WEBHOOK_SECRET", SECRET)).await;
    let lead = app.verified_lead("ada@acme.test").await;
    let made = app.client.post(&app.operator, "/tenants", &tenant("acme")).await.expect(200);
    let tenant = made.text("/id").parse().unwrap();
    let mut walk = Walk { app, lead, tenant, child: String::new(), empty: String::new() };
    let document = walk.app.send(Method::GET, "/openapi.json").await.expect(200).body;
    for (method, path, status) in OPERATIONS {
        assert_eq!(walk.call(method, path).await, *status, "{method} {path}");
        let described = &document["paths"][*path][method.to_ascii_lowercase()]["responses"];
        assert!(
            described[status.to_string()].is_object(),
            "{method} {path} is not in the document"
        );
    }
}
