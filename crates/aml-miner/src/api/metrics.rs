//! Counters and durations in Prometheus' text form. They belong to one server, not to the process.

use std::time::Duration;

use metrics::{Label, counter, gauge, histogram, with_local_recorder};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use super::engine::Load;
use super::kind::Scored;
use super::models::Models;

/// Upper bounds of the duration buckets, in seconds: from one alert to the slowest request allowed.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

/// The metrics of one server.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

impl Metrics {
    /// Metrics at zero, of a program built from `commit`.
    pub(super) fn new(commit: &'static str) -> Self {
        let duration = Matcher::Full("aml_request_seconds".to_owned());
        let builder = PrometheusBuilder::new();
        let recorder = builder
            .set_buckets_for_metric(duration, &SECONDS)
            .unwrap_or_else(|_| PrometheusBuilder::new())
            .build_recorder();
        let metrics = Self { handle: recorder.handle(), recorder };
        with_local_recorder(&metrics.recorder, || {
            let labels = vec![Label::new("version", env!("CARGO_PKG_VERSION")), Label::new("commit", commit)];
            gauge!("aml_build_info", labels).set(1.0);
        });
        metrics
    }

    /// A request was answered.
    pub(super) fn request(&self, route: &str, status: u16, elapsed: Duration, scored: Option<Scored>) {
        with_local_recorder(&self.recorder, || {
            let route = route.to_owned();
            counter!("aml_requests_total", "route" => route.clone(), "status" => status.to_string()).increment(1);
            histogram!("aml_request_seconds", "route" => route).record(elapsed.as_secs_f64());
            if let Some(Scored { kind, rows, warned, .. }) = scored {
                counter!("aml_rows_scored_total", "model" => kind.model()).increment(rows as u64);
                gauge!("aml_missing_share", "model" => kind.model()).set(warned.missing_share);
                for (what, count) in [
                    ("unknown_keys", warned.unknown_keys),
                    ("absent_tables", warned.absent_tables),
                    ("absent_columns", warned.absent_columns),
                ] {
                    counter!("aml_request_warnings_total", "what" => what).increment(count as u64);
                }
            }
        });
    }

    /// A connection was opened (1), closed (-1).
    pub(super) fn connections(&self, open: usize) {
        #[expect(clippy::cast_precision_loss, reason = "connections are bounded far below 2^53")]
        with_local_recorder(&self.recorder, || gauge!("aml_connections").set(open as f64));
    }

    /// A connection was refused.
    pub(super) fn connection_refused(&self) {
        with_local_recorder(&self.recorder, || counter!("aml_connections_refused_total").increment(1));
    }

    /// These models are being served from now on.
    pub(super) fn models(&self, models: &Models) {
        with_local_recorder(&self.recorder, || {
            for (name, model) in models.each() {
                gauge!("aml_model_loaded", "model" => name).set(if model.is_some() { 1.0 } else { 0.0 });
                if let Some(served) = model {
                    let version = served.model.version().to_owned();
                    #[expect(clippy::cast_precision_loss, reason = "steps are bounded far below 2^53")]
                    if let Some(steps) = served.model.explain_steps() {
                        gauge!("aml_model_explain_steps", "model" => name).set(steps as f64);
                    }
                    counter!("aml_model_loads_total", "model" => name, "version" => version).increment(1);
                }
            }
        });
    }

    /// Models were loaded anew, or the new ones were not good and the old ones keep serving.
    pub(super) fn reloaded(&self, good: bool) {
        with_local_recorder(&self.recorder, || {
            gauge!("aml_last_reload_good").set(if good { 1.0 } else { 0.0 });
            counter!("aml_reloads_total", "outcome" => if good { "good" } else { "failed" }).increment(1);
        });
    }

    /// Lets go of what was only kept for the next reading.
    pub(super) fn upkeep(&self) {
        self.handle.run_upkeep();
    }

    /// The text, with what is true at this moment.
    pub(super) fn render(&self, load: Load, body_bytes: usize) -> String {
        #[expect(clippy::cast_precision_loss, reason = "jobs and bytes held are bounded far below 2^53")]
        with_local_recorder(&self.recorder, || {
            gauge!("aml_body_bytes").set(body_bytes as f64);
            gauge!("aml_jobs_running").set(load.running as f64);
            gauge!("aml_jobs_queued").set(load.queued as f64);
        });
        self.handle.render()
    }
}
