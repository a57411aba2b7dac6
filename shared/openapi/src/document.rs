use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::operation::{permissions, security};
use super::{
    Answer, NamedSchema, Operation, codes, component, entities, errors, filters, with_relations,
};
use domain::{FeatureKey, TenantKey};
use schema::FromJson;

/// Returns the OpenAPI document of all `operations`.
#[must_use]
pub fn document(operations: &[Operation]) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations {
        let path = paths.entry(operation.path.clone()).or_insert_with(|| json!({}));
        path[operation.method.to_ascii_lowercase()] = described(operation, operations);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tenantry",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "A control plane for SaaS on AWS.",
            "description": "Leads become tenants, pipelines provision the tenants, and their progress is \
                reported here. All errors share one envelope; `details` lists every violation of a request \
                body. A request body may have at most 262,144 bytes and 64 levels of nested objects and \
                arrays, and must not repeat a member. `x-permissions` lists permission codes, any one of \
                which grants access; an operation with `x-permissions-also` requires one of those codes as \
                well. `x-error-codes` lists the codes of each error status; every operation also answers \
                400 `INVALID_PARAMETER_VALUE` if its query string or path is too long. A query string may \
                have at most 8,192 bytes, not counting its `cursor`. API Gateway answers some requests \
                itself, with only a `message` (`GatewayError`): 400 if the request line or a header is \
                malformed, 413 if a body is over 10 MB, or over 6 MB for Lambda (4.5 MB if it is encoded as \
                binary), 429 without `Retry-After` if a limit of the stage or the account is exceeded, 431 \
                if the request line and the header values together exceed 10,240 bytes, and 500, 502, 503 \
                or 504 if a function could not be started, did not answer within 30 seconds, or answered \
                with more than 6 MB.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "tags": tags(operations),
        "paths": paths,
        "components": {
            "securitySchemes": security_schemes(),
            "schemas": schemas(operations),
            "responses": errors::components(),
            "headers": headers(),
            "parameters": request_headers(),
        },
    })
}

fn tags(operations: &[Operation]) -> Vec<Value> {
    let mut tags: Vec<&str> = Vec::new();
    for operation in operations {
        if !tags.contains(&operation.tag()) {
            tags.push(operation.tag());
        }
    }
    tags.into_iter().map(|tag| json!({ "name": tag })).collect()
}

fn described(operation: &Operation, all: &[Operation]) -> Value {
    let parameters = operation.path_parameters().map(|name| path_parameter(operation, name));
    let parameters = parameters.chain(operation.parameters.iter().cloned());
    let headers = operation.headers.iter();
    let headers = headers.map(|name| json!({ "$ref": format!("#/components/parameters/{name}") }));
    let parameters: Vec<_> = parameters.chain(headers).collect();
    let mut described = json!({
        "operationId": operation.id,
        "tags": [operation.tag()],
        "summary": operation.summary,
        "security": security(operation.access.caller),
        "responses": responses(operation, all),
        "x-error-codes": codes::codes_by_status(operation),
    });
    let mut description = operation.description.clone();
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some(body) = &operation.body {
        let content = json!({ "schema": body.reference(), "example": body.example });
        described["requestBody"] =
            json!({ "required": true, "content": { "application/json": content } });
    }
    let codes = permissions(operation.access.caller);
    if !codes.is_empty() {
        let told = |codes: &[u16]| codes.iter().map(ToString::to_string).collect::<Vec<_>>();
        described["x-permissions"] = json!(told(codes));
        let mut needed = told(codes).join(" or ");
        if !operation.access.also_requires.is_empty() {
            described["x-permissions-also"] = json!(told(operation.access.also_requires));
            needed = format!("{needed}, and {}", told(operation.access.also_requires).join(" or "));
        }
        let gap = if description.is_empty() { "" } else { "\n\n" };
        write!(description, "{gap}| Permissions |\n| ------- |\n| {needed} |").ok();
    }
    if !description.is_empty() {
        described["description"] = description.into();
    }
    described
}

fn path_parameter(operation: &Operation, name: &str) -> Value {
    let schema = match name {
        "file" => json!({ "type": "string" }),
        "key" if operation.path.contains("/entitlements/") => FeatureKey::schema(),
        "key" => TenantKey::schema(),
        _ => json!({ "type": "string", "format": "uuid" }),
    };
    json!({ "name": name, "in": "path", "required": true, "schema": schema })
}

fn responses(operation: &Operation, all: &[Operation]) -> Map<String, Value> {
    let mut responses = errors::of(operation);
    let mut headers = errors::headers(operation.limited);
    if operation.parameters.iter().any(|parameter| parameter["name"] == "filter") {
        headers.insert("X-Truncated".to_owned(), errors::header("Truncated"));
    }
    if operation.is_tagged() {
        headers.insert("ETag".to_owned(), errors::header("ETag"));
    }
    if operation.reads("Idempotency-Key") {
        headers.insert("Idempotency-Replayed".to_owned(), errors::header("IdempotencyReplayed"));
    }
    let json = |schema: Value, example: Value| json!({ "application/json": { "schema": schema, "example": example } });
    let (status, description, content) = match &operation.answer {
        Answer::One(named) => ("200", "OK.", Some(json(named.reference(), named.example.clone()))),
        Answer::Many(named) => {
            headers.insert("Link".to_owned(), errors::header("Link"));
            let items = json!({ "type": "array", "items": named.reference() });
            ("200", "A page of the list.", Some(json(items, json!([named.example]))))
        }
        Answer::File(media_types) => {
            if media_types.contains(&"application/pdf") {
                headers
                    .insert("Tenantry-Missing-Glyphs".to_owned(), errors::header("MissingGlyphs"));
            }
            let content = media_types.iter().map(|&media_type| (media_type.to_owned(), json!({})));
            ("200", "OK.", Some(Value::Object(content.collect())))
        }
        Answer::Redirect(status, to) => {
            headers.insert("Location".to_owned(), errors::header("RedirectLocation"));
            (*status, *to, None)
        }
        Answer::Nothing => ("204", "No content.", None),
        Answer::Job => {
            headers.insert("Location".to_owned(), errors::header("Location"));
            ("204", "Job accepted. Poll `Location` for progress.", None)
        }
        Answer::Never => return responses,
    };
    let mut response = json!({ "description": description, "headers": headers.clone() });
    if let Some(content) = content {
        response["content"] = content;
    }
    let links = links(operation, all);
    if !links.is_empty() {
        response["links"] = links.into();
    }
    if operation.reads("If-None-Match") {
        let known = json!({ "description": "The caller has this version.", "headers": headers });
        responses.insert("304".to_owned(), known);
    }
    if let Some(when) = operation.accepted {
        let mut accepted = response.clone();
        accepted["description"] = format!("{when} Poll `Location` for progress.").into();
        accepted["headers"]["Location"] = errors::header("Location");
        responses.insert("202".to_owned(), accepted);
    }
    responses.insert(status.to_owned(), response);
    responses
}

/// Returns links from an answer with an entity's ID to the operations on this entity.
fn links(operation: &Operation, all: &[Operation]) -> Map<String, Value> {
    let Some((path, pointer)) = &operation.links_to else { return Map::new() };
    let (by_id, id) = (format!("{path}/{{id}}"), format!("$response.body#{pointer}"));
    let served = |other: &&Operation| !matches!(other.answer, Answer::Never);
    let below = all.iter().filter(served).filter(|other| other.path.starts_with(&by_id));
    let links = below.filter(|other| other.path_parameters().count() == 1).map(|other| {
        let link = json!({ "operationId": other.id, "parameters": { "id": id } });
        (other.id.clone(), link)
    });
    let mut links: Map<_, _> = links.collect();
    if path == "/tenants" {
        let tenant = json!({ "tenantId": id });
        for child in all.iter().filter(|other| other.creates_a_child()) {
            let link = json!({ "operationId": child.id, "requestBody": tenant });
            links.insert(child.id.clone(), link);
        }
    }
    links
}

impl Operation {
    fn creates_a_child(&self) -> bool {
        let body = self.body.as_ref().map(|body| &body.schema["properties"]["tenantId"]);
        self.method == "POST" && body.is_some_and(Value::is_object)
    }
}

fn schemas(operations: &[Operation]) -> Map<String, Value> {
    let mut schemas = Map::from_iter([
        ("Error".to_owned(), errors::schema()),
        ("GatewayError".to_owned(), errors::of_gateway()),
    ]);
    for (name, schema) in entities::statuses() {
        schemas.insert(name.to_owned(), schema);
    }
    for schema in entities::ALL {
        schemas.insert(schema.entity.to_owned(), component(schema, &[]));
        schemas.insert(format!("{}WithRelations", schema.entity), with_relations(schema));
        schemas.extend(filters::components(schema));
    }
    schemas.extend(filters::conditions_of_kinds());
    let named = operations.iter().flat_map(|operation| {
        let answer = match &operation.answer {
            Answer::One(named) | Answer::Many(named) => Some(named),
            Answer::File(_)
            | Answer::Redirect(..)
            | Answer::Nothing
            | Answer::Job
            | Answer::Never => None,
        };
        answer.into_iter().chain(&operation.body)
    });
    schemas.extend(named.map(|NamedSchema { name, schema, .. }| (name.clone(), schema.clone())));
    schemas
}

fn security_schemes() -> Value {
    let bearer = |format: &str, description: &str| json!({ "type": "http", "scheme": "bearer", "bearerFormat": format, "description": description });
    let header = |name: &str, description: &str| json!({ "type": "apiKey", "in": "header", "name": name, "description": description });
    json!({
        "operator": bearer("JWT", "Token of an operator. Must grant the permissions that the operation requires."),
        "leadToken": bearer("JWT", "Token of a verified lead. Valid for this lead and its tenant."),
        "session": json!({ "type": "apiKey", "in": "cookie", "name": "__Host-session",
            "description": "Cookie of a signed-in operator. The request must come from a page of the same origin." }),
        "issuerToken": bearer("JWT", "Access token of an issuer in `TOKEN_ISSUERS`."),
        "leadKey": bearer("hex", "Key from a verification email."),
        "signature": header("x-signature", "HMAC-SHA256 of body, context and timestamp, in lowercase hex. The context \
            of a webhook is the job's ID; `POST /manage/users` has no context."),
        "timestamp": header("x-timestamp", "Time of signing, in milliseconds since 1970-01-01 (Unix epoch)."),
    })
}

/// Returns the optional request headers that operations name.
fn request_headers() -> Value {
    let header = |name: &str, pattern: &str, example: &str, description: &str| json!({ "name": name, "in": "header", "schema": { "type": "string", "pattern": pattern }, "example": example, "description": description });
    let tags = r#"^(\*|(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*)$"#;
    json!({
        "Idempotency-Key": header("Idempotency-Key", "^[!-~]{1,255}$", "8e03978e-40d5-43e8-bc93-6894a57f9324", "1 to 255 visible ASCII \
            characters, chosen by the client. Within 24 hours, a repeated request with this key has no second effect \
            and gets the answer of the first."),
        "If-Match": header("If-Match", tags, "\"7\"", "Entity tags, separated by commas, or `*`. The change is made only if \
            the entity has one of these versions; otherwise 412 `PRECONDITION_FAILED`. Weak tags never match."),
        "If-None-Match": header("If-None-Match", tags, "\"7\"", "Entity tags, separated by commas, or `*`. The answer is 304 if \
            the entity has one of these versions."),
    })
}

fn headers() -> Value {
    let header = |kind: &str, required: bool, description: &str| json!({ "schema": { "type": kind }, "required": required, "description": description });
    json!({
        "RequestId": header("string", true, "Request ID, as in the logs."),
        "RateLimitLimit": header("integer", true, "Calls allowed per minute to this operation from one address."),
        "RateLimitRemaining": header("integer", true, "Calls remaining."),
        "RateLimitReset": header("integer", true, "Seconds until the quota resets."),
        "RetryAfter": header("integer", true, "Seconds to wait before retrying."),
        "IdempotencyReplayed": header("string", false, "`true` if the answer is that of an earlier request with the same \
            `Idempotency-Key`."),
        "ETag": header("string", false, "Version of the entity, for `If-Match` and `If-None-Match`. Absent with `include` or `fields`."),
        "Allow": header("string", true, "Methods that the endpoint supports."),
        "Link": header("string", false, "Link to the next page: `<…>; rel=\"next\"`. Absent on the last page."),
        "Location": header("string", true, "Location of the job."),
        "RedirectLocation": header("string", true, "Address to go on to."),
        "MissingGlyphs": header("string", false, "Code points for which no font has a glyph, at most 100: `U+20000, U+20001`. \
            The page shows a replacement sign. Absent if every character is shown."),
        "Truncated": header("string", false, "Included relations that are incomplete in this answer, \
            separated by commas: `contacts, lead.tenant.resources`. Read the complete list from its own endpoint."),
    })
}
