//! Three small models in a directory, for tests that score batches.

use std::collections::BTreeMap;

use aml_miner::digest::Digest;
use aml_miner::features::{SCHEMA_VERSION, Schema};
use aml_miner::models::Calibration;
use aml_miner::models::bundle::{Draft, ModelKind, Origin, Training, save};
use tempfile::TempDir;

const TREES: &str = "Tree=0\nnum_leaves=3\nnum_cat=0\nsplit_feature=0 1\nthreshold=0.3 1.5\ndecision_type=8 8\n\
left_child=-1 -2\nright_child=1 -3\nleaf_value=-1.25 0.5 2\nleaf_count=3 1 2\ninternal_count=6 3\nis_linear=0\n\
shrinkage=1\n\n\nend of trees\n";

/// A directory with an alert scorer, an alert ranker and a cluster scorer.
pub(crate) fn model_directory() -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for (kind, objective, features) in [
        (ModelKind::AlertScorer, "binary sigmoid:1", ["alert_confidence_score", "severity_encoded"]),
        (ModelKind::AlertRanker, "lambdarank", ["alert_confidence_score", "severity_encoded"]),
        (ModelKind::ClusterScorer, "binary sigmoid:1", ["score_max", "total_alerts"]),
    ] {
        let names = features.join(" ");
        let text = format!(
            "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1\n\
             objective={objective}\nfeature_names={names}\nfeature_infos=none none\n\n{TREES}"
        );
        save(directory.path(), &text, draft(kind, features)).expect("a good bundle");
    }
    directory
}

pub(crate) fn draft(model: ModelKind, features: [&str; 2]) -> Draft {
    Draft {
        model,
        version: "1.0.0".into(),
        schema: Schema { version: SCHEMA_VERSION, rows: model.rows(), features: features.map(str::to_owned).to_vec() },
        calibration: Calibration::None,
        alert_scorer: None,
        batch_relative: false,
        origin: Origin::Trained(Training {
            data_sha256: Digest::of(b"data"),
            first_date: "2025-01-01".into(),
            last_date: "2025-03-31".into(),
            rows: 6,
            parameters: BTreeMap::new(),
            seeds: BTreeMap::new(),
            lightgbm_version: "4.7.0".into(),
        }),
        metrics: BTreeMap::new(),
        created_at: "2025-04-01T00:00:00Z".into(),
    }
}
