use domain::{Error, JobRef, Result, Tenant};
use lambda::keys::MasterKeys;
use web::Signature;

/// Returns the latest job of `tenant` if its secret signed `body`.
pub(crate) fn job_of<'t>(
    signature: &Signature,
    tenant: &'t Tenant,
    body: &[u8],
    keys: &MasterKeys,
) -> Result<&'t JobRef> {
    let job = tenant.latest_job.as_ref().ok_or(Error::Unauthorized("the tenant has no job"))?;
    let context = job.id.to_string();
    let message = [body, context.as_bytes(), signature.timestamp()];
    let genuine = keys.is_webhook_signature(tenant.id, job.id, &message, signature.mac());
    genuine.then_some(job).ok_or(Error::Unauthorized("invalid signature"))
}
