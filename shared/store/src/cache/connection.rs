use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use redis::{ConnectionInfo, RedisError, RedisResult, aio::MultiplexedConnection, cmd};
use tokio::{
    sync::OnceCell,
    time::{Instant, sleep, timeout},
};

use super::{
    server,
    tombstones::{OwedTombstones, tombstone},
};
use crate::store::WARM_UP_TIMEOUT;
use lambda::{
    Env,
    aws::Aws,
    keys::secret,
    metric::{Metric, Metrics},
};
use secrecy::{ExposeSecret, SecretString};

/// Time that a request waits for the cache, connecting included.
const REQUEST_TIMEOUT: Duration = Duration::from_millis(100);
/// Time for which the cache is skipped after a failure.
const COOLDOWN: Duration = Duration::from_secs(1);
/// Wait between two attempts to put a tombstone.
const RETRY_DELAY: Duration = Duration::from_millis(20);

/// A connection to Redis, shared by all requests and opened on demand.
pub(super) struct Connection {
    server: ConnectionInfo,
    env: Env,
    aws: Aws,
    metrics: Metrics,
    password: OnceCell<Option<SecretString>>,
    state: Mutex<State>,
    /// Serializes connection attempts.
    connecting: tokio::sync::Mutex<()>,
    owed: OwedTombstones,
}

#[derive(Default)]
struct State {
    open: Option<Connected>,
    cooling_down_until: Option<Instant>,
    connections: u64,
}

/// An open connection.
#[derive(Clone)]
pub(super) struct Connected {
    /// Sends commands.
    pub(super) redis: MultiplexedConnection,
    /// Start of the Redis process, in seconds of its clock, at most one second late.
    pub(super) since: u64,
    number: u64,
}

/// The reason for a missing answer.
enum Failure {
    /// The cache failed recently and was skipped.
    CoolingDown,
    /// The request failed with this message.
    Failed(String),
}

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Connection {
    pub(super) fn new(server: ConnectionInfo, env: &Env, aws: &Aws) -> Self {
        Self {
            server,
            env: env.clone(),
            aws: aws.clone(),
            metrics: Metrics::from_env(env),
            password: OnceCell::new(),
            state: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
            owed: OwedTombstones::default(),
        }
    }

    /// Opens the connection.
    pub(super) async fn warm(&self) {
        let connected = timeout(WARM_UP_TIMEOUT, self.connect()).await;
        if let Err(Failure::Failed(cause)) = connected.unwrap_or_else(|_| Err(timeout_error())) {
            self.cool_down(None, &cause);
        }
    }

    /// Returns the answer to `command`, or `None` if there is none in time.
    pub(super) async fn run<T, F>(&self, command: impl Fn(Connected) -> F) -> Option<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let mut used = None;
        let answer = timeout(REQUEST_TIMEOUT, async {
            let (connected, is_new) = self.connect().await?;
            used = Some(connected.number);
            match self.after_owed(&command, connected).await {
                // Redis may close an idle connection, so try once more on a new one.
                Err(cause) if cause.is_io_error() && !is_new => {
                    self.drop_connection(used);
                    let (connected, _) = self.connect().await?;
                    used = Some(connected.number);
                    Ok(self.after_owed(&command, connected).await?)
                }
                answer => Ok(answer?),
            }
        });
        let answer = answer.await.unwrap_or_else(|_| Err(timeout_error()));
        self.finish(answer, used)
    }

    async fn after_owed<T, F>(
        &self,
        command: &impl Fn(Connected) -> F,
        connected: Connected,
    ) -> RedisResult<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        self.put_owed(&connected).await?;
        command(connected).await
    }

    /// Returns the answer to a command that is only valid on this connection.
    pub(super) async fn run_on<T>(
        &self,
        connected: &Connected,
        command: impl Future<Output = RedisResult<T>>,
    ) -> Option<T> {
        let answer = match timeout(REQUEST_TIMEOUT, command).await {
            Ok(answer) => answer.map_err(Failure::from),
            Err(_) => Err(timeout_error()),
        };
        self.finish(answer, Some(connected.number))
    }

    /// Puts a tombstone at `name`. Retries for as long as a request may wait, even if the cache has
    /// just failed, and owes it after that.
    pub(super) async fn put_tombstone(&self, name: &str) {
        let (mut used, mut last) = (None, timeout_error());
        let put = timeout(REQUEST_TIMEOUT, async {
            loop {
                last = match self.connect_despite_cooldown().await {
                    Ok((mut connected, _)) => {
                        used = Some(connected.number);
                        match tombstone(name).query_async(&mut connected.redis).await {
                            Ok(()) => return,
                            Err(cause) => cause.into(),
                        }
                    }
                    Err(failure) => failure,
                };
                self.drop_connection(used);
                sleep(RETRY_DELAY).await;
            }
        });
        if put.await.is_err() {
            self.owed.add(name, Instant::now());
            let Failure::Failed(cause) = last else { return };
            self.cool_down(used, &cause);
            tracing::warn!(
                error = cause,
                name,
                "cache invalidation failed; the tenant may be read as it was for up to 39 s"
            );
        }
    }

    fn finish<T>(&self, answer: Result<T, Failure>, on: Option<u64>) -> Option<T> {
        match answer {
            Ok(answer) => Some(answer),
            Err(Failure::CoolingDown) => None,
            Err(Failure::Failed(cause)) => {
                self.cool_down(on, &cause);
                None
            }
        }
    }

    /// Returns the open connection or a new one, and whether it is new. Fails at once while the
    /// cache cools down.
    async fn connect(&self) -> Result<(Connected, bool), Failure> {
        self.check_cooldown()?;
        if let Some(connected) = self.open() {
            return Ok((connected, false));
        }
        let only = self.connecting.lock().await;
        // Another request may have failed to connect in the meantime.
        self.check_cooldown()?;
        self.open_or_new(only).await
    }

    /// Does the same as [`Self::connect`], even while the cache cools down.
    async fn connect_despite_cooldown(&self) -> Result<(Connected, bool), Failure> {
        match self.open() {
            Some(connected) => Ok((connected, false)),
            None => self.open_or_new(self.connecting.lock().await).await,
        }
    }

    async fn open_or_new(
        &self,
        _only: tokio::sync::MutexGuard<'_, ()>,
    ) -> Result<(Connected, bool), Failure> {
        if let Some(connected) = self.open() {
            return Ok((connected, false));
        }
        let (redis, since) = Box::pin(self.connect_to_server()).await?;
        let number = self.state().connections + 1;
        let connected = Connected { redis, since, number };
        *self.state() =
            State { open: Some(connected.clone()), cooling_down_until: None, connections: number };
        Ok((connected, true))
    }

    fn open(&self) -> Option<Connected> {
        self.state().open.clone()
    }

    fn check_cooldown(&self) -> Result<(), Failure> {
        match self.state().cooling_down_until {
            Some(end) if Instant::now() < end => Err(Failure::CoolingDown),
            _ => Ok(()),
        }
    }

    async fn connect_to_server(&self) -> Result<(MultiplexedConnection, u64), Failure> {
        let password =
            self.password.get_or_try_init(|| secret(&self.env, &self.aws, "REDIS_PASSWORD"));
        let password = password.await.map_err(|cause| Failure::Failed(cause.to_string()))?;
        let mut settings = self.server.redis_settings().clone().set_skip_set_lib_name();
        if let Some(password) = password {
            settings = settings.set_password(password.expose_secret());
        }
        let server = self.server.clone().set_redis_settings(settings);
        let mut redis = server::connect(server).await?;
        // If INFO is denied, assume that Redis has just started.
        let info: RedisResult<String> = cmd("INFO").arg("server").query_async(&mut redis).await;
        let (now, _): (u64, u64) = cmd("TIME").query_async(&mut redis).await?;
        let uptime = info.ok().and_then(|info| uptime(&info)).unwrap_or_default();
        Ok((redis, now.saturating_sub(uptime)))
    }

    /// Puts all owed tombstones.
    async fn put_owed(&self, connected: &Connected) -> RedisResult<()> {
        let owed = self.owed.all();
        if owed.is_empty() {
            return Ok(());
        }
        let mut tombstones = redis::pipe();
        for (name, _) in &owed {
            tombstones.add_command(tombstone(name)).ignore();
        }
        let () = tombstones.query_async(&mut connected.redis.clone()).await?;
        self.owed.remove(&owed);
        Ok(())
    }

    /// Drops the connection with this number.
    fn drop_connection(&self, number: Option<u64>) {
        let mut state = self.state();
        if state.open.as_ref().map(|open| open.number) == number {
            state.open = None;
        }
    }

    /// Skips Redis for a moment and logs the cause, unless another request already does or has a
    /// new connection.
    fn cool_down(&self, failed: Option<u64>, cause: &str) {
        self.drop_connection(failed);
        let (mut state, now) = (self.state(), Instant::now());
        if state.open.is_some() || state.cooling_down_until.is_some_and(|end| now < end) {
            return;
        }
        state.cooling_down_until = Some(now + COOLDOWN);
        drop(state);
        tracing::warn!(error = cause, "the cache does not respond; using the table instead");
        self.metrics.write(&Metric::CacheDown, lambda::now());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn timeout_error() -> Failure {
    Failure::Failed("timed out".to_owned())
}

/// Returns the uptime of the Redis process in seconds, from `INFO server`.
fn uptime(info: &str) -> Option<u64> {
    let line = info.lines().find_map(|line| line.strip_prefix("uptime_in_seconds:"));
    line?.trim().parse().ok()
}
