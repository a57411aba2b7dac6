use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::Operation;
use domain::{BUILD_WINDOW, Error, TenantStatus, Transition};
use schema::{Timestamp, Violation};
use web::{envelope, error_name};

/// All statuses of errors.
const STATUSES: [u16; 13] = [400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 502, 503];

/// Statuses that API Gateway also answers by itself, with a body of its own.
const SHARED: [u16; 4] = [413, 429, 500, 503];

/// The name of the answer to a request whose line and headers are too long.
const TOO_LONG: &str = "GatewayHeadersTooLarge";

/// Returns the schema of API Gateway's own errors.
pub(super) fn of_gateway() -> Value {
    json!({
        "type": "object",
        "properties": { "message": { "type": "string" } },
        "required": ["message"],
        "additionalProperties": false,
    })
}

/// Returns the schema of the error envelope.
pub(super) fn schema() -> Value {
    let names: Vec<_> = STATUSES.map(name).into_iter().collect();
    let codes = json!([
        "VALIDATION_FAILED",
        "ENTITY_NOT_FOUND",
        "INVALID_PARAMETER_VALUE",
        "FILTER_TOO_BROAD",
        "INCLUDE_NOT_ALLOWED",
        "TENANT_KEY_RESERVED",
        "TOO_MANY_BUILDS",
        "TENANT_HAS_RESOURCES",
    ]);
    let violation = json!({
        "type": "object",
        "properties": {
            "path": { "type": "string", "description": "JSON Pointer to the invalid value." },
            "code": { "type": "string", "description": "The violated JSON Schema keyword, or \
                `duplicateMember` (a member is repeated), `maxDepth` (`info.limit`: levels of nested \
                objects and arrays) or `maxBytes` (`info.limit`: bytes of JSON text)." },
            "message": { "type": "string" },
            "info": { "type": "object", "description": "Parameter of the keyword." },
        },
        "required": ["path", "code", "message", "info"],
        "additionalProperties": false,
    });
    let error = json!({
        "type": "object",
        "properties": {
            "statusCode": { "type": "integer", "enum": STATUSES },
            "name": { "type": "string", "enum": names },
            "message": { "type": "string" },
            "code": { "type": "string", "enum": codes },
            "details": {
                "type": "array",
                "description": "Violations of the request body, at most 1,000.",
                "maxItems": 1000,
                "items": violation,
            },
        },
        "required": ["statusCode", "name", "message"],
        "additionalProperties": false,
    });
    json!({
        "type": "object",
        "properties": { "error": error },
        "required": ["error"],
        "additionalProperties": false,
    })
}

/// Returns the answers of every status as components. Answers of rate-limited operations also have
/// the headers of the limit.
pub(super) fn components() -> Map<String, Value> {
    let mut components = Map::new();
    for status in STATUSES {
        for limited in [false, true] {
            components.insert(component(status, limited), response(status, limited));
        }
    }
    let too_long = json!({
        "description": "API Gateway refuses requests whose request line and header values together exceed 10,240 bytes.",
        "content": { "application/json": {
            "schema": { "$ref": "#/components/schemas/GatewayError" },
            "example": { "message": "Request Header Fields Too Large" },
        } },
    });
    components.insert(TOO_LONG.to_owned(), too_long);
    components
}

/// Returns references to the errors of `operation`, by their status.
pub(super) fn of(operation: &Operation) -> Map<String, Value> {
    use super::operation::Caller;
    let secured = operation.caller != Caller::Anybody;
    let permitted = matches!(operation.caller, Caller::Permitted { .. });
    let body = operation.body.is_some();
    let never = matches!(operation.answer, super::Answer::Never);
    let applies = |status: u16| match status {
        _ if never => matches!(status, 401 | 403 | 405 | 500),
        400 => body || !operation.parameters.is_empty() || operation.names_a_key(),
        401 => secured,
        403 => permitted,
        404 => {
            let named = operation.path_parameters().next().is_some() && !operation.names_a_key();
            named || operation.names_others()
        }
        409 => operation.conflict.is_some(),
        413 | 415 | 422 => body,
        429 => operation.limited || operation.quota.is_some(),
        500 => true,
        502 => operation.calls_upstream,
        503 => operation.stored,
        _ => false,
    };
    let answers = STATUSES.into_iter().filter(|status| applies(*status)).map(|status| {
        let component = component(status, operation.limited);
        let mut answer = json!({ "$ref": format!("#/components/responses/{component}") });
        if let Some(when) = operation.description_for(status) {
            answer["description"] = when.into();
        }
        (status.to_string(), answer)
    });
    let mut answers: Map<_, _> = answers.collect();
    if operation.parameters.iter().any(|parameter| parameter["content"].is_object()) {
        let long = json!({ "$ref": format!("#/components/responses/{TOO_LONG}") });
        answers.insert("431".to_owned(), long);
    }
    answers
}

impl Operation {
    /// Returns when the operation answers with this status, if it says more than the status does.
    fn description_for(&self, status: u16) -> Option<&'static str> {
        match status {
            409 => self.conflict,
            429 => self.quota,
            _ => None,
        }
    }

    /// Whether the path names a tenant key, which does not have to exist.
    fn names_a_key(&self) -> bool {
        self.path_parameters().any(|name| name == "key")
    }

    /// Whether the body or the query names another entity, which may be missing.
    fn names_others(&self) -> bool {
        let tenant = self.body.as_ref().is_some_and(|body| {
            body.schema["properties"]["tenantId"].is_object() && self.method == "POST"
        });
        tenant || self.parameters.iter().any(|parameter| parameter["name"] == "id")
    }
}

fn name(status: u16) -> &'static str {
    error_name(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
}

fn component(status: u16, limited: bool) -> String {
    let prefix = if limited { "Limited" } else { "" };
    format!("{prefix}{}", name(status))
}

fn response(status: u16, limited: bool) -> Value {
    let mut headers = headers(limited);
    match status {
        429 | 503 => drop(headers.insert("Retry-After".to_owned(), header("RetryAfter"))),
        405 => drop(headers.insert("Allow".to_owned(), header("Allow"))),
        _ => {}
    }
    let examples = examples(status).into_iter().enumerate().map(|(position, error)| {
        (format!("{}", position + 1), json!({ "value": envelope(&error) }))
    });
    let error = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let (description, schema) = if SHARED.contains(&status) {
        let note = "API Gateway's own answer has only a `message` and none of these headers.";
        let either = json!({ "anyOf": [error("Error"), error("GatewayError")] });
        (format!("{}. {note}", name(status)), either)
    } else {
        (name(status).to_owned(), error("Error"))
    };
    json!({
        "description": description,
        "headers": headers,
        "content": { "application/json": {
            "schema": schema,
            "examples": examples.collect::<Map<_, _>>(),
        } },
    })
}

/// Returns the headers of every answer.
pub(super) fn headers(limited: bool) -> Map<String, Value> {
    let mut headers = Map::from_iter([("x-request-id".to_owned(), header("RequestId"))]);
    if limited {
        for name in ["Limit", "Remaining", "Reset"] {
            let header = header(&format!("RateLimit{name}"));
            headers.insert(format!("X-RateLimit-{name}"), header);
        }
    }
    headers
}

pub(super) fn header(name: &str) -> Value {
    json!({ "$ref": format!("#/components/headers/{name}") })
}

/// Returns examples of errors with this status.
fn examples(status: u16) -> Vec<Error> {
    let id = "019aad7e-5f6b-7a51-8c0d-3f2b1e9a4c60";
    match status {
        400 => vec![
            Error::Malformed(
                "The request body is not valid JSON: expected value at line 1 column 9.".into(),
            ),
            Error::BadParameter("filter.where.naem: is not a property of Tenant".into()),
            Error::Refused("Contact email domain does not match tenant domains"),
        ],
        401 => vec![Error::Unauthorized("")],
        403 => vec![Error::Forbidden(""), Error::IncludeNotAllowed],
        404 => vec![Error::NotFound { entity: "Tenant", id: id.to_owned() }],
        405 => vec![Error::MethodNotAllowed { path: format!("/leads/{id}"), allow: String::new() }],
        409 => {
            let (from, transition) = (TenantStatus::Active, Transition::Provision);
            vec![
                Error::IllegalTransition { from, transition },
                Error::EmailTaken,
                Error::TenantHasResources,
            ]
        }
        413 => vec![Error::TooLarge(web::BODY_LIMIT)],
        415 => vec![Error::UnsupportedMediaType],
        422 => vec![Error::Invalid(vec![Violation {
            path: "/contact/email".to_owned(),
            code: "format",
            message: "must match format \"email\"".to_owned(),
            info: json!({ "format": "email" }),
        }])],
        429 => {
            let (opened, wait) = (Timestamp::from_millis(1_790_000_000_000), BUILD_WINDOW);
            vec![Error::RateLimited, Error::TooManyBuilds { next: opened + wait, wait }]
        }
        502 => {
            let step = "keycloak: creating the realm";
            vec![Error::Upstream { step, source: "".into() }]
        }
        503 => vec![Error::Stale],
        _ => vec![Error::Internal { doing: "", source: "".into() }],
    }
}
