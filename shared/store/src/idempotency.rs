use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use serde::Deserialize;

use crate::{
    Store,
    table::{
        item::{Attributes, decode_returned},
        key::Key,
        transaction::with_key,
    },
};
use domain::Result;
use lambda::fault::Service;
use schema::Timestamp;

/// Lifetime of a record: longer than any retry, redrive or replay.
const KEPT: Duration = Duration::from_secs(14 * 24 * 3600);

/// The result of claiming an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The caller holds the claim until the lease ends.
    Ours,
    /// Another caller holds the claim until this time.
    Held(Timestamp),
    /// The event was already processed.
    Done,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    done: bool,
    lease_until: Timestamp,
}

impl Store {
    /// Claims `event` for `consumer` until `lease` is over, so that it is processed once.
    pub async fn claim_event(
        &self,
        consumer: &str,
        event: &str,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Claim> {
        let request = self
            .client
            .put_item()
            .table_name(&*self.table)
            .set_item(Some(record(consumer, event, false, now, now + lease)))
            .condition_expression("attribute_not_exists(pk) OR (done = :no AND leaseUntil <= :now)")
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .expression_attribute_values(":now", AttributeValue::S(now.to_string()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(cause) = request.send().await else { return Ok(Claim::Ours) };
        let held = match cause.as_service_error() {
            Some(aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(failed)) => {
                failed.item().cloned()
            }
            _ => return Err(Service::DynamoDb.error("claiming an event")(cause)),
        };
        let held: Record = decode_returned(held.unwrap_or_default())?;
        Ok(if held.done { Claim::Done } else { Claim::Held(held.lease_until) })
    }

    /// Records that `consumer` has processed `event`.
    pub async fn complete_event(&self, consumer: &str, event: &str, now: Timestamp) -> Result<()> {
        let request = self.client.put_item().table_name(&*self.table);
        let request = request.set_item(Some(record(consumer, event, true, now, now)));
        request.send().await.map(drop).map_err(Service::DynamoDb.error("completing an event"))
    }

    /// Releases a claim, so that the next delivery does not have to wait for the lease to end.
    pub async fn release_event(&self, consumer: &str, event: &str, now: Timestamp) -> Result<()> {
        let request = self.client.put_item().table_name(&*self.table);
        let request = request
            .set_item(Some(record(consumer, event, false, now, now)))
            .condition_expression("done = :no")
            .expression_attribute_values(":no", AttributeValue::Bool(false));
        request.send().await.map(drop).map_err(Service::DynamoDb.error("releasing an event"))
    }
}

fn record(consumer: &str, event: &str, done: bool, now: Timestamp, lease: Timestamp) -> Attributes {
    let attributes = [
        ("entity".into(), AttributeValue::S("idempotency".into())),
        ("done".into(), AttributeValue::Bool(done)),
        ("leaseUntil".into(), AttributeValue::S(lease.to_string())),
        ("expiresAt".into(), AttributeValue::N((now + KEPT).seconds().to_string())),
    ];
    with_key(Key::idempotency(consumer, event), attributes.into())
}
