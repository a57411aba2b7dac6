//! Sessions of operators.

use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use schema::Timestamp;

use super::Refreshed;
use crate::{
    Store,
    table::{
        item::{Item, Stored, decode_returned},
        key::Key,
        query::query_all,
        update::Update,
    },
};
use domain::{Error, Operator, OperatorId, Profile, Result, Session, SessionId, UserId};
use lambda::fault::Service;

/// Condition that a session exists and was not ended.
const NOT_ENDED: &str = "attribute_exists(pk) AND attribute_not_exists(endedOn)";

/// How long a caller may take to check a session's person at the identity provider.
const LEASE: Duration = Duration::from_secs(20);

/// An operator and its sessions.
#[derive(Clone, Debug)]
pub struct OperatorSessions {
    /// The operator.
    pub operator: Stored<Operator>,
    /// Its sessions that have not ended, the newest first.
    pub sessions: Vec<Session>,
}

impl Item for Session {
    const ENTITY: &'static str = "session";

    fn key(&self) -> Key {
        Key::session(self.operator_id, self.id)
    }
}

impl Store {
    /// Returns a session and notes that it was seen at `now`, in one request. Returns `None` if there
    /// is no such session, if it has ended, or if it was idle for longer than `idle`.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the session cannot be written.
    #[tracing::instrument(skip_all, fields(operator.id = %operator))]
    pub async fn see_session(
        &self,
        operator: OperatorId,
        id: SessionId,
        now: Timestamp,
        idle: Duration,
    ) -> Result<Option<Session>> {
        let change = Update::when(format!("{NOT_ENDED} AND endsOn > :now AND seenOn > :idle"))
            .given("idle", now - idle)
            .set("seenOn", "now", now);
        let key = Key::session(operator, id);
        self.write_session(key, change, ReturnValue::AllNew, "seeing a session").await
    }

    /// Reserves the check of a session's person at the identity provider for this caller. Returns
    /// `false` if another caller is checking or has checked: a refresh token can be used only once
    /// at many providers.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the session cannot be written.
    pub async fn lease_refresh(&self, session: &Session, now: Timestamp) -> Result<bool> {
        let free = "checkedOn = :checked AND (attribute_not_exists(leasedOn) OR leasedOn < :over)";
        let change = Update::when(format!("{NOT_ENDED} AND {free}"))
            .given("checked", session.checked_on)
            .given("over", now - LEASE)
            .set("leasedOn", "now", now);
        match self.update(session.key(), change, Error::Stale).await {
            Ok(()) => Ok(true),
            Err(Error::Stale) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes the result of a check, and what is new about the person also to the operator.
    ///
    /// # Errors
    ///
    /// [`Error::SignInRequired`] if the session was ended or the operator was disabled.
    pub async fn refresh_session(
        &self,
        session: &Session,
        refreshed: &Refreshed,
        now: Timestamp,
    ) -> Result<()> {
        let mine = Update::when("leasedOn = :leased")
            .given("leased", refreshed.leased_on)
            .set("sealedToken", "sealed", &refreshed.sealed_token)
            .set("checkedOn", "now", now)
            .remove("leasedOn");
        let ended = || Error::SignInRequired("the session ended during its check");
        let Some(profile) = &refreshed.profile else {
            return self.update(session.key(), mine, ended()).await;
        };
        let operator = Update::when("disabled = :no").given("no", false);
        let operator = with_profile(operator.set("modifiedOn", "now", now), profile);
        self.transaction()
            .update(session.key(), with_profile(mine, profile), ended())?
            .update(Key::operator(session.operator_id), operator, ended())?
            .commit()
            .await
    }

    /// Ends a session before its time and returns it as it was. `by` is the operator who ends it; it is
    /// `None` if the control plane does. Returns `None` if the session does not exist or has been ended.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the session cannot be written.
    pub async fn end_session(
        &self,
        operator: OperatorId,
        id: SessionId,
        now: Timestamp,
        by: Option<&UserId>,
    ) -> Result<Option<Session>> {
        let (key, change) = (Key::session(operator, id), ending(now, by).traced());
        self.write_session(key, change, ReturnValue::AllOld, "ending a session").await
    }

    /// Changes a session and returns it, as it was or as it is. Returns `None` if the condition does not
    /// hold.
    async fn write_session(
        &self,
        key: Key,
        change: Update,
        returned: ReturnValue,
        doing: &'static str,
    ) -> Result<Option<Session>> {
        let request = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(key.into()))
            .update_expression(change.expression())
            .condition_expression(&change.condition)
            .set_expression_attribute_values(Some(change.values?))
            .return_values(returned);
        match request.send().await {
            Ok(reply) => reply.attributes.map(decode_returned).transpose(),
            Err(cause) => match cause.as_service_error() {
                Some(error) if error.is_conditional_check_failed_exception() => Ok(None),
                _ => Err(Service::DynamoDb.error(doing)(cause)),
            },
        }
    }

    /// Ends a session that must exist, before its time.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if it does not exist or has been ended.
    pub async fn end_existing_session(
        &self,
        operator: OperatorId,
        id: SessionId,
        now: Timestamp,
        by: &UserId,
    ) -> Result<()> {
        let change = ending(now, Some(by));
        self.update(Key::session(operator, id), change, Error::not_found(id)).await
    }

    /// Returns an operator with its sessions that have not ended, strongly consistent.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such operator.
    pub async fn sessions_of(&self, id: OperatorId) -> Result<OperatorSessions> {
        let query = self
            .client
            .query()
            .table_name(&*self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :operator")
            .expression_attribute_values(
                ":operator",
                AttributeValue::S(Key::operator_partition(id)),
            );
        let (mut operator, mut sessions) = (None, Vec::new());
        for item in query_all(query, "reading an operator's sessions").await? {
            if item.entity() == Some(Operator::ENTITY) {
                operator = item.decode_active()?;
            } else if let Some(Stored { item: session, .. }) = item.decode_active::<Session>()? {
                sessions.extend(session.ended_on.is_none().then_some(session));
            }
        }
        sessions.sort_by_key(|session| std::cmp::Reverse(session.created_on));
        let operator = operator.ok_or_else(|| Error::not_found(id))?;
        Ok(OperatorSessions { operator, sessions })
    }
}

/// Returns the update that ends a session before its time. The table deletes it later, so that the stream
/// shows who has ended it. Nothing that could identify the client or continue the session remains.
pub(super) fn ending(now: Timestamp, by: Option<&UserId>) -> Update {
    let ended = Update::when(NOT_ENDED)
        .set("endedOn", "now", now)
        .set("modifiedOn", "now", now)
        .set("expiresAt", "expiry", now.seconds())
        .remove("sealedToken")
        .remove("leasedOn")
        .remove("address")
        .remove("userAgent");
    match by {
        Some(by) => ended.set("modifiedBy", "by", by),
        None => ended,
    }
}

/// Adds what is known about the person.
fn with_profile(update: Update, profile: &Profile) -> Update {
    let update = update
        .set("#name", "name", &profile.name)
        .set("#roles", "roles", &profile.roles)
        .set("reasons", "reasons", &profile.reasons);
    match &profile.email {
        Some(email) => update.set("email", "email", email),
        None => update.remove("email"),
    }
}
