//! The worked examples run, and the guide shows them as they are.

use std::sync::Arc;

use aml_miner::api::models::{Loaded, OwnModel};
use aml_miner::features::{CustomFeature, FeatureBuilder, Part, PerAlert, RowKind, Schema, SchemaError};
use aml_miner::models::{ModelFiles, ModelKind};
use serde_json::json;

use crate::features_support::{batch, must_equal};

#[path = "../../examples/custom_feature.rs"]
#[expect(unreachable_pub, reason = "in the example these are the items of a crate")]
mod custom_feature;
#[path = "../../examples/custom_model.rs"]
#[expect(unreachable_pub, reason = "in the example these are the items of a crate")]
pub(crate) mod custom_model;

const GUIDE: &str = include_str!("../../../../docs/customization.md");
const CATALOGUE: &str = include_str!("../../../../docs/features.md");

#[test]
fn the_worked_examples_run() {
    custom_feature::main().expect("the custom feature's example");
    custom_model::main().expect("the custom model's example");
}

#[test]
fn the_guide_shows_the_examples_as_they_are() {
    for example in [
        include_str!("../../examples/custom_feature.rs"),
        include_str!("../../examples/custom_model.rs"),
        include_str!("../../../aml-subnet/examples/own_rules.rs"),
    ] {
        let shown = format!("```rust\n{example}```\n");
        let first = example.lines().next().unwrap_or_default();
        assert!(GUIDE.contains(&shown), "docs/customization.md does not show this file word for word: {first}");
    }
}

#[test]
fn every_configuration_of_the_guide_is_one() {
    let blocks: Vec<&str> = GUIDE.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        aml_miner::training::config::ModelConfig::from_yaml(block).unwrap_or_else(|error| panic!("{error}\n{block}"));
    }
}

#[test]
fn the_catalogue_page_lists_every_feature_and_family() {
    for rows in [RowKind::Alert, RowKind::Cluster] {
        for feature in aml_miner::features::features(rows) {
            assert!(CATALOGUE.contains(&format!("`{}`", feature.name)), "docs/features.md lacks {}", feature.name);
        }
        for family in aml_miner::features::families(rows) {
            assert!(CATALOGUE.contains(&format!("`{}", family.prefix)), "docs/features.md lacks {}", family.prefix);
        }
    }
}

#[test]
fn a_custom_feature_is_aggregated_over_a_clusters_alerts() {
    let schema = Schema::new(RowKind::Cluster, ["mean_evidence_hops"]);
    let builder = FeatureBuilder::with_custom(&schema, &[Arc::new(custom_feature::EvidenceHops)]).expect("known");
    let batch = batch(&json!({
        "alerts": [{"alert_id": "a", "evidence_json": "{\"hops\": 2}"}, {"alert_id": "b", "evidence_json": "{\"hops\": 5}"}],
        "clusters": [{"cluster_id": "c", "related_alert_ids": ["a", "b"]}],
    }));
    must_equal(builder.clusters(&batch, None).expect("a matrix").matrix.values(), &[3.5]);
}

struct Misnamed(&'static str, &'static [(Part, &'static str)]);

impl CustomFeature for Misnamed {
    fn name(&self) -> &'static str {
        self.0
    }

    fn doc(&self) -> &'static str {
        "Nothing."
    }

    fn needs(&self) -> &'static [(Part, &'static str)] {
        self.1
    }

    fn bind<'a>(&self, _: &'a aml_miner::features::AlertsView<'a>) -> PerAlert<'a> {
        Box::new(|_| 0.0)
    }
}

#[test]
fn a_custom_feature_may_not_take_a_name_or_read_a_column_that_is_not_there() {
    let schema = Schema::new(RowKind::Alert, ["volume_usd"]);
    let refused = |feature: Misnamed| FeatureBuilder::with_custom(&schema, &[Arc::new(feature)]).err();
    for name in ["volume_usd", "typology_own", "log_volume_usd"] {
        assert_eq!(refused(Misnamed(name, &[])), Some(SchemaError::Taken { name: name.to_owned() }));
    }
    let error = refused(Misnamed("mine", &[(Part::Addresses, "degre_in")])).expect("an error");
    assert!(error.to_string().contains("column `degre_in` of features"), "{error}");
}

#[test]
fn a_registered_model_takes_the_place_of_a_file_and_is_held_to_its_kind() {
    let own = |kind| OwnModel { kind, model: Arc::new(custom_model::WeightedSum::new()) };
    let shipped = ModelFiles::in_directory("../../trained_models".as_ref()).expect("the shipped models");
    let paths = ModelFiles { alert_scorer: Some("nowhere.txt".into()), ..shipped };
    // The shipped clusters learnt from the scores of the shipped scorer.
    let loaded = Loaded::with_own(&paths, &[own(ModelKind::AlertScorer)]);
    let [("cluster_scorer", why)] = loaded.failures.as_slice() else { panic!("{:?}", loaded.failures) };
    assert!(why.contains("was trained on the scores of the alert scorer with SHA-256"), "{why}");
    let paths = ModelFiles { cluster_scorer: None, ..paths };
    let loaded = Loaded::with_own(&paths, &[own(ModelKind::AlertScorer)]);
    assert!(loaded.failures.is_empty(), "{:?}", loaded.failures);
    let served = loaded.models.alert_scorer.expect("it is served");
    assert!(served.model.version().starts_with("1.0.0+") && loaded.models.alert_ranker.is_some());

    let loaded = Loaded::with_own(&ModelFiles::default(), &[own(ModelKind::AlertRanker)]);
    let [(name, why)] = loaded.failures.as_slice() else { panic!("{:?}", loaded.failures) };
    assert!(*name == "alert_ranker" && why.contains("is called alert_scorer"), "{why}");
    assert!(loaded.models.alert_ranker.is_none());
}
