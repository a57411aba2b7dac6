//! The requests of the table of differences about tokens, entities, lists and HTTP.

use domain::TenantId;
use reqwest::Method;
use serde_json::{Value, json};
use support::{
    Reply, contact, invoice, join_all, lead,
    token::{OPERATOR, claims, token, without},
};

use crate::differences::World;

impl World {
    pub(crate) async fn token(&self, request: &str) -> Option<Reply> {
        let Self { app, acme, ada, .. } = self;
        Some(match request {
            "token: without `exp`" => {
                let endless = token(OPERATOR, &without(claims(&["10207"]), "exp").to_string());
                app.client.get(&endless, "/tenants").await
            }
            "token: of a lead, for the tenant of another" => {
                let tenants = format!("/tenants/{acme}/jobs");
                app.client.get(&ada.token, &tenants).await
            }
            "token: `include=tenant` without 10207" => {
                self.with_codes(&["10211"], Method::GET, "/contacts?filter[include][0]=tenant")
                    .await
            }
            "token: `PATCH /contacts?where={}` without 10211" => {
                self.with_codes(&["10209"], Method::PATCH, "/contacts?where={}").await
            }
            _ => return None,
        })
    }

    pub(crate) async fn lead(&self, request: &str) -> Option<Reply> {
        let Self { app, ada, .. } = self;
        Some(match request {
            "lead: `POST /leads`" => {
                let made = app.client.post_without_token("/leads", &lead("bob@acme.test")).await;
                assert_eq!(made.body.as_object().unwrap().len(), 1);
                made
            }
            "lead: `PATCH`, `PUT`, `DELETE /leads/{id}`" => {
                let own = format!("/leads/{}", ada.id);
                self.patch(&own, &json!({})).await.expect(405);
                app.client.put(&app.operator, &own, &json!({})).await.expect(405);
                app.client.delete(&app.operator, &own).await
            }
            "lead: eight times `POST /leads/{id}/tenants` at once" => {
                let path = format!("/leads/{}/tenants", ada.id);
                let body = |n: usize| json!({ "key": format!("ada{n}"), "domains": ["acme.test"] });
                let bodies: Vec<_> = (0..8).map(body).collect();
                let sent = bodies.iter().map(|body| app.client.post(&ada.token, &path, body));
                let mut answers = join_all(sent.collect::<Vec<_>>()).await;
                answers.sort_by_key(|answer| answer.status);
                assert_eq!((answers[0].status, answers[1].status), (200, 401));
                answers.pop().unwrap()
            }
            _ => return None,
        })
    }

    pub(crate) async fn tenant(&self, request: &str) -> Option<Reply> {
        let own = format!("/tenants/{}", self.acme);
        let person = format!("/contacts/{}", self.contact);
        Some(match request {
            "tenant: `PATCH /tenants/{id}` with another `status`" => {
                self.patch(&own, &json!({ "status": 0 })).await
            }
            "tenant: `PATCH /contacts/{id}` with another `tenantId`" => {
                self.patch(&person, &json!({ "tenantId": TenantId::generate() })).await
            }
            "tenant: `PATCH /tenants` without `where`" => {
                self.patch("/tenants", &json!({ "name": "x" })).await
            }
            "tenant: `PATCH /tenants?where={\"and\":[]}`" => {
                self.patch("/tenants?where={%22and%22:[]}", &json!({ "name": "x" })).await
            }
            "tenant: `PATCH /tenants?where={}&_=1`" => {
                self.patch("/tenants?where={}&_=1", &json!({ "name": "x" })).await
            }
            "tenant: `GET /contacts/{id}` of a deleted tenant" => {
                let id = self.app.tenant("gone").await;
                let orphan = self.app.create("/contacts", &contact(&id)).await;
                self.app
                    .client
                    .delete(&self.app.operator, &format!("/tenants/{id}"))
                    .await
                    .expect(204);
                self.get(&format!("/contacts/{orphan}")).await
            }
            "tenant: `GET /tenants/x`" => self.get("/tenants/x").await,
            "tenant: `POST /invoices` with an amount of 19 digits" => {
                let body = invoice(&self.acme).to_string();
                let body = body.replace("1200", "12345678901234567.89");
                let json = [("content-type", "application/json")];
                let made = self.text("/invoices", &json, body).await.expect(200);
                assert!(made.raw.contains("12345678901234567.89"), "{}", made.raw);
                made
            }
            "tenant: `POST /invoices` with a lead's token" => {
                let lead = self.app.verified_lead("eve@acme.test").await;
                let path = format!("/leads/{}/tenants", lead.id);
                let body = json!({ "key": "own", "domains": ["acme.test"] });
                let own = self.app.client.post(&lead.token, &path, &body).await.expect(200);
                let bill = invoice(&own.text("/id"));
                self.app.client.post(&lead.token, "/invoices", &bill).await
            }
            "tenant: `PATCH /invoices/{id}` of a paid invoice" => {
                let mut paid = invoice(&self.acme);
                paid["status"] = json!(1);
                let id = self.app.create("/invoices", &paid).await;
                self.patch(&format!("/invoices/{id}"), &json!({ "amount": 1 })).await
            }
            "tenant: `GET /invoices/download?id=`" => {
                let id = self.app.create("/invoices", &invoice(&self.acme)).await;
                let path = format!("/invoices/download?id={id}");
                let (pdf, bytes) = self.app.client.download(&self.app.operator, &path).await;
                assert!(bytes.starts_with(b"%PDF"));
                pdf
            }
            _ => return None,
        })
    }

    pub(crate) async fn list(&self, request: &str) -> Option<Reply> {
        Some(match request {
            "list: `GET /contacts` without `limit`" => {
                for _ in 0..100 {
                    self.app.create("/contacts", &contact(&self.acme)).await;
                }
                self.app.settle().await;
                let page = self.get("/contacts").await;
                assert_eq!(page.items().len(), 100);
                assert!(page.header("link").contains("rel=\"next\""));
                page
            }
            "list: `limit` over 1,000" => self.get("/tenants?filter[limit]=1001").await,
            "list: an unknown property in `where`" => {
                self.tenants(json!({ "colour": "red" })).await
            }
            "list: `{\"status\":\"1\"}`" => self.tenants(json!({ "status": "1" })).await,
            "list: `regexp` with look-around" => {
                self.tenants(json!({ "name": { "regexp": "(?=A)" } })).await
            }
            _ => return None,
        })
    }

    pub(crate) async fn http(&self, request: &str) -> Option<Reply> {
        let body = || contact(&self.acme).to_string();
        let json = ("content-type", "application/json");
        Some(match request {
            "HTTP: `GET /tenants/`" => {
                let redirect = self.get("/tenants/").await;
                self.get(redirect.header("location")).await.expect(200);
                redirect
            }
            "HTTP: a member given twice" => {
                let body = body().replacen('{', r#"{"email":"a@b.test","#, 1);
                self.text("/contacts", &[json], body).await
            }
            "HTTP: a body of 300,000 bytes" => {
                self.text("/contacts", &[json], " ".repeat(300_000)).await
            }
            "HTTP: `charset=utf-16`" => {
                let kind = ("content-type", "application/json; charset=utf-16");
                self.text("/contacts", &[kind], body()).await
            }
            "HTTP: `content-encoding: deflate`" => {
                self.text("/contacts", &[json, ("content-encoding", "deflate")], body()).await
            }
            "HTTP: `GET /ping` with a token" => {
                let ping = self.get("/ping").await;
                assert_eq!(ping.body["headers"]["authorization"], Value::Null);
                ping
            }
            _ => return None,
        })
    }
}
