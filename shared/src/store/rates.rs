use std::fmt::Display;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};

use super::{Key, Store};
use crate::{Error, Result, domain::Timestamp};

/// The length of a window of the rate limit, in seconds (CONTRACT §9).
pub const RATE_WINDOW: i64 = 60;

impl Store {
    /// Counts a call of `route` from `address`, and says how many there were in this minute.
    pub async fn count_call(
        &self,
        route: &str,
        address: impl Display,
        now: Timestamp,
    ) -> Result<u32> {
        let minute = now.seconds().div_euclid(RATE_WINDOW) * RATE_WINDOW;
        let number = |n: i64| AttributeValue::N(n.to_string());
        let reply = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(Key::rate(route, address, minute).into()))
            .update_expression("ADD calls :one SET expiresAt = :end, entity = :entity")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":end", number(minute + 2 * RATE_WINDOW))
            .expression_attribute_values(":entity", AttributeValue::S("rate".into()))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(Error::aws("counting a call"))?;
        let calls = reply.attributes.as_ref().and_then(|new| new.get("calls"));
        let calls = calls.and_then(|calls| calls.as_n().ok()?.parse().ok());
        calls.ok_or_else(|| Error::aws("reading a count")("no number came back"))
    }
}
