/// A permission of a token, identified by its code in ARC SaaS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission(u16);

/// A permission that a route requires. Each is a type, so that a handler's signature declares it.
pub trait Permit: Send + Sync + 'static {
    /// The codes that grant the permission. Any one of them is enough.
    const CODES: &'static [u16];
}

macro_rules! permissions {
    ($($name:ident = $code:literal)+) => {
        /// The permissions by name.
        pub mod permit {
            $(
                #[doc = concat!("Code ", $code, ".")]
                #[derive(Clone, Copy, Debug)]
                pub struct $name;

                impl super::Permit for $name {
                    const CODES: &'static [u16] = &[$code];
                }
            )+

            /// Code 10215, or 10212 as in ARC SaaS.
            #[derive(Clone, Copy, Debug)]
            pub struct DownloadInvoice;

            impl super::Permit for DownloadInvoice {
                const CODES: &'static [u16] = &[10215, 10212];
            }

            /// Code 10207, or 10216, so that a caller may follow a job that it started.
            #[derive(Clone, Copy, Debug)]
            pub struct ViewJob;

            impl super::Permit for ViewJob {
                const CODES: &'static [u16] = &[10207, 10216];
            }
        }

        impl Permission {
            /// Every permission of the control plane.
            pub const ALL: &[u16] = &[$($code),+];
        }
    };
}

permissions! {
    CreateSubscription = 7001
    UpdateSubscription = 7002
    DeleteSubscription = 7003
    ViewSubscription = 7004
    CreatePlan = 7005
    UpdatePlan = 7006
    DeletePlan = 7007
    ViewPlan = 7008
    CreateLead = 10200
    UpdateLead = 10201
    DeleteLead = 10202
    ViewLead = 10203
    CreateTenant = 10204
    UpdateTenant = 10205
    DeleteTenant = 10206
    ViewTenant = 10207
    CreateContact = 10208
    UpdateContact = 10209
    DeleteContact = 10210
    ViewContact = 10211
    CreateInvoice = 10212
    UpdateInvoice = 10213
    DeleteInvoice = 10214
    ViewInvoice = 10215
    ProvisionTenant = 10216
    DeprovisionTenant = 10217
    CreateTenantConfig = 10220
    ViewTenantConfig = 10221
    UpdateTenantConfig = 10222
    DeleteTenantConfig = 10223
    ViewOperator = 10300
    UpdateOperator = 10301
    ViewAudit = 10310
    ExportAudit = 10311
    SuspendTenant = 10320
}

impl Permission {
    /// The permissions of a verified lead's token, as in ARC SaaS. Deprovisioning is not included:
    /// a forwarded verification email must not be enough to deprovision a tenant.
    pub const LEAD: &[&str] = &[
        "10204", "10216", "10203", "7008", "7004", "10212", "5321", "5322", "5323", "5324", "5325",
        "5326", "5327", "5328", "5329", "5331", "5332", "5333", "10220", "10221", "10222", "10223",
    ];

    /// Returns the permissions that grant `P`. Any one of them is enough.
    pub fn granting<P: Permit>() -> impl Iterator<Item = Self> {
        P::CODES.iter().copied().map(Self)
    }

    /// Returns whether `code` from a token is exactly this permission's code, in decimal digits
    /// without sign, spaces or leading zeros.
    #[must_use]
    pub fn is(self, code: &str) -> bool {
        let digits = !code.starts_with('0') && code.bytes().all(|byte| byte.is_ascii_digit());
        digits && code.parse() == Ok(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_compared_exactly() {
        let permission = Permission(10207);
        assert!(permission.is("10207"));
        for other in [
            "+10207",
            "-10207",
            " 10207",
            "10207 ",
            "010207",
            "10207.0",
            "1.0207e4",
            "10_207",
            "0x27df",
            "１０２０７",
            "102070",
            "1020",
            "75743",
            "",
            "+",
            "0",
        ] {
            assert!(!permission.is(other), "{other}");
        }
    }
}
