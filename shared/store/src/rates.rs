use aws_sdk_dynamodb::types::{self, AttributeValue, ReturnValue};

use crate::{
    Store,
    table::{item::Attributes, key::Key, transaction::Transaction},
};
use domain::{Email, Error, Quota, RATE_WINDOW, Result};
use schema::Timestamp;

/// Seconds in a day.
const DAY: i64 = 24 * 3600;

impl Store {
    /// Counts a call of `route` from `address`, limited to `limit` calls per minute. Counts in the
    /// cache if it responds, otherwise in the table.
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

    /// Counts the call in the table. Returns the number of calls in this minute, including this
    /// one.
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
            .map_err(Error::internal("counting a call"))?;
        let calls = reply.attributes.as_ref().and_then(|new| new.get("calls"));
        let calls = calls.and_then(|calls| calls.as_n().ok()?.parse().ok());
        calls.ok_or_else(|| Error::internal("reading a count")("the response contains no number"))
    }

    /// Uses up one of the `most` verification emails per day for the mailbox of `email`. Returns
    /// `false` if none is left.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the email cannot be counted.
    pub async fn may_mail(&self, email: &Email, most: u32, now: Timestamp) -> Result<bool> {
        let Mails { key, values } = Mails::of(email, 1, most, now);
        let request = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(key.into()))
            .update_expression(Mails::COUNT)
            .condition_expression(Mails::ARE_LEFT)
            .set_expression_attribute_values(Some(values));
        match request.send().await {
            Ok(_) => Ok(true),
            Err(cause) => match cause.as_service_error() {
                Some(refusal) if refusal.is_conditional_check_failed_exception() => Ok(false),
                _ => Err(Error::internal("counting an email")(cause)),
            },
        }
    }
}

impl Transaction<'_> {
    /// Uses up `many` of the `most` verification emails per day for the mailbox of `email`. Fails
    /// with [`Error::RateLimited`] if fewer are left.
    pub(crate) fn count_mails(
        self,
        email: &Email,
        many: u32,
        most: u32,
        now: Timestamp,
    ) -> Result<Self> {
        let Mails { key, values } = Mails::of(email, many, most, now);
        let update = types::Update::builder()
            .set_key(Some(key.into()))
            .update_expression(Mails::COUNT)
            .condition_expression(Mails::ARE_LEFT)
            .set_expression_attribute_values(Some(values));
        self.update_as(update, Error::RateLimited)
    }
}

/// The update that counts emails to a mailbox on a day.
struct Mails {
    key: Key,
    values: Attributes,
}

impl Mails {
    const COUNT: &str = "ADD mails :many SET expiresAt = :end, entity = :entity";
    const ARE_LEFT: &str = "attribute_not_exists(mails) OR mails <= :left";

    fn of(email: &Email, many: u32, most: u32, now: Timestamp) -> Self {
        let day = now.seconds().div_euclid(DAY);
        let number = |n: i64| AttributeValue::N(n.to_string());
        let values = [
            (":many".to_owned(), number(many.into())),
            (":left".to_owned(), number(i64::from(most) - i64::from(many))),
            (":end".to_owned(), number((day + 2) * DAY)),
            (":entity".to_owned(), AttributeValue::S("mails".to_owned())),
        ];
        Self { key: Key::mails(email, day), values: values.into() }
    }
}
