//! A control plane with a fake identity provider.

#[path = "../../functions/idp/tests/manage/fake/mod.rs"]
#[expect(dead_code, reason = "the tests of `POST /manage/users` use all of it")]
mod fake;

use domain::{JobId, TenantId};
use serde_json::{Value, json};
use support::{App, Options, SignedMessage};

use fake::{FailurePoint, Fake, keycloak::Keycloak};

/// A control plane that sets up tenants at a fake Keycloak.
pub(crate) struct Set {
    pub(crate) app: App,
    pub(crate) keycloak: Fake<Keycloak>,
}

impl Set {
    /// Starts a control plane with Keycloak as the default provider.
    pub(crate) async fn start(options: Options) -> Self {
        Self::with_default(options, "keycloak").await
    }

    pub(crate) async fn with_default(options: Options, provider: &str) -> Self {
        let keycloak = Fake::start(Keycloak::default(), Keycloak::answer).await;
        let variables = Keycloak::variables(&keycloak.url);
        let options =
            variables.iter().fold(options, |options, (name, value)| options.variable(name, value));
        let options = options.variable("DOMAIN_NAME", "saas.test");
        let app = App::with_options(options.variable("IDENTITY_PROVIDER", provider)).await;
        Self { app, keycloak }
    }

    /// Returns the email addresses of the users in a realm.
    pub(crate) fn users(&self, realm: &str) -> Vec<Value> {
        self.keycloak.state(|state| {
            let realm = state.realms.get(realm);
            realm.map_or(Vec::new(), |realm| {
                realm.users.iter().map(|user| user["email"].clone()).collect()
            })
        })
    }

    /// Sends the report of a build.
    pub(crate) async fn report(&self, (tenant, job): (TenantId, JobId), status: u8) -> u16 {
        let resources = json!([{ "type": "bucket", "externalIdentifier": "acme-files" }]);
        let data = json!({
            "status": status, "resources": resources, "appPlaneUrl": "https://acme.saas.test",
        });
        let body = json!({ "initiatorId": tenant, "type": 0, "data": data });
        let message = SignedMessage::new(&self.app.keys, tenant, job, &body);
        message.send(&self.app.client).await.status
    }

    /// Makes the build of a new tenant succeed while the provider is out of order, until its event
    /// is given up.
    pub(crate) async fn stuck(&self) -> (TenantId, JobId) {
        self.keycloak.fail_after(0, FailurePoint::Before);
        let ids = self.app.provisioning("acme", "PREMIUM").await;
        assert_eq!(self.report(ids, 1).await, 204);
        self.app.settle().await;
        ids
    }

    pub(crate) async fn resume(&self, tenant: TenantId, status: u16) -> Option<JobId> {
        let path = format!("/tenants/{tenant}/identity");
        let answer = self.app.client.post(&self.app.operator, &path, &json!(null)).await;
        let location = answer.expect(status).header("location").to_owned();
        location.rsplit('/').next().and_then(|id| id.parse().ok())
    }

    pub(crate) async fn status(&self, tenant: TenantId) -> Value {
        self.app.read(&format!("/tenants/{tenant}")).await.body["status"].clone()
    }

    pub(crate) async fn resources(&self, tenant: TenantId) -> usize {
        self.app.read(&format!("/tenants/{tenant}/resources")).await.items().len()
    }

    /// Returns the one event that starts the set-up.
    pub(crate) fn event(&self) -> Value {
        let [event] = &self.app.events_of("TENANT_IDENTITY_SETUP")[..] else { panic!() };
        event.clone()
    }
}
