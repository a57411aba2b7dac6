/// What a token may be allowed to do: the reference's codes (CONTRACT §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission(u16);

macro_rules! permissions {
    ($($name:ident = $code:literal)+) => {
        /// The codes, by what they allow.
        pub mod permit {
            $(#[doc = concat!("Code ", $code, ".")] pub const $name: u16 = $code;)+
        }

        impl Permission {
            /// Every permission that a route of ours asks for: what an operator may have.
            pub const ALL: &[u16] = &[$($code),+];
        }
    };
}

permissions! {
    CREATE_LEAD = 10200
    UPDATE_LEAD = 10201
    DELETE_LEAD = 10202
    VIEW_LEAD = 10203
    CREATE_TENANT = 10204
    UPDATE_TENANT = 10205
    DELETE_TENANT = 10206
    VIEW_TENANT = 10207
    CREATE_CONTACT = 10208
    UPDATE_CONTACT = 10209
    DELETE_CONTACT = 10210
    VIEW_CONTACT = 10211
    CREATE_INVOICE = 10212
    UPDATE_INVOICE = 10213
    DELETE_INVOICE = 10214
    VIEW_INVOICE = 10215
    PROVISION_TENANT = 10216
    CREATE_TENANT_CONFIG = 10220
    VIEW_TENANT_CONFIG = 10221
    UPDATE_TENANT_CONFIG = 10222
    DELETE_TENANT_CONFIG = 10223
}

impl Permission {
    /// What the token of a verified lead may do, as the reference grants it (CONTRACT §2).
    pub const OF_A_LEAD: &[&str] = &[
        "10204", "10216", "10203", "7008", "7004", "10212", "5321", "5322", "5323", "5324", "5325",
        "5326", "5327", "5328", "5329", "5331", "5332", "5333", "10220", "10221", "10222", "10223",
    ];

    /// The permission of this code.
    #[must_use]
    pub fn of(code: u16) -> Self {
        Self(code)
    }

    /// Whether `code`, as it stands in a token, is this one's.
    #[must_use]
    pub fn is(self, code: &str) -> bool {
        code.parse() == Ok(self.0)
    }
}
