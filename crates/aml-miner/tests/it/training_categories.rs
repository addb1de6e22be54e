//! Features that are categories are split by sets of values, and score as the library scores them.

use aml_miner::features::Matrix;
use aml_miner::models::bundle::ModelKind;
use aml_miner::training::config::{Boosting, ConfigError, ModelConfig, Returning};
use aml_miner::training::fit::{FitError, Settings, fit};
use aml_miner::training::lightgbm::Finished;
use aml_miner::training::samples::Samples;
use aml_miner::training::watch::Silent;
use aml_miner::trees::lightgbm::parse;
use aml_miner::trees::model::Split;

use crate::training_support::samples;

/// Samples whose third column is a code from 0 to 11; odd codes are illicit.
fn coded() -> Samples {
    let mut samples = samples(12, 60, 5);
    for day in &mut samples.days {
        let mut values = day.matrix.values().to_vec();
        for (index, (row, about)) in values.chunks_mut(4).zip(&mut day.rows).enumerate() {
            row[2] = (index % 12) as f64;
            about.illicit = index % 2 == 1;
        }
        day.matrix = Matrix::from_rows(4, values);
    }
    samples
}

fn sides(samples: &Samples) -> (Samples, Samples) {
    (samples.with_days(samples.days[..8].to_vec()), samples.with_days(samples.days[8..].to_vec()))
}

fn boosting() -> Boosting {
    Boosting { rounds: 10, min_data_in_leaf: 5, ..Boosting::default() }
}

#[test]
fn categories_are_split_by_sets_and_score_as_in_the_library() {
    let (train, validation) = sides(&coded());
    let (boosting, categories) = (boosting(), ["noise".to_owned()]);
    let settings = |categories| Settings {
        kind: ModelKind::AlertScorer,
        boosting: &boosting,
        seed: 1,
        threads: 1,
        categories,
        returning: Returning::Keep,
        history_masked: 0.0,
    };
    let grown = fit(settings(&categories), &train, &validation, &Silent).expect("trained");
    assert_eq!(grown.raised.parameters.as_map().get("categorical_feature").map(String::as_str), Some("2"));
    let text = &grown.raised.grown.model_text;
    let model = parse(text.as_bytes()).expect("a model");
    let by_set = |node: &aml_miner::trees::model::Node| matches!(node.split, Split::Categorical(_));
    let mut nodes = model.trees.iter().flat_map(|tree| &tree.nodes);
    assert!(nodes.clone().any(by_set), "odd codes are told by one set");
    assert!(nodes.all(|node| by_set(node) == (node.feature == 2)));
    let rows: Vec<f64> = validation.days.iter().flat_map(|day| day.matrix.values().to_vec()).collect();
    let theirs = Finished::from_text(text).expect("the library reads it").raw_scores(&rows).expect("scores");
    let ours = grown.raw(&validation);
    assert!(ours.iter().zip(&theirs).all(|(a, b)| a.to_bits() == b.to_bits()));
    let plain = fit(settings(&[]), &train, &validation, &Silent).expect("trained");
    assert_eq!(plain.raised.parameters.as_map().get("categorical_feature"), None);
}

#[test]
fn what_is_no_category_is_refused_by_name() {
    let (train, validation) = sides(&coded());
    let (boosting, categories) = (boosting(), ["signal".to_owned()]);
    let settings = Settings {
        kind: ModelKind::AlertScorer,
        boosting: &boosting,
        seed: 1,
        threads: 1,
        categories: &categories,
        returning: Returning::Keep,
        history_masked: 0.0,
    };
    let refused = fit(settings, &train, &validation, &Silent).err().expect("shares are no categories");
    assert!(matches!(refused, FitError::Category { .. }) && refused.to_string().contains("`signal`"), "{refused}");
}

#[test]
fn the_setting_takes_categories_alone() {
    let problems = |text: &str| match ModelConfig::from_yaml(text) {
        Err(ConfigError::Problems(problems)) => problems.join("\n"),
        other => panic!("{text}: {other:?}"),
    };
    let config = ModelConfig::from_yaml("alert_features: {categorical: [peak_hour, community_id]}").expect("right");
    assert_eq!(config.alert_features.categorical, ["peak_hour", "community_id"]);
    let text = problems("alert_features: {categorical: [volume_usd]}");
    assert!(text.contains("`volume_usd` is no category") && text.contains("peak_hour"), "{text}");
    assert!(problems("alert_features: {drop: [peak_hour], categorical: [peak_hour]}").contains("left out by `drop`"));
}
