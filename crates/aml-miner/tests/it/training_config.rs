//! The configuration: the shipped file is the defaults, and every mistake is named in one go.

use aml_miner::features::{RowKind, Schema};
use aml_miner::training::config::{ClassWeight, ConfigError, ModelConfig};
use aml_miner::training::session::schema;

#[test]
fn the_shipped_file_says_what_the_defaults_are() {
    let text = include_str!("../../../../config/model_config.yaml");
    assert_eq!(ModelConfig::from_yaml(text).expect("the shipped file is right"), ModelConfig::default());
}

#[test]
fn an_empty_file_is_all_defaults() {
    assert_eq!(ModelConfig::from_yaml("").expect("nothing said, nothing wrong"), ModelConfig::default());
}

#[test]
fn a_models_section_goes_before_the_common_one() {
    let text = "boosting: {num_leaves: 63, lambda_l2: 2}\nscorer: {num_leaves: 15, class_weight: balanced}";
    let config = ModelConfig::from_yaml(text).expect("a right file");
    assert_eq!((config.scorer.num_leaves, config.ranker.num_leaves), (15, 63));
    assert_eq!((config.scorer.lambda_l2, config.clusters.lambda_l2), (2.0, 2.0));
    assert_eq!((config.scorer.class_weight, config.ranker.class_weight), (ClassWeight::Balanced, ClassWeight::None));
}

#[test]
fn every_mistake_is_listed_at_once() {
    let text =
        "seed: many\nscorer: {num_leaves: 1, learning_rat: 0.1}\nsplit: [1]\nepochs: 3\nboosting: {lambda_l2: -1}";
    let Err(ConfigError::Problems(problems)) = ModelConfig::from_yaml(text) else { panic!("five mistakes") };
    let all = problems.join("\n");
    assert_eq!(problems.len(), 6, "{all}");
    assert!(all.contains("seed: invalid type"), "{all}");
    assert!(all.contains("scorer.num_leaves: must be from 2 to 4096"), "{all}");
    assert!(all.contains("scorer.learning_rat: unknown key (known here: num_leaves,"), "{all}");
    assert!(all.contains("split: must be a mapping"), "{all}");
    assert!(all.contains("epochs: unknown key"), "{all}");
    assert!(all.contains("boosting.lambda_l2: must be a number of at least 0"), "{all}");
}

#[test]
fn a_version_is_three_numbers() {
    for wrong in ["1.0", "\"1.0.x\"", "\"../1.0.0\"", "\"1.0.0 \""] {
        assert!(ModelConfig::from_yaml(&format!("model_version: {wrong}")).is_err(), "{wrong}");
    }
    assert!(ModelConfig::from_yaml("model_version: 2.10.3").is_ok());
}

#[test]
fn features_are_added_to_the_default_ones_and_dropped_from_them() {
    let text = "alert_features: {add: [log_volume_usd, typology_ransom, volume_usd], drop: [\"flow_*\", degree_in]}";
    let config = ModelConfig::from_yaml(text).expect("a right file");
    let (default, chosen) = (Schema::default_alert(), schema(RowKind::Alert, &config));
    assert!(default.features.iter().any(|name| name == "flow_in_usd"));
    let kept = |name: &&String| !name.starts_with("flow_") && *name != "degree_in";
    let mut expected: Vec<_> = default.features.iter().filter(kept).cloned().collect();
    expected.extend(["log_volume_usd".to_owned(), "typology_ransom".to_owned()]);
    assert_eq!(chosen.features, expected);
    assert_eq!(schema(RowKind::Cluster, &config), Schema::default_cluster());
}

#[test]
fn features_that_are_not_there_are_named() {
    let text = "alert_features: {add: [volume_us], drop: [degre_in]}\ncluster_features: {add: [volume_usd]}";
    let Err(ConfigError::Problems(problems)) = ModelConfig::from_yaml(text) else { panic!("three mistakes") };
    let all = problems.join("\n");
    assert_eq!(problems.len(), 3, "{all}");
    assert!(
        all.contains(
            "alert_features.add: column 0: `volume_us` is not a feature of alert rows; did you mean `volume_usd`"
        ),
        "{all}"
    );
    assert!(all.contains("alert_features.drop: `degre_in` is none of the default features"), "{all}");
    assert!(all.contains("cluster_features.add: column 0: `volume_usd` is not a feature of cluster rows"), "{all}");
}

#[test]
fn a_name_that_a_model_file_cannot_hold_is_refused_before_data_is_read() {
    for name in ["typology_cash out", "typology_a,b", "typology_a:b", "typology_{x}", "typology_\\tx"] {
        let yaml = format!("alert_features:\n  add: [\"{name}\"]\n");
        let error = ModelConfig::from_yaml(&yaml).expect_err(name).to_string();
        assert!(error.contains("cannot be trained on"), "{name}: {error}");
    }
    ModelConfig::from_yaml("alert_features:\n  add: [typology_cash-out]\n").expect("a plain name");
}
