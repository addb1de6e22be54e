//! From batch directories to shipped models, through the front door: train all, load, measure, report, tune, resume.

use std::path::Path;
use std::time::Duration;

use aml_miner::clock::FixedClock;
use aml_miner::data::inspect::inspect;
use aml_miner::data::{BatchDir, WriteOptions, write_batch};
use aml_miner::models::TreeModel;
use aml_miner::models::bundle::{METADATA_FILE, ModelKind};
use aml_miner::synth::{Day, SynthConfig, generate};
use aml_miner::training::assemble::{AssembleError, Range, alerts};
use aml_miner::training::config::{Boosting, ModelConfig, Refit, SharedAddresses};
use aml_miner::training::evaluation::Judging;
use aml_miner::training::hyperparameter_tuner::{Search, StudyError, TuneError, best_as_yaml, tune};
use aml_miner::training::record::TrainingRecord;
use aml_miner::training::report::{html, model_report};
use aml_miner::training::session::{Session, TrainError};
use aml_miner::training::shelf::models;
use aml_miner::training::train_cluster_scorer::{train_cluster_scorer, train_cluster_scorer_with};
use aml_miner::training::train_ranker::train_ranker_on;
use aml_miner::training::train_scorer::{train_scorer, train_scorer_on};
use aml_miner::training::watch::Silent;
use aml_miner::wire::spec::LABELS;
use aml_miner::wire::{Column, Table};

const CLOCK: FixedClock = FixedClock(Duration::from_secs(1_767_225_600));

/// `days` small batches with labels.
pub(crate) fn write_days(directory: &Path, days: u32) {
    let config = SynthConfig { days, alerts: 40, addresses: 200, label_noise: 0.0, ..SynthConfig::default() };
    for day in generate(&config).expect("a right configuration") {
        write_day(directory, &day, Some(&day.labels));
    }
}

/// The same days with other outcomes.
pub(crate) fn change_labels(directory: &Path, days: u32, change: &dyn Fn(&mut Table)) {
    let config = SynthConfig { days, alerts: 40, addresses: 200, label_noise: 0.0, ..SynthConfig::default() };
    for day in generate(&config).expect("a right configuration") {
        let mut labels = day.labels.clone();
        change(&mut labels);
        write_day(directory, &day, Some(&labels));
    }
}

fn write_day(directory: &Path, day: &Day, labels: Option<&Table>) {
    let options = WriteOptions {
        processing_date: day.date,
        window_days: 7,
        network: "synthetic",
        created_at: "2026-01-01T00:00:00Z",
        publisher: None,
        replace: true,
    };
    write_batch(&directory.join(day.date.to_string()), &day.batch, labels, &options).expect("a batch is written");
}

pub(crate) fn session<'a>(data: &Path, output: &Path, threads: usize) -> Session<'a> {
    let boosting = Boosting { rounds: 30, early_stopping: 10, min_data_in_leaf: 10, ..Boosting::default() };
    let mut config = ModelConfig {
        scorer: boosting.clone(),
        ranker: boosting.clone(),
        clusters: Boosting { min_data_in_leaf: 3, ..boosting },
        ..ModelConfig::default()
    };
    config.split.shared_addresses = SharedAddresses::Both;
    config.training.refit = Refit::None;
    config.split.test_share = 0.1;
    config.split.validation_share = 0.1;
    config.evaluation.bootstrap = 20;
    config.tuning.startup_trials = 2;
    config.tuning.folds = 2;
    let range = Range { data_dir: data.to_owned(), start: None, end: None, history: None };
    Session { range, output: output.to_owned(), config, threads, watch: &Silent, clock: &CLOCK }
}

#[test]
fn all_three_models_are_trained_loaded_measured_and_the_same_again() {
    let room = tempfile::tempdir().expect("a directory");
    let data = room.path().join("data");
    write_days(&data, 64);
    let (one, two) = (room.path().join("one"), room.path().join("two"));
    let first = session(&data, &one, 1);
    let rows = alerts(&first.range, &first.schema(ModelKind::AlertScorer), &Silent).expect("labelled alerts");
    let trained = [
        train_scorer_on(&first, &rows).expect("the scorer is trained"),
        train_ranker_on(&first, &rows).expect("the ranker is trained"),
        train_cluster_scorer_with(&first, &rows).expect("the cluster scorer is trained"),
    ];
    let second = session(&data, &two, 2);
    let again = [train_scorer_on(&second, &rows), train_ranker_on(&second, &rows)];
    for (once, twice) in trained.iter().zip(again) {
        let twice = twice.expect("trained again on two threads");
        assert_eq!(once.record, twice.record);
        let bytes = |path: &Path| std::fs::read(path).expect("a model");
        assert_eq!(bytes(&once.model), bytes(&twice.model), "the threads change no byte");
    }
    let kinds = [ModelKind::AlertScorer, ModelKind::AlertRanker, ModelKind::ClusterScorer];
    for (trained, kind) in trained.iter().zip(kinds) {
        TreeModel::load(&trained.model, kind).expect("loads");
    }
    let scorer = &trained[0].record;
    assert!(scorer.test.value("roc_auc") > Some(0.55), "{:?}", scorer.test.metrics);
    assert_eq!(TrainingRecord::load(&trained[0].model).expect("the record loads"), *scorer);

    let shelf = models(&one, None).expect("three models");
    assert_eq!(shelf.len(), 3);
    let test = scorer.periods.get("test").expect("a test period");
    let range = Range { start: Some(test.first.parse().expect("a date")), ..first.range.clone() };
    let reports: Vec<_> = shelf
        .iter()
        .map(|model| {
            let samples = model.rows(&range, &shelf, &Silent).expect("rows").samples;
            let file = std::fs::read(&model.path).expect("a model");
            model_report(model, &file, &samples, Judging { config: &first.config.evaluation, seed: 42 })
        })
        .collect();
    assert_eq!(reports[0].evaluation.value("roc_auc"), scorer.test.value("roc_auc"), "the test period is found again");
    assert!(!reports[0].shap.is_empty() && !reports[0].importance.is_empty() && !reports[0].drift.is_empty());
    let page = html(&reports).expect("a page");
    for part in ["ROC", "Reliability", "Learning curve", "SHAP summary", "Drift", "</html>"] {
        assert!(page.contains(part), "{part}");
    }
    for outside in ["http://", "https://", "src=", "<script", "@import", "url("] {
        let page = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!page.contains(outside), "the page is self-contained: {outside}");
    }
}

#[test]
fn the_cluster_scorer_needs_the_alert_scorer_first() {
    let room = tempfile::tempdir().expect("a directory");
    write_days(room.path(), 12);
    let session = session(room.path(), &room.path().join("models"), 1);
    assert!(matches!(train_cluster_scorer(&session), Err(TrainError::NoScorer(_))));
}

#[test]
fn without_labels_or_batches_the_message_says_so() {
    let room = tempfile::tempdir().expect("a directory");
    let session = session(room.path(), room.path(), 1);
    assert!(matches!(train_scorer(&session), Err(TrainError::Assemble(AssembleError::NoBatches { .. }))));
    let day = generate(&SynthConfig { alerts: 20, addresses: 200, ..SynthConfig::default() }).expect("right").next();
    let day = day.expect("one day");
    write_day(room.path(), &day, None);
    let error = train_scorer(&session).expect_err("no labels");
    assert!(error.to_string().contains("none of the 1 batches has a usable label"), "{error}");
}

#[test]
fn a_search_that_was_interrupted_continues_as_if_it_had_not_been() {
    let room = tempfile::tempdir().expect("a directory");
    let data = room.path().join("data");
    write_days(&data, 34);
    let mut session = session(&data, room.path(), 1);
    session.config.split.embargo_days = 7;
    let rows = alerts(&session.range, &session.schema(ModelKind::AlertScorer), &Silent).expect("labelled alerts");
    let settings = session.settings(ModelKind::AlertScorer);
    let (whole, parts) = (room.path().join("whole.jsonl"), room.path().join("parts.jsonl"));
    let best = tune(&session, settings, &rows, Search { study: &whole, trials: 4 }).expect("a search");
    tune(&session, settings, &rows, Search { study: &parts, trials: 2 }).expect("its first half");
    let continued = tune(&session, settings, &rows, Search { study: &parts, trials: 4 }).expect("its second half");
    assert_eq!(best, continued);
    let read = |path: &Path| std::fs::read_to_string(path).expect("a study");
    assert_eq!(read(&whole), read(&parts));
    assert_eq!(read(&whole).lines().count(), 5, "a header and four trials");

    let yaml = best_as_yaml("scorer", &best).expect("YAML");
    assert_eq!(ModelConfig::from_yaml(&yaml).expect("a configuration").scorer, best.boosting);

    let mut other = self::session(&data, room.path(), 1);
    other.config.split.embargo_days = 7;
    other.config.seed = 7;
    let error = tune(&other, other.settings(ModelKind::AlertScorer), &rows, Search { study: &whole, trials: 5 })
        .expect_err("another seed");
    assert!(matches!(error, TuneError::Study(StudyError::Other { what: "seed", .. })), "{error}");
    std::fs::write(&whole, read(&whole).replace("\"value\"", "\"valeu\"")).expect("damaged");
    let error = tune(&session, settings, &rows, Search { study: &whole, trials: 5 }).expect_err("a damaged study");
    assert!(error.to_string().starts_with("line 2 of the study"), "{error}");
    assert!(!room.path().join(METADATA_FILE).exists(), "tuning writes no model");
}

#[test]
fn a_label_counts_when_the_day_of_its_batch_is_over() {
    let room = tempfile::tempdir().expect("a directory");
    let day = generate(&SynthConfig { alerts: 20, addresses: 200, ..SynthConfig::default() }).expect("right").next();
    let day = day.expect("one day");
    let midnight = f64::from(day.date.to_epoch_days()) * 86_400_000.0;
    let position = LABELS.position("confirmed_at").expect("a column");
    let session = session(room.path(), room.path(), 1);
    for (after, usable) in [(0.0, false), (43_200_000.0, false), (86_399_999.0, false), (86_400_000.0, true)] {
        let mut labels = day.labels.clone();
        labels.set_column(position, Some(Column::Numbers(vec![midnight + after; labels.rows()])));
        write_day(room.path(), &day, Some(&labels));
        let early = if usable { 0 } else { labels.rows() };
        let read = alerts(&session.range, &session.schema(ModelKind::AlertScorer), &Silent);
        match read {
            Ok(read) => assert_eq!((usable, read.summary.labelled), (true, labels.rows()), "{after} ms"),
            Err(error) => assert!(!usable && matches!(error, AssembleError::NoLabels { .. }), "{after} ms: {error}"),
        }
        let loaded = BatchDir::open(room.path().join(day.date.to_string())).and_then(|found| found.load());
        let inspected = inspect(&loaded.expect("loads")).labels.expect("labels");
        assert_eq!(inspected.known_too_early, early, "inspect and training agree, {after} ms");
    }
}
