use serde_json::{Value, json};

use crate::{
    BuildReport, JobKind, MAX_STEP_LINK, MAX_STEP_NAME, MAX_STEP_SUMMARY, StepReport, StepSource,
    StepState, TenantId, Text,
    job::report::Kind,
    values::{MultilineText, ReportedLink},
};
use schema::{FromJson, Reader, Timestamp, body};

/// A message from a build to the webhook.
#[derive(Clone, Debug, PartialEq)]
pub enum BuildMessage {
    /// The outcome of the job.
    Report(BuildReport),
    /// A step that starts. The state of the job does not change.
    Progress(BuildProgress),
}

/// A step of a build that starts.
#[derive(Clone, Debug, PartialEq)]
pub struct BuildProgress {
    /// The kind of the job.
    pub kind: JobKind,
    name: Text<1, MAX_STEP_NAME>,
    time: Option<Timestamp>,
    summary: Option<String>,
    link: Option<String>,
}

impl BuildProgress {
    /// Returns the report of the step. `sent` is the time of a message that names no time; a time
    /// in the future counts as `now`.
    #[must_use]
    pub fn into_report(self, sent: Timestamp, now: Timestamp) -> StepReport {
        let time = self.time.unwrap_or(sent).min(now);
        let report =
            StepReport::new(StepSource::Build, self.name.as_str(), StepState::Running, time);
        report.with_details(self.summary.as_deref(), self.link.as_deref())
    }
}

body! {
    /// A message about progress.
    struct ProgressMessage {
        _tenant: TenantId = "initiatorId",
        kind: JobKind as Kind = "type",
        progress: ProgressData,
    }
}

body! {
    /// `progress`: the step that starts.
    struct ProgressData {
        name: Text<1, MAX_STEP_NAME>,
        time: Option<Timestamp> as Option<Moment>,
        summary: Option<String> as Option<MultilineText<MAX_STEP_SUMMARY>>,
        link: Option<String> as Option<ReportedLink>,
    }
}

/// A time in RFC 3339.
struct Moment(Timestamp);

impl From<Moment> for Timestamp {
    fn from(Moment(time): Moment) -> Self {
        time
    }
}

impl FromJson for Moment {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let time = at.text(value, 1, 100)?.parse().ok().map(Self);
        if time.is_none() {
            at.wrong_format("date-time");
        }
        time
    }

    fn schema() -> Value {
        json!({ "type": "string", "format": "date-time" })
    }
}

impl From<ProgressMessage> for BuildProgress {
    fn from(ProgressMessage { kind, progress, .. }: ProgressMessage) -> Self {
        let ProgressData { name, time, summary, link } = progress;
        Self { kind, name, time, summary, link }
    }
}

impl FromJson for BuildMessage {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        if value.get("progress").is_some_and(|progress| !progress.is_null()) {
            return ProgressMessage::from_json(value, at).map(|sent| Self::Progress(sent.into()));
        }
        BuildReport::from_json(value, at).map(Self::Report)
    }

    fn schema() -> Value {
        let mut progress = ProgressMessage::schema();
        progress["description"] = format!(
            "A step of the build that starts. A link that is no HTTP URL, or has more than {MAX_STEP_LINK} bytes, is left out."
        )
        .into();
        let mut schema = BuildReport::schema();
        if let Some(forms) = schema["oneOf"].as_array_mut() {
            forms.push(progress);
        }
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::{Invalid, read};

    fn message(progress: &Value) -> Result<BuildMessage, Invalid> {
        let tenant = TenantId::generate();
        read(&json!({ "initiatorId": tenant, "type": 0, "progress": progress }))
    }

    #[test]
    fn a_step_has_the_time_of_its_message_at_the_latest() {
        let at = Timestamp::from_millis;
        for (given, expected) in [
            (Value::Null, 1_000),
            (json!("1970-01-01T00:00:00.500Z"), 500),
            (json!("9000-01-01T00:00:00Z"), 2_000),
        ] {
            let sent = message(&json!({ "name": "Creating the database", "time": given })).unwrap();
            let BuildMessage::Progress(progress) = sent else { panic!() };
            let name = "Creating the database";
            let expected =
                StepReport::new(StepSource::Build, name, StepState::Running, at(expected));
            assert_eq!(progress.into_report(at(1_000), at(2_000)), expected);
        }
    }

    #[test]
    fn progress_is_validated() {
        let bad = json!({ "name": " ", "time": "soon", "state": 1 });
        let Err(Invalid(violations)) = message(&bad) else { panic!() };
        let found: Vec<_> = violations.iter().map(|v| (v.path.as_str(), v.code)).collect();
        assert_eq!(
            found,
            [
                ("/progress/name", "pattern"),
                ("/progress/time", "format"),
                ("/progress", "additionalProperties"),
            ]
        );
    }
}
