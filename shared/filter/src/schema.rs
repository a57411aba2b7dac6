use super::position::Position;
use crate::Result;

/// The properties of an entity on the wire and its relations, which lists can filter, sort, select
/// and include.
#[derive(Debug)]
pub struct Schema {
    /// The entity's name in error messages.
    pub entity: &'static str,
    /// The permissions to view the entity, from `Entity::View` of the crate `domain`. Any
    /// one is enough. Empty if the entity is a part of another entity and requires no permission of
    /// its own.
    pub view: &'static [u16],
    /// The properties, in the order on the wire.
    pub properties: &'static [(&'static str, Kind)],
    /// The properties that can be `null`.
    pub nullable: &'static [&'static str],
    /// The relations that can be included.
    pub relations: &'static [Relation],
}

/// A relation of an entity.
#[derive(Debug)]
pub struct Relation {
    /// The name of the member with the related entities.
    pub name: &'static str,
    /// The schema of the related entity.
    pub schema: &'static Schema,
    /// Whether the relation is an array of entities.
    pub many: bool,
}

/// The type of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    Text,
    /// A number.
    Number,
    /// An exact decimal. Text within the program, a number on the wire.
    Money,
    /// `true` or `false`.
    Boolean,
    /// A point in time (RFC 3339).
    Time,
    /// A calendar day, as a [`schema::Day`].
    Day,
    /// A UUID, not case-sensitive.
    Id,
    /// An email address, not case-sensitive, with its host in either form ([`schema::ascii_host`]).
    Email,
    /// An object, which may be stored as JSON text. Its members cannot be filtered by.
    Object,
    /// An array.
    List,
    /// An array of host names, not case-sensitive, in either form ([`schema::ascii_host`]).
    Hosts,
}

impl Kind {
    /// Returns the rule for values of this type, for error messages.
    #[must_use]
    pub fn rule(self) -> &'static str {
        match self {
            Self::Text | Self::Email => "must be a string",
            Self::Number | Self::Money => "must be a number",
            Self::Boolean => "must be true or false",
            Self::Time | Self::Day => "must be a date or a date-time (RFC 3339)",
            Self::Id => "must be a UUID",
            Self::Object => "must be an object",
            Self::List | Self::Hosts => "must be an array",
        }
    }

    /// Returns whether values of this type can be compared and sorted.
    #[must_use]
    pub fn is_ordered(self) -> bool {
        match self {
            Self::Text
            | Self::Number
            | Self::Money
            | Self::Time
            | Self::Day
            | Self::Id
            | Self::Email => true,
            Self::Boolean | Self::Object | Self::List | Self::Hosts => false,
        }
    }

    /// Returns whether values of this type are text that a pattern can match.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Id | Self::Email)
    }

    /// Returns whether values of this type are arrays.
    pub(super) fn is_list(self) -> bool {
        matches!(self, Self::List | Self::Hosts)
    }

    /// Returns whether comparisons and patterns ignore case.
    pub(super) fn ignores_case(self) -> bool {
        matches!(self, Self::Id | Self::Email | Self::Hosts)
    }

    /// Returns the name of this type in error messages.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Text | Self::Email => "a text",
            Self::Number => "a number",
            Self::Money => "an amount",
            Self::Boolean => "a boolean",
            Self::Time | Self::Day => "a date",
            Self::Id => "an ID",
            Self::Object => "an object",
            Self::List | Self::Hosts => "an array",
        }
    }
}

impl Schema {
    /// Returns the property `name` with its type, or an error if it is unknown.
    pub(super) fn property(&self, name: &str, at: &Position<'_>) -> Result<(&'static str, Kind)> {
        let found = self.properties.iter().find(|(known, _)| *known == name);
        found.copied().ok_or_else(|| at.error(format_args!("is not a property of {}", self.entity)))
    }

    /// Returns the relation `name`, or an error if it is unknown.
    pub(super) fn relation(&self, name: &str, at: &Position<'_>) -> Result<&'static Relation> {
        let found = self.relations.iter().find(|relation| relation.name == name);
        found.ok_or_else(|| {
            let known: Vec<_> = self.relations.iter().map(|relation| relation.name).collect();
            let (name, known) = (super::position::Truncated(name), known.join(", "));
            let rule = format_args!(
                "\"{name}\" is not a relation of {} (supported: {known})",
                self.entity
            );
            at.error(rule)
        })
    }
}
