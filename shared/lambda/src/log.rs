//! The log: JSON lines, and metrics among them.

use std::fmt;

use tracing::{Event, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::{Env, config::ConfigError, metric};

/// Writes the log as JSON lines from `LOG_LEVEL` up.
pub(crate) fn init(env: &Env) -> Result<(), ConfigError> {
    let level = env.parsed("LOG_LEVEL", LevelFilter::INFO, "error, warn, info, debug or trace")?;
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_target(false);
    let metrics = tracing_subscriber::fmt::layer().event_format(MessageOnly);
    // A host with its own subscriber keeps it.
    let _ = tracing_subscriber::registry()
        .with(lines.with_filter(logged(level)))
        .with(metrics.with_filter(Targets::new().with_target(metric::TARGET, LevelFilter::INFO)))
        .try_init();
    Ok(())
}

/// Writes only the message of an event.
struct MessageOnly;

impl<S, N> FormatEvent<S, N> for MessageOnly
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

/// The crates of the functions, which log at `LOG_LEVEL`.
pub const FUNCTIONS: [&str; 18] = [
    "audit",
    "contacts",
    "home",
    "idp",
    "invoices",
    "leads",
    "mailer",
    "operators",
    "pipelines",
    "plans",
    "reconciler",
    "relay",
    "rotator",
    "subscriptions",
    "tenant_configs",
    "tenants",
    "upkeep",
    "webhook",
];

/// The modules of the shared crates, which log at `LOG_LEVEL` too. A prefix without `::` would
/// include crates of others, such as `lambda_runtime`, which logs events with their secrets.
const SHARED: [&str; 7] =
    ["schema::", "filter::", "domain::", "lambda::", "store::", "web::", "openapi::"];

/// Returns the log filter for `level`. Only our own crates log below `warn`, because the SDK logs
/// requests with their secrets at these levels.
#[must_use]
pub fn logged(level: LevelFilter) -> Targets {
    let ours = FUNCTIONS.into_iter().chain(SHARED).map(|name| (name, level));
    let others = level.min(LevelFilter::WARN);
    Targets::new()
        .with_default(others)
        .with_target(metric::TARGET, LevelFilter::OFF)
        .with_targets(ours)
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
        let layer = tracing_subscriber::fmt::layer().event_format(MessageOnly);
        let layer = layer.with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            Metrics::from_env(&Env::default()).write(&Metric::Lead, crate::now());
        });
        let line: serde_json::Value = serde_json::from_slice(&written.0.lock().unwrap()).unwrap();
        assert_eq!((&line["Leads"], &line["AppEnv"]), (&1.into(), &"dev".into()));
    }

    #[test]
    fn only_our_own_crates_log_in_detail() {
        let filter = logged(LevelFilter::TRACE);
        let enabled = |target| filter.would_enable(target, &tracing::Level::TRACE);
        for ours in ["leads", "webhook", "lambda::keys", "store::transaction", "web::request"] {
            assert!(enabled(ours), "{ours}");
        }
        for others in ["lambda_runtime", "lambda_http", "aws_smithy_runtime", "hyper", "redis"] {
            assert!(!enabled(others), "{others}");
        }
    }
}
