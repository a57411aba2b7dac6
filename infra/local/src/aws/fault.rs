use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

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
    pub(crate) fn client_error(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, message: message.into() }
    }

    /// Creates and logs the error for an action that is not simulated.
    pub(crate) fn not_simulated(action: &str) -> Self {
        tracing::error!(action, "an AWS call is not simulated");
        Self::client_error("UnknownOperationException", format!("{action} is not simulated"))
    }

    /// Creates the error of a simulated failure (500).
    pub(crate) fn internal_failure() -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self { status, code: "InternalFailure", message: "simulated failure".into() }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn body(&self) -> Value {
        json!({ "__type": self.code, "message": self.message, "Message": self.message })
    }
}

impl From<rusqlite::Error> for AwsFault {
    fn from(cause: rusqlite::Error) -> Self {
        tracing::error!(%cause, "the state cannot be accessed");
        Self { message: "the state cannot be accessed".into(), ..Self::internal_failure() }
    }
}

impl IntoResponse for AwsFault {
    fn into_response(self) -> Response {
        let body = self.body();
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
