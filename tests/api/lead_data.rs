use domain::Permission;
use serde_json::{Value, json};
use support::{
    App, VerifiedLead, config, contact, invoice, subscription,
    token::{LEAD, claims, token, with},
};

/// Converts a new lead into a tenant with this key. Returns the lead and the ID of the tenant.
pub(crate) async fn onboarded(app: &App, key: &str) -> (VerifiedLead, String) {
    let lead = app.verified_lead(&format!("ada@{key}.test")).await;
    let body = json!({ "key": key, "domains": [format!("{key}.test")] });
    let path = format!("/leads/{}/tenants", lead.id);
    let made = app.client.post(&lead.token, &path, &body).await.expect(200);
    (lead, made.text("/id"))
}

/// A lead with a tenant and one entity of each kind.
pub(crate) struct Party {
    pub(crate) token: String,
    pub(crate) lead: String,
    pub(crate) tenant: String,
    pub(crate) contact: String,
    pub(crate) invoice: String,
    pub(crate) config: String,
    pub(crate) job: String,
}

impl Party {
    pub(crate) async fn new(app: &App, name: &str) -> Self {
        let lead = app.verified_lead(&format!("{name}@{name}.test")).await;
        let body = json!({ "key": name, "domains": [format!("{name}.test")], "name": name });
        let path = format!("/leads/{}/tenants", lead.id);
        let tenant = app.client.post(&lead.token, &path, &body).await.expect(200).text("/id");
        let path = format!("/tenants/{tenant}/provision");
        let opened = app.client.post(&lead.token, &path, &subscription("BASIC")).await.expect(204);
        let job = opened.header("location").rsplit('/').next().unwrap().to_owned();
        Self {
            token: lead.token,
            lead: lead.id,
            contact: app.create("/contacts", &named(contact(&tenant), "firstName", name)).await,
            invoice: app.create("/invoices", &named(invoice(&tenant), "invoiceFile", name)).await,
            config: app.create("/tenant-configs", &config(&tenant, name)).await,
            tenant,
            job,
        }
    }

    /// Fills in a route's path with this party's IDs.
    pub(crate) fn path(&self, route: &str) -> String {
        let id = match route.split('/').nth(1) {
            Some("contacts") => &self.contact,
            Some("invoices") => &self.invoice,
            Some("tenant-configs") => &self.config,
            Some("leads") => &self.lead,
            _ => &self.tenant,
        };
        let path = route.replace("{id}", id).replace("{jobId}", &self.job);
        if route == "/invoices/download" { format!("{path}?id={id}") } else { path }
    }

    pub(crate) fn ids(&self) -> [&str; 6] {
        [&self.lead, &self.tenant, &self.contact, &self.invoice, &self.config, &self.job]
    }

    /// Returns a token of the lead with every permission.
    pub(crate) fn token_with_all_permissions(&self) -> String {
        token_with_all_permissions(&self.lead)
    }
}

/// Returns a token of this lead with every permission.
pub(crate) fn token_with_all_permissions(lead: &str) -> String {
    let all: Vec<_> = Permission::ALL.iter().map(ToString::to_string).collect();
    let claims = with(with(claims(&[]), "permissions", all), "id", lead);
    token(LEAD, &claims.to_string())
}

fn named(mut body: Value, member: &str, name: &str) -> Value {
    body[member] = json!(name);
    body
}
