use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

/// An error in the format of AWS.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct AwsFault {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl AwsFault {
    /// Creates an error caused by the request (400).
    pub(crate) fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, message: message.into() }
    }

    /// Creates and logs the error for an action that is not simulated.
    pub(crate) fn not_played(action: &str) -> Self {
        tracing::error!(action, "an AWS call is not simulated");
        Self::bad("UnknownOperationException", format!("{action} is not simulated"))
    }

    /// Creates the error of a simulated failure (500).
    pub(crate) fn refused() -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self { status, code: "InternalFailure", message: "simulated failure".into() }
    }
}

impl From<rusqlite::Error> for AwsFault {
    fn from(cause: rusqlite::Error) -> Self {
        tracing::error!(%cause, "the state cannot be accessed");
        Self { message: "the state cannot be accessed".into(), ..Self::refused() }
    }
}

impl IntoResponse for AwsFault {
    fn into_response(self) -> Response {
        let body = json!({ "__type": self.code, "message": self.message, "Message": self.message });
        let headers = [
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("x-amzn-errortype", self.code.to_owned()),
            request_id(),
        ];
        (self.status, headers, body.to_string()).into_response()
    }
}

/// Returns a header with a new request ID.
pub(super) fn request_id() -> (&'static str, String) {
    ("x-amzn-requestid", uuid::Uuid::new_v4().to_string())
}
