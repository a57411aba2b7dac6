use serde_json::{Value, json};

use crate::{
    JobKind, JobResult, NewResource, Outcome, TenantId,
    values::{MultilineText, ReportedLink},
};
use schema::{FromJson, Reader, body};

/// The maximum number of resources in one report: twice the resources of a CloudFormation stack
/// (AWS limit).
const MAX_RESOURCES: usize = 1000;

/// The maximum size in bytes of the metadata of all resources. A transaction has at most 4 MB (AWS
/// limit). The limit of a request body, 262,144 bytes, is reached first.
const MAX_METADATA_BYTES: usize = 300 * 1024;

/// The tenant ID claimed by a webhook whose signature is not verified yet.
#[derive(Clone, Copy, Debug)]
pub struct ClaimedTenant(pub TenantId);

impl ClaimedTenant {
    /// Reads the initiator from a body, or returns `None` if there is none.
    #[must_use]
    pub fn from_body(body: &Value) -> Option<Self> {
        body["initiatorId"].as_str()?.parse().ok().map(Self)
    }
}

/// The report of a build, in the long or the short form.
#[derive(Clone, Debug, PartialEq)]
pub struct BuildReport {
    /// The kind of the job.
    pub kind: JobKind,
    /// The result of the job.
    pub result: JobResult,
}

/// The resources that a build reports.
struct Resources(Vec<NewResource>);

/// `type`: 0 provisioned, 1 deprovisioned, 2 moved, 3 retired.
pub(super) struct Kind(JobKind);

/// `data.status`: 1 success, 0 failure.
struct StatusNumber(Outcome);

/// `status` of the short form: `success` or `failure`.
struct StatusWord(Outcome);

// Unknown members are accepted in every part: the build has ended, and its report must count.

body! {
    /// The long form, with `data`.
    struct LongReport {
        _tenant: TenantId = "initiatorId",
        kind: JobKind as Kind = "type",
        data: ReportData,
    }
    const ALLOWS_UNKNOWN: bool = true;
}

body! {
    /// The short form, with only a `status`.
    struct ShortReport {
        _tenant: TenantId = "initiatorId",
        kind: JobKind as Kind = "type",
        status: Outcome as StatusWord,
    }
    const ALLOWS_UNKNOWN: bool = true;
}

body! {
    /// `data` of the long form.
    struct ReportData {
        status: Outcome as StatusNumber,
        resources: Option<Vec<NewResource>> as Option<Resources>,
        app_plane_url: Option<String> as Option<ReportedLink>,
        reason: Option<String> as Option<MultilineText<2000>>,
    }
    const ALLOWS_UNKNOWN: bool = true;
}

impl From<LongReport> for BuildReport {
    fn from(LongReport { kind, data, .. }: LongReport) -> Self {
        let result = JobResult {
            outcome: data.status,
            reason: data.reason,
            resources: data.resources.unwrap_or_default(),
            app_plane_url: data.app_plane_url.filter(|link| !link.trim().is_empty()),
        };
        Self { kind, result }
    }
}

impl From<ShortReport> for BuildReport {
    fn from(ShortReport { kind, status: outcome, .. }: ShortReport) -> Self {
        let result =
            JobResult { outcome, reason: None, resources: Vec::new(), app_plane_url: None };
        Self { kind, result }
    }
}

impl From<Resources> for Vec<NewResource> {
    fn from(Resources(resources): Resources) -> Self {
        resources
    }
}

impl From<Kind> for JobKind {
    fn from(Kind(kind): Kind) -> Self {
        kind
    }
}

impl From<StatusNumber> for Outcome {
    fn from(StatusNumber(outcome): StatusNumber) -> Self {
        outcome
    }
}

impl From<StatusWord> for Outcome {
    fn from(StatusWord(outcome): StatusWord) -> Self {
        outcome
    }
}

impl FromJson for BuildReport {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        if value.get("status").is_some_and(|status| !status.is_null()) {
            ShortReport::from_json(value, at).map(Self::from)
        } else {
            LongReport::from_json(value, at).map(Self::from)
        }
    }

    fn schema() -> Value {
        json!({ "oneOf": [LongReport::schema(), ShortReport::schema()] })
    }
}

impl FromJson for Resources {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        if !at.at_most(value, MAX_RESOURCES) {
            return None;
        }
        let resources: Vec<NewResource> = Vec::from_json(value, at)?;
        let metadata = resources.iter().map(NewResource::metadata_bytes).sum();
        at.within_bytes(metadata, MAX_METADATA_BYTES).then(|| Self(NewResource::unique(resources)))
    }

    fn schema() -> Value {
        let mut resources = Vec::<NewResource>::schema();
        resources["maxItems"] = MAX_RESOURCES.into();
        resources["description"] =
            "Of several resources with one type and identifier, the last one counts.".into();
        resources
    }
}

impl FromJson for Kind {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        match value.as_u64() {
            Some(0) => Some(Self(JobKind::Provision)),
            Some(1) => Some(Self(JobKind::Deprovision)),
            Some(2) => Some(Self(JobKind::Change)),
            Some(3) => Some(Self(JobKind::Retire)),
            _ => {
                at.not_allowed(&json!([0, 1, 2, 3]));
                None
            }
        }
    }

    fn schema() -> Value {
        json!({ "type": "integer", "enum": [0, 1, 2, 3] })
    }
}

impl FromJson for StatusNumber {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        match value.as_u64() {
            Some(0) => Some(Self(Outcome::Failed)),
            Some(1) => Some(Self(Outcome::Succeeded)),
            _ => {
                at.not_allowed(&json!([0, 1]));
                None
            }
        }
    }

    fn schema() -> Value {
        json!({ "type": "integer", "enum": [0, 1] })
    }
}

impl FromJson for StatusWord {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        match value.as_str() {
            Some("success") => Some(Self(Outcome::Succeeded)),
            Some("failure") => Some(Self(Outcome::Failed)),
            _ => {
                at.not_allowed(&json!(["success", "failure"]));
                None
            }
        }
    }

    fn schema() -> Value {
        json!({ "type": "string", "enum": ["success", "failure"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UserId;
    use schema::{Document, Invalid, Limits, Timestamp, read};

    #[test]
    fn both_forms_are_equivalent() {
        let tenant = TenantId::generate();
        let long = json!({ "initiatorId": tenant, "type": 0, "data": { "status": 0 } });
        let short = json!({ "initiatorId": tenant, "type": 0, "status": "failure" });
        let report: BuildReport = read(&long).unwrap();
        assert_eq!(report, read(&short).unwrap());
        assert_eq!((report.kind, report.result.outcome), (JobKind::Provision, Outcome::Failed));
    }

    fn report(resources: &str) -> Result<BuildReport, Invalid> {
        let text = format!(
            r#"{{"initiatorId":"{}","type":0,"data":{{"status":1,"resources":{resources}}}}}"#,
            TenantId::generate()
        );
        Document::parse(text, Limits::REPORT).unwrap().read()
    }

    #[test]
    fn any_metadata_is_kept_as_it_was_sent() {
        let deep = format!("{}{}", r#"{"a":"#.repeat(300) + "1", "}".repeat(300));
        for metadata in [
            &*deep,
            r#"{"a":1e200,"b":1e400,"c":99999999999999999999999999999999999999999999}"#,
            r#"{"":1,"":{"":2}}"#,
            r#"{ "a" : [ 1 , 1.50 ] ,
                "\ud800": "\udfff\u0000" }"#,
        ] {
            let built =
                format!(r#"[{{"type":"x","externalIdentifier":"y","metadata":{metadata}}}]"#);
            let report = report(&built).unwrap();
            let now = crate::now();
            let [resource] = &*report.result.resources else { panic!() };
            let kept = resource.to_resource(TenantId::generate(), 1, now, &"u".into());
            assert_eq!(serde_json::to_value(kept.metadata).unwrap(), json!(metadata));
        }
    }

    #[test]
    fn metadata_and_resources_are_limited() {
        let one = |bytes: usize| {
            let text = "x".repeat(bytes - r#"{"bucket":"b","t":""}"#.len());
            format!(r#"{{"type":"b","metadata":{{"bucket":"b","t":"{text}"}}}}"#)
        };
        let many = |bytes: usize, many: usize| format!("[{}]", vec![one(bytes); many].join(","));
        assert!(report(&many(16_384, 18)).is_ok());
        for (resources, expected) in [
            (many(16_385, 1), ("/data/resources/0/metadata", "maxBytes")),
            (many(16_384, 19), ("/data/resources", "maxBytes")),
            (many(21, 1001), ("/data/resources", "maxItems")),
        ] {
            let Invalid(violations) = report(&resources).unwrap_err();
            assert_eq!((violations[0].path.as_str(), violations[0].code), expected);
        }
    }

    #[test]
    fn of_resources_with_one_type_and_identifier_the_last_one_counts() {
        let resources = r#"[{"type":"b","externalIdentifier":"1","metadata":{"n":1}},
            {"type":"b","externalIdentifier":"2"},{"type":"c","externalIdentifier":"1"},
            {"type":"b","externalIdentifier":"1","metadata":{"n":2}}]"#;
        let kept = report(resources).unwrap().result.resources;
        let (now, by) = (Timestamp::from_millis(0), UserId::from("system"));
        let kept: Vec<_> = kept
            .iter()
            .map(|new| new.to_resource(TenantId::generate(), 1, now, &by))
            .map(|kept| (kept.kind.to_string(), kept.external_identifier, json!(kept.metadata)))
            .collect();
        let named = |kind: &str, id: &str, metadata| (kind.to_owned(), id.to_owned(), metadata);
        let expected = [
            named("b", "2", json!("{}")),
            named("c", "1", json!("{}")),
            named("b", "1", json!(r#"{"n":2}"#)),
        ];
        assert_eq!(kept, expected);
    }

    #[test]
    fn every_violation_is_reported() {
        let body = json!({
            "initiatorId": "x", "type": 7,
            "data": {
                "status": 2, "appPlaneUrl": 7,
                "resources": [{ "type": "db" }, { "type": "bucket", "metadata": { "bucket": "b" } }],
            },
        });
        let Invalid(violations) = read::<BuildReport>(&body).unwrap_err();
        let found: Vec<_> = violations.iter().map(|v| (v.path.as_str(), v.code)).collect();
        assert_eq!(
            found,
            [
                ("/initiatorId", "format"),
                ("/type", "enum"),
                ("/data/status", "enum"),
                ("/data/resources/0", "required"),
                ("/data/appPlaneUrl", "type"),
            ]
        );
    }
}
