use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Audit, ContactId, Email, FromJson, Reader, TenantId, Text, Timestamp, UserId};

/// Somebody to talk to at a tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// Its id.
    pub id: ContactId,
    /// First name.
    pub first_name: Text<1, 100>,
    /// Last name.
    pub last_name: Text<1, 100>,
    /// E-mail address.
    pub email: Email,
    /// Whether it is the one that hears of the tenant first.
    pub is_primary: bool,
    /// What it is for, such as `admin`.
    #[serde(rename = "type")]
    pub role: Option<Text<1, 100>>,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// Who did what to it, and when.
    #[serde(flatten)]
    pub audit: Audit,
}

/// A contact as a client gives it.
#[derive(Clone, Debug)]
pub struct NewContact {
    /// First name.
    pub first_name: Text<1, 100>,
    /// Last name.
    pub last_name: Text<1, 100>,
    /// E-mail address.
    pub email: Email,
    /// Whether it is the one that hears of the tenant first.
    pub is_primary: bool,
    /// What it is for.
    pub role: Option<Text<1, 100>>,
}

impl NewContact {
    /// The contact of `tenant` that this becomes.
    #[must_use]
    pub fn of(self, tenant: TenantId, now: Timestamp, by: &UserId) -> Contact {
        Contact {
            id: ContactId::mint(),
            first_name: self.first_name,
            last_name: self.last_name,
            email: self.email,
            is_primary: self.is_primary,
            role: self.role,
            tenant_id: tenant,
            audit: Audit::created(now, by),
        }
    }
}

impl FromJson for NewContact {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let mut members = at.members(value)?;
        let (first_name, last_name) = (members.required("firstName"), members.required("lastName"));
        let (email, is_primary) = (members.required("email"), members.required("isPrimary"));
        let role = members.optional("type");
        members.finish();
        Some(Self {
            first_name: first_name?,
            last_name: last_name?,
            email: email?,
            is_primary: is_primary?,
            role,
        })
    }
}
