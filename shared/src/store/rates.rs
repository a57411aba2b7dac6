use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};

use super::{Key, Store};
use crate::{
    Error, Result,
    domain::{Email, Quota, RATE_WINDOW, Timestamp},
};

/// How many seconds a day has.
const DAY: i64 = 24 * 3600;

impl Store {
    /// Counts a call of `route` from `address`, of which there may be `limit` a minute: in the cache,
    /// or in the table where there is none or it does not answer.
    pub async fn count_call(
        &self,
        route: &str,
        address: &str,
        limit: u32,
        now: Timestamp,
    ) -> Result<Quota> {
        if let Some(cache) = &self.cache
            && let Some(quota) = cache.count_call(route, address, limit).await
        {
            return Ok(quota);
        }
        let calls = self.count_in_table(route, address, now).await?;
        Ok(Quota::after(calls, limit, now))
    }

    /// The calls of `route` from `address` in this minute, this one included.
    async fn count_in_table(&self, route: &str, address: &str, now: Timestamp) -> Result<u32> {
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

    /// Takes one of the `most` verification mails that the mailbox of `email` gets a day, whoever asks.
    /// Returns `false` if none is left.
    ///
    /// # Errors
    ///
    /// [`Error::Aws`] if the mail cannot be counted.
    pub async fn may_mail(&self, email: &Email, most: u32, now: Timestamp) -> Result<bool> {
        let day = now.seconds().div_euclid(DAY);
        let number = |n: i64| AttributeValue::N(n.to_string());
        let request = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(Key::mails(email, day).into()))
            .update_expression("ADD mails :one SET expiresAt = :end, entity = :entity")
            .condition_expression("attribute_not_exists(mails) OR mails < :most")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":most", number(most.into()))
            .expression_attribute_values(":end", number((day + 2) * DAY))
            .expression_attribute_values(":entity", AttributeValue::S("mails".into()));
        match request.send().await {
            Ok(_) => Ok(true),
            Err(cause) => match cause.as_service_error() {
                Some(refusal) if refusal.is_conditional_check_failed_exception() => Ok(false),
                _ => Err(Error::aws("counting a mail")(cause)),
            },
        }
    }
}
