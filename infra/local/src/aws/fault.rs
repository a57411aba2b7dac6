use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

/// An error in the form that the SDKs read.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct AwsFault {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl AwsFault {
    /// The caller's fault.
    pub(crate) fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, message: message.into() }
    }

    /// An action that nothing here plays.
    pub(crate) fn not_played(action: &str) -> Self {
        tracing::error!(action, "an AWS call is not played here");
        Self::bad("UnknownOperationException", format!("{action} is not played here"))
    }

    /// A service that is made to fail.
    pub(crate) fn refused() -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self { status, code: "InternalFailure", message: "made to fail".into() }
    }
}

impl From<rusqlite::Error> for AwsFault {
    fn from(cause: rusqlite::Error) -> Self {
        tracing::error!(%cause, "the state cannot be used");
        Self { message: "the state cannot be used".into(), ..Self::refused() }
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

/// A header with a fresh request id.
pub(super) fn request_id() -> (&'static str, String) {
    ("x-amzn-requestid", uuid::Uuid::new_v4().to_string())
}
