use domain::{JobKind, JobResult, NewResource, Outcome, Result, TenantKey};
use schema::read;
use serde_json::json;

/// An attempt at provisioning or deprovisioning a tenant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Attempt {
    Built,
    BuildFailed,
    BuildTimedOut,
    Building,
    Removed,
    RemovalFailed,
    Removing,
}

use Attempt::{BuildFailed, BuildTimedOut, Building, Built, RemovalFailed, Removed, Removing};

/// The attempts of each tenant, in order. The last tenants are the newest ones.
pub(super) const STORIES: [&[Attempt]; 30] = [
    &[Built],
    &[Built, Removed],
    &[Built],
    &[BuildFailed, Built],
    &[Built],
    &[Built],
    &[Built, Removed],
    &[Built],
    &[Built],
    &[BuildTimedOut],
    &[Built],
    &[Built],
    &[Built, RemovalFailed],
    &[Built],
    &[BuildFailed, BuildFailed, Built],
    &[Built],
    &[],
    &[Built],
    &[Built],
    &[BuildFailed],
    &[Built],
    &[Built],
    &[Built],
    &[BuildFailed, BuildFailed],
    &[Built],
    &[Built, Removing],
    &[Built],
    &[],
    &[Building],
    &[],
];

impl Attempt {
    pub(super) fn kind(self) -> JobKind {
        match self {
            Built | BuildFailed | BuildTimedOut | Building => JobKind::Provision,
            Removed | RemovalFailed | Removing => JobKind::Deprovision,
        }
    }

    /// Returns how the attempt ended. Returns `None` if it has not ended.
    pub(super) fn result(self, key: &TenantKey) -> Result<Option<JobResult>> {
        let failed = |reason: &str| JobResult::unsuccessful(Outcome::Failed, reason);
        Ok(Some(match self {
            Building | Removing => return Ok(None),
            Built => JobResult {
                outcome: Outcome::Succeeded,
                reason: None,
                resources: resources(key)?,
                app_plane_url: Some(format!("https://{key}.example.com")),
            },
            Removed => JobResult {
                outcome: Outcome::Succeeded,
                reason: None,
                resources: Vec::new(),
                app_plane_url: None,
            },
            BuildFailed => {
                failed("CREATE_FAILED: the limit of databases in this region is reached.")
            }
            RemovalFailed => failed("DELETE_FAILED: the bucket is not empty."),
            BuildTimedOut => {
                JobResult::unsuccessful(Outcome::TimedOut, "The build did not report in time.")
            }
        }))
    }
}

fn resources(key: &TenantKey) -> Result<Vec<NewResource>> {
    let resource = |(kind, name): (&str, &str)| {
        let resource = json!({
            "type": kind, "externalIdentifier": format!("{key}-{name}"),
            "metadata": { "region": "eu-west-1" },
        });
        Ok(read(&resource)?)
    };
    [("bucket", "files"), ("database", "main"), ("queue", "jobs")]
        .map(resource)
        .into_iter()
        .collect()
}
