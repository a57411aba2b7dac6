use serde::{Deserialize, Serialize};

use super::{
    Child, ChildKind, ContactId, Details, Email, FromMembers, Members, NewChild, Text, permit,
};
use crate::filter::{Schema, entities};

/// A contact person of a tenant.
pub type Contact = Child<ContactDetails>;

/// The body of `POST /contacts`.
pub type NewContact = NewChild<ContactDetails>;

/// The properties of a contact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContactDetails {
    /// First name.
    pub first_name: Text<1, 100>,
    /// Last name.
    pub last_name: Text<1, 100>,
    /// Email address.
    pub email: Email,
    /// Whether this is the tenant's primary contact.
    pub is_primary: bool,
    /// The contact's role, such as `admin`; `type` on the wire.
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
