//! The secrets that are derived from a master key.

use domain::{JobId, LeadId, TenantId};
use secrecy::SecretString;

use super::mac::mac;

pub(super) fn lead_key(master: &SecretString, lead: LeadId, length: usize) -> SecretString {
    let mut key = hex::encode(mac(master, &[b"lead\0", lead.as_bytes()]));
    key.truncate(length);
    key.into()
}

pub(super) fn link_key(
    master: &SecretString,
    lead: LeadId,
    issued: i64,
    length: usize,
) -> SecretString {
    let parts: [&[u8]; 3] = [b"link\0", lead.as_bytes(), &issued.to_be_bytes()];
    let mut key = hex::encode(mac(master, &parts));
    key.truncate(length);
    format!("{issued}-{key}").into()
}

pub(super) fn webhook_secret(master: &SecretString, tenant: TenantId, job: JobId) -> SecretString {
    let parts: [&[u8]; 3] = [b"webhook\0", tenant.as_bytes(), job.as_bytes()];
    hex::encode(mac(master, &parts)).into()
}

pub(super) fn idp_secret(master: &SecretString, tenant: TenantId) -> SecretString {
    hex::encode(mac(master, &[b"idp\0", tenant.as_bytes()])).into()
}

pub(super) fn audit_key(master: &SecretString) -> SecretString {
    hex::encode(mac(master, &[b"audit\0"])).into()
}
