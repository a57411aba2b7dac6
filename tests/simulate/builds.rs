//! Builds: they report success or failure, once or twice, late, in contradiction, or not at all.

use std::sync::Arc;

use lambda::keys::mac;
use local::{
    Answered,
    state::{Execution, Status},
};
use serde_json::{Value, json};

use crate::{
    faults::Mishap,
    person::{Asked, Reply},
    units::{HOUR, SECOND},
    world::World,
};

/// How a build ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    Succeeds,
    Fails,
    /// It reports nothing, and its execution never ends.
    Silent,
    /// Its execution fails before it could report.
    Breaks,
    /// It reports when its job has timed out.
    Late,
    /// It reports success, then failure, or the other way round.
    Contradicts,
    /// It reports the same twice at once.
    Repeats,
}

/// The plans by how often they occur.
const PLANS: [(Plan, usize); 7] = [
    (Plan::Succeeds, 50),
    (Plan::Fails, 12),
    (Plan::Silent, 7),
    (Plan::Breaks, 8),
    (Plan::Late, 7),
    (Plan::Contradicts, 8),
    (Plan::Repeats, 8),
];

impl World {
    /// Begins the build of an execution that was started, unless it has begun before.
    pub(crate) fn begin_build(self: &Arc<Self>, answered: &Answered) {
        let answer = answered.json();
        let id = answer["pipelineExecutionId"].as_str().unwrap_or_default();
        let Ok(Some(execution)) = self.services.state().execution(id) else { return };
        let job = variable(&execution, "JOB_ID").to_owned();
        if self.effects.note_execution(&job, id) {
            let (world, busy) = (Arc::clone(self), self.busy());
            tokio::spawn(async move {
                world.build(&execution).await;
                drop(busy);
            });
        }
    }

    async fn build(self: &Arc<Self>, execution: &Execution) {
        let plan = self.chance.weighted(&PLANS);
        let plan = if self.faults.are_on() { plan } else { Plan::Succeeds };
        if !matches!(plan, Plan::Succeeds | Plan::Fails) {
            self.faults.count(Mishap::Build);
        }
        // Before the build begins, its secret is read.
        let Some(secret) = self.secret_of(execution) else {
            return self.end(execution, Status::Failed);
        };
        if plan == Plan::Silent {
            return;
        }
        let most = if plan == Plan::Late { HOUR * 30 } else { HOUR / 2 };
        let least = if plan == Plan::Late { HOUR } else { SECOND };
        if self.chance.is(300) {
            self.report_progress(execution, &secret).await;
        }
        tokio::time::sleep(self.chance.time(least, most)).await;
        if plan == Plan::Breaks {
            return self.end(execution, Status::Failed);
        }
        let succeeds = plan != Plan::Fails && (plan != Plan::Contradicts || self.chance.is(500));
        if plan == Plan::Repeats {
            let once = self.report_outcome(execution, &secret, succeeds);
            tokio::join!(once, self.report_outcome(execution, &secret, succeeds));
        } else {
            self.report_outcome(execution, &secret, succeeds).await;
        }
        if plan == Plan::Contradicts {
            tokio::time::sleep(self.chance.time(SECOND / 100, HOUR / 60)).await;
            self.report_outcome(execution, &secret, !succeeds).await;
        }
        self.end(execution, if succeeds { Status::Succeeded } else { Status::Failed });
    }

    fn secret_of(&self, execution: &Execution) -> Option<String> {
        let secret = self.services.state().secret(variable(execution, "SECRET_ARN"));
        Some(secret.ok()??.value)
    }

    fn end(self: &Arc<Self>, execution: &Execution, status: Status) {
        let ended = self.services.end_execution(&execution.pipeline, &execution.id, status);
        if let Err(error) = ended {
            self.violated("an execution can end", &error.to_string());
        }
        self.take_deliveries();
    }

    async fn report_outcome(self: &Arc<Self>, execution: &Execution, secret: &str, succeeds: bool) {
        let kind = variable(execution, "JOB_KIND");
        let mut data = json!({ "status": i32::from(succeeds) });
        if !succeeds {
            data["reason"] = "The build failed.".into();
        } else if !["deprovision", "retire"].contains(&kind) {
            let key = variable(execution, "TENANT_KEY");
            let resources = (0..1 + self.chance.below(3)).map(|n| {
                json!({ "type": "bucket", "externalIdentifier": format!("{key}-{n}"),
                        "metadata": { "tier": variable(execution, "TIER") } })
            });
            data["resources"] = resources.collect();
            data["appPlaneUrl"] = format!("https://{key}.app.test").into();
        }
        let body = json!({ "initiatorId": variable(execution, "TENANT_ID"),
                           "type": number_of(kind), "data": data });
        self.send_signed(execution, secret, &body).await;
    }

    async fn report_progress(self: &Arc<Self>, execution: &Execution, secret: &str) {
        let body = json!({
            "initiatorId": variable(execution, "TENANT_ID"),
            "type": number_of(variable(execution, "JOB_KIND")),
            "progress": { "name": "Creating the resources" },
        });
        self.send_signed(execution, secret, &body).await;
    }

    /// Sends a report up to four times, as the script of builds does, with a new signature each time.
    async fn send_signed(self: &Arc<Self>, execution: &Execution, secret: &str, body: &Value) {
        let job = variable(execution, "JOB_ID");
        for _ in 0..4 {
            let body = body.to_string();
            let time = lambda::now().millis().to_string();
            let parts = [body.as_bytes(), job.as_bytes(), time.as_bytes()];
            let signature = hex::encode(mac(&secret.into(), &parts));
            let asked = Asked::post("/webhook", None, body)
                .with_header("x-timestamp", &time)
                .with_header("x-signature", &signature);
            match self.send(&asked).await {
                Some(Reply { status, .. }) if status < 500 && status != 429 => return,
                _ => tokio::time::sleep(self.chance.time(SECOND, SECOND * 10)).await,
            }
        }
    }
}

fn variable<'e>(execution: &'e Execution, name: &str) -> &'e str {
    execution.variables.get(name).map_or("", String::as_str)
}

/// Returns the `type` of a report for this kind of job.
fn number_of(kind: &str) -> u8 {
    match kind {
        "deprovision" => 1,
        "change" => 2,
        "retire" => 3,
        _ => 0,
    }
}
