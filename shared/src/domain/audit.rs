use serde::{Deserialize, Serialize};

use super::{Timestamp, UserId};

/// Who created, changed and deleted an entity, and when (CONTRACT §1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Audit {
    /// When it was created.
    pub created_on: Timestamp,
    /// When it last changed.
    pub modified_on: Timestamp,
    /// Who created it.
    pub created_by: UserId,
    /// Who changed it last.
    pub modified_by: UserId,
    /// Whether it is deleted: the item stays, invisible to every read.
    #[serde(default)]
    pub deleted: bool,
    /// When it was deleted.
    pub deleted_on: Option<Timestamp>,
    /// Who deleted it.
    pub deleted_by: Option<UserId>,
}

impl Audit {
    /// The audit of an entity that `by` creates now.
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

    /// The audit of an entity that `by` changes now.
    #[must_use]
    pub fn changed(self, now: Timestamp, by: &UserId) -> Self {
        Self { modified_on: now, modified_by: by.clone(), ..self }
    }

    /// The audit of an entity that `by` deletes now.
    #[must_use]
    pub fn deleted(self, now: Timestamp, by: &UserId) -> Self {
        let (deleted_on, deleted_by) = (Some(now), Some(by.clone()));
        Self { deleted: true, deleted_on, deleted_by, ..self.changed(now, by) }
    }
}
