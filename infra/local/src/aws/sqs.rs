use serde::Deserialize;
use serde_json::{Value, json};

use super::{Aws, AwsFault, Result};

/// Bytes of a message (AWS limit since August 2025; 256 KB before).
const MOST_BYTES: usize = 1 << 20;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendMessage {
    queue_url: String,
    message_body: String,
}

impl Aws {
    /// What is sent to a failure queue is a dead letter.
    pub(super) fn send_message(&self, request: &SendMessage) -> Result<Value> {
        if request.message_body.is_empty() || request.message_body.len() > MOST_BYTES {
            return Err(AwsFault::bad("InvalidParameterValue", "1 byte to 1 MB is allowed"));
        }
        let message: Value = serde_json::from_str(&request.message_body).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let last = |name: String| name.rsplit(['/', ':']).next().unwrap_or_default().to_owned();
        self.state.add_letter(
            &last(request.queue_url.clone()),
            &last(text(&message["requestContext"]["functionArn"])),
            &text(&message["responsePayload"]["errorMessage"]),
            &message["requestPayload"],
        )?;
        Ok(json!({ "MessageId": uuid::Uuid::new_v4().to_string() }))
    }
}
