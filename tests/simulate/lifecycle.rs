//! The life of a customer: from a sign-up, or a tenant that an operator creates, to its deletion.

use std::sync::Arc;

use domain::Permission;
use serde_json::{Value, json};

use crate::{
    faults::Mishap,
    history::{Change, Image, number, text},
    person::{Asked, Reply},
    units::{DAY, HOUR, SECOND},
    world::World,
};

/// A customer.
#[derive(Debug)]
pub(crate) struct Customer {
    pub(crate) world: Arc<World>,
    pub(crate) number: u64,
    pub(crate) plans: Arc<Vec<String>>,
}

/// The status of a tenant.
pub(crate) const ACTIVE: u64 = 0;
pub(crate) const PROVISIONING: u64 = 2;
pub(crate) const DEPROVISIONING: u64 = 4;
const INACTIVE: u64 = 5;

impl World {
    /// Returns the token of an operator with every permission.
    pub(crate) async fn operator(&self) -> String {
        let tokens = self.tokens().await;
        let token = tokens.and_then(|tokens| {
            let expiry = lambda::now() + HOUR;
            let token = tokens.for_operator("simulated-operator", Permission::ALL, expiry);
            token.map_err(|error| error.to_string())
        });
        token.unwrap_or_else(|error| self.violated("tokens can be signed", &error))
    }

    /// Acts as an operator.
    pub(crate) async fn operate(
        self: &Arc<Self>,
        method: &'static str,
        path: &str,
        body: &Value,
    ) -> Reply {
        let operator = self.operator().await;
        self.tell(method, path, Some(&operator), body).await
    }

    /// Creates the plans that customers choose from, and returns their IDs.
    pub(crate) async fn plans(self: &Arc<Self>) -> Vec<String> {
        let cycle =
            |duration: u32, unit: &str| json!({ "duration": duration, "durationUnit": unit });
        let plans = [
            json!({ "name": "Basic", "tier": "BASIC", "price": 10, "billingCycle": cycle(1, "month"),
                    "trialDays": 14, "graceDays": 7, "features": { "seats": 5 } }),
            json!({ "name": "Standard", "tier": "STANDARD", "price": 30, "billingCycle": cycle(2, "week"),
                    "graceDays": 3, "features": { "seats": 10, "sso": false } }),
            json!({ "name": "Premium", "tier": "PREMIUM", "price": 90, "billingCycle": cycle(1, "month"),
                    "features": { "seats": 25, "sso": true } }),
            json!({ "name": "Large", "tier": "BASIC", "price": 20, "billingCycle": cycle(20, "day"),
                    "effectOfNonPayment": "none", "features": { "seats": 50 } }),
        ];
        let mut made = Vec::new();
        for mut plan in plans {
            plan["currencyCode"] = "EUR".into();
            plan["public"] = true.into();
            let created = self.operate("POST", "/plans", &plan).await;
            let id = created.text("id");
            self.operate("POST", &format!("/plans/{id}/activate"), &json!({})).await;
            made.push(id);
        }
        made
    }
}

impl Customer {
    /// Lives from sign-up to the end.
    pub(crate) async fn live(self) {
        let start = self.world.chance.time(SECOND, DAY * 10);
        tokio::time::sleep(start).await;
        let tenant = match self.world.chance.is(700) {
            true => Box::pin(self.sign_up()).await,
            false => self.created_by_operator().await,
        };
        let Some(tenant) = tenant else { return };
        for _ in 0..1 + self.world.chance.below(6) {
            self.settle(&tenant).await;
            Box::pin(self.act(&tenant)).await;
            let most = if self.world.chance.is(400) { DAY * 20 } else { HOUR };
            tokio::time::sleep(self.world.chance.time(SECOND, most)).await;
        }
        if self.world.chance.is(500) {
            self.leave(&tenant).await;
        }
        self.world.trace.add(format_args!("customer {} is done", self.number), &[]);
    }

    fn email(&self) -> String {
        format!("person-{}@customer-{}.test", self.number, self.number)
    }

    fn domain(&self) -> String {
        format!("customer-{}.test", self.number)
    }

    /// Returns another key for each attempt, since a key may be taken.
    fn key(&self) -> String {
        // Some customers want the same key.
        match self.world.chance.is(200) {
            true => format!("team{}", self.world.chance.below(2)),
            false => format!("c{}x{}", self.number, self.world.chance.below(1000)),
        }
    }

    /// Signs up as a lead. Returns the tenant's ID, unless the person gives up.
    async fn sign_up(&self) -> Option<String> {
        let world = &self.world;
        let lead = json!({ "firstName": "Marker-Ada", "lastName": "Marker-Lovelace",
                           "companyName": format!("Company {}", self.number), "email": self.email(),
                           "address": { "country": "GB", "city": "London" } });
        let created = world.tell("POST", "/leads", None, &lead).await;
        if !created.is_success() {
            self.unexpected("POST /leads", &created);
        }
        for _ in 0..6 {
            let Some((lead, key)) = self.link().await else {
                let body = json!({ "email": self.email() });
                world.tell("POST", "/leads/resend", None, &body).await;
                continue;
            };
            let path = format!("/leads/{lead}/verify");
            let verified = world.tell("POST", &path, Some(&key), &Value::Null).await;
            if !verified.is_success() {
                // The link is too old, or of a lead that was renewed.
                world.tell("POST", "/leads/resend", None, &json!({ "email": self.email() })).await;
                tokio::time::sleep(world.chance.time(SECOND * 30, HOUR)).await;
                continue;
            }
            let token = verified.text("token");
            let made = if world.faults.strike(Mishap::DoubleClick, 200, &world.chance) {
                // The person asks in two tabs, for two keys.
                let (one, two) = tokio::join!(
                    self.become_tenant(&lead, &token),
                    self.become_tenant(&lead, &token)
                );
                one.or(two)
            } else {
                self.become_tenant(&lead, &token).await
            };
            if let Some(tenant) = made {
                if world.faults.strike(Mishap::Impatience, 150, &world.chance) {
                    // The person goes back, and asks for another tenant.
                    self.become_tenant(&lead, &token).await;
                }
                self.provision(&tenant, Some(&token)).await;
                return Some(tenant);
            }
        }
        // Every email may have been late.
        None
    }

    /// Waits for an email, and returns the lead and the key in its link.
    async fn link(&self) -> Option<(String, String)> {
        let world = &self.world;
        let patience = if world.faults.strike(Mishap::Impatience, 100, &world.chance) {
            world.chance.time(SECOND, SECOND * 60)
        } else {
            DAY
        };
        let arrived = async {
            loop {
                let mailed = world.effects.mailed.notified();
                if let Some(link) = world.effects.latest_link(&self.email()) {
                    break link;
                }
                mailed.await;
            }
        };
        let link = tokio::time::timeout(patience, arrived).await.ok()?;
        tokio::time::sleep(world.chance.time(SECOND, HOUR)).await;
        let (path, key) = link.split_once("?code=")?;
        let lead = path.rsplit('/').next()?;
        Some((lead.to_owned(), key.split('&').next()?.to_owned()))
    }

    async fn become_tenant(&self, lead: &str, token: &str) -> Option<String> {
        for _ in 0..5 {
            let body = json!({ "key": self.key(), "domains": [self.domain()] });
            let path = format!("/leads/{lead}/tenants");
            let made = self.world.tell("POST", &path, Some(token), &body).await;
            match made.status {
                200 => return Some(made.text("id")),
                // Another request made the tenant: the link leads to it.
                401 if made.code() == "LEAD_ALREADY_CONVERTED" => {
                    let tenants = self.world.history.items();
                    let mine = tenants.iter().find(|item| {
                        item.entity() == "tenant" && text(item.after(), "leadId") == lead
                    });
                    return mine.map(|item| text(item.after(), "id").to_owned());
                }
                409 => {}
                401 => return None,
                _ => self.unexpected(&path, &made),
            }
        }
        None
    }

    async fn created_by_operator(&self) -> Option<String> {
        for _ in 0..5 {
            let body = json!({ "key": self.key(), "name": format!("Company {}", self.number),
                "domains": [self.domain()],
                "contact": { "firstName": "Marker-Grace", "lastName": "Marker-Hopper",
                             "email": self.email(), "isPrimary": true } });
            let made = self.world.operate("POST", "/tenants", &body).await;
            match made.status {
                200 => {
                    let tenant = made.text("id");
                    self.provision(&tenant, None).await;
                    return Some(tenant);
                }
                409 => {}
                _ => self.unexpected("POST /tenants", &made),
            }
        }
        None
    }

    /// Asks for the tenant to be built, as its lead or as an operator.
    pub(crate) async fn provision(&self, tenant: &str, token: Option<&str>) {
        let world = &self.world;
        let own = json!({ "id": format!("terms-{}", self.number), "startDate": "2026-01-01",
                          "plan": { "tier": *world.chance.one(&["BASIC", "STANDARD", "PREMIUM"]) } });
        let body = match token {
            None if world.chance.is(200) => own,
            _ => json!({ "planId": world.chance.one(&self.plans) }),
        };
        let path = format!("/tenants/{tenant}/provision");
        match token {
            Some(token) => world.tell("POST", &path, Some(token), &body).await,
            None => world.operate("POST", &path, &body).await,
        };
    }

    /// Waits until no job of the tenant is open.
    pub(crate) async fn settle(&self, tenant: &str) {
        let closed = async {
            loop {
                let changed = self.world.history.changed.notified();
                let is_open =
                    self.tenant(tenant).is_some_and(|tenant| has_open_job(tenant.after()));
                if !is_open {
                    break;
                }
                changed.await;
            }
        };
        // Deadlines are an hour; the reconciler and its retries take minutes.
        if tokio::time::timeout(DAY * 2, closed).await.is_err() {
            self.world.violated("every job ends", &format!("tenant {tenant}"));
        }
    }

    /// Returns the last change of the tenant.
    pub(crate) fn tenant(&self, id: &str) -> Option<Arc<Change>> {
        self.world.history.item(&format!("TENANT#{id}"), "TENANT")
    }

    /// Deprovisions the tenant, and deletes it.
    async fn leave(&self, tenant: &str) {
        for _ in 0..6 {
            self.settle(tenant).await;
            let Some(stored) = self.tenant(tenant) else { return };
            let stored = stored.after();
            if stored["deleted"]["BOOL"] == true {
                return;
            }
            let path = format!("/tenants/{tenant}");
            if stored.contains_key("previous") {
                self.world.operate("POST", &format!("{path}/retire"), &json!({})).await;
                self.settle(tenant).await;
            }
            if [ACTIVE, 3, 6].contains(&number(stored, "status")) {
                self.world.operate("POST", &format!("{path}/deprovision"), &json!({})).await;
                self.settle(tenant).await;
            }
            if [1, 3, INACTIVE]
                .contains(&self.tenant(tenant).map_or(0, |it| number(it.after(), "status")))
            {
                let operator = self.world.operator().await;
                let asked = Asked::new("DELETE", &path, Some(&operator), String::new());
                self.world.ask(asked).await;
            }
            tokio::time::sleep(self.world.chance.time(SECOND, HOUR)).await;
        }
    }

    /// Ends the world, because an answer is not one that could follow from the requests before.
    pub(crate) fn unexpected(&self, request: &str, reply: &Reply) -> ! {
        let how = format!("{request}: {} {}", reply.status, reply.body);
        self.world.violated("answers follow from requests", &how)
    }
}

/// Returns whether a tenant has an open job.
pub(crate) fn has_open_job(tenant: &Image) -> bool {
    let Some(job) = tenant.get("latestJob").and_then(|job| job["M"].as_object()) else {
        return false;
    };
    !job.contains_key("outcome")
}
