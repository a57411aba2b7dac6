use schema::Timestamp;
use serde_json::{Value, json};

use crate::{
    state::{NewDelivery, NewEvent},
    template::{Rule, Template},
};

/// The event buses and their rules.
#[derive(Debug)]
pub(crate) struct Buses {
    names: Vec<String>,
    rules: Vec<Rule>,
    region: String,
    account: String,
}

/// An event as published.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) bus: String,
    pub(crate) source: String,
    pub(crate) detail_type: String,
    pub(crate) detail: Value,
    pub(crate) resources: Vec<String>,
    pub(crate) time: Timestamp,
}

impl Buses {
    pub(crate) fn new(template: &Template, region: &str, account: &str) -> Self {
        Self {
            names: template.buses.iter().cloned().chain(["default".into()]).collect(),
            rules: template.rules.clone(),
            region: region.to_owned(),
            account: account.to_owned(),
        }
    }

    /// Returns the event with the deliveries that follow from the rules. Returns `None` if the bus
    /// does not exist.
    pub(crate) fn event(&self, published: Published) -> Option<NewEvent> {
        self.names.contains(&published.bus).then(|| self.ruled(published))
    }

    /// Returns the event of an execution that CodePipeline publishes on the default bus.
    pub(crate) fn execution_changed(&self, pipeline: &str, id: &str, state: &str) -> NewEvent {
        self.pipeline_event("Pipeline", pipeline, id, json!({ "state": state }))
    }

    /// Returns the event of a stage that CodePipeline publishes on the default bus.
    pub(crate) fn stage_changed(
        &self,
        (pipeline, id): (&str, &str),
        stage: &str,
        state: &str,
    ) -> NewEvent {
        self.pipeline_event("Stage", pipeline, id, json!({ "stage": stage, "state": state }))
    }

    /// Returns the event of an action that CodePipeline publishes on the default bus. `result` is
    /// what the provider of the action says.
    pub(crate) fn action_changed(
        &self,
        (pipeline, id): (&str, &str),
        (stage, action): (&str, &str),
        state: &str,
        result: Option<Value>,
    ) -> NewEvent {
        let mut detail = json!({ "stage": stage, "action": action, "state": state });
        if let Some(result) = result {
            detail["execution-result"] = result;
        }
        self.pipeline_event("Action", pipeline, id, detail)
    }

    /// Returns a state change of CodePipeline, of this `kind` and with these details.
    fn pipeline_event(&self, kind: &str, pipeline: &str, id: &str, mut detail: Value) -> NewEvent {
        let arn = format!("arn:aws:codepipeline:{}:{}:{pipeline}", self.region, self.account);
        for (name, value) in [("pipeline", json!(pipeline)), ("execution-id", json!(id))] {
            detail[name] = value;
        }
        detail["version"] = json!(1.0);
        self.ruled(Published {
            bus: "default".into(),
            source: "aws.codepipeline".into(),
            detail_type: format!("CodePipeline {kind} Execution State Change"),
            detail,
            resources: vec![arn],
            time: lambda::now(),
        })
    }

    fn ruled(&self, published: Published) -> NewEvent {
        let Published { bus, source, detail_type, detail, resources, time } = published;
        let id = uuid::Uuid::new_v4().to_string();
        // EventBridge publishes whole seconds.
        let time = Timestamp::from_millis(time.seconds() * 1000).to_string().replace(".000Z", "Z");
        let envelope = json!({
            "version": "0",
            "id": id,
            "detail-type": detail_type,
            "source": source,
            "account": self.account,
            "time": time,
            "region": self.region,
            "resources": resources,
            "detail": detail,
        });
        let rules = self.rules.iter().filter(|rule| rule.bus == bus);
        let deliveries = rules
            .filter(|rule| rule.pattern.matches(&envelope))
            .map(|rule| NewDelivery { rule: rule.name.clone(), function: rule.function.clone() });
        NewEvent { id, deliveries: deliveries.collect(), bus, envelope }
    }
}
