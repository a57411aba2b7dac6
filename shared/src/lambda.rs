//! The start of a function: logging, environment, and the runtime's loop.

mod http;
mod repair;
mod route;

pub use http::{Answer, HttpFunction};
pub use route::fits;

use std::{
    convert::Infallible,
    fmt::{self, Debug},
};

use axum::Router;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use tracing::{
    Event, Instrument, Subscriber,
    field::{Empty, display},
    level_filters::LevelFilter,
};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::{Env, Error, config::ConfigError, domain, metric};

/// The raw text of an event, so that a malformed event reaches the dead-letter queue unchanged.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Payload(Box<RawValue>);

/// An event from a dead-letter queue, in the form that [`crate::dead_letter`] gave it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SetAside<'p> {
    #[serde(borrow)]
    set_aside: &'p RawValue,
}

impl Payload {
    /// Reads the event as an EventBridge envelope.
    ///
    /// # Errors
    ///
    /// [`Error::Permanent`] if the event has another form.
    pub fn envelope(&self) -> Result<Envelope, Error> {
        serde_json::from_str(self.raw().get()).map_err(Error::permanent("reading an event"))
    }

    /// Returns the event itself, without the wrapper of a dead-letter queue.
    pub(crate) fn raw(&self) -> &RawValue {
        self.set_aside().unwrap_or(&self.0)
    }

    /// Whether the event comes from a dead-letter queue.
    pub(crate) fn is_set_aside(&self) -> bool {
        self.set_aside().is_some()
    }

    fn set_aside(&self) -> Option<&RawValue> {
        serde_json::from_str(self.0.get()).ok().map(|SetAside { set_aside }| set_aside)
    }
}

/// The envelope of an event from EventBridge.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Envelope {
    /// The type of the event.
    pub detail_type: String,
    /// The raw content of the event.
    pub detail: Box<RawValue>,
}

impl Envelope {
    /// Reads the detail as a `T`.
    ///
    /// # Errors
    ///
    /// [`Error::Permanent`] if the event has another form.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_str(self.detail.get()).map_err(Error::permanent("reading an event"))
    }

    /// Reads the detail as an [`Event`](domain::Event) and records its IDs in the current span.
    ///
    /// # Errors
    ///
    /// Same as [`Envelope::read`].
    pub fn event(&self) -> Result<domain::Event, Error> {
        let event: domain::Event = self.read()?;
        let span = tracing::Span::current();
        span.record("event.id", &event.id);
        if let Some(id) = &event.request_id {
            span.record("request.id", id);
        }
        if let Some(tenant) = &event.tenant {
            span.record("tenant.id", display(tenant.id));
        }
        if let Some(job) = &event.job {
            span.record("job.id", display(job.id));
        }
        Ok(event)
    }
}

/// Serves a router behind the HTTP API.
///
/// # Errors
///
/// [`ConfigError`] if the router cannot be built from the environment, or an error of the runtime.
pub async fn serve(
    build: impl AsyncFnOnce(&Env) -> Result<Router, ConfigError>,
) -> Result<(), lambda_http::Error> {
    let env = start()?;
    let function = HttpFunction::new(Box::pin(build(&env)).await.inspect_err(report)?);
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        Ok::<_, Infallible>(function.answer(&event.payload, event.context).await)
    }))
    .await
}

/// Passes every event to `handle`, with the state that `build` created from the environment.
///
/// # Errors
///
/// Same as [`serve`].
pub async fn consume<F, E, R>(
    build: impl AsyncFnOnce(&Env) -> Result<F, ConfigError>,
    handle: impl AsyncFn(&F, E) -> Result<R, Error>,
) -> Result<(), lambda_runtime::Error>
where
    E: DeserializeOwned,
    R: Serialize,
{
    let env = start()?;
    let function = Box::pin(build(&env)).await.inspect_err(report)?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<E>| {
        let span = span(&event.context.request_id);
        Box::pin(handle(&function, event.payload)).instrument(span).await.map_err(|error| {
            tracing::error!(error = %error.with_causes(), "event failed");
            lambda_runtime::Error::from(error)
        })
    }))
    .await
}

/// Returns the span for the handling of one event. [`Envelope::event`] records its IDs.
#[must_use]
pub fn span(invocation: &str) -> tracing::Span {
    tracing::info_span!(
        "event",
        faas.invocation_id = invocation,
        event.id = Empty,
        request.id = Empty,
        tenant.id = Empty,
        job.id = Empty,
    )
}

fn start() -> Result<Env, ConfigError> {
    let env = Env::process();
    log(&env).inspect_err(report)?;
    Ok(env)
}

/// Writes the log as JSON lines from `LOG_LEVEL` up.
fn log(env: &Env) -> Result<(), ConfigError> {
    let level = env.parsed("LOG_LEVEL", LevelFilter::INFO, "error, warn, info, debug or trace")?;
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_target(false);
    let metrics = tracing_subscriber::fmt::layer().event_format(AsItStands);
    // A host with its own subscriber keeps it.
    let _ = tracing_subscriber::registry()
        .with(lines.with_filter(logged(level)))
        .with(metrics.with_filter(Targets::new().with_target(metric::TARGET, LevelFilter::INFO)))
        .try_init();
    Ok(())
}

/// Writes only the message of an event.
struct AsItStands;

impl<S, N> FormatEvent<S, N> for AsItStands
where
    S: Subscriber + for<'l> LookupSpan<'l>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        context.field_format().format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

/// Returns the log filter for `level`. Only our own crates log below `warn`, because the SDK logs
/// requests with their secrets at these levels.
#[must_use]
pub fn logged(level: LevelFilter) -> Targets {
    let ours = ["shared", "leads", "tenants", "webhook", "home", "relay", "mailer", "pipelines"]
        .into_iter()
        .chain(["reconciler", "idp", "contacts", "invoices", "tenant_configs", "upkeep", "rotator"])
        .map(|name| (name, level));
    let others = level.min(LevelFilter::WARN);
    Targets::new()
        .with_default(others)
        .with_target(metric::TARGET, LevelFilter::OFF)
        .with_targets(ours)
}

fn report(error: &impl Debug) {
    tracing::error!(?error, "the function cannot start");
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex},
    };

    use super::*;
    use crate::metric::{Metric, Metrics};

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_metric_is_written_unchanged() {
        let written = Written::default();
        let writer = written.clone();
        let layer = tracing_subscriber::fmt::layer().event_format(AsItStands);
        let layer = layer.with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            Metrics::from_env(&Env::default()).write(&Metric::Lead, crate::now());
        });
        let line: serde_json::Value = serde_json::from_slice(&written.0.lock().unwrap()).unwrap();
        assert_eq!((&line["Leads"], &line["AppEnv"]), (&1.into(), &"dev".into()));
    }
}
