//! Where the server's events go: lines for people or programs, and traces to a collector when one is named.

use std::io::IsTerminal as _;
use std::sync::Arc;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter as Export};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use crate::config::{LogFormat, LogSettings};

/// The environment variable that names a collector.
pub const COLLECTOR: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Keeps traces flowing; call [`Logging::flush`] at the end.
#[derive(Default)]
pub struct Logging {
    traces: Option<SdkTracerProvider>,
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
        let traces = if collector { Some(provider()?) } else { None };
        let layer =
            traces.as_ref().map(|traces| tracing_opentelemetry::layer().with_tracer(traces.tracer("aml-miner-serve")));
        tracing_subscriber::registry().with(lines.with_filter(filter)).with(layer).try_init()?;
        Ok(Self { traces })
    }

    /// Sends what has not been sent.
    pub fn flush(self) {
        if let Some(Err(error)) = self.traces.map(|traces| traces.shutdown()) {
            tracing::warn!(%error, "traces were not sent");
        }
    }
}

fn provider() -> anyhow::Result<SdkTracerProvider> {
    let inner = SpanExporter::builder().with_http().with_http_client(reqwest::Client::new()).build()?;
    let exporter = OnRuntime { inner: Arc::new(inner), runtime: tokio::runtime::Handle::current() };
    let resource = opentelemetry_sdk::Resource::builder().with_service_name("aml-miner-serve").build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// Exports on the tokio runtime: the batching thread has none of its own.
#[derive(Debug)]
struct OnRuntime {
    inner: Arc<SpanExporter>,
    runtime: tokio::runtime::Handle,
}

impl Export for OnRuntime {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let inner = Arc::clone(&self.inner);
        let sent = self.runtime.spawn(async move { inner.export(batch).await }).await;
        sent.unwrap_or_else(|error| Err(opentelemetry_sdk::error::OTelSdkError::InternalFailure(error.to_string())))
    }
}
