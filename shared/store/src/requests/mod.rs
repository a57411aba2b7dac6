//! Idempotency keys of API requests: a request's answer is recorded in the transaction of its effect.

mod record;

pub use record::{KeyedRequest, Lease, RecordedAnswer, RecordedBody};

use std::time::Duration;

use aws_sdk_dynamodb::{
    error::ProvideErrorMetadata,
    operation::put_item::PutItemError,
    types::{AttributeValue, Put, ReturnValuesOnConditionCheckFailure, builders::PutBuilder},
};

use crate::{
    Store,
    table::{
        item::{Attributes, decode_returned},
        transaction::Transaction,
        update::written,
    },
};
use domain::{Error, Result};
use lambda::fault::Service;
use record::Held;
use schema::Timestamp;

/// Time for which a request holds its key: longer than a function runs.
const LEASE: Duration = Duration::from_secs(30);

/// The result of claiming a request.
#[derive(Clone, Debug)]
pub enum RequestClaim {
    /// The caller holds the key until the lease ends.
    Ours(Lease),
    /// An earlier request with this key is still running.
    Running,
    /// The key belongs to a request with another content.
    Reused,
    /// An earlier request with this key was answered.
    Done(RecordedAnswer),
}

/// An answer that the next write of a store records.
#[derive(Clone, Debug)]
pub(crate) struct Completion {
    pub(crate) lease: Lease,
    answer: RecordedAnswer,
}

/// Condition that a request is running under a certain lease.
const IS_OURS: &str = "done = :no AND holder = :holder";

impl Store {
    /// Claims a request, so that it has its effect once.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the claim cannot be written.
    pub async fn claim_request(
        &self,
        request: KeyedRequest,
        now: Timestamp,
    ) -> Result<RequestClaim> {
        let lease = Lease::new(request);
        let sent = self
            .client
            .put_item()
            .table_name(&*self.table)
            .set_item(Some(lease.record(now + LEASE, now, None)?))
            .condition_expression(
                "attribute_not_exists(pk) OR (done = :no AND leaseUntil <= :now) OR expiresAt <= :second",
            )
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .expression_attribute_values(":now", AttributeValue::S(now.to_string()))
            .expression_attribute_values(":second", AttributeValue::N(now.seconds().to_string()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(cause) = sent else { return Ok(RequestClaim::Ours(lease)) };
        // The earlier request is just being committed.
        if cause.code() == Some("TransactionConflictException") {
            return Ok(RequestClaim::Running);
        }
        let held = match cause.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => failed.item().cloned(),
            _ => return Err(Service::DynamoDb.error("claiming a request")(cause)),
        };
        let held: Held = decode_returned(held.unwrap_or_default())?;
        Ok(match held {
            held if !lease.has_content_of(&held) => RequestClaim::Reused,
            Held { answer: Some(answer), .. } => RequestClaim::Done(answer),
            // The SDK has repeated a write whose answer was lost.
            Held { holder, .. } if holder == lease.holder => RequestClaim::Ours(lease),
            Held { .. } => RequestClaim::Running,
        })
    }

    /// Returns a store whose next write records `answer` in its transaction. It fails with
    /// [`Error::IdempotencyInProgress`] if the lease has ended and another request holds the key.
    #[must_use]
    pub fn recording(&self, lease: &Lease, answer: RecordedAnswer) -> Self {
        let completion = Completion { lease: lease.clone(), answer };
        Self { completion: Some(completion.into()), ..self.clone() }
    }

    /// Records the answer of a request that has written nothing, or whose effect can be repeated.
    ///
    /// # Errors
    ///
    /// [`Error::IdempotencyInProgress`] if another request holds the key.
    pub async fn record_answer(&self, lease: &Lease, answer: RecordedAnswer) -> Result<()> {
        let now = lambda::now();
        self.put_record(lease, lease.record(now, now, Some(&answer))?).await?;
        lease.set_recorded();
        Ok(())
    }

    /// Releases a request that has had no effect, so that it can be sent again at once.
    ///
    /// # Errors
    ///
    /// [`Error::IdempotencyInProgress`] if another request holds the key, or if the answer is recorded.
    pub async fn release_request(&self, lease: &Lease) -> Result<()> {
        // The record expires with its lease, so that the next request may have another content.
        let mut released = lease.record(lambda::now(), lambda::now(), None)?;
        let now = lambda::now().seconds().to_string();
        released.insert("expiresAt".into(), AttributeValue::N(now));
        self.put_record(lease, released).await
    }

    async fn put_record(&self, lease: &Lease, record: Attributes) -> Result<()> {
        let request = self
            .client
            .put_item()
            .table_name(&*self.table)
            .set_item(Some(record))
            .condition_expression(IS_OURS)
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .expression_attribute_values(":holder", AttributeValue::S(lease.holder.clone()));
        written(
            request.send().await,
            "writing the record of a request",
            Error::IdempotencyInProgress,
        )
    }
}

impl Transaction<'_> {
    /// Records the answer to the request that the transaction belongs to. Fails with
    /// [`Error::IdempotencyInProgress`] if another request holds the key.
    pub(crate) fn complete(self, completion: &Completion) -> Result<Self> {
        let (lease, now) = (&completion.lease, lambda::now());
        let put: PutBuilder = Put::builder()
            .set_item(Some(lease.record(now, now, Some(&completion.answer))?))
            .condition_expression(IS_OURS)
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .expression_attribute_values(":holder", AttributeValue::S(lease.holder.clone()));
        self.put(put, Some(Error::IdempotencyInProgress))
    }
}
