use serde::{Deserialize, Serialize};

use crate::entities;
use crate::{Child, ChildKind, ContactId, Details, Email, NewChild, NoOrigin, Text, permit};
use filter::Schema;
use schema::body;

/// A contact person of a tenant.
pub type Contact = Child<ContactDetails>;

/// The body of `POST /contacts`.
pub type NewContact = NewChild<ContactDetails>;

body! {
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
        pub role: Option<Text<1, 100>> = "type",
    }
}

impl Details for ContactDetails {
    type Id = ContactId;
    type Origin = NoOrigin;
    const KIND: ChildKind = ChildKind::Contact;
    const SCHEMA: &'static Schema = &entities::CONTACT;
    type Create = permit::CreateContact;
    type View = permit::ViewContact;
    type Update = permit::UpdateContact;
    type Delete = permit::DeleteContact;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NewChild;
    use schema::FromJson;
    use serde_json::json;

    #[test]
    fn the_schema_of_a_body_lists_the_members_that_it_reads() {
        let text = Text::<1, 100>::schema();
        let schema = NewChild::<ContactDetails>::schema();
        assert_eq!(schema["properties"]["firstName"], text);
        let optional = json!({ "anyOf": [text, { "enum": ["", null] }] });
        assert_eq!(schema["properties"]["type"], optional);
        assert_eq!(schema["properties"]["tenantId"]["format"], "uuid");
        let required = ["firstName", "lastName", "email", "isPrimary", "tenantId"];
        assert_eq!(schema["required"], json!(required));
        assert_eq!(schema["additionalProperties"], false);
    }
}
