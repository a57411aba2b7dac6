use serde_json::{Value, json};

use super::{
    Closing, FromJson, FromMembers, JobKind, Members, NewResource, Outcome, Reader, TenantId,
};

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

/// What a build reports to have built.
struct Resources(Vec<NewResource>);

/// `type`: 0 provisioned, 1 deprovisioned.
struct Kind(JobKind);

/// `data.status`: 1 success, 0 failure.
struct Code(Outcome);

/// `status` of the short form: `success` or `failure`.
struct Word(Outcome);

/// The form with `data`, which says more.
struct Long(Message);

/// The form with a `status` alone.
struct Short(Message);

impl FromJson for Message {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        match value.get("status").is_some_and(|status| !status.is_null()) {
            true => Short::from_json(value, at).map(|Short(message)| message),
            false => Long::from_json(value, at).map(|Long(message)| message),
        }
    }

    fn schema() -> Value {
        json!({ "oneOf": [Long::schema(), Short::schema()] })
    }
}

impl FromMembers for Long {
    fn from_members(members: &mut impl Members) -> Option<Self> {
        members.required::<TenantId>("initiatorId");
        let (kind, closing) = (members.required::<Kind>("type"), members.required("data"));
        Some(Self(Message { kind: kind?.0, closing: closing? }))
    }
}

impl FromMembers for Short {
    fn from_members(members: &mut impl Members) -> Option<Self> {
        members.required::<TenantId>("initiatorId");
        let (kind, word) = (members.required::<Kind>("type"), members.required::<Word>("status"));
        let (Kind(kind), Word(outcome)) = (kind?, word?);
        let closing = Closing { outcome, reason: None, resources: Vec::new(), app_plane_url: None };
        Some(Self(Message { kind, closing }))
    }
}

impl FromMembers for Closing {
    fn from_members(members: &mut impl Members) -> Option<Self> {
        let outcome = members.required::<Code>("status");
        let resources = members.optional::<Resources>("resources");
        let app_plane_url = members.optional::<WebUrl>("appPlaneUrl");
        let reason = members.optional::<Prose<2000>>("reason");
        Some(Self {
            outcome: outcome?.0,
            reason: reason.map(|Prose(reason)| reason),
            resources: resources.map(|Resources(all)| all).unwrap_or_default(),
            app_plane_url: app_plane_url.map(|WebUrl(url)| url),
        })
    }
}

impl FromJson for Resources {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let resources = Vec::from_json(value, at)?;
        if resources.len() > MOST_RESOURCES {
            let message = format!("must NOT have more than {MOST_RESOURCES} items");
            at.violate("maxItems", message, json!({ "limit": MOST_RESOURCES }));
        }
        Some(Self(resources))
    }

    fn schema() -> Value {
        let mut resources = Vec::<NewResource>::schema();
        resources["maxItems"] = MOST_RESOURCES.into();
        resources
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

    fn schema() -> Value {
        json!({ "type": "integer", "enum": [0, 1] })
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

    fn schema() -> Value {
        json!({ "type": "integer", "enum": [0, 1] })
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

    fn schema() -> Value {
        json!({ "type": "string", "enum": ["success", "failure"] })
    }
}

impl<const MAX: usize> FromJson for Prose<MAX> {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        at.text(value, 0, MAX).map(|text| Self(text.to_owned()))
    }

    fn schema() -> Value {
        json!({ "type": "string", "maxLength": MAX })
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

    fn schema() -> Value {
        let pattern = "^[Hh][Tt][Tt][Pp][Ss]?:";
        json!({ "type": "string", "format": "uri", "pattern": pattern, "maxLength": 2048 })
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
                ("/initiatorId", "format"),
                ("/type", "enum"),
                ("/data/status", "enum"),
                ("/data/resources/0", "required"),
                ("/data/appPlaneUrl", "format"),
            ]
        );
    }
}
