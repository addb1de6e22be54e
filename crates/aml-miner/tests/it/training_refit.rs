//! Fitted once more on everything known: what is learnt from, what is measured, and that nothing of the future is in it.

use std::path::Path;

use aml_miner::models::TreeModel;
use aml_miner::models::bundle::{Metadata, ModelKind};
use aml_miner::training::assemble::Range;
use aml_miner::training::config::{Refit, Returning};
use aml_miner::training::evaluation::Judging;
use aml_miner::training::record::TrainingRecord;
use aml_miner::training::refit::known;
use aml_miner::training::returning::{learnt, weights};
use aml_miner::training::samples::DAY_MS;
use aml_miner::training::session::Session;
use aml_miner::training::shelf::models;
use aml_miner::training::train_scorer::train_scorer;
use aml_miner::training::watch::Silent;
use aml_miner::wire::spec::LABELS;
use aml_miner::wire::{Column, Table};

use crate::training_flow::{change_labels, session, write_days};
use crate::training_support::{FIRST_DAY, samples};

fn refitting<'a>(data: &Path, output: &Path) -> Session<'a> {
    let mut session = session(data, output, 1);
    session.config.training.refit = Refit::Known;
    session
}

fn model_bytes(session: &Session<'_>) -> Vec<u8> {
    std::fs::read(session.model_path(ModelKind::AlertScorer)).expect("a model")
}

#[test]
fn what_was_not_known_when_a_day_began_is_not_learnt_from() {
    let mut all = samples(40, 30, 1);
    all.days[0].rows[3].known_at = i64::from(FIRST_DAY + 35) * DAY_MS;
    all.days[0].rows[4].known_at = i64::from(FIRST_DAY + 30) * DAY_MS - 1;
    let (rows, left_out) = known(&all, FIRST_DAY + 30);
    assert!(rows.rows().all(|row| row.known_at < i64::from(FIRST_DAY + 30) * DAY_MS));
    assert_eq!(rows.period(), Some((FIRST_DAY, FIRST_DAY + 22)), "outcomes come after a week");
    // Days 23 to 29 whole, and the late row of the first day.
    assert_eq!(left_out, 7 * 30 + 1);
    assert_eq!(rows.len(), 23 * 30 - 1);
    assert_eq!(all.days[0].rows.len() - rows.days[0].rows.len(), 1);
}

#[test]
fn the_model_that_is_kept_learnt_from_everything_known_and_the_figures_are_of_days_it_had_not_seen() {
    let room = tempfile::tempdir().expect("a directory");
    let (data, output) = (room.path().join("data"), room.path().join("models"));
    write_days(&data, 64);
    let session = refitting(&data, &output);
    let trained = train_scorer(&session).expect("a scorer");
    let refit = trained.record.refit.as_ref().expect("fitted once more");
    let train = &trained.record.periods["train"];
    assert!(refit.rows > 2 * train.rows && refit.rounds > trained.record.rounds, "{refit:?}");
    assert!(refit.judged.rows < refit.rows && refit.judged.known_by == trained.record.periods["test"].first);
    let entry = Metadata::load(&output).expect("metadata").models["alert_scorer_v1.0.0.txt"].clone();
    let training = entry.training.expect("trained here");
    assert_eq!(training.rows, refit.rows as u64);
    assert_eq!(training.parameters["num_iterations"], refit.rounds);
    TreeModel::load(&trained.model, ModelKind::AlertScorer).expect("loads");

    // The test period is measured with the model that stands in, days of training with a warning.
    let shelf = models(&output, None).expect("a shelf");
    let judging = Judging { config: &session.config.evaluation, seed: session.config.seed };
    let on = |first: &str, last: &str| {
        let days = |text: &str| Some(text.parse().expect("a date"));
        let range = Range { data_dir: data.clone(), start: days(first), end: days(last), history: None };
        shelf[0].judge(&shelf[0].rows(&range, &shelf, &Silent).expect("rows").samples, judging)
    };
    let test = &trained.record.periods["test"];
    let measured = on(&test.first, &test.last);
    assert_eq!(measured.metrics, refit.judged.test.metrics);
    assert!(measured.warnings.iter().any(|warning| warning.contains("learnt from days up to")), "{measured:?}");
    assert!(!measured.warnings.iter().any(|warning| warning.contains("too good")), "{:?}", measured.warnings);
    let seen = on(&train.first, &train.last);
    assert!(seen.warnings[0].contains("too good to be true"), "{:?}", seen.warnings);

    // A stand-in that was changed stands in no more.
    let beside = TrainingRecord::judged_path(&trained.model);
    let mut text = std::fs::read(&beside).expect("the model that was judged");
    text.push(b'\n');
    std::fs::write(&beside, text).expect("writable");
    let shelf = models(&output, None).expect("a shelf");
    let range =
        Range { data_dir: data.clone(), start: Some(test.first.parse().expect("a date")), end: None, history: None };
    let alone = shelf[0].judge(&shelf[0].rows(&range, &shelf, &Silent).expect("rows").samples, judging);
    assert!(alone.metrics != refit.judged.test.metrics, "the model that is kept answers itself");
    assert!(!alone.warnings.iter().any(|warning| warning.contains("learnt from days up to")), "{:?}", alone.warnings);

    let mut once = refitting(&data, &output);
    once.config.training.refit = Refit::None;
    assert!(train_scorer(&once).expect("a scorer").record.refit.is_none());
    assert!(!beside.exists(), "nothing of the model before is left");
}

#[test]
fn rows_of_the_future_change_no_byte() {
    let room = tempfile::tempdir().expect("a directory");
    let (short, long) = (room.path().join("short"), room.path().join("long"));
    write_days(&short, 60);
    write_days(&long, 66);
    let alone = refitting(&short, &room.path().join("one"));
    train_scorer(&alone).expect("a scorer");
    let mut among = refitting(&long, &room.path().join("two"));
    let last = std::fs::read_dir(&short).expect("days").map(|day| day.expect("a day").file_name()).max().expect("days");
    among.range.end = Some(last.to_str().expect("a date").parse().expect("a date"));
    train_scorer(&among).expect("a scorer");
    assert_eq!(model_bytes(&alone), model_bytes(&among));

    // Outcomes that were not known on the last day may say anything.
    let end = f64::from(among.range.end.expect("a date").to_epoch_days() + 1) * 86_400_000.0;
    let turned = |labels: &mut Table| turn_late(labels, end);
    change_labels(&short, 60, &turned);
    let turned = refitting(&short, &room.path().join("three"));
    let trained = train_scorer(&turned).expect("a scorer");
    // Figures of the test period know them; the model does not.
    assert_eq!(model_bytes(&alone), model_bytes(&turned));
    assert!(trained.record.refit.expect("fitted once more").not_known > 0);
}

/// Turns every outcome round that became known at `end` or later.
fn turn_late(labels: &mut Table, end: f64) {
    let known = labels.numbers("confirmed_at").expect("a column").to_vec();
    let illicit = labels.numbers("confirmed_illicit").expect("a column").iter().zip(&known);
    let turned = illicit.map(|(illicit, known)| if *known >= end { 1.0 - illicit } else { *illicit }).collect();
    labels.set_column(LABELS.position("confirmed_illicit").expect("a column"), Some(Column::Numbers(turned)));
}

#[test]
fn outcomes_that_are_shuffled_within_their_days_teach_nothing() {
    let room = tempfile::tempdir().expect("a directory");
    let data = room.path().join("data");
    write_days(&data, 64);
    change_labels(&data, 64, &|labels| {
        // A turn by a third of the day is a shuffle that needs no dice: alerts are in the order of their accounts.
        let illicit = labels.numbers("confirmed_illicit").expect("a column").to_vec();
        let rows = illicit.len();
        let moved = (0..rows).map(|row| illicit[(row + rows / 3) % rows]).collect();
        labels.set_column(LABELS.position("confirmed_illicit").expect("a column"), Some(Column::Numbers(moved)));
    });
    let session = refitting(&data, &room.path().join("models"));
    let record = train_scorer(&session).expect("a scorer").record;
    let refit = record.refit.as_ref().expect("fitted once more");
    for evaluation in [&record.test, &refit.judged.test] {
        let auc = evaluation.value("roc_auc").expect("both classes");
        assert!((auc - 0.5).abs() < 0.15, "240 rows are within 0.15 of chance: {auc}");
    }
}

#[test]
fn an_address_that_comes_again_counts_as_it_is_told() {
    let mut all = samples(3, 4, 5);
    for day in &mut all.days {
        day.rows[0].addresses = Box::new([7]);
    }
    all.days[2].rows[1].addresses = Box::new([7]);
    assert_eq!(learnt(&all, Returning::Keep).len(), 12);
    let last = learnt(&all, Returning::Last);
    assert_eq!(last.len(), 10, "both rows of its last day stay");
    assert!(last.days[..2].iter().flat_map(|day| &day.rows).all(|row| *row.addresses != [7]));
    let weights = weights(&all);
    let mean = weights.iter().sum::<f32>() / 12.0;
    assert!((mean - 1.0).abs() < 1e-6, "{mean}");
    let of = |row: usize| weights[row];
    assert!((of(0) * 4.0 - of(1)).abs() < 1e-6, "four rows weigh as much as one of another address: {weights:?}");
    assert!((of(0) - of(9)).abs() < 1e-6);
}

#[test]
fn every_treatment_of_addresses_trains() {
    let room = tempfile::tempdir().expect("a directory");
    let data = room.path().join("data");
    write_days(&data, 64);
    let mut texts = Vec::new();
    for (name, returning) in [("keep", Returning::Keep), ("last", Returning::Last), ("weight", Returning::Weight)] {
        let mut session = refitting(&data, &room.path().join(name));
        session.config.training.returning_addresses = returning;
        let record = train_scorer(&session).expect("a scorer").record;
        let refit = record.refit.expect("fitted once more");
        texts.push((refit.rows, model_bytes(&session)));
    }
    assert!(
        texts[1].0 < texts[0].0 && texts[2].0 == texts[0].0,
        "{:?}",
        texts.iter().map(|one| one.0).collect::<Vec<_>>()
    );
    assert!(texts[0].1 != texts[1].1 && texts[0].1 != texts[2].1 && texts[1].1 != texts[2].1);
}
