use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use redis::{Client, ConnectionInfo, RedisError, RedisResult, aio::MultiplexedConnection, cmd};
use tokio::{
    sync::OnceCell,
    time::{Instant, sleep, timeout},
};

use super::{debts::Debts, entries};
use lambda::{
    Env,
    aws::Aws,
    keys::secret,
    metric::{Metric, Metrics},
};

/// Time that a request waits for the cache, connecting included.
const PATIENCE: Duration = Duration::from_millis(100);
/// Time that the start of a function waits for the cache.
const WARMING: Duration = Duration::from_millis(250);
/// Time for which the cache is skipped after a failure.
const REST: Duration = Duration::from_secs(1);
/// Wait between two attempts to put a tombstone.
const BREATH: Duration = Duration::from_millis(20);

/// A connection to Redis, shared by all requests and opened on demand.
pub(super) struct Line {
    server: ConnectionInfo,
    env: Env,
    aws: Aws,
    metrics: Metrics,
    password: OnceCell<Option<String>>,
    state: Mutex<State>,
    /// Serializes connection attempts.
    dialling: tokio::sync::Mutex<()>,
    debts: Debts,
}

#[derive(Default)]
struct State {
    open: Option<Connected>,
    resting_until: Option<Instant>,
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
enum Trouble {
    /// The cache failed recently and was skipped.
    Resting,
    /// The request failed with this message.
    Failed(String),
}

impl From<RedisError> for Trouble {
    fn from(error: RedisError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Line {
    pub(super) fn new(server: ConnectionInfo, env: &Env, aws: &Aws) -> Self {
        Self {
            server,
            env: env.clone(),
            aws: aws.clone(),
            metrics: Metrics::from_env(env),
            password: OnceCell::new(),
            state: Mutex::default(),
            dialling: tokio::sync::Mutex::default(),
            debts: Debts::default(),
        }
    }

    /// Opens the connection.
    pub(super) async fn warm(&self) {
        let dialled = timeout(WARMING, self.dial(false)).await;
        if let Err(Trouble::Failed(cause)) = dialled.unwrap_or_else(|_| Err(silence())) {
            self.rest(None, &cause);
        }
    }

    /// Returns the answer to `question`, or `None` if there is none in time.
    pub(super) async fn ask<T, F>(&self, question: impl Fn(Connected) -> F) -> Option<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let mut used = None;
        let asked = timeout(PATIENCE, async {
            let (connected, is_new) = self.dial(false).await?;
            used = Some(connected.number);
            match self.after_debts(&question, connected).await {
                // Redis may close an idle connection, so try once more on a new one.
                Err(cause) if cause.is_io_error() && !is_new => {
                    self.hang_up(used);
                    let (connected, _) = self.dial(false).await?;
                    used = Some(connected.number);
                    Ok(self.after_debts(&question, connected).await?)
                }
                answer => Ok(answer?),
            }
        });
        let answer = asked.await.unwrap_or_else(|_| Err(silence()));
        self.heard(answer, used)
    }

    async fn after_debts<T, F>(
        &self,
        question: &impl Fn(Connected) -> F,
        connected: Connected,
    ) -> RedisResult<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        self.pay(&connected).await?;
        question(connected).await
    }

    /// Returns the answer to a question that is only valid on this connection.
    pub(super) async fn ask_on<T>(
        &self,
        connected: &Connected,
        question: impl Future<Output = RedisResult<T>>,
    ) -> Option<T> {
        let answer = match timeout(PATIENCE, question).await {
            Ok(answer) => answer.map_err(Trouble::from),
            Err(_) => Err(silence()),
        };
        self.heard(answer, Some(connected.number))
    }

    /// Puts a tombstone at `name`. Retries for as long as a request may wait, even if the cache has
    /// just failed, and records a debt after that.
    pub(super) async fn bury(&self, name: &str) {
        let (mut used, mut last) = (None, silence());
        let buried = timeout(PATIENCE, async {
            loop {
                last = match self.dial(true).await {
                    Ok((mut connected, _)) => {
                        used = Some(connected.number);
                        match entries::tombstone(name).query_async(&mut connected.redis).await {
                            Ok(()) => return,
                            Err(cause) => cause.into(),
                        }
                    }
                    Err(trouble) => trouble,
                };
                self.hang_up(used);
                sleep(BREATH).await;
            }
        });
        if buried.await.is_err() {
            self.debts.add(name, Instant::now());
            let Trouble::Failed(cause) = last else { return };
            self.rest(used, &cause);
            tracing::warn!(
                error = cause,
                name,
                "cache invalidation failed; the tenant may be read as it was for up to 30 s"
            );
        }
    }

    fn heard<T>(&self, answer: Result<T, Trouble>, on: Option<u64>) -> Option<T> {
        match answer {
            Ok(answer) => Some(answer),
            Err(Trouble::Resting) => None,
            Err(Trouble::Failed(cause)) => {
                self.rest(on, &cause);
                None
            }
        }
    }

    /// Returns the open connection or a new one, and whether it is new. Skips the rest after a
    /// failure if `insists`.
    async fn dial(&self, insists: bool) -> Result<(Connected, bool), Trouble> {
        if let Some(connected) = self.open(insists)? {
            return Ok((connected, false));
        }
        let _only = self.dialling.lock().await;
        if let Some(connected) = self.open(insists)? {
            return Ok((connected, false));
        }
        let (redis, since) = Box::pin(self.connect()).await?;
        let number = self.state().connections + 1;
        let connected = Connected { redis, since, number };
        *self.state() =
            State { open: Some(connected.clone()), resting_until: None, connections: number };
        Ok((connected, true))
    }

    fn open(&self, insists: bool) -> Result<Option<Connected>, Trouble> {
        let state = self.state();
        match state.resting_until {
            Some(end) if !insists && Instant::now() < end => Err(Trouble::Resting),
            _ => Ok(state.open.clone()),
        }
    }

    async fn connect(&self) -> Result<(MultiplexedConnection, u64), Trouble> {
        let password =
            self.password.get_or_try_init(|| secret(&self.env, &self.aws, "REDIS_PASSWORD"));
        let password = password.await.map_err(|cause| Trouble::Failed(cause.to_string()))?;
        let mut settings = self.server.redis_settings().clone().set_skip_set_lib_name();
        if let Some(password) = password {
            settings = settings.set_password(password);
        }
        let server = self.server.clone().set_redis_settings(settings);
        let mut redis = Client::open(server)?.get_multiplexed_async_connection().await?;
        // If INFO is denied, assume that Redis has just started.
        let info: RedisResult<String> = cmd("INFO").arg("server").query_async(&mut redis).await;
        let (now, _): (u64, u64) = cmd("TIME").query_async(&mut redis).await?;
        let uptime = info.ok().and_then(|info| uptime(&info)).unwrap_or_default();
        Ok((redis, now.saturating_sub(uptime)))
    }

    /// Puts all owed tombstones.
    async fn pay(&self, connected: &Connected) -> RedisResult<()> {
        let debts = self.debts.all();
        if debts.is_empty() {
            return Ok(());
        }
        let mut tombstones = redis::pipe();
        for (name, _) in &debts {
            tombstones.add_command(entries::tombstone(name)).ignore();
        }
        let () = tombstones.query_async(&mut connected.redis.clone()).await?;
        self.debts.paid(&debts);
        Ok(())
    }

    /// Drops the connection with this number.
    fn hang_up(&self, number: Option<u64>) {
        let mut state = self.state();
        if state.open.as_ref().map(|open| open.number) == number {
            state.open = None;
        }
    }

    /// Skips Redis for a moment and logs the cause, unless another request already does or has a
    /// new connection.
    fn rest(&self, failed: Option<u64>, cause: &str) {
        self.hang_up(failed);
        let (mut state, now) = (self.state(), Instant::now());
        if state.open.is_some() || state.resting_until.is_some_and(|end| now < end) {
            return;
        }
        state.resting_until = Some(now + REST);
        drop(state);
        tracing::warn!(error = cause, "the cache does not respond; using the table instead");
        self.metrics.write(&Metric::CacheDown, lambda::now());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn silence() -> Trouble {
    Trouble::Failed("timed out".to_owned())
}

/// Returns the uptime of the Redis process in seconds, from `INFO server`.
fn uptime(info: &str) -> Option<u64> {
    let line = info.lines().find_map(|line| line.strip_prefix("uptime_in_seconds:"));
    line?.trim().parse().ok()
}
