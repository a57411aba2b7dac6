use serde::{Deserialize, Serialize};

use crate::table::{index::Partition, item::Item, key::Key};
use domain::{ChildKind, Contact, ContactId, Lead, LeadId, Tenant, TenantId, Words};

/// An entity that has search items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub(crate) enum Searched {
    /// A tenant.
    Tenant { id: TenantId },
    /// A contact, which leads to its tenant.
    Contact { id: ContactId, tenant_id: TenantId },
    /// A lead.
    Lead { id: LeadId },
}

impl Searched {
    /// Returns the key of the entity.
    pub(crate) fn key(self) -> Key {
        match self {
            Self::Tenant { id } => Key::tenant(id),
            Self::Contact { id, tenant_id } => Key::child(ChildKind::Contact, tenant_id, id),
            Self::Lead { id } => Key::lead(id),
        }
    }

    /// Returns the tenant or lead that is shown: a contact leads to its tenant.
    pub(crate) fn shown(self) -> Self {
        match self {
            Self::Contact { tenant_id, .. } => Self::Tenant { id: tenant_id },
            Self::Tenant { .. } | Self::Lead { .. } => self,
        }
    }

    /// Returns the key of the search item for `word`. Tenants come first, because there are more
    /// leads.
    pub(crate) fn item_key(self, word: &str) -> Key {
        match self {
            Self::Tenant { id } => Key::search(word, 0, id),
            Self::Contact { id, .. } => Key::search(word, 1, id),
            Self::Lead { id } => Key::search(word, 2, id),
        }
    }
}

/// A word by which an entity is found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SearchItem {
    #[serde(skip)]
    word: String,
    /// The entity.
    #[serde(flatten)]
    pub(crate) searched: Searched,
    /// All words of the entity, each after a space.
    words: String,
}

impl SearchItem {
    /// Returns an item for each of the `words` of an entity.
    pub(crate) fn all(searched: Searched, words: &Words) -> Vec<Self> {
        let all: String = words.iter().map(after_space).collect();
        let item = |word: &str| Self { word: word.to_owned(), searched, words: all.clone() };
        words.iter().map(item).collect()
    }
}

/// Returns what the attribute `words` contains if one of the words starts with `start`.
pub(crate) fn after_space(start: &str) -> String {
    format!(" {start}")
}

impl Item for SearchItem {
    const ENTITY: &'static str = "search";

    fn key(&self) -> Key {
        self.searched.item_key(&self.word)
    }
}

/// A kind of entity that has search items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SearchedKind {
    #[default]
    Tenant,
    Contact,
    Lead,
}

impl SearchedKind {
    /// Returns the kind after this one.
    pub(crate) fn next(self) -> Option<Self> {
        match self {
            Self::Tenant => Some(Self::Contact),
            Self::Contact => Some(Self::Lead),
            Self::Lead => None,
        }
    }

    /// Returns the partition of all entities of this kind.
    pub(crate) fn partition(self) -> Partition {
        Partition::of_entity(match self {
            Self::Tenant => Tenant::ENTITY,
            Self::Contact => Contact::ENTITY,
            Self::Lead => Lead::ENTITY,
        })
    }
}
