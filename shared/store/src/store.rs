use std::sync::Arc;

use aws_sdk_dynamodb::Client;

use crate::{cache::Cache, requests::Completion, table::key::Key};
use domain::{ReservedKeys, Result};
use lambda::{
    Env,
    aws::Aws,
    config::{ConfigError, reserved_keys},
};

/// The table, its client and its cache.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) client: Client,
    pub(crate) table: Arc<str>,
    pub(crate) cache: Option<Cache>,
    pub(crate) reserved: Arc<ReservedKeys>,
    /// The answer that the next write records.
    pub(crate) completion: Option<Arc<Completion>>,
}

impl Store {
    /// Creates a store for the table `TABLE_NAME`, with the cache that the environment names, if
    /// any, and the [`ReservedKeys`] that no tenant may take.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a variable is missing or malformed.
    pub fn from_env(env: &Env, aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            client: Client::new(&aws.service("DYNAMODB")),
            table: env.required("TABLE_NAME")?.into(),
            cache: Cache::from_env(env, aws)?,
            reserved: reserved_keys(env)?.into(),
            completion: None,
        })
    }

    /// Opens the connections to the table and the cache before the first request. The table is
    /// opened by reading a key that does not exist.
    ///
    /// Failures are ignored, because the first request will report them.
    pub async fn warm(&self) {
        let key = Key::idempotency("warm", "up");
        let read = self.client.get_item().table_name(&*self.table).set_key(Some(key.into())).send();
        let cache = async {
            if let Some(cache) = &self.cache {
                cache.warm().await;
            }
        };
        let _ = tokio::join!(read, cache);
    }
}
