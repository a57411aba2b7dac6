use crate::{AddressId, Audit, Text};
use schema::{FromMembers, Member, Members, Patch, body};
use serde::{Deserialize, Serialize};

body! {
    /// The parts of a postal address. All are optional, and all are kept.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct AddressParts {
        /// Street and number, up to 500 characters.
        pub address: Option<Text<0, 500>>,
        /// City.
        pub city: Option<Text<0, 100>>,
        /// State or province.
        pub state: Option<Text<0, 100>>,
        /// Postal code.
        pub zip: Option<Text<0, 25>>,
        /// Country code or name.
        pub country: Option<Text<2, 25>>,
    }
}

/// The address of a lead or a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// ID, `addressId` on the wire.
    pub id: AddressId,
    /// The parts of the address.
    #[serde(flatten)]
    pub parts: AddressParts,
}

impl AddressParts {
    /// Returns whether every part is missing or left empty.
    fn is_empty(&self) -> bool {
        let Self { address, city, state, zip, country } = self;
        let parts = [
            address.as_ref().map(Text::as_str),
            city.as_ref().map(Text::as_str),
            state.as_ref().map(Text::as_str),
            zip.as_ref().map(Text::as_str),
            country.as_ref().map(Text::as_str),
        ];
        parts.into_iter().flatten().all(str::is_empty)
    }

    /// Returns an address with these parts in place of `old`, or `None` if all parts are empty.
    #[must_use]
    pub fn replacing(self, old: Option<&Address>) -> Option<Address> {
        let new = self.into_address()?;
        Some(Address { id: old.map_or(new.id, |old| old.id), ..new })
    }

    /// Returns an address with these parts and a new ID, or `None` if all parts are empty.
    #[must_use]
    pub fn into_address(self) -> Option<Address> {
        (!self.is_empty()).then(|| Address { id: AddressId::generate(), parts: self })
    }
}

/// The parts of an address in the body of its owner, where they may all be missing.
pub(crate) struct GivenAddress;

/// The members of [`AddressParts`].
const MEMBERS: [&str; 5] = ["address", "city", "state", "zip", "country"];

/// Reads `None` if no part is given, not even as `null`: then the address stays as it is.
impl Member<Option<AddressParts>> for GivenAddress {
    fn read(members: &mut impl Members, _: &'static str) -> Option<Option<AddressParts>> {
        let parts = AddressParts::from_members(members)?;
        Some(MEMBERS.iter().any(|name| members.contains(name)).then_some(parts))
    }

    fn patched(
        current: Option<AddressParts>,
        members: &mut impl Members,
        _: &'static str,
    ) -> Option<Option<AddressParts>> {
        let parts = current.clone().unwrap_or_default().patched(members)?;
        let is_given = MEMBERS.iter().any(|name| members.contains(name));
        Some(if is_given { Some(parts) } else { current })
    }
}

/// An address on the wire: a separate entity with the audit of its lead or tenant.
#[derive(Debug, Serialize)]
pub struct AddressView<'a> {
    #[serde(flatten)]
    address: &'a Address,
    #[serde(flatten)]
    audit: &'a Audit,
}

impl<'a> AddressView<'a> {
    /// Creates the view of an `address` whose lead or tenant has this `audit`.
    #[must_use]
    pub fn new(address: &'a Address, audit: &'a Audit) -> Self {
        Self { address, audit }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use schema::read;

    #[test]
    fn an_address_has_a_part_and_keeps_its_id() {
        let parts = |given: &Value| read::<AddressParts>(given).unwrap();
        let old = parts(&json!({ "city": "Ely" })).into_address().unwrap();
        let moved = parts(&json!({ "city": "Bath" })).replacing(Some(&old)).unwrap();
        assert_eq!((moved.id, moved.parts), (old.id, parts(&json!({ "city": "Bath" }))));
        for empty in [json!({}), json!({ "address": "", "city": "", "state": "", "zip": "" })] {
            assert_eq!(parts(&empty).replacing(Some(&old)), None, "{empty}");
        }
    }
}
