use super::claims::{Claims, Kind};
use domain::{EntityOwner, Error, LeadId, Permission, Result, SessionId, UserId};

/// The bearer of a token.
#[derive(Clone, Debug)]
pub struct Bearer {
    /// The `id` claim, for the audit; `SYSTEM_USER_ID` if an operator's token has none.
    pub id: UserId,
    /// The name in an operator's token.
    pub name: Option<String>,
    /// The roles in an operator's token.
    pub roles: Vec<String>,
    lead: Option<LeadId>,
    session: Option<SessionId>,
    permissions: Vec<String>,
}

impl Bearer {
    /// Returns the bearer of a token of this `kind`, or `None` if a lead's token names no lead, or if
    /// a token without its type has exactly the permissions of a lead. Versions before the type
    /// signed such tokens; as an operator, their bearer would see every tenant.
    pub(super) fn new(kind: Kind, claims: Claims, system: &UserId) -> Option<Self> {
        let (name, roles, session) = (claims.name(), claims.roles(), claims.session());
        let Claims { id, permissions, .. } = claims;
        let id = id.filter(|id| !id.is_empty());
        let lead = match kind {
            Kind::Lead => Some(id.as_deref()?.parse().ok()?),
            Kind::Operator if is_of_a_lead(&permissions) => return None,
            Kind::Operator => None,
        };
        let id = id.map_or_else(|| system.clone(), |id| id.as_str().into());
        Some(Self { id, name, roles, lead, session, permissions })
    }

    /// Checks that the token grants one of `permissions`.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] if no permission is granted.
    pub fn must_have_one(&self, mut permissions: impl Iterator<Item = Permission>) -> Result<()> {
        let granted = permissions.any(|one| self.permissions.iter().any(|code| one.is(code)));
        granted.then_some(()).ok_or(Error::Forbidden("a permission is missing"))
    }

    /// Returns whether the bearer may see an entity that requires one of the permissions in `view`.
    /// An operator needs one of them; a lead may see all data of its own.
    #[must_use]
    pub fn may_see(&self, view: &[u16]) -> bool {
        let granted = |code: &u16| self.permissions.contains(&code.to_string());
        self.lead.is_some() || view.iter().any(granted)
    }

    /// Returns the codes of the permissions that the token grants, as they are written in it.
    #[must_use]
    pub fn permissions(&self) -> &[String] {
        &self.permissions
    }

    /// Returns the session of an operator that signed in.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        self.session.filter(|_| self.lead.is_none())
    }

    /// Returns whether the token was exchanged for one of a trusted issuer: it has roles, but no
    /// session.
    #[must_use]
    pub fn is_machine(&self) -> bool {
        self.lead.is_none() && self.session.is_none() && !self.roles.is_empty()
    }

    /// Returns the lead for which the token was signed, or `None` for an operator.
    #[must_use]
    pub fn lead(&self) -> Option<LeadId> {
        self.lead
    }

    /// Checks that the bearer may act on data of `owner`: an operator may act on all data, a lead
    /// only on its own.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] if the data belongs to another lead or to none.
    pub fn may_act_on(&self, owner: Option<LeadId>) -> Result<()> {
        match self.lead {
            Some(lead) if owner != Some(lead) => Err(Error::Forbidden("not the lead's own data")),
            _ => Ok(()),
        }
    }

    /// Checks that the bearer may change data of `owner`, on which it [may act](Self::may_act_on). The
    /// lead of a suspended tenant changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for the lead of a suspended tenant.
    pub fn may_change(&self, owner: impl Into<EntityOwner>) -> Result<()> {
        match self.lead {
            Some(_) => Ok(owner.into().check_changeable_by_lead()?),
            None => Ok(()),
        }
    }

    /// Checks that the bearer is an operator.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] for a lead.
    pub fn must_be_operator(&self) -> Result<()> {
        self.may_act_on(None)
    }
}

fn is_of_a_lead(permissions: &[String]) -> bool {
    let granted = |code: &&str| permissions.iter().any(|permission| permission == code);
    permissions.len() == Permission::LEAD.len() && Permission::LEAD.iter().all(granted)
}
