use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{Operation, codes::codes, error_examples::example};
use web::{Code, envelope, error_name};

/// All statuses of errors.
const STATUSES: [u16; 15] =
    [400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 428, 429, 500, 502, 503];

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
    let codes: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
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
            "code": { "type": "string", "enum": codes, "description": "Stable, unlike the message." },
            "details": {
                "type": "array",
                "description": "Violations of the request body, at most 1,000.",
                "maxItems": 1000,
                "items": violation,
            },
        },
        "required": ["statusCode", "name", "message", "code"],
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
    let codes = codes(operation);
    let applies = |status: &u16| codes.iter().any(|code| code.status().as_u16() == *status);
    let answers = STATUSES.into_iter().filter(applies).map(|status| {
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
    fn description_for(&self, status: u16) -> Option<String> {
        let own = self.errors.iter().filter(|(code, _)| code.status().as_u16() == status);
        let own: Vec<_> = own.map(|(code, when)| format!("`{}`: {when}", code.as_str())).collect();
        (!own.is_empty()).then(|| own.join(" "))
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
        412 => drop(headers.insert("ETag".to_owned(), header("ETag"))),
        405 => drop(headers.insert("Allow".to_owned(), header("Allow"))),
        _ => {}
    }
    let codes = Code::ALL.iter().filter(|code| code.status().as_u16() == status);
    let examples = codes
        .clone()
        .map(|code| (code.as_str().to_owned(), json!({ "value": envelope(&example(*code)) })));
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let texts: Vec<_> = codes.map(|code| code.as_str()).collect();
    let code = json!({ "properties": { "code": { "enum": texts } } });
    let error = json!({
        "allOf": [reference("Error"), { "properties": { "error": code } }],
    });
    let (description, schema) = if SHARED.contains(&status) {
        let note = "API Gateway's own answer has only a `message` and none of these headers.";
        let either = json!({ "anyOf": [error, reference("GatewayError")] });
        (format!("{}. {note}", name(status)), either)
    } else {
        (name(status).to_owned(), error)
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
