//! Operators.

pub(crate) mod session;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{self, builders::UpdateBuilder};
use schema::Timestamp;

use crate::{
    Store,
    lists::{
        by_id::ById,
        found::Found,
        inclusions::{IncludeFn, Related},
        listed::Listed,
    },
    table::{
        index::{IndexKey, Partition},
        item::{Attributes, Item, Stored, decode_all, encode, encode_part},
        key::Key,
        update::{AT_VERSION, Update},
    },
};
use domain::{
    EntityOwner, Error, LeadId, Operator, OperatorId, Profile, Result, Session, SessionId, UserId,
};
use filter::Where;

/// Attributes of an operator that a later sign-in does not change.
const LASTING: [&str; 9] = [
    "id",
    "issuer",
    "subject",
    "disabled",
    "deleted",
    "createdOn",
    "createdBy",
    "gsi1pk",
    "gsi1sk",
];

/// Maximum number of sessions that are ended in the transaction that disables an operator. A
/// transaction has at most 100 writes (AWS limit).
const MOST_ENDED: usize = 90;

/// The new state of a session whose person was checked at the identity provider.
#[derive(Clone, Debug)]
pub struct Refreshed {
    /// The person. `None` if the provider says nothing new.
    pub profile: Option<Profile>,
    /// The sealed refresh token.
    pub sealed_token: String,
    /// The time of the lease, as passed to [`Store::lease_refresh`].
    pub leased_on: Timestamp,
}

impl Item for Operator {
    const ENTITY: &'static str = "operator";

    fn key(&self) -> Key {
        Key::operator(self.id)
    }

    fn indexes(&self) -> Vec<IndexKey> {
        vec![Partition::of_entity(Self::ENTITY).key(self.audit.created_on, self.id)]
    }
}

impl ById for Operator {
    type Id = OperatorId;

    fn id(&self) -> OperatorId {
        self.id
    }

    async fn by_ids(store: &Store, ids: Vec<OperatorId>) -> Result<Vec<Stored<Self>>> {
        let keys: Vec<_> = ids.into_iter().map(Key::operator).collect();
        decode_all(&store.get_all(&keys).await?)
    }
}

impl Related for Operator {
    fn relation(_: &str) -> Option<IncludeFn<Self>> {
        None
    }
}

impl Listed for Operator {
    async fn by_other_key(_: &Store, _: &Where) -> Result<Option<Vec<Found<Self>>>> {
        Ok(None)
    }

    async fn one(store: &Store, id: OperatorId) -> Result<(Stored<Self>, EntityOwner)> {
        let operator = store.get_active(Key::operator(id)).await?;
        Ok((operator.ok_or_else(|| Error::not_found(id))?, EntityOwner::default()))
    }

    async fn of_lead(_: &Store, _: LeadId, _: &Where) -> Result<(Vec<Found<Self>>, EntityOwner)> {
        Ok((Vec::new(), EntityOwner::default()))
    }

    fn partition(_: &Where) -> Partition {
        Partition::of_entity(Self::ENTITY)
    }

    /// Operators are few, so they are counted by reading them.
    fn counter_name(_: &Where) -> Option<String> {
        None
    }
}

impl Store {
    /// Writes the operator that signs in, with a new session.
    ///
    /// # Errors
    ///
    /// [`Error::OperatorDisabled`] if the operator is disabled.
    #[tracing::instrument(skip_all, fields(operator.id = %operator.id))]
    pub async fn sign_in(&self, operator: &Operator, session: &Session) -> Result<()> {
        let writes =
            self.transaction().update_as(signing_in(operator)?, Error::OperatorDisabled)?;
        writes.insert(session)?.commit().await
    }

    /// Checks that the operator with this ID, if there is one, is not disabled.
    ///
    /// # Errors
    ///
    /// [`Error::OperatorDisabled`] if it is disabled.
    pub async fn must_be_enabled(&self, id: OperatorId) -> Result<()> {
        let operator: Option<Stored<Operator>> = self.get_active(Key::operator(id)).await?;
        match operator {
            Some(stored) if stored.item.disabled => Err(Error::OperatorDisabled),
            _ => Ok(()),
        }
    }

    /// Enables an operator that was read before.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the operator has changed in the meantime.
    pub async fn enable_operator(
        &self,
        before: &Stored<Operator>,
        now: Timestamp,
        by: &UserId,
    ) -> Result<()> {
        let change = changed(before, now, by).set("disabled", "disabled", false);
        self.update(Key::operator(before.item.id), change, Error::Stale).await
    }

    /// Disables an operator that was read before, and ends its `sessions` in the same transaction.
    /// `keeper` is another operator, who can enable operators again and has not changed since it was
    /// read.
    ///
    /// A sign-in changes the operator, so no session can start between the read and the write. If
    /// there are more sessions than a transaction can end, the first of them are ended before.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the operator, the keeper or one of the sessions has changed in the meantime.
    pub async fn disable_operator(
        &self,
        before: &Stored<Operator>,
        sessions: &[SessionId],
        keeper: Option<&Stored<Operator>>,
        now: Timestamp,
        by: &UserId,
    ) -> Result<()> {
        let id = before.item.id;
        let (early, last) = sessions.split_at(sessions.len().saturating_sub(MOST_ENDED));
        for session in early {
            self.end_session(id, *session, now, Some(by)).await?;
        }
        let change = changed(before, now, by).set("disabled", "disabled", true);
        let mut writes = self.transaction().update(Key::operator(id), change, Error::Stale)?;
        for session in last {
            let ended = session::ending(now, Some(by));
            writes = writes.update(Key::session(id, *session), ended, Error::Stale)?;
        }
        if let Some(keeper) = keeper {
            writes = writes.require_version(
                Key::operator(keeper.item.id),
                keeper.version,
                Error::Stale,
            )?;
        }
        writes.commit().await
    }
}

/// Starts the change of an operator by `by`.
fn changed(before: &Stored<Operator>, now: Timestamp, by: &UserId) -> Update {
    Update::when(AT_VERSION).given("version", before.version).set("modifiedOn", "now", now).set(
        "modifiedBy",
        "by",
        by,
    )
}

/// Returns the update that creates an operator or signs it in again, unless it is disabled.
fn signing_in(operator: &Operator) -> Result<UpdateBuilder> {
    let mut attributes = encode(operator)?;
    for part in ["pk", "sk", "version"] {
        attributes.remove(part);
    }
    let set = |name: &String| match LASTING.contains(&name.as_str()) {
        true => format!("#{name} = if_not_exists(#{name}, :{name})"),
        false => format!("#{name} = :{name}"),
    };
    let sets: Vec<_> = attributes.keys().map(set).collect();
    let mut names: HashMap<_, _> =
        attributes.keys().map(|name| (format!("#{name}"), name.clone())).collect();
    let mut expression = format!("ADD version :one SET {}", sets.join(", "));
    if operator.profile.email.is_none() {
        names.insert("#email".to_owned(), "email".to_owned());
        expression.push_str(" REMOVE #email");
    }
    let mut values: Attributes =
        attributes.into_iter().map(|(name, value)| (format!(":{name}"), value)).collect();
    values.insert(":one".to_owned(), encode_part(1)?);
    Ok(types::Update::builder()
        .set_key(Some(operator.key().into()))
        .update_expression(expression)
        .condition_expression("attribute_not_exists(pk) OR #disabled = :disabled")
        .set_expression_attribute_names(Some(names))
        .set_expression_attribute_values(Some(values)))
}
