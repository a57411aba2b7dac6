//! Mistakes that the code could contain, planted where a call is answered or an event is delivered, so
//! that nothing has to be built again.

use clap::ValueEnum;
use local::Answered;
use serde_json::{Value, json};

use crate::{connector::Call, world::World};

/// A planted mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Plant {
    /// A tenant key is written without the condition that nobody has it.
    KeyUnclaimed,
    /// A lead becomes a tenant without the condition that it has none.
    LeadUnclaimed,
    /// A tenant is written without the condition that it has not changed.
    TenantUnchecked,
    /// A job is closed without the condition that it is open.
    JobUnchecked,
    /// A decision about a subscription is written without any condition, so a period is renewed twice.
    RenewalUnchecked,
    /// The claim of a current subscription is not released when the subscription ends.
    ClaimKept,
    /// The timers of a subscription are not written.
    TimerForgotten,
    /// The last write of a transaction is left out now and then.
    TransactionTorn,
    /// A write of a tenant is answered, but not done, now and then.
    WriteForgotten,
    /// A request with an idempotency key is handled although it was handled before.
    RequestUnclaimed,
    /// An email is sent although its event is claimed.
    MailUnclaimed,
    /// The claim of an event is answered, but not written.
    MailClaimForgotten,
    /// The failure to send an email is taken for a success.
    MailFailureSwallowed,
    /// The recipient of an email is logged.
    AddressLogged,
    /// An event is left out of a call now and then.
    EventDropped,
    /// The failure of some entries is taken for a success.
    PartialFailureSwallowed,
    /// Events contain the secret of a job.
    SecretPublished,
    /// The failures that a function reports of a batch are ignored.
    BatchFailureSwallowed,
    /// Entries of the audit log are answered, but not written, now and then.
    AuditForgotten,
    /// An entry is written although the change has one.
    AuditUnclaimed,
    /// Entries are appended without the condition that the chain has not grown.
    ChainUnchecked,
    /// A change is counted although it was counted before.
    CountUnclaimed,
    /// Words of the search are answered, but not written, now and then.
    WordForgotten,
    /// An execution is started without the token that identifies its job.
    TokenForgotten,
    /// The secret of a closed job is not deleted.
    SecretKept,
    /// An admin is not added to its group now and then.
    MemberForgotten,
    /// An admin's invitation is not sent.
    InvitationForgotten,
    /// The tombstone of a changed tenant is not put.
    TombstoneForgotten,
    /// The reconciler never runs.
    NoReconciler,
}

/// How often a mistake is made that is made now and then, in a thousand cases.
const NOW_AND_THEN: u32 = 100;

/// Returns a write's key.
fn key(write: &Value) -> (&str, &str) {
    let item = if write["Item"].is_object() { &write["Item"] } else { &write["Key"] };
    let part = |name: &str| item[name]["S"].as_str().unwrap_or_default();
    (part("pk"), part("sk"))
}

/// The writes of a call.
struct Writes(Value);

impl Writes {
    fn of(call: &Call) -> Self {
        Self(call.json())
    }

    fn all(&mut self) -> Vec<&mut Value> {
        if self.0["TransactItems"].is_array() {
            let items = self.0["TransactItems"].as_array_mut().into_iter().flatten();
            return items.filter_map(|item| item.as_object_mut()?.values_mut().next()).collect();
        }
        vec![&mut self.0]
    }

    fn any(&mut self, is_one: impl Fn(&str, &str) -> bool) -> bool {
        self.all().iter().any(|write| is_one(key(write).0, key(write).1))
    }

    /// Makes the conditions of some writes always true.
    fn unconditional(mut self, is_one: impl Fn(&str, &str) -> bool) -> Value {
        for write in self.all() {
            let (pk, sk) = key(write);
            let is_one = is_one(pk, sk);
            let condition = &mut write["ConditionExpression"];
            if let Some(text) = condition.as_str().filter(|_| is_one) {
                *condition = format!("({text}) OR attribute_not_exists(planted)").into();
            } else if condition.is_null() {
                write.as_object_mut().map(|write| write.remove("ConditionExpression"));
            }
        }
        self.0
    }

    /// Leaves some writes out.
    fn without(mut self, is_one: impl Fn(&str, &str) -> bool) -> Value {
        if let Some(items) = self.0["TransactItems"].as_array_mut() {
            items.retain(|item| {
                let write = item.as_object().and_then(|item| item.values().next());
                write.is_none_or(|write| !is_one(key(write).0, key(write).1))
            });
        }
        self.0
    }
}

impl Plant {
    /// Changes a call, or answers it. Returns `None` to leave it as it is.
    pub(crate) fn change(self, world: &World, call: &Call) -> Option<(Call, Option<Answered>)> {
        let by = call.by.as_ref()?;
        let changed =
            |body: Value| Some((Call { body: body.to_string().into(), ..call.clone() }, None));
        let unwritten = |answer: Value| {
            let answered = Answered { status: 200, body: answer.to_string() };
            Some((call.clone(), Some(answered)))
        };
        let now_and_then = || world.chance.is(NOW_AND_THEN);
        if call.service != "DynamoDB" {
            return self.change_effect(world, call);
        }
        if !call.is_write() {
            return None;
        }
        let mut writes = Writes::of(call);
        match self {
            Self::KeyUnclaimed => {
                changed(writes.unconditional(|pk, _| pk.starts_with("TENANT_KEY#")))
            }
            Self::LeadUnclaimed => changed(writes.unconditional(|pk, _| pk.starts_with("LEAD#"))),
            Self::TenantUnchecked => changed(writes.unconditional(|_, sk| sk == "TENANT")),
            Self::JobUnchecked if writes.any(|_, sk| sk.starts_with("JOB#")) => {
                changed(writes.unconditional(|_, sk| sk.starts_with("JOB#") || sk == "TENANT"))
            }
            Self::RenewalUnchecked if writes.any(|_, sk| sk.starts_with("SUBSCRIPTION#")) => {
                changed(writes.unconditional(|_, _| true))
            }
            Self::ClaimKept if writes.any(|_, sk| sk.starts_with("SUBSCRIPTION#")) => {
                let ends = |write: &&mut Value| write["ConditionExpression"] == "holder = :holder";
                let ends = writes.all().iter().any(ends);
                if !ends {
                    return None;
                }
                changed(writes.without(|_, sk| sk == "CURRENT_SUBSCRIPTION"))
            }
            Self::TimerForgotten => changed(writes.without(|pk, _| pk.starts_with("TIMER#"))),
            Self::TransactionTorn if call.action == "TransactWriteItems" && now_and_then() => {
                writes.0["TransactItems"].as_array_mut().filter(|all| all.len() > 1)?.pop();
                changed(writes.0)
            }
            Self::WriteForgotten
                if by.function == "tenants"
                    && writes.any(|_, sk| sk == "TENANT")
                    && now_and_then() =>
            {
                unwritten(json!({}))
            }
            Self::RequestUnclaimed => {
                changed(writes.unconditional(|pk, _| pk.starts_with("IDEMPOTENCY#api#")))
            }
            Self::MailUnclaimed => {
                changed(writes.unconditional(|pk, _| pk.starts_with("IDEMPOTENCY#mailer#")))
            }
            Self::MailClaimForgotten
                if writes.any(|pk, _| pk.starts_with("IDEMPOTENCY#mailer#")) =>
            {
                unwritten(json!({}))
            }
            Self::AuditForgotten
                if writes.any(|pk, _| pk.starts_with("AUDIT#done#")) && now_and_then() =>
            {
                unwritten(json!({}))
            }
            Self::AuditUnclaimed => {
                changed(writes.unconditional(|pk, _| pk.starts_with("AUDIT#done#")))
            }
            Self::ChainUnchecked => {
                changed(writes.unconditional(|pk, _| {
                    pk.starts_with("AUDIT#") && !pk.starts_with("AUDIT#done#")
                }))
            }
            Self::CountUnclaimed => {
                changed(writes.unconditional(|pk, _| pk.starts_with("COUNTED#")))
            }
            Self::WordForgotten
                if writes.any(|pk, _| pk.starts_with("SEARCH#")) && now_and_then() =>
            {
                unwritten(json!({}))
            }
            _ => None,
        }
    }

    /// Changes a call that has an effect outside of the table.
    fn change_effect(self, world: &World, call: &Call) -> Option<(Call, Option<Answered>)> {
        let mut body = call.json();
        let by = call.by.as_ref()?;
        let done = |answer: Value| {
            Some((call.clone(), Some(Answered { status: 200, body: answer.to_string() })))
        };
        match (self, call.action.as_str()) {
            (Self::MailFailureSwallowed, "SendEmail") if world.chance.is(NOW_AND_THEN) => {
                done(json!({ "MessageId": "planted" }))
            }
            (Self::AddressLogged, "SendEmail") => {
                let to = body["Destination"]["ToAddresses"].to_string();
                tracing::info!(target: "mailer", to, "an email is sent");
                None
            }
            (Self::EventDropped, "PutEvents") if world.chance.is(NOW_AND_THEN) => {
                let entries = body["Entries"].as_array().map_or(0, Vec::len);
                let results = vec![json!({ "EventId": "planted" }); entries];
                body["Entries"] = json!([]);
                let call = Call { body: body.to_string().into(), ..call.clone() };
                let answer = json!({ "FailedEntryCount": 0, "Entries": results });
                Some((call, Some(Answered { status: 200, body: answer.to_string() })))
            }
            (Self::SecretPublished, "PutEvents") => {
                for entry in body["Entries"].as_array_mut()? {
                    let detail = entry["Detail"].as_str().unwrap_or_default();
                    let mut detail: Value = serde_json::from_str(detail).ok()?;
                    detail["secret"] = world.secrets.latest().into();
                    entry["Detail"] = detail.to_string().into();
                }
                Some((Call { body: body.to_string().into(), ..call.clone() }, None))
            }
            (Self::TokenForgotten, "StartPipelineExecution") => {
                body["clientRequestToken"] = format!("planted-{}", by.number).into();
                Some((Call { body: body.to_string().into(), ..call.clone() }, None))
            }
            (Self::SecretKept, "DeleteSecret") => done(json!({})),
            (Self::MemberForgotten, "AdminAddUserToGroup") if world.chance.is(NOW_AND_THEN) => {
                done(json!({}))
            }
            (Self::InvitationForgotten, "AdminCreateUser") if body["MessageAction"] == "RESEND" => {
                done(json!({ "User": {} }))
            }
            _ => None,
        }
    }
}

impl World {
    pub(crate) fn swallows_batch_failures(&self) -> bool {
        self.plant == Some(Plant::BatchFailureSwallowed)
    }

    pub(crate) fn swallows_partial_failures(&self) -> bool {
        self.plant == Some(Plant::PartialFailureSwallowed)
    }

    pub(crate) fn ignores_schedule(&self) -> bool {
        self.plant == Some(Plant::NoReconciler)
    }
}

impl std::fmt::Display for Plant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}
