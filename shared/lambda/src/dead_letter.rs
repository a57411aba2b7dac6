//! Dead-letter queues for events and records that a function could not handle, even after retries.

use aws_sdk_sqs::Client;
use serde::Serialize;
use serde_json::{Value, json, value::RawValue};

use crate::{
    Env, Envelope, Payload,
    aws::Aws,
    config::ConfigError,
    fault::Service,
    metric::{Metric, Metrics},
};
use domain::{Error, Result};

/// A dead-letter queue to which a function sends letters.
#[derive(Debug)]
pub(crate) struct DeadLetters {
    client: Client,
    queue: String,
    /// The name of the function.
    pub(crate) function: String,
    pub(crate) metrics: Metrics,
}

/// A letter, in the format that Lambda uses for failed events.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Letter<P> {
    version: &'static str,
    timestamp: String,
    request_context: Context,
    request_payload: P,
    response_payload: Value,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    function_arn: String,
    condition: &'static str,
}

impl DeadLetters {
    /// Creates the queue with the URL in `variable`. Lambda provides the function's name in
    /// `AWS_LAMBDA_FUNCTION_NAME`.
    pub(crate) fn from_env(
        env: &Env,
        aws: &Aws,
        variable: &'static str,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            client: aws_sdk_sqs::Client::new(&aws.service("SQS")),
            queue: env.required(variable)?.to_owned(),
            function: env.get("AWS_LAMBDA_FUNCTION_NAME").unwrap_or("unknown").to_owned(),
            metrics: Metrics::from_env(env),
        })
    }

    /// Sends a letter: the payload with which the function `arn` is to be invoked again.
    pub(crate) async fn put<P: Serialize>(
        &self,
        arn: String,
        payload: P,
        why: &Error,
    ) -> Result<()> {
        let condition = if why.is_permanent() { "Permanent" } else { "RetriesExhausted" };
        let letter = Letter {
            version: "1.0",
            timestamp: crate::now().to_string(),
            request_context: Context { function_arn: arn, condition },
            request_payload: payload,
            response_payload: json!({ "errorMessage": why.to_string() }),
        };
        let body =
            serde_json::to_string(&letter).map_err(Error::internal("writing a dead letter"))?;
        let request = self
            .client
            .send_message()
            .queue_url(&self.queue)
            .message_body(escape_noncharacters(&body));
        request.send().await.map_err(Service::Sqs.error("sending a dead letter"))?;
        self.metrics.write(&Metric::ItemSetAside, crate::now());
        Ok(())
    }
}

/// Escapes the two characters that JSON allows and SQS does not.
///
/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
fn escape_noncharacters(json: &str) -> String {
    json.replace('\u{FFFE}', "\\ufffe").replace('\u{FFFF}', "\\uffff")
}

/// The dead-letter queue for events.
#[derive(Debug)]
pub struct EventFailures(DeadLetters);

/// An event from the queue, as passed to the function again.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Redriven<'e> {
    set_aside: &'e RawValue,
}

impl EventFailures {
    /// Creates the queue `EVENT_FAILURES_URL`. Lambda sends the function's failed events to the
    /// same queue.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Missing`] if the variable is not set.
    pub fn from_env(env: &Env, aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self(DeadLetters::from_env(env, aws, "EVENT_FAILURES_URL")?))
    }

    /// Handles an event with `handle`, and returns the result of the invocation.
    ///
    /// A permanent failure is sent to the queue, and the invocation succeeds, because Lambda has no
    /// other way to skip its retries. A transient failure fails the invocation: Lambda retries
    /// twice and then sends the event to the same queue. The invocation also fails if the queue
    /// can't be reached, or if the event came from the queue, in which it then stays.
    ///
    /// # Errors
    ///
    /// The failure to report to Lambda.
    pub async fn handle<F: Future<Output = Result<()>>>(
        &self,
        event: &Payload,
        handle: impl FnOnce(Envelope) -> F,
    ) -> Result<()> {
        let handled = match event.envelope() {
            Ok(envelope) => Box::pin(handle(envelope)).await,
            Err(error) => Err(error),
        };
        let Err(error) = handled else { return Ok(()) };
        if !error.is_permanent() || event.is_redriven() {
            return Err(error);
        }
        let payload = Redriven { set_aside: event.raw() };
        // A function can be invoked by its name as well as by its ARN.
        if let Err(cause) = self.0.put(self.0.function.clone(), payload, &error).await {
            tracing::error!(error = %cause.with_causes(), "the dead-letter queue refused an event");
            return Err(error);
        }
        tracing::error!(error = %error.with_causes(), "event sent to the dead-letter queue");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_contains_only_characters_that_sqs_accepts() {
        let json = serde_json::to_string("a\u{FFFE}\u{FFFF}\u{0}ä").unwrap();
        assert_eq!(escape_noncharacters(&json), "\"a\\ufffe\\uffff\\u0000ä\"");
        assert_eq!(
            serde_json::from_str::<String>(&escape_noncharacters(&json)).unwrap(),
            "a\u{FFFE}\u{FFFF}\0ä"
        );
    }
}
