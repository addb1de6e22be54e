//! Where the server's events go: lines for people or programs, and traces to a collector when one is named.

use std::io::IsTerminal as _;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use super::traces::Traces;
use crate::config::{LogFormat, LogSettings};

/// The environment variable that names a collector.
pub const COLLECTOR: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Keeps traces flowing; call [`Logging::flush`] at the end.
#[derive(Default)]
pub struct Logging {
    traces: Option<Traces>,
}

impl Logging {
    /// Starts logging for the whole process; with `collector`, traces as well. Call it within a tokio runtime.
    ///
    /// # Errors
    /// When logging has been started already, or the collector's address is not one.
    pub fn start(settings: &LogSettings, collector: bool) -> anyhow::Result<Self> {
        let filter = EnvFilter::try_new(&settings.level)?;
        let human = match settings.format {
            LogFormat::Human => true,
            LogFormat::Json => false,
            LogFormat::Auto => std::io::stderr().is_terminal(),
        };
        // A line that cannot be written, say on a full disk, is lost: telling so on the same stream would panic.
        let lines = fmt::layer().with_writer(std::io::stderr).log_internal_errors(false);
        let lines = if human {
            lines.boxed()
        } else {
            lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
        };
        let traces = if collector { Some(Traces::start()?) } else { None };
        let layer = traces.as_ref().map(Traces::layer);
        tracing_subscriber::registry().with(lines.with_filter(filter)).with(layer).try_init()?;
        Ok(Self { traces })
    }

    /// Sends what has not been sent.
    pub fn flush(self) {
        if let Some(Err(error)) = self.traces.map(Traces::flush) {
            tracing::warn!(%error, "traces were not sent");
        }
    }
}
