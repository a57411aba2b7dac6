use std::time::Duration;

use schema::Timestamp;
use serde_json::{Value, json};

use crate::{App, Reply, plan};

/// Returns the body of a plan of the tier BASIC with five seats, and these members.
pub fn basic_plan(with: &Value) -> Value {
    let mut given = json!({ "name": "Basic", "tier": "BASIC", "features": { "seats": 5 } });
    for (name, value) in with.as_object().into_iter().flatten() {
        given[name] = value.clone();
    }
    plan(given)
}

/// Plans and subscriptions in tests.
impl App {
    /// Creates an active plan with these members and returns its ID.
    pub async fn active_plan(&self, with: &Value) -> String {
        let id = self.create("/plans", &basic_plan(with)).await;
        let path = format!("/plans/{id}/activate");
        let activated = self.client.post(&self.operator, &path, &json!({})).await;
        assert!(activated.status < 300, "{}", activated.body);
        id
    }

    /// Creates a tenant that is in use with the tier BASIC, and returns its ID.
    pub async fn tenant_in_use(&self, key: &str) -> String {
        let (tenant, _) = self.provisioning(key, "BASIC").await;
        self.wait_for_status(&tenant.to_string(), 0).await;
        tenant.to_string()
    }

    /// Subscribes a tenant to a plan.
    pub async fn subscribe(&self, tenant: &str, plan: &str) -> Reply {
        let body = json!({ "subscriberId": tenant, "planId": plan });
        self.client.post(&self.operator, "/subscriptions", &body).await
    }

    /// Starts the provisioning of a tenant by plan.
    pub async fn provision_by_plan(&self, tenant: &str, plan: &str) -> Reply {
        let (path, body) = (format!("/tenants/{tenant}/provision"), json!({ "planId": plan }));
        self.client.post(&self.operator, &path, &body).await
    }

    /// Calls an action of a subscription.
    pub async fn act_on(&self, subscription: &str, action: &str, body: &Value) -> Reply {
        let path = format!("/subscriptions/{subscription}/{action}");
        self.client.post(&self.operator, &path, body).await
    }

    /// Reads a subscription.
    pub async fn subscription(&self, id: &str) -> Value {
        self.read(&format!("/subscriptions/{id}")).await.body
    }

    /// Moves every time of subscriptions and timers back, as if this number of days had passed.
    pub async fn let_days_pass(&self, days: u64) {
        self.settle().await;
        let time = Duration::from_secs(days * 24 * 3600);
        for kind in ["subscription", "timer"] {
            for mut item in self.items_of(kind) {
                earlier(&mut item, time);
                assert!(self.put_item(&item).await);
            }
        }
    }
}

/// Moves every time in a stored value back.
pub fn earlier(value: &mut Value, time: Duration) {
    match value {
        Value::String(text) => {
            let (moment, rest) = text.split_once('#').unwrap_or((text, ""));
            let Ok(moment) = moment.parse::<Timestamp>() else { return };
            let mark = if rest.is_empty() { "" } else { "#" };
            *text = format!("{}{mark}{rest}", moment - time);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| earlier(item, time)),
        Value::Object(members) => members.values_mut().for_each(|member| earlier(member, time)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
