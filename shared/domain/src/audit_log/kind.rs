use serde_json::{Map, Value};

use crate::ChildKind;

/// A kind of item whose changes the audit log records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditedKind {
    /// A lead.
    Lead,
    /// A tenant.
    Tenant,
    /// A contact, configuration or invoice.
    Child(ChildKind),
    /// The features that a tenant may use.
    Entitlements,
    /// A job. Its entries stand for the resources that it creates or removes.
    Job,
    /// A plan.
    Plan,
    /// A subscription of a tenant.
    Subscription,
    /// An operator who has signed in.
    Operator,
    /// A session of an operator.
    Session,
    /// A note of an action that changes nothing else.
    Note,
}

/// The name of a chain: `tenant:<id>`, `leads`, `plans`, `operators` or `system`.
pub type AuditChain = String;

/// How the audit log shows a member of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visibility {
    /// With its values.
    Shown,
    /// By its path only, because the value is a person's.
    Personal,
    /// By its path only, because the value may be a secret.
    Secret,
    /// Not at all: the entry has it elsewhere, or it only serves the program.
    Ignored,
}

/// Members that every item has and that an entry shows elsewhere, or that only serve the program.
const TECHNICAL: [&str; 18] = [
    "pk",
    "sk",
    "gsi1pk",
    "gsi1sk",
    "gsi2pk",
    "gsi2sk",
    "entity",
    "version",
    "expiresAt",
    "trace",
    "requestId",
    "id",
    "createdOn",
    "createdBy",
    "modifiedOn",
    "modifiedBy",
    "deletedOn",
    "deletedBy",
];

/// Members whose values are never shown, at any depth: configurations and free-form details may
/// contain credentials.
const SECRET: [&str; 3] = ["configValue", "metaData", "metadata"];

impl AuditedKind {
    /// Returns the kind with this `entity` attribute. Returns `None` if changes of such items are
    /// not recorded.
    #[must_use]
    pub fn of_entity(entity: &str) -> Option<Self> {
        Some(match entity {
            "lead" => Self::Lead,
            "tenant" => Self::Tenant,
            "contact" => Self::Child(ChildKind::Contact),
            "config" => Self::Child(ChildKind::Config),
            "invoice" => Self::Child(ChildKind::Invoice),
            "entitlements" => Self::Entitlements,
            "job" => Self::Job,
            "plan" => Self::Plan,
            "subscription" => Self::Subscription,
            "operator" => Self::Operator,
            "session" => Self::Session,
            "audit-note" => Self::Note,
            _ => return None,
        })
    }

    /// Returns the tenant to whose chain the changes of `item` belong.
    pub(super) fn tenant_of(self, item: &Map<String, Value>) -> Option<&str> {
        let member = match self {
            Self::Tenant | Self::Entitlements => "id",
            Self::Child(_) | Self::Job | Self::Subscription | Self::Note => "tenantId",
            Self::Lead | Self::Plan | Self::Operator | Self::Session => return None,
        };
        item.get(member)?.as_str()
    }

    /// Returns the chain of the changes of `item`.
    pub(super) fn chain_of(self, item: &Map<String, Value>) -> AuditChain {
        match (self.tenant_of(item), self) {
            (Some(tenant), _) => Self::tenant_chain(tenant),
            (None, Self::Lead) => "leads".to_owned(),
            (None, Self::Plan) => "plans".to_owned(),
            (None, Self::Operator | Self::Session) => "operators".to_owned(),
            (None, _) => "system".to_owned(),
        }
    }

    /// Returns the chain of the tenant with this ID.
    #[must_use]
    pub fn tenant_chain(tenant: impl std::fmt::Display) -> AuditChain {
        format!("tenant:{tenant}")
    }

    /// Returns the name that an entry gives its target. It is never a person's.
    pub(super) fn name_of(self, item: &Map<String, Value>) -> Option<&str> {
        let member = match self {
            Self::Tenant => "key",
            Self::Child(ChildKind::Config) => "configKey",
            Self::Child(ChildKind::Invoice) | Self::Subscription => "id",
            Self::Plan => "name",
            Self::Lead
            | Self::Child(ChildKind::Contact)
            | Self::Entitlements
            | Self::Job
            | Self::Operator
            | Self::Session
            | Self::Note => return None,
        };
        item.get(member)?.as_str()
    }

    /// Returns the text with which an operator explains the state of an item. At most 1,000 characters.
    fn explanation(self, item: &Map<String, Value>) -> Option<&str> {
        match self {
            Self::Tenant => item.get("suspension")?.get("note")?.as_str(),
            Self::Subscription => item.get("cancelReason")?.as_str(),
            _ => None,
        }
    }

    /// Returns the text with which an operator explains a change.
    pub(super) fn reason_of<'i>(
        self,
        old: Option<&Map<String, Value>>,
        new: Option<&'i Map<String, Value>>,
    ) -> Option<&'i str> {
        let given = self.explanation(new?)?;
        (old.and_then(|old| self.explanation(old)) != Some(given)).then_some(given)
    }

    /// Returns how the audit log shows the member `name` of an item, `depth` levels below it.
    pub(super) fn visibility(self, name: &str, depth: usize) -> Visibility {
        if SECRET.contains(&name) {
            return Visibility::Secret;
        }
        if depth > 0 {
            return Visibility::Shown;
        }
        if TECHNICAL.contains(&name) || self.ignored().contains(&name) {
            return Visibility::Ignored;
        }
        if self.personal().contains(&name) {
            return Visibility::Personal;
        }
        if self == Self::Session { Visibility::Secret } else { Visibility::Shown }
    }

    fn personal(self) -> &'static [&'static str] {
        match self {
            Self::Lead => &["firstName", "lastName", "email", "address"],
            Self::Child(ChildKind::Contact) => &["firstName", "lastName", "email"],
            Self::Tenant => &["address"],
            Self::Operator => &["name", "email", "subject", "reasons"],
            Self::Child(ChildKind::Config | ChildKind::Invoice)
            | Self::Entitlements
            | Self::Job
            | Self::Plan
            | Self::Subscription
            | Self::Session
            | Self::Note => &[],
        }
    }

    /// Returns the members that only serve the program, or that another item records.
    fn ignored(self) -> &'static [&'static str] {
        match self {
            Self::Lead => &["origin", "takesOver", "unmailed"],
            Self::Tenant => &["latestJob", "stagedBy", "builtBy", "removedBy", "batches"],
            // A copy of the tenant with its contacts, and times that the job itself shows.
            Self::Job => &["tenant", "steps", "progress", "deadline"],
            Self::Plan => &["subscribed"],
            // The names of the events, which follow from the change.
            Self::Subscription => &["events"],
            Self::Child(_) | Self::Entitlements | Self::Operator | Self::Session | Self::Note => {
                &[]
            }
        }
    }
}
