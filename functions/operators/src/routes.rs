use domain::{Entity, Operator};
use openapi::{Answer, NamedSchema, Operation, Operations, count, example, list, view};
use serde_json::{Value, json};
use web::{Code, Routes};

use crate::{Operators, callback, exchange, people, session, sign_in};

/// Declares the routes of this function.
pub(crate) fn routes<R: Routes<Operators, Operation>>(routes: R) -> R {
    routes
        .route("GET /auth/config", crate::sign_in_config, config)
        .limited("GET /auth/sign-in", sign_in::sign_in, start)
        .route("GET /auth/callback", callback::callback, finish)
        .route("POST /auth/token", session::token, token)
        .route("POST /auth/exchange", exchange::exchange, exchanged)
        .route("POST /auth/sign-out", session::sign_out, sign_out)
        .route("GET /operators", web::list::<Operator>, || list::<Operator>("operators"))
        .route("GET /operators/count", web::count::<Operator>, || count::<Operator>("operators"))
        .route("GET /operators/me", people::me, me)
        .route("GET /operators/{id}", web::view::<Operator>, || view::<Operator>("operators"))
        .route("PATCH /operators/{id}", people::change, change)
        .route("GET /operators/{id}/sessions", people::sessions, sessions)
        .route("DELETE /operators/{id}/sessions/{sessionId}", people::end_session, end_session)
}

/// Returns this function's operations for the OpenAPI document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    routes(Operations::default()).0
}

fn object(properties: &Value) -> Value {
    let names: Vec<_> = properties.as_object().into_iter().flat_map(|all| all.keys()).collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": names,
        "additionalProperties": false,
    })
}

fn parameter(name: &str, description: &str) -> Value {
    json!({ "name": name, "description": description, "schema": { "type": "string" } })
}

fn config() -> Operation {
    let schema = object(&json!({
        "signIn": { "type": "boolean" },
        "name": { "type": "string", "description": "Name of the identity provider." },
        "pastedTokens": { "type": "boolean", "description": "Whether the console has a field for a token." },
    }));
    let answer = json!({ "signIn": true, "name": "Acme SSO", "pastedTokens": true });
    let answer = Answer::One(NamedSchema::new("SignInConfig", schema, answer));
    Operation::new("getSignInConfig", "Get how operators sign in", answer).without_table()
}

fn start() -> Operation {
    let to = "Path of the console to return to, such as `/console#tenants`.";
    Operation::new("signIn", "Sign in", Answer::Redirect("302", "To the identity provider."))
        .description("For browsers: errors are pages if `Accept` has `text/html`.")
        .query(parameter("return", to))
        .error(Code::ReturnInvalid, "`return` is not a path of the console.")
        .error(Code::SignInNotConfigured, "`OIDC_ISSUER` is not set.")
        .error(Code::ProviderUnreachable, "The identity provider did not answer.")
        .error(Code::ProviderMisconfigured, "The metadata of the identity provider is not usable.")
}

fn finish() -> Operation {
    let answer = Answer::Redirect("303", "To the console, with the cookie of a session.");
    let operation = Operation::new("finishSignIn", "Finish a sign-in", answer).description(
        "Called by the identity provider through the browser. Errors are pages if `Accept` has `text/html`.",
    );
    [
        ("code", "The code."),
        ("state", "The state."),
        ("iss", "The issuer (RFC 9207)."),
        ("error", "The error."),
    ]
    .into_iter()
    .fold(operation, |operation, (name, text)| operation.query(parameter(name, text)))
    .error(
        Code::SignInExpired,
        "There is no sign-in with this state in this browser, or it is too old.",
    )
    .error(Code::SignInInvalid, "The answer of the identity provider does not verify.")
    .error(Code::SignInRefused, "The identity provider did not sign the person in.")
    .error(Code::NoRole, "No grant gives the person a role.")
    .error(Code::OperatorDisabled, "The operator is disabled.")
    .error(Code::SignInNotConfigured, "`OIDC_ISSUER` is not set.")
    .error(Code::ProviderUnreachable, "The identity provider did not answer.")
    .error(Code::ProviderMisconfigured, "The identity provider refused a request of the client.")
}

fn issued() -> Answer {
    let operator = object(&json!({
        "id": { "type": "string", "format": "uuid" },
        "name": { "type": "string" },
        "email": { "type": ["string", "null"] },
        "roles": texts(),
        "permissions": texts(),
    }));
    let schema = object(&json!({
        "token": { "type": "string" },
        "expiresIn": { "type": "integer", "description": "Seconds until the token expires." },
        "sessionEndsOn": { "type": ["string", "null"], "format": "date-time" },
        "operator": operator,
    }));
    let one = example(Operator::SCHEMA);
    let answer = json!({
        "token": "eyJhbGciOiJIUzI1NiJ9.eyJpZCI6Ii4uLiJ9.c2ln",
        "expiresIn": 600,
        "sessionEndsOn": "2026-11-24T05:54:06.859Z",
        "operator": {
            "id": one["id"], "name": one["name"], "email": one["email"], "roles": ["viewer"],
            "permissions": ["7004", "7008", "10203", "10207", "10211", "10215", "10221"],
        },
    });
    Answer::One(NamedSchema::new("IssuedToken", schema, answer))
}

fn texts() -> Value {
    json!({ "type": "array", "items": { "type": "string" } })
}

fn token() -> Operation {
    Operation::new("issueToken", "Get a token for a session", issued()).description(
        "The token is valid for `OPERATOR_TOKEN_EXPIRY`, and no longer than the session. A session \
         ends after `SESSION_LIFETIME`, or if no token is requested for `SESSION_IDLE`.",
    )
}

fn exchanged() -> Operation {
    Operation::new("exchangeToken", "Exchange a token of a trusted issuer", issued())
        .description("For machines and frontends. The token expires no later than the one it is exchanged for.")
        .error(Code::NoRole, "No grant of the issuer gives the caller a role.")
        .error(Code::OperatorDisabled, "The operator is disabled.")
        .error(Code::ProviderUnreachable, "The issuer did not answer.")
        .error(Code::ProviderMisconfigured, "The metadata of the issuer is not usable.")
}

fn sign_out() -> Operation {
    let schema = object(&json!({
        "redirect": {
            "type": ["string", "null"],
            "description": "Address at which to sign out at the identity provider too.",
        },
    }));
    let answer = Answer::One(NamedSchema::new("SignedOut", schema, json!({ "redirect": null })));
    Operation::new("signOut", "Sign out", answer)
        .description("Ends the session of the cookie, if there is one.")
        .error(Code::CrossSite, "The request does not come from a page of this origin.")
}

fn me() -> Operation {
    let reason = object(&json!({
        "role": { "type": "string" },
        "claim": { "type": "string" },
        "value": { "type": ["string", "null"] },
    }));
    let schema = object(&json!({
        "id": { "type": "string" },
        "name": { "type": ["string", "null"] },
        "email": { "type": ["string", "null"] },
        "roles": texts(),
        "reasons": { "type": "array", "items": reason },
        "permissions": texts(),
    }));
    let one = example(Operator::SCHEMA);
    let answer = json!({
        "id": one["id"], "name": one["name"], "email": one["email"], "roles": one["roles"],
        "reasons": one["reasons"], "permissions": ["10207"],
    });
    let answer = Answer::One(NamedSchema::new("Me", schema, answer));
    Operation::new("getMe", "Get the calling operator", answer)
        .error(Code::EntityNotFound, "The operator was removed from the table.")
}

fn change() -> Operation {
    Operation::new("changeOperator", "Disable or enable an operator", Answer::Nothing)
        .description(
            "Disabling ends the operator's sessions. Tokens that were issued remain valid until \
             they expire, after `OPERATOR_TOKEN_EXPIRY` at most.",
        )
        .body("OperatorChange", json!({ "disabled": true }))
        .error(Code::LastAdmin, "Nobody else could enable operators again.")
}

fn sessions() -> Operation {
    let text = || json!({ "type": ["string", "null"] });
    let time = || json!({ "type": "string", "format": "date-time" });
    let one = object(&json!({
        "id": { "type": "string", "format": "uuid" },
        "createdOn": time(),
        "lastSeenOn": time(),
        "endsOn": time(),
        "address": text(),
        "userAgent": text(),
        "current": { "type": "boolean", "description": "Whether the caller's token is of this session." },
    }));
    let schema = json!({ "type": "array", "items": one });
    let operator = example(Operator::SCHEMA);
    let answer = json!([{
        "id": operator["id"], "createdOn": operator["createdOn"],
        "lastSeenOn": operator["createdOn"], "endsOn": operator["createdOn"],
        "address": "192.0.2.1", "userAgent": "Mozilla/5.0", "current": true,
    }]);
    let answer = Answer::One(NamedSchema::new("Sessions", schema, answer));
    Operation::new("listSessions", "List an operator's open sessions", answer).description(
        "The newest 100. Operators may list their own sessions without the permission.",
    )
}

fn end_session() -> Operation {
    Operation::new("endSession", "End a session of an operator", Answer::Nothing).description(
        "Operators may end their own sessions without the permission. The last token of an ended session \
        remains valid until it expires.",
    )
}
