use serde::{Deserialize, Serialize};

use super::{
    Child, ChildKind, ContactId, Details, Email, FromMembers, Members, NewChild, Text, permit,
};
use crate::filter::{Schema, entities};

/// Somebody to talk to at a tenant.
pub type Contact = Child<ContactDetails>;

/// A contact as a client gives it.
pub type NewContact = NewChild<ContactDetails>;

/// What a contact is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContactDetails {
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
}

impl FromMembers for ContactDetails {
    fn from_members(members: &mut impl Members) -> Option<Self> {
        let (first_name, last_name) = (members.required("firstName"), members.required("lastName"));
        let (email, is_primary) = (members.required("email"), members.required("isPrimary"));
        let role = members.optional("type");
        Some(Self {
            first_name: first_name?,
            last_name: last_name?,
            email: email?,
            is_primary: is_primary?,
            role,
        })
    }
}

impl Details for ContactDetails {
    type Id = ContactId;
    const KIND: ChildKind = ChildKind::Contact;
    const SCHEMA: &'static Schema = &entities::CONTACT;
    type Create = permit::CreateContact;
    type View = permit::ViewContact;
    type Update = permit::UpdateContact;
    type Delete = permit::DeleteContact;
}
