use serde::{Deserialize, Serialize};

use crate::UserId;
use schema::Timestamp;

/// The audit fields of an entity: users and times of creation, change and deletion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Audit {
    /// When the entity was created.
    pub created_on: Timestamp,
    /// When the entity was last changed.
    pub modified_on: Timestamp,
    /// The user who created the entity.
    pub created_by: UserId,
    /// The user who last changed the entity.
    pub modified_by: UserId,
    /// Whether the entity is soft-deleted: the item stays but no read returns it.
    #[serde(default)]
    pub deleted: bool,
    /// When the entity was deleted.
    pub deleted_on: Option<Timestamp>,
    /// The user who deleted the entity.
    pub deleted_by: Option<UserId>,
}

impl Audit {
    /// Returns the audit of an entity that `by` creates at `now`.
    #[must_use]
    pub fn created(now: Timestamp, by: &UserId) -> Self {
        Self {
            created_on: now,
            modified_on: now,
            created_by: by.clone(),
            modified_by: by.clone(),
            deleted: false,
            deleted_on: None,
            deleted_by: None,
        }
    }

    /// Returns the audit after `by` changes the entity at `now`.
    #[must_use]
    pub fn changed(self, now: Timestamp, by: &UserId) -> Self {
        Self { modified_on: now, modified_by: by.clone(), ..self }
    }

    /// Returns the audit after `by` deletes the entity at `now`.
    #[must_use]
    pub fn deleted(self, now: Timestamp, by: &UserId) -> Self {
        let (deleted_on, deleted_by) = (Some(now), Some(by.clone()));
        Self { deleted: true, deleted_on, deleted_by, ..self.changed(now, by) }
    }
}
