use std::{sync::Arc, time::Duration};

use aws_sdk_dynamodb::{Client, config::Builder};
use tokio::time::timeout;

use crate::{
    cache::Cache,
    requests::Completion,
    table::{answer::KeepBody, key::Key},
};
use domain::{ReservedKeys, Result};
use lambda::{
    Env,
    aws::Aws,
    config::{ConfigError, reserved_keys},
};

/// How long a start waits for the table and for the cache. The first request tries again.
pub(crate) const WARM_UP_TIMEOUT: Duration = Duration::from_millis(250);

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
        let config = Builder::from(&aws.service("DYNAMODB"));
        Ok(Self {
            client: Client::from_conf(config.interceptor(KeepBody).build()),
            table: env.required("TABLE_NAME")?.into(),
            cache: Cache::from_env(env, aws)?,
            reserved: reserved_keys(env)?.into(),
            completion: None,
        })
    }

    /// Opens the connections to the table and the cache before the first request. The table is
    /// opened by reading a key that does not exist.
    ///
    /// Failures are ignored, because the first request will report them. Waits at most
    /// `WARM_UP_TIMEOUT` for each.
    pub async fn warm(&self) {
        let key = Key::idempotency("warm", "up");
        let read = self.client.get_item().table_name(&*self.table).set_key(Some(key.into())).send();
        let read = timeout(WARM_UP_TIMEOUT, read);
        let cache = async {
            if let Some(cache) = &self.cache {
                cache.warm().await;
            }
        };
        let _ = tokio::join!(read, cache);
    }
}

#[cfg(test)]
impl Store {
    /// Returns a store whose table is behind this URL.
    pub(crate) fn at(url: &str) -> Self {
        let env: Env = [
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_ENDPOINT_URL", url),
            ("TABLE_NAME", "Table"),
        ]
        .into_iter()
        .collect();
        Self::from_env(&env, &Aws::from_env(&env).unwrap()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_start_does_not_wait_for_a_table_that_does_not_answer() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let store = Store::at(&url);
        // The SDK would wait longer for an answer.
        timeout(Duration::from_millis(1500), store.warm()).await.unwrap();
    }
}
