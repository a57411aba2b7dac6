use crate::{AddressId, Audit, Text};
use schema::body;
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
    /// Returns an address with these parts and a new ID, or `None` if all parts are empty.
    #[must_use]
    pub fn into_address(self) -> Option<Address> {
        (self != Self::default()).then(|| Address { id: AddressId::generate(), parts: self })
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
