use serde_json::{Value, json};

use super::{Closing, FromJson, JobKind, NewResource, Outcome, Reader, TenantId};

/// Resources that one webhook may report: the rest of the 100 items that a DynamoDB transaction
/// takes, less the tenant and its job.
const MOST_RESOURCES: usize = 98;

/// Whom an unverified webhook says it is about: all that is read of it before its signature is.
#[derive(Clone, Copy, Debug)]
pub struct Initiator(pub TenantId);

impl Initiator {
    /// Finds the initiator in the bytes of a body.
    #[must_use]
    pub fn of(body: &Value) -> Option<Self> {
        body["initiatorId"].as_str()?.parse().ok().map(Self)
    }
}

/// What a build reports, in either of the forms of CONTRACT §6.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// What kind of job it is about.
    pub kind: JobKind,
    /// How the job ended.
    pub closing: Closing,
}

/// Text of up to `MAX` characters in which line breaks are welcome.
struct Prose<const MAX: usize>(String);

/// An absolute `http` or `https` URL of up to 2,048 characters.
struct WebUrl(String);

/// `type`: 0 provisioned, 1 deprovisioned.
struct Kind(JobKind);

/// `data.status`: 1 success, 0 failure.
struct Code(Outcome);

/// `status` of the short form: `success` or `failure`.
struct Word(Outcome);

impl FromJson for Message {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let mut members = at.members(value)?;
        members.raw("initiatorId");
        let kind = members.required::<Kind>("type");
        let closing = if members.raw("status").is_some() {
            members.required::<Word>("status").map(|Word(outcome)| Closing {
                outcome,
                reason: None,
                resources: Vec::new(),
                app_plane_url: None,
            })
        } else {
            members.required::<Closing>("data")
        };
        members.finish();
        Some(Self { kind: kind?.0, closing: closing? })
    }
}

impl FromJson for Closing {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let mut members = at.members(value)?;
        let outcome = members.required::<Code>("status");
        let resources: Vec<NewResource> = members.optional("resources").unwrap_or_default();
        let app_plane_url = members.optional::<WebUrl>("appPlaneUrl");
        let reason = members.optional::<Prose<2000>>("reason");
        members.finish();
        if resources.len() > MOST_RESOURCES {
            let message = format!("must NOT have more than {MOST_RESOURCES} items");
            at.at("resources").violate("maxItems", message, json!({ "limit": MOST_RESOURCES }));
        }
        Some(Self {
            outcome: outcome?.0,
            reason: reason.map(|Prose(reason)| reason),
            resources,
            app_plane_url: app_plane_url.map(|WebUrl(url)| url),
        })
    }
}

impl FromJson for Kind {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        match value.as_u64() {
            Some(0) => Some(Self(JobKind::Provision)),
            Some(1) => Some(Self(JobKind::Deprovision)),
            _ => {
                at.not_allowed(&json!([0, 1]));
                None
            }
        }
    }
}

impl FromJson for Code {
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
}

impl FromJson for Word {
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
}

impl<const MAX: usize> FromJson for Prose<MAX> {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        at.text(value, 0, MAX).map(|text| Self(text.to_owned()))
    }
}

impl FromJson for WebUrl {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let text = at.text(value, 1, 2048)?;
        let url = url::Url::parse(text).ok();
        if !url.is_some_and(|url| matches!(url.scheme(), "http" | "https")) {
            at.wrong_format("uri");
            return None;
        }
        Some(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, domain::read};

    #[test]
    fn both_forms_say_the_same() {
        let tenant = TenantId::mint();
        let long = json!({ "initiatorId": tenant, "type": 0, "data": { "status": 0 } });
        let short = json!({ "initiatorId": tenant, "type": 0, "status": "failure" });
        let message: Message = read(&long).unwrap();
        assert_eq!(message, read(&short).unwrap());
        assert_eq!((message.kind, message.closing.outcome), (JobKind::Provision, Outcome::Failed));
    }

    #[test]
    fn every_violation_is_told() {
        let body = json!({
            "initiatorId": "x", "type": 7,
            "data": {
                "status": 2, "appPlaneUrl": "javascript:alert(1)",
                "resources": [{ "type": "db" }, { "type": "bucket", "metadata": { "bucket": "b" } }],
            },
        });
        let Error::Invalid(violations) = read::<Message>(&body).unwrap_err() else { panic!() };
        let found: Vec<_> = violations.iter().map(|v| (v.path.as_str(), v.code)).collect();
        assert_eq!(
            found,
            [
                ("/type", "enum"),
                ("/data/status", "enum"),
                ("/data/resources/0", "required"),
                ("/data/appPlaneUrl", "format"),
            ]
        );
    }
}
