//! The requests of the table of differences about builds.

use secrecy::ExposeSecret;
use serde_json::json;
use support::{Reply, SignedMessage, eventually, subscription, tenant};

use crate::{differences::World, lead_data::onboarded};

impl World {
    pub(crate) async fn build(&self, request: &str) -> Option<Reply> {
        let Self { app, acme, .. } = self;
        let path = format!("/tenants/{acme}/provision");
        Some(match request {
            "build: `provision` without `plan`" => self.post(&path, &json!({ "id": "s" })).await,
            "build: `provision` while the bus is down" => {
                app.set_failing("PutEvents", true);
                let accepted = self.post(&path, &subscription("BASIC")).await;
                app.set_failing("PutEvents", false);
                eventually("the event", async || {
                    (!app.events_of("TENANT_PROVISIONING").is_empty()).then_some(())
                })
                .await;
                accepted
            }
            "build: `provision` of a tenant that is being built" => {
                self.post(&path, &subscription("BASIC")).await
            }
            "build: `provision` with `plan` and a lead's token, while there is a public plan" => {
                app.active_plan(&json!({ "public": true })).await;
                let (lead, tenant) = onboarded(app, "priced").await;
                let path = format!("/tenants/{tenant}/provision");
                app.client.post(&lead.token, &path, &subscription("BASIC")).await
            }
            "build: a webhook whose JSON has blanks" => {
                let (id, job) = app.provisioning("blanks", "BASIC").await;
                let body =
                    format!(r#"{{ "status": "success", "initiatorId": "{id}", "type": 0 }}"#);
                SignedMessage::text(&app.keys, id, job, body).send(&app.client).await
            }
            "build: `POST /manage/users`" => self.manage_users().await,
            "build: `POST /tenants/{id}/deprovision`, then a webhook of `type` 1" => {
                self.deprovision().await
            }
            "build: `DELETE` of a tenant with resources" => {
                let (id, job) = app.provisioning("full", "BASIC").await;
                let resources = json!([{ "type": "s3", "externalIdentifier": "b" }]);
                let body = json!({
                    "initiatorId": id, "type": 0, "data": { "status": 1, "resources": resources },
                });
                SignedMessage::new(&app.keys, id, job, &body).send(&app.client).await.expect(204);
                app.client.delete(&app.operator, &format!("/tenants/{id}")).await
            }
            _ => return None,
        })
    }

    async fn manage_users(&self) -> Reply {
        let contact = &tenant("acme")["contact"];
        let body = json!({
            "tenant": { "id": self.acme, "name": "Acme", "key": "acme", "contacts": [contact] },
            "plan": { "tier": "BASIC" },
        });
        let (body, timestamp) = (body.to_string(), lambda::now().millis().to_string());
        let secret = self.app.keys.idp_secret(self.acme.parse().unwrap());
        let parts = [body.as_bytes(), timestamp.as_bytes()];
        let signature = lambda::keys::mac(&secret.expose_secret().into(), &parts);
        let hex: String = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let headers = [
            ("content-type", "application/json"),
            ("x-timestamp", &timestamp),
            ("x-signature", &hex),
        ];
        let answer = self.text("/manage/users", &headers, body).await;
        assert_eq!(answer.body, json!({ "authId": "" }));
        answer
    }

    async fn deprovision(&self) -> Reply {
        let app = &self.app;
        let (id, job) = app.provisioning("leaving", "BASIC").await;
        let report = |kind: u8| json!({ "initiatorId": id, "type": kind, "status": "success" });
        SignedMessage::new(&app.keys, id, job, &report(0)).send(&app.client).await.expect(204);
        let opened = self.post(&format!("/tenants/{id}/deprovision"), &json!({})).await.expect(204);
        let job = opened.header("location").rsplit('/').next().unwrap().parse().unwrap();
        SignedMessage::new(&app.keys, id, job, &report(1)).send(&app.client).await
    }
}
