//! Models with features of earlier days: nothing of the future is in them, nothing is learnt from noise, and the rows that learn without.

use std::borrow::Cow;
use std::path::Path;

use aml_miner::features::{RowKind, Schema};
use aml_miner::models::bundle::{Metadata, ModelKind};
use aml_miner::training::config::{ModelConfig, Refit};
use aml_miner::training::masked::masked;
use aml_miner::training::samples::Samples;
use aml_miner::training::session::Session;
use aml_miner::training::shelf::models;
use aml_miner::training::train_cluster_scorer::train_cluster_scorer;
use aml_miner::training::train_scorer::train_scorer;
use aml_miner::training::watch::Silent;
use aml_miner::wire::spec::LABELS;
use aml_miner::wire::{Column, Table};

use crate::training_flow::{change_labels, session, write_days};
use crate::training_support::samples;

fn with_history<'a>(data: &Path, output: &Path) -> Session<'a> {
    let mut session = session(data, output, 1);
    session.config.history = true;
    session.config.training.refit = Refit::Known;
    session
}

fn model_bytes(session: &Session<'_>) -> Vec<u8> {
    std::fs::read(session.model_path(ModelKind::AlertScorer)).expect("a model")
}

#[test]
fn a_model_says_that_it_needs_a_state_and_rows_of_the_future_change_no_byte_of_it() {
    let room = tempfile::tempdir().expect("a directory");
    let (short, long) = (room.path().join("short"), room.path().join("long"));
    write_days(&short, 60);
    write_days(&long, 66);
    let alone = with_history(&short, &room.path().join("one"));
    train_scorer(&alone).expect("a scorer");
    let entry = Metadata::load(&alone.output).expect("metadata").models["alert_scorer_v1.0.0.txt"].clone();
    assert!(entry.needs_state);
    assert!(entry.schema.features.ends_with(&Schema::alert_history()));
    let text = String::from_utf8(model_bytes(&alone)).expect("text");
    let importances = text.split("feature_importances:").nth(1).expect("importances");
    assert!(importances.contains("history_"), "the model splits by earlier days: {importances}");

    let mut among = with_history(&long, &room.path().join("two"));
    let last = std::fs::read_dir(&short).expect("days").map(|day| day.expect("a day").file_name()).max().expect("days");
    among.range.end = Some(last.to_str().expect("a date").parse().expect("a date"));
    train_scorer(&among).expect("a scorer");
    assert_eq!(model_bytes(&alone), model_bytes(&among));

    // The cluster scorer takes its scores, made beside the same state; and the shelf measures both on a part of the days.
    train_cluster_scorer(&alone).expect("a cluster scorer");
    let entry = Metadata::load(&alone.output).expect("metadata").models["cluster_scorer_v1.0.0.txt"].clone();
    assert!(!entry.needs_state, "its own features ask nobody");
    let shelf = models(&alone.output, None).expect("a shelf");
    let mut tail = alone.range.clone();
    tail.start = Some(last.to_str().expect("a date").parse().expect("a date"));
    for model in &shelf {
        let whole = model.rows(&alone.range, &shelf, &Silent).expect("rows").samples;
        let part = model.rows(&tail, &shelf, &Silent).expect("rows").samples;
        let bits = |samples: &Samples| -> Vec<u64> {
            samples.days.last().expect("a day").matrix.values().iter().map(|value| value.to_bits()).collect()
        };
        assert_eq!(bits(&whole), bits(&part), "a day sees the days before the range");
    }
}

#[test]
fn outcomes_that_are_shuffled_within_their_days_teach_nothing_with_earlier_days_either() {
    let room = tempfile::tempdir().expect("a directory");
    let data = room.path().join("data");
    write_days(&data, 64);
    change_labels(&data, 64, &|labels: &mut Table| {
        let illicit = labels.numbers("confirmed_illicit").expect("a column").to_vec();
        let rows = illicit.len();
        let moved = (0..rows).map(|row| illicit[(row + rows / 3) % rows]).collect();
        labels.set_column(LABELS.position("confirmed_illicit").expect("a column"), Some(Column::Numbers(moved)));
    });
    let record = train_scorer(&with_history(&data, &room.path().join("models"))).expect("a scorer").record;
    for evaluation in [&record.test, &record.refit.as_ref().expect("fitted once more").judged.test] {
        let auc = evaluation.value("roc_auc").expect("both classes");
        assert!((auc - 0.5).abs() < 0.15, "240 rows are within 0.15 of chance: {auc}");
    }
}

/// Samples whose second and fourth columns are of earlier days.
fn of_history(seed: u64) -> Samples {
    let mut all = samples(5, 200, seed);
    all.schema =
        Schema::new(RowKind::Alert, ["volume_usd", "history_alerts_7d", "degree_in", "senders_max_history_alerts_30d"]);
    all
}

#[test]
fn about_a_share_of_the_rows_learns_without_earlier_days_and_they_follow_from_the_seed() {
    let all = of_history(3);
    assert_eq!(all.schema.history(), [1, 3]);
    let half = masked(Cow::Borrowed(&all), 0.5, 7);
    let (mut hidden, mut illicit) = (0, 0);
    for (before, after) in all.days.iter().zip(&half.days) {
        for row in 0..before.rows.len() {
            let (one, other) = (before.matrix.row(row), after.matrix.row(row));
            assert!(one[0].to_bits() == other[0].to_bits() && one[2].to_bits() == other[2].to_bits());
            if other[1].is_nan() {
                assert!(other[3].is_nan(), "all of them");
                hidden += 1;
                illicit += usize::from(before.rows[row].illicit);
            } else {
                assert!(one[1].to_bits() == other[1].to_bits() && one[3].to_bits() == other[3].to_bits());
            }
        }
    }
    assert!((400..600).contains(&hidden), "{hidden} of 1,000 rows");
    let share = |part: usize, of: usize| part as f64 / of as f64;
    let all_illicit = share(all.positives(), all.len());
    assert!((share(illicit, hidden) - all_illicit).abs() < 0.08, "whichever outcome they have");
    let texts = |samples: &Samples| format!("{:?}", samples.days);
    assert_eq!(texts(&masked(Cow::Borrowed(&all), 0.5, 7)), texts(&half));
    assert_ne!(texts(&masked(Cow::Borrowed(&all), 0.5, 8)), texts(&half));
    assert!(matches!(masked(Cow::Borrowed(&all), 0.0, 7), Cow::Borrowed(_)));
    let plain = samples(5, 200, 3);
    assert!(matches!(masked(Cow::Borrowed(&plain), 0.5, 7), Cow::Borrowed(_)), "nothing asks for earlier days");
}

#[test]
fn the_settings_are_checked() {
    let config = ModelConfig::from_yaml("history: true\ntraining: {history_masked: 0.25}\n").expect("good");
    assert!(config.history && (config.training.history_masked - 0.25).abs() < 1e-12);
    let wrong = ModelConfig::from_yaml("training: {history_masked: 1.5}\n").expect_err("too much").to_string();
    assert!(wrong.contains("training.history_masked"), "{wrong}");
    let drop = "history: true\nalert_features: {drop: [\"history_*\"], add: [recipients_max_history_worst_severity]}\n";
    ModelConfig::from_yaml(drop).expect("names of the group can be left out and added");
}
