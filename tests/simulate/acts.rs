//! Actions of customers and operators with a tenant.

use serde_json::json;

use crate::{
    history::{number, text},
    lifecycle::{ACTIVE, Customer},
    person::Asked,
    units::SECOND,
};

/// An action with a tenant.
#[derive(Clone, Copy, Debug)]
enum Act {
    Edit,
    Contact,
    Config,
    Entitlement,
    Suspend,
    Subscribe,
    Change,
    Pay,
    Cancel,
    AutoRenew,
    Provision,
    Identity,
    Deprovision,
    Retire,
}

/// The actions by how often they occur.
const ACTS: [(Act, usize); 13] = [
    (Act::Edit, 5),
    (Act::Contact, 3),
    (Act::Config, 2),
    (Act::Entitlement, 3),
    (Act::Suspend, 3),
    (Act::Subscribe, 4),
    (Act::Change, 6),
    (Act::Pay, 5),
    (Act::Cancel, 2),
    (Act::AutoRenew, 1),
    (Act::Provision, 2),
    (Act::Deprovision, 1),
    (Act::Retire, 1),
];

impl Customer {
    /// Does something with the tenant, while others look at it. It may be refused.
    pub(crate) async fn act(&self, tenant: &str) {
        let chance = &self.world.chance;
        if chance.is(300) {
            self.look(tenant, 0).await;
        }
        let seen = async {
            while chance.is(500) {
                self.look(tenant, 0).await;
            }
        };
        tokio::join!(Box::pin(self.act_unseen(tenant)), seen);
        if chance.is(500) {
            tokio::time::sleep(chance.time(SECOND / 100, SECOND * 20)).await;
            self.look(tenant, 0).await;
        }
    }

    async fn act_unseen(&self, tenant: &str) {
        let act = self.world.chance.weighted(&ACTS);
        let status = self.tenant(tenant).map_or(0, |tenant| number(tenant.after(), "status"));
        // A tenant that could not be built is built again.
        let again = [Act::Provision, Act::Provision, Act::Identity];
        let act = if [1, 3, 5].contains(&status) { *self.world.chance.one(&again) } else { act };
        self.world.trace.add(format_args!("customer {}: {act:?}", self.number), &[]);
        match act {
            Act::Edit => Box::pin(self.edit(tenant)).await,
            Act::Contact => self.contact(tenant).await,
            Act::Config => self.config(tenant).await,
            Act::Entitlement => self.entitlement(tenant).await,
            Act::Suspend => self.suspend(tenant, status).await,
            Act::Subscribe => self.subscribe(tenant).await,
            Act::Provision => self.provision(tenant, None).await,
            Act::Identity => self.call(tenant, "identity").await,
            Act::Deprovision => self.call(tenant, "deprovision").await,
            Act::Retire => self.call(tenant, "retire").await,
            Act::Change | Act::Pay | Act::Cancel | Act::AutoRenew => {
                match self.subscription(tenant) {
                    Some(id) => self.act_on(&id, act).await,
                    None => self.subscribe(tenant).await,
                }
            }
        }
    }

    /// Renames the tenant, and looks at it. Two operators may do so at the same time.
    async fn edit(&self, tenant: &str) {
        let path = format!("/tenants/{tenant}");
        let name = || format!("Name {}", self.world.chance.below(1_000_000));
        let (one, two) = (name(), name());
        let (first, second) = (json!({ "name": one }), json!({ "name": two, "city": "Paris" }));
        let replies = if self.world.chance.is(300) {
            let replies = tokio::join!(
                self.world.operate("PATCH", &path, &first),
                self.world.operate("PATCH", &path, &second)
            );
            vec![(one, replies.0), (two, replies.1)]
        } else {
            vec![(one, self.world.operate("PATCH", &path, &first).await)]
        };
        let mut known = 0;
        for (name, reply) in replies {
            match reply.status {
                204 => known = known.max(self.must_have_been(tenant, "name", &name)),
                404 => {}
                _ => self.unexpected(&path, &reply),
            }
        }
        self.look(tenant, known).await;
    }

    async fn contact(&self, tenant: &str) {
        let n = self.world.chance.below(1_000_000);
        let body = json!({ "firstName": "Marker-Grace", "lastName": "Marker-Hopper", "type": "billing",
            "email": format!("person-{n}@customer-{}.test", self.number), "isPrimary": false,
            "tenantId": tenant });
        let operator = self.world.operator().await;
        let asked = Asked::post("/contacts", Some(&operator), body.to_string());
        let made = self.world.ask_once(asked).await;
        if !made.is_success() {
            return;
        }
        let email = format!("person-{n}@");
        let all = self.world.history.partition(&format!("TENANT#{tenant}")).into_iter();
        let same = all.filter(|item| text(item.after(), "email").starts_with(&email));
        if same.count() != 1 {
            self.world.violated("a request with a key has one effect", &made.text("id"));
        }
        let path = format!("/contacts/{}", made.text("id"));
        if self.world.chance.is(500) {
            let body = json!({ "isPrimary": self.world.chance.is(500), "type": format!("t{n}") });
            self.world.operate("PATCH", &path, &body).await;
        }
        if self.world.chance.is(300) {
            let operator = self.world.operator().await;
            self.world.ask(Asked::new("DELETE", &path, Some(&operator), String::new())).await;
        }
    }

    async fn config(&self, tenant: &str) {
        let body = json!({ "configKey": format!("key{}", self.world.chance.below(4)),
            "configValue": { "limit": self.world.chance.below(100) }, "tenantId": tenant });
        self.world.operate("POST", "/tenant-configs", &body).await;
    }

    async fn entitlement(&self, tenant: &str) {
        let path = format!("/tenants/{tenant}/entitlements/seats");
        if self.world.chance.is(700) {
            let body = json!({ "value": self.world.chance.below(100) });
            self.world.operate("PUT", &path, &body).await;
        } else {
            let operator = self.world.operator().await;
            self.world.ask(Asked::new("DELETE", &path, Some(&operator), String::new())).await;
        }
    }

    async fn suspend(&self, tenant: &str, status: u64) {
        if status == ACTIVE {
            let path = format!("/tenants/{tenant}/suspend");
            self.world.operate("POST", &path, &json!({ "reason": "request" })).await;
        } else {
            self.call(tenant, "reactivate").await;
        }
    }

    async fn call(&self, tenant: &str, action: &str) {
        self.world.operate("POST", &format!("/tenants/{tenant}/{action}"), &json!({})).await;
    }

    async fn subscribe(&self, tenant: &str) {
        let body = json!({ "subscriberId": tenant, "planId": self.world.chance.one(&self.plans),
                           "trial": self.world.chance.is(500) });
        self.world.operate("POST", "/subscriptions", &body).await;
    }

    /// Returns the ID of the tenant's subscription that has not ended.
    fn subscription(&self, tenant: &str) -> Option<String> {
        let pk = format!("TENANT#{tenant}");
        let current = self.world.history.item(&pk, "CURRENT_SUBSCRIPTION")?;
        Some(text(current.after(), "holder").to_owned())
    }

    async fn act_on(&self, subscription: &str, act: Act) {
        let path = format!("/subscriptions/{subscription}");
        let (chance, world) = (&self.world.chance, &self.world);
        match act {
            Act::Change => {
                let body = json!({ "planId": chance.one(&self.plans),
                    "when": chance.one(&["now", "period_end"]),
                    "proration": chance.one(&["credit", "none"]) });
                world.operate("POST", &format!("{path}/change"), &body).await;
            }
            Act::Pay => {
                let outcome = *chance.one(&["failed", "failed", "succeeded"]);
                // A billing system sends a signal again, and may use a reference twice.
                let reference = format!("signal-{}", chance.below(40));
                let body = json!({ "outcome": outcome, "reference": reference });
                for _ in 0..1 + chance.below(2) {
                    world.operate("POST", &format!("{path}/payments"), &body).await;
                }
                if outcome == "failed" && chance.is(500) {
                    self.pay_overdue(subscription).await;
                }
            }
            Act::Cancel => {
                let body = match chance.is(500) {
                    true => json!({ "when": "now", "reason": "They left." }),
                    false => json!({}),
                };
                world.operate("POST", &format!("{path}/cancel"), &body).await;
                if chance.is(300) {
                    world.operate("POST", &format!("{path}/resume"), &json!({})).await;
                }
            }
            _ => {
                let body = json!({ "autoRenew": chance.is(700) });
                world.operate("PATCH", &path, &body).await;
            }
        }
    }

    /// Pays what is overdue.
    async fn pay_overdue(&self, subscription: &str) {
        let operator = self.world.operator().await;
        let path = format!("/subscriptions/{subscription}");
        let read = self.world.ask(Asked::get(&path, &operator)).await;
        for invoice in read.body["overdue"].as_array().into_iter().flatten() {
            let reference = format!("paid-{}", self.world.chance.below(u64::MAX));
            let body =
                json!({ "outcome": "succeeded", "reference": reference, "invoiceId": invoice });
            self.world.operate("POST", &format!("{path}/payments"), &body).await;
        }
    }
}
