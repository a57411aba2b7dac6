use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::{Aws, AwsFault, Result};

/// Maximum size of a message, in bytes (AWS limit since August 2025; 256 KB before).
const MAX_BYTES: usize = 1 << 20;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendMessage {
    queue_url: String,
    message_body: String,
}

/// The format in which Lambda and the functions move an event to a dead-letter queue. The text of
/// the event is kept unchanged, at any nesting depth.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Letter<'m> {
    #[serde(default)]
    request_context: Value,
    #[serde(default)]
    response_payload: Value,
    #[serde(borrow)]
    request_payload: &'m RawValue,
}

impl Aws {
    /// Stores a message as a dead letter.
    pub(super) fn send_message(&self, request: &SendMessage) -> Result<Value> {
        if request.message_body.is_empty() || request.message_body.len() > MAX_BYTES {
            return Err(AwsFault::client_error(
                "InvalidParameterValue",
                "1 byte to 1 MB is allowed",
            ));
        }
        if !request.message_body.chars().all(is_allowed) {
            return Err(AwsFault::client_error(
                "InvalidMessageContents",
                "A character is not allowed",
            ));
        }
        let bad = |cause: serde_json::Error| {
            AwsFault::client_error(
                "InvalidMessageContents",
                format!("the message is not a dead letter: {cause}"),
            )
        };
        let message: Letter<'_> = serde_json::from_str(&request.message_body).map_err(bad)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let last = |name: String| name.rsplit(['/', ':']).next().unwrap_or_default().to_owned();
        self.state.add_letter(
            &last(request.queue_url.clone()),
            &last(text(&message.request_context["functionArn"])),
            &text(&message.response_payload["errorMessage"]),
            message.request_payload.get(),
        )?;
        Ok(json!({ "MessageId": uuid::Uuid::new_v4().to_string() }))
    }
}

/// Returns whether a message may contain `letter`. Source:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>.
fn is_allowed(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}
