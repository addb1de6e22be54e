//! Traces to an OpenTelemetry collector.

use std::sync::Arc;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter as Export};
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

/// What this program calls itself.
const SERVICE: &str = "aml-miner-serve";

/// Traces on their way.
pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    /// Starts sending to the collector that the environment names.
    pub(super) fn start() -> anyhow::Result<Self> {
        let inner = SpanExporter::builder().with_http().with_http_client(reqwest::Client::new()).build()?;
        let exporter = OnRuntime { inner: Arc::new(inner), runtime: tokio::runtime::Handle::current() };
        let resource = opentelemetry_sdk::Resource::builder().with_service_name(SERVICE).build();
        Ok(Self(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build()))
    }

    /// What turns spans into traces.
    pub(super) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        tracing_opentelemetry::layer().with_tracer(self.0.tracer(SERVICE))
    }

    /// Sends what has not been sent.
    pub(super) fn flush(self) -> Result<(), OTelSdkError> {
        self.0.shutdown()
    }
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
        sent.unwrap_or_else(|error| Err(OTelSdkError::InternalFailure(error.to_string())))
    }
}
