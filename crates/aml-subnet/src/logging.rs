//! Logs and metrics of a process: human on a terminal, JSON otherwise, to standard error.

use std::io::IsTerminal as _;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// Upper bounds of the histogram of durations, in seconds.
const BUCKETS: [f64; 10] = [0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 5.0, 20.0, 60.0, 120.0];

/// A filter that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("log_level `{0}` is no filter (try `info` or `aml_subnet=debug,info`)")]
pub struct BadFilter(String);

/// Sets up logging for the whole process; once.
///
/// # Errors
/// When the filter cannot be read.
pub fn init(filter: &str) -> Result<(), BadFilter> {
    let filter = EnvFilter::try_new(filter).map_err(|_| BadFilter(filter.to_owned()))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second call changes nothing.
    let _ = if std::io::stderr().is_terminal() { builder.try_init() } else { builder.json().try_init() };
    Ok(())
}

/// Records metrics of the whole process; `None` when something records them already.
#[must_use]
pub fn record_metrics() -> Option<PrometheusHandle> {
    let builder = PrometheusBuilder::new().set_buckets(&BUCKETS).ok()?;
    let handle = builder.install_recorder().ok()?;
    metrics::gauge!("aml_subnet_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Some(handle)
}
