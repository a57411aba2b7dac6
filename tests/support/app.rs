use std::time::{Duration, Instant};

use domain::{JobId, LeadId, TenantId};
use lambda::{Env, aws::Aws, keys::MasterKeys};
use local::{Fault, Local, Outcome};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::{Client, Options, lead, subscription, tenant, watch::Watch};

/// The key of bearer tokens in tests.
pub const JWT_SECRET: &str = "jwt-secret-marker-6f1e-of-32-bytes-at-least";
/// The master key in tests.
pub const MASTER_KEY: &str = "master-key-marker-91c4-of-32-bytes-at-least";

/// How long [`eventually`] waits.
const TIMEOUT: Duration = Duration::from_secs(180);

/// A lead with a verified email address.
#[derive(Clone, Debug)]
pub struct VerifiedLead {
    /// The lead's ID.
    pub id: String,
    /// The token that verification returned.
    pub token: String,
}

/// A control plane that belongs to one test, with a client.
///
/// With `TENANTRY_TEST_WATCH` set, the HTTP functions are served by `cargo lambda watch`.
#[derive(Debug)]
pub struct App {
    /// A client of the API.
    pub client: Client,
    /// The token of an operator with every permission.
    pub operator: String,
    /// The keys that all secrets are derived from.
    pub keys: MasterKeys,
    local: Local,
    _watch: Option<Watch>,
}

impl App {
    /// Starts a control plane whose pipelines report success at once.
    pub async fn start() -> Self {
        Self::with_options(Options::succeeding()).await
    }

    /// Starts a control plane whose pipelines never report.
    pub async fn start_silent() -> Self {
        Self::with_options(Options::silent()).await
    }

    /// Starts a control plane with these environment variables set.
    pub async fn with_variables(variables: &[(&str, &str)]) -> Self {
        let options = Options::succeeding();
        let with = |options: Options, (name, value): &(&str, &str)| options.variable(name, value);
        Self::with_options(variables.iter().fold(options, with)).await
    }

    /// Starts a control plane with these options.
    pub async fn with_options(options: Options) -> Self {
        let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");
        let mut simulated = local::Options::private(template);
        simulated.pipeline_outcome = options.outcome;
        simulated.data = options.data;
        simulated.pipeline_delay_ms = options.pipeline_delay_ms;
        let defaults = [
            ("JWT_SECRET", JWT_SECRET),
            ("MASTER_KEYS", MASTER_KEY),
            ("PUBLIC_API_MAX_ATTEMPTS", "100000"),
            ("WEBHOOK_API_MAX_ATTEMPTS", "100000"),
        ];
        let mut outside: Env = defaults.into_iter().collect();
        let watch = Watch::from_env();
        if let Some(watch) = &watch {
            simulated.aws_only = true;
            outside = outside.with([("BASE_URL", watch.base_url())].into_iter().collect());
        }
        let outside = outside.with(options.variables.into_iter().collect());
        let local = Local::start(simulated, outside).await.unwrap();
        let watch = match watch {
            Some(watch) => Some(watch.serve(&local.env()).await),
            None => None,
        };
        let keys = MasterKeys::load(&local.env(), &Aws::from_env(&local.env()).unwrap()).await;
        Self {
            client: Client::new(local.base_url()),
            operator: local.operator_token(),
            keys: keys.unwrap(),
            local,
            _watch: watch,
        }
    }

    /// Calls every function once, so that no cold start happens while calls are counted.
    pub async fn warm(&self) {
        for path in [
            "/ping",
            "/leads/x",
            "/tenants",
            "/contacts",
            "/invoices",
            "/tenant-configs",
            "/plans",
            "/operators",
        ] {
            self.send(Method::GET, path).await;
        }
        self.send(Method::POST, "/webhook").await;
    }

    /// Stops the control plane. Data in a folder is kept.
    pub async fn stop(self) {
        self.local.stop().await;
    }

    /// Returns the operator's ID, as in `createdBy`.
    pub fn operator_id(&self) -> String {
        "local-operator".into()
    }

    /// Returns the verification key of a lead, as in the email.
    pub fn verification_key(&self, id: &str) -> String {
        self.keys.lead_key(id.parse::<LeadId>().unwrap(), 32).expose_secret().to_owned()
    }

    /// Waits for an email to `email` and returns the key in its link.
    pub async fn key_from_email(&self, email: &str) -> String {
        let link = eventually("an email", async || {
            let mail = self.emails_to(email).into_iter().next()?;
            Some(mail["links"][0].as_str()?.to_owned())
        });
        link.await.split_once("code=").unwrap().1.to_owned()
    }

    /// Creates a lead and verifies its email address.
    pub async fn verified_lead(&self, email: &str) -> VerifiedLead {
        let created = self.client.post_without_token("/leads", &lead(email)).await.expect(200);
        let id = created.text("/id");
        let path = format!("/leads/{id}/verify");
        let verified =
            self.client.post(&self.verification_key(&id), &path, &json!(null)).await.expect(200);
        VerifiedLead { id, token: verified.text("/token") }
    }

    /// Creates an entity as the operator and returns its ID.
    pub async fn create(&self, path: &str, body: &Value) -> String {
        self.client.post(&self.operator, path, body).await.expect(200).text("/id")
    }

    /// Creates a tenant with this key and returns its ID.
    pub async fn tenant(&self, key: &str) -> String {
        self.create("/tenants", &tenant(key)).await
    }

    /// Reads `path` as the operator.
    pub async fn read(&self, path: &str) -> crate::Reply {
        self.client.get(&self.operator, path).await.expect(200)
    }

    /// Returns the count at `<list>/count`, read as the operator.
    pub async fn count(&self, list: &str) -> u64 {
        self.read(&format!("{list}/count")).await.body["count"].as_u64().unwrap()
    }

    /// Creates a tenant and starts its first job. Returns the IDs of both.
    pub async fn provisioning(&self, key: &str, tier: &str) -> (TenantId, JobId) {
        let made = self.client.post(&self.operator, "/tenants", &tenant(key)).await.expect(200);
        let id = made.text("/id").parse().unwrap();
        (id, self.provision(id, tier).await)
    }

    /// Starts a tenant's next job and waits until its pipeline runs.
    pub async fn provision(&self, tenant: TenantId, tier: &str) -> JobId {
        let path = format!("/tenants/{tenant}/provision");
        let accepted = self.client.post(&self.operator, &path, &subscription(tier)).await;
        let accepted = accepted.expect(204);
        let job = accepted.header("location").rsplit('/').next().unwrap().parse().unwrap();
        eventually("a running job", async || {
            let state = self.job(tenant, job).await["state"].clone();
            (state != "queued").then_some(())
        })
        .await;
        job
    }

    /// Returns a tenant's job.
    pub async fn job(&self, tenant: TenantId, job: JobId) -> Value {
        let path = format!("/tenants/{tenant}/jobs/{job}");
        self.client.get(&self.operator, &path).await.expect(200).body
    }

    /// Waits until the tenant has this status.
    pub async fn wait_for_status(&self, tenant: &str, status: u8) {
        let path = format!("/tenants/{tenant}");
        eventually(&format!("status {status} of {tenant}"), async || {
            let read = self.client.get(&self.operator, &path).await;
            (read.status == 200 && read.body["status"] == status).then_some(())
        })
        .await;
    }

    /// Waits until the control plane is idle.
    pub async fn settle(&self) {
        eventually("an idle state", async || self.local.is_settled().unwrap().then_some(())).await;
    }

    /// Waits until the control plane is idle, and returns every item of the table.
    pub async fn settled(&self) -> Vec<Value> {
        self.settle().await;
        self.items()
    }

    /// Runs the scheduled functions.
    pub async fn reconcile(&self) {
        self.local.run_schedules().await.unwrap();
    }

    /// Lets time pass, such as `31d` or `1mo`, and renews the operator's token. The clock is that of
    /// the process, so a test that moves it runs in a process of its own, as in nextest.
    pub async fn advance(&mut self, time: &str) {
        let url = format!("{}/clock", self.local.pages_url());
        let sent = reqwest::Client::new().post(url).json(&json!({ "advance": time })).send().await;
        let answer = sent.unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
        self.operator = self.local.operator_token();
    }

    /// Moves the clock only, as if nothing had run meanwhile, and renews the operator's token.
    pub async fn skip(&mut self, time: Duration) {
        self.local.skip(time).unwrap();
        self.local.renew_operator_token().await.unwrap();
        self.operator = self.local.operator_token();
    }

    /// Invokes a function with an event.
    pub async fn invoke(&self, function: &str, event: Value) -> Result<Value, String> {
        self.local.invoke(function, event).await
    }

    /// Reports the end of a pipeline execution, as CodePipeline does.
    pub async fn end_execution(&self, execution: &str, state: &str) {
        let detail =
            json!({ "pipeline": "tenantry-pool", "execution-id": execution, "state": state });
        let event = json!({
            "source": "aws.codepipeline",
            "detail-type": "CodePipeline Pipeline Execution State Change",
            "detail": detail,
        });
        self.invoke("pipelines", event).await.unwrap();
    }

    /// Makes pipelines succeed from now on.
    pub fn pipelines_succeed(&self) {
        self.local.end_pipelines_with(Outcome::Success);
    }

    /// Makes every call of an AWS action fail, or succeed again.
    pub fn set_failing(&self, action: &str, refused: bool) {
        if refused {
            self.local.calls().fail(action, Fault::Reject);
        } else {
            self.local.calls().restore(action);
        }
    }

    /// Returns the control plane itself.
    pub fn local(&self) -> &Local {
        &self.local
    }

    /// Sends a request without a token.
    pub async fn send(&self, method: Method, path: &str) -> crate::Reply {
        self.client.send(method, path, |request| request).await
    }
}

/// Polls `look` until it returns a value. Panics after three minutes.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(start.elapsed() < TIMEOUT, "timed out waiting for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
