//! Failure queues, and what a function puts into them by itself: events and records that it could not
//! handle however often they came.

use aws_sdk_sqs::Client;
use serde::Serialize;
use serde_json::{Value, json, value::RawValue};

use crate::{
    Env, Error, Result,
    aws::Aws,
    config::ConfigError,
    fault::Service,
    lambda::Payload,
    metric::{Metric, Metrics},
};

/// A queue that a function puts letters into.
#[derive(Debug)]
pub(crate) struct DeadLetters {
    client: Client,
    queue: String,
    /// The function's own name.
    pub(crate) function: String,
    pub(crate) metrics: Metrics,
}

/// A letter, in the form that Lambda itself gives one about an event that failed.
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
    /// The queue whose URL is in `variable`; Lambda tells the function's name in
    /// `AWS_LAMBDA_FUNCTION_NAME`.
    pub(crate) fn from_env(
        env: &Env,
        aws: &Aws,
        variable: &'static str,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            client: aws.sqs(),
            queue: env.required(variable)?.to_owned(),
            function: env.get("AWS_LAMBDA_FUNCTION_NAME").unwrap_or("unknown").to_owned(),
            metrics: Metrics::from_env(env),
        })
    }

    /// Puts what the function `arn` is to be handed again into the queue.
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
        let body = serde_json::to_string(&letter).map_err(Error::aws("writing a dead letter"))?;
        let request = self.client.send_message().queue_url(&self.queue).message_body(plain(&body));
        request.send().await.map_err(Error::of(Service::Sqs, "setting something aside"))?;
        self.metrics.write(&Metric::ItemSetAside, crate::now());
        Ok(())
    }
}

/// JSON without the two characters that JSON allows and SQS does not.
///
/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
fn plain(json: &str) -> String {
    json.replace('\u{FFFE}', "\\ufffe").replace('\u{FFFF}', "\\uffff")
}

/// The queue of events that a function gave up.
#[derive(Debug)]
pub struct EventFailures(DeadLetters);

/// An event out of the queue, as the function is handed it again.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct SetAside<'e> {
    set_aside: &'e RawValue,
}

impl EventFailures {
    /// The queue `EVENT_FAILURES_URL`, which is where Lambda puts the function's events as well.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Missing`] without it.
    pub fn from_env(env: &Env, aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self(DeadLetters::from_env(env, aws, "EVENT_FAILURES_URL")?))
    }

    /// What the invocation answers that `event` ended in this way.
    ///
    /// A permanent failure is put into the queue at once, and the invocation succeeds: Lambda has no other
    /// way to skip its retries. A transient one fails the invocation: Lambda retries it twice and then
    /// puts it into the same queue. So does a permanent one that cannot be put there, and one that came
    /// out of the queue, which stays in it.
    ///
    /// # Errors
    ///
    /// The failure that Lambda has to know of.
    pub async fn settle(&self, event: &Payload, ended: Result<()>) -> Result<()> {
        let Err(error) = ended else { return Ok(()) };
        if !error.is_permanent() || event.is_set_aside() {
            return Err(error);
        }
        let payload = SetAside { set_aside: event.raw() };
        // The name of a function is as good as its ARN for calling it.
        if let Err(cause) = self.0.put(self.0.function.clone(), payload, &error).await {
            tracing::error!(error = %cause.with_causes(), "an event cannot be set aside");
            return Err(error);
        }
        tracing::error!(error = %error.with_causes(), "an event failed for good: set aside");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_has_no_character_that_sqs_refuses() {
        let json = serde_json::to_string("a\u{FFFE}\u{FFFF}\u{0}ä").unwrap();
        assert_eq!(plain(&json), "\"a\\ufffe\\uffff\\u0000ä\"");
        assert_eq!(serde_json::from_str::<String>(&plain(&json)).unwrap(), "a\u{FFFE}\u{FFFF}\0ä");
    }
}
