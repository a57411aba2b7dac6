use std::{io, sync::OnceLock};

use futures_util::FutureExt;
use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, RedisResult, aio::MultiplexedConnection,
};
use tokio::io::DuplexStream;

/// Connects to a cache in this process.
type Connect = dyn Fn() -> io::Result<DuplexStream> + Send + Sync;

/// The cache that replaces the configured server.
static REPLACEMENT: OnceLock<Box<Connect>> = OnceLock::new();

/// Makes every store of this process connect to its cache with `connect` from now on, so that a
/// simulation answers in process. Only the first call has an effect.
pub fn replace_cache_server(
    connect: impl Fn() -> io::Result<DuplexStream> + Send + Sync + 'static,
) {
    let _ = REPLACEMENT.set(Box::new(connect));
}

/// Connects to the server.
pub(super) async fn connect(server: ConnectionInfo) -> RedisResult<MultiplexedConnection> {
    let Some(connect) = REPLACEMENT.get() else {
        // In a box, because its type is too deep for those of its callers.
        return Client::open(server)?.get_multiplexed_async_connection().boxed().await;
    };
    let (settings, stream) = (server.redis_settings(), connect()?);
    let config = AsyncConnectionConfig::new();
    let (redis, driver) = MultiplexedConnection::new_with_config(settings, stream, config).await?;
    tokio::spawn(driver);
    Ok(redis)
}
