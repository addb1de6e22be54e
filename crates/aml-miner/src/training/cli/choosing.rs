//! What `select` and `tune` have in common: a session that trains no model, and the rows of a kind of model.

use std::path::Path;

use crate::clock::SystemClock;
use crate::models::bundle::ModelKind;
use crate::training::assemble::{Assembled, Range, alerts};
use crate::training::cli::args::ConfigArgs;
use crate::training::session::Session;
use crate::training::train_cluster_scorer::{cluster_rows, scorers_alerts};
use crate::training::watch::Watch;

/// A session on `range`. The alert scorer that rows of clusters need is looked for beside `output`.
pub(super) fn session<'a>(
    range: Range,
    config: &ConfigArgs,
    output: &Path,
    watch: &'a dyn Watch,
) -> anyhow::Result<Session<'a>> {
    Ok(Session {
        range,
        output: output.parent().unwrap_or(Path::new(".")).to_owned(),
        config: config.config()?,
        threads: config.threads(),
        watch,
        clock: &SystemClock,
    })
}

/// The labelled rows of a kind of model.
pub(super) fn rows(session: &Session<'_>, kind: ModelKind) -> anyhow::Result<Assembled> {
    Ok(match kind {
        ModelKind::ClusterScorer => cluster_rows(session, &scorers_alerts(session)?)?,
        ModelKind::AlertScorer | ModelKind::AlertRanker => {
            alerts(&session.range, &session.schema(kind), session.watch)?
        }
    })
}
