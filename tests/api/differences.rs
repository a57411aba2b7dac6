//! The table of differences from ARC SaaS in the API guide: each of its requests is sent, and the
//! answer must be the one in the table.

use reqwest::Method;
use serde_json::{Value, json};
use support::{
    App, Reply, VerifiedLead, contact,
    token::{OPERATOR, claims, token},
    with_query,
};

const GUIDE: &str = include_str!("../../functions/README.md");

/// The control plane and the entities that the requests use.
pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) ada: VerifiedLead,
    pub(crate) acme: String,
    pub(crate) contact: String,
}

/// Returns the requests of the table, each with the answer of Tenantry.
fn rows() -> Vec<(&'static str, &'static str)> {
    let section = GUIDE.split("## Differences from ARC SaaS").nth(1).unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [request, _, answer, reason] = cells[..] else { panic!("{row}") };
        assert!(!reason.is_empty(), "{row}");
        (request, answer)
    })
    .collect()
}

/// Returns a status with the code of its error, as in the table.
fn shown(reply: &Reply) -> String {
    match reply.body["error"]["code"].as_str() {
        Some(code) => format!("{} `{code}`", reply.status),
        None => reply.status.to_string(),
    }
}

impl World {
    async fn new() -> Self {
        let app = App::start_silent().await;
        let ada = app.verified_lead("ada@acme.test").await;
        let acme = app.tenant("acme").await;
        let contact = app.create("/contacts", &contact(&acme)).await;
        app.settle().await;
        Self { app, ada, acme, contact }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.app.client.get(&self.app.operator, path).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.app.client.post(&self.app.operator, path, body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.app.client.patch(&self.app.operator, path, body).await
    }

    pub(crate) async fn text(&self, path: &str, headers: &[(&str, &str)], body: String) -> Reply {
        let send = self.app.client.send(Method::POST, path, |request| {
            let request = request.bearer_auth(&self.app.operator);
            headers
                .iter()
                .fold(request, |request, (name, value)| request.header(*name, *value))
                .body(body)
        });
        send.await
    }

    pub(crate) async fn with_codes(&self, codes: &[&str], method: Method, path: &str) -> Reply {
        let bearer = token(OPERATOR, &claims(codes).to_string());
        self.app.client.send_text(method, &bearer, path, r#"{"type":"x"}"#).await
    }

    /// Filters tenants by these conditions.
    pub(crate) async fn tenants(&self, conditions: Value) -> Reply {
        self.get(&with_query("/tenants", "filter", &json!({ "where": conditions }))).await
    }

    /// Sends a request of the table. `None` if the table has a request that is not known here.
    async fn send(&self, request: &str) -> Option<Reply> {
        match request.split_once(':').map_or(request, |(kind, _)| kind) {
            "token" => self.token(request).await,
            "lead" => self.lead(request).await,
            "tenant" => self.tenant(request).await,
            "list" => self.list(request).await,
            "HTTP" => self.http(request).await,
            "build" => self.build(request).await,
            _ => None,
        }
    }
}

#[tokio::test]
async fn each_difference_in_the_guide_is_so() {
    let world = World::new().await;
    let rows = rows();
    assert!(rows.len() > 30, "{}", rows.len());
    for (request, answer) in rows {
        let reply = world.send(request).await;
        let reply = reply.unwrap_or_else(|| panic!("the guide has an unknown request: {request}"));
        let expected = answer.split(';').next().unwrap();
        assert_eq!(shown(&reply), expected, "{request}: {}", reply.raw);
    }
}
