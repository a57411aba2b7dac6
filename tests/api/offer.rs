//! A lead cannot obtain what is not on offer, at a price that is not asked, by any route or field that
//! its token reaches.

use reqwest::Method;
use serde_json::{Value, json};
use support::{App, VerifiedLead, basic_plan, subscription};

use crate::{
    lead_data::{onboarded, token_with_all_permissions},
    tokens::ROUTES,
};

/// A lead's tenant, and the plans that its lead would like to have.
struct Offer {
    app: App,
    lead: VerifiedLead,
    tenant: String,
    public: String,
    hidden: [String; 3],
    document: Value,
}

impl Offer {
    async fn new() -> Self {
        let app = App::start().await;
        let public = app.active_plan(&json!({ "public": true })).await;
        let dear = json!({ "tier": "PREMIUM", "price": 999, "public": true });
        let private = json!({ "tier": "PREMIUM", "price": 0, "features": { "seats": 1000 } });
        let archived = app.active_plan(&dear).await;
        app.client.post(&app.operator, &format!("/plans/{archived}/archive"), &json!({})).await;
        let hidden = [
            app.active_plan(&private).await,
            app.create("/plans", &basic_plan(&dear)).await,
            archived,
        ];
        let (lead, tenant) = onboarded(&app, "acme").await;
        let document = app.send(Method::GET, "/openapi.json").await.expect(200).body;
        Self { app, lead, tenant, public, hidden, document }
    }

    /// Returns what the tenant has, and the plans.
    fn had(&self) -> Vec<Value> {
        let terms = ["tier", "isolation", "latestJob", "plan", "phase", "state"];
        let mut had = self.app.items();
        had.retain_mut(|item| match item["entity"]["S"].as_str() {
            Some("plan" | "entitlements" | "invoice") => true,
            Some("tenant" | "subscription" | "job") => {
                let keys = ["pk", "sk"].into_iter().chain(terms);
                *item = keys.map(|name| item[name].take()).collect();
                true
            }
            _ => false,
        });
        had
    }

    /// Returns the value of a member that a lead would send.
    fn wish(&self, member: &str) -> Value {
        match member {
            "planId" => json!(self.hidden[0]),
            "plan" => json!({ "id": self.public, "tier": "PREMIUM", "price": 0 }),
            "tier" => json!("PREMIUM"),
            "isolation" => json!("silo"),
            "price" | "amount" | "status" => json!(0),
            "trialDays" | "graceDays" => json!(365),
            "features" => json!({ "seats": 1000 }),
            "value" => json!(1000),
            "public" | "trial" | "autoRenew" => json!(true),
            "state" => json!("active"),
            "when" => json!("now"),
            "outcome" => json!("succeeded"),
            "subscriberId" | "tenantId" => json!(self.tenant),
            _ => json!("x"),
        }
    }

    /// Returns the bodies that are tried on a route: each documented member by itself, all of them, and
    /// complete bodies.
    fn bodies(&self, method: &str, route: &str) -> Vec<Value> {
        let operation = &self.document["paths"][route][method.to_lowercase()];
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let mut members = Vec::new();
        self.collect(schema, &mut members);
        let all: Value = members.iter().map(|name| (name.clone(), self.wish(name))).collect();
        let mut bodies: Vec<_> =
            members.iter().map(|name| json!({ name.as_str(): self.wish(name) })).collect();
        bodies.extend([json!({}), all]);
        let own_terms = basic_plan(&json!({ "price": 0, "public": true }));
        let named = self.hidden.iter().map(|plan| json!({ "planId": plan }));
        match (method, route) {
            ("POST", "/tenants/{id}/provision") => {
                let mut both = subscription("PREMIUM");
                both["planId"] = json!(self.public);
                let cheaper = json!({ "planId": self.public, "price": 0 });
                bodies.extend(named.chain([subscription("PREMIUM"), both, cheaper]));
            }
            ("POST", "/subscriptions") => bodies.extend(named.map(|mut body| {
                body["subscriberId"] = json!(self.tenant);
                body
            })),
            ("POST", "/subscriptions/{id}/change") => bodies.extend(named),
            ("POST", "/plans") | ("PUT", "/plans/{id}") => bodies.push(own_terms),
            _ => {}
        }
        bodies
    }

    fn collect(&self, schema: &Value, members: &mut Vec<String>) {
        if let Some(name) = schema["$ref"].as_str() {
            let pointer = name.trim_start_matches('#');
            return self.collect(self.document.pointer(pointer).unwrap(), members);
        }
        members.extend(
            schema["properties"].as_object().into_iter().flat_map(|all| all.keys().cloned()),
        );
        for form in ["oneOf", "anyOf"] {
            let forms = schema[form].as_array().into_iter().flatten();
            forms.for_each(|form| self.collect(form, members));
        }
    }

    /// Tries every route that changes something. Nothing may change for the tenant.
    async fn try_everything(&self) {
        let subscriptions = self.app.items_of("subscription");
        let own = subscriptions.first().map_or("x", |item| item["id"]["S"].as_str().unwrap());
        let (had, almighty) = (self.had(), token_with_all_permissions(&self.lead.id));
        let (token, mut tried) = (&self.lead.token, 0);
        for (method, route, _) in ROUTES.iter().filter(|(method, ..)| *method != "GET") {
            let ids: Vec<&str> = match route.split('/').nth(1) {
                Some("plans") => vec![&self.hidden[1], &self.public],
                Some("subscriptions") => vec![own],
                _ => vec![&self.tenant],
            };
            // An almighty token may still delete what belongs to its lead.
            let is_of_terms = ["plan", "subscription", "entitlement", "provision"]
                .iter()
                .any(|part| route.contains(part) && !route.contains("deprovision"));
            let tokens = if is_of_terms { vec![token, &almighty] } else { vec![token] };
            for (id, token) in ids.iter().flat_map(|id| tokens.iter().map(move |token| (id, token)))
            {
                let path = route.replace("{id}", id).replace("{key}", "seats");
                let path = if route.contains('{') || *method != "PATCH" {
                    path
                } else {
                    format!("{path}?where={{}}")
                };
                for body in self.bodies(method, route) {
                    let method = method.parse().unwrap();
                    self.app.client.send_text(method, token, &path, &body.to_string()).await;
                    tried += 1;
                }
                assert_eq!(self.had(), had, "{method} {path}");
            }
        }
        assert!(tried > 300, "only {tried} requests");
    }
}

#[tokio::test]
async fn a_lead_obtains_what_is_on_offer_at_its_price_and_nothing_else() {
    let offer = Offer::new().await;
    let Offer { app, lead, tenant, public, .. } = &offer;
    offer.try_everything().await;
    let path = format!("/tenants/{tenant}/provision");
    app.client.post(&lead.token, &path, &json!({ "planId": public })).await.expect(204);
    app.wait_for_status(tenant, 0).await;
    app.settle().await;
    let subscriptions = app.read("/subscriptions").await;
    let plan = &subscriptions.items()[0]["plan"];
    assert_eq!((&plan["id"], &plan["price"]), (&json!(public), &json!(30)));
    assert_eq!(app.items_of("invoice")[0]["amount"], json!({ "S": "30" }));
    offer.try_everything().await;
}

#[tokio::test]
async fn a_lead_names_no_terms_when_it_creates_its_tenant() {
    let app = App::start_silent().await;
    let lead = app.verified_lead("ada@acme.test").await;
    let path = format!("/leads/{}/tenants", lead.id);
    for (name, value) in [
        ("tier", json!("PREMIUM")),
        ("isolation", json!("silo")),
        ("status", json!(0)),
        ("plan", json!({ "tier": "PREMIUM" })),
        ("planId", json!(lead.id)),
        ("subscription", json!({})),
        ("features", json!({ "seats": 1000 })),
    ] {
        let body = json!({ "key": "acme", "domains": ["acme.test"], name: value });
        let refused = app.client.post(&lead.token, &path, &body).await.expect(422);
        assert_eq!(refused.violations(), [" additionalProperties"], "{name}");
    }
    assert!(app.items_of("tenant").is_empty());
}
