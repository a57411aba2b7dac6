use super::place::Place;
use crate::Result;

/// What a list may be filtered, ordered and cut by: the properties of an entity on the wire, and
/// the entities that it can include.
#[derive(Debug)]
pub struct Schema {
    /// What the entity is called, in errors.
    pub entity: &'static str,
    /// The permissions that each allow to see it: the
    /// [`Entity::View`](crate::domain::Entity::View) of its entity. Empty if it has none of its own,
    /// as a part of another entity.
    pub view: &'static [u16],
    /// Its properties, in the order of the wire.
    pub properties: &'static [(&'static str, Kind)],
    /// Those of them that are `null` where there is nothing to say.
    pub nullable: &'static [&'static str],
    /// What can be included in it.
    pub relations: &'static [Relation],
}

/// What an entity can include.
#[derive(Debug)]
pub struct Relation {
    /// The name of the member that holds it.
    pub name: &'static str,
    /// What is included.
    pub schema: &'static Schema,
    /// Whether there are many of it, in an array.
    pub many: bool,
}

/// The type of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    Text,
    /// A number.
    Number,
    /// An exact decimal: a string of digits within the program, a number on the wire.
    Money,
    /// `true` or `false`.
    Boolean,
    /// A moment, RFC 3339.
    Time,
    /// A UUID, compared without case.
    Id,
    /// An e-mail address, compared without case.
    Email,
    /// An object whose members are not filtered by; it may be kept as JSON text.
    Object,
    /// An array.
    List,
    /// An array of host names, compared without case.
    Hosts,
}

impl Kind {
    /// What a value of it must be, in errors.
    #[must_use]
    pub fn rule(self) -> &'static str {
        match self {
            Self::Text | Self::Email => "must be a string",
            Self::Number | Self::Money => "must be a number",
            Self::Boolean => "must be true or false",
            Self::Time => "must be a date or a date-time (RFC 3339)",
            Self::Id => "must be a UUID",
            Self::Object => "must be an object",
            Self::List | Self::Hosts => "must be an array",
        }
    }

    /// Whether its values have an order.
    #[must_use]
    pub fn is_ordered(self) -> bool {
        match self {
            Self::Text | Self::Number | Self::Money | Self::Time | Self::Id | Self::Email => true,
            Self::Boolean | Self::Object | Self::List | Self::Hosts => false,
        }
    }

    /// Whether its values are text that a pattern can match.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Id | Self::Email)
    }

    /// Whether its values are arrays.
    pub(super) fn is_list(self) -> bool {
        matches!(self, Self::List | Self::Hosts)
    }

    /// Whether its values are compared, and matched, without case.
    pub(super) fn ignores_case(self) -> bool {
        matches!(self, Self::Id | Self::Email | Self::Hosts)
    }

    /// What a property of it is called, in errors.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Text | Self::Email => "a text",
            Self::Number => "a number",
            Self::Money => "an amount",
            Self::Boolean => "a boolean",
            Self::Time => "a date",
            Self::Id => "an id",
            Self::Object => "an object",
            Self::List | Self::Hosts => "an array",
        }
    }
}

impl Schema {
    /// The property called `name`, with its type.
    pub(super) fn property(&self, name: &str, at: &Place<'_>) -> Result<(&'static str, Kind)> {
        let found = self.properties.iter().find(|(known, _)| *known == name);
        found
            .copied()
            .ok_or_else(|| at.refuse(format_args!("is not a property of {}", self.entity)))
    }

    /// The relation called `name`.
    pub(super) fn relation(&self, name: &str, at: &Place<'_>) -> Result<&'static Relation> {
        let found = self.relations.iter().find(|relation| relation.name == name);
        found.ok_or_else(|| {
            let known: Vec<_> = self.relations.iter().map(|relation| relation.name).collect();
            let (name, known) = (super::place::Short(name), known.join(", "));
            let rule = format_args!(
                "\"{name}\" is not a relation of {} (supported: {known})",
                self.entity
            );
            at.refuse(rule)
        })
    }
}
