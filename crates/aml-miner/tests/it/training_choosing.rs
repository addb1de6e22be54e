//! Which features, and which of two models: choices that are made on rows, with figures and a verdict.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use aml_miner::features::RowKind;
use aml_miner::models::bundle::ModelKind;
use aml_miner::training::card;
use aml_miner::training::compare::{Side, Verdict, compare};
use aml_miner::training::config::{EvaluationConfig, ModelConfig};
use aml_miner::training::evaluation::Judging;
use aml_miner::training::record::TrainingRecord;
use aml_miner::training::samples::Samples;
use aml_miner::training::select::narrowed;
use aml_miner::training::session::schema;
use serde_json::Value;

use crate::training_flow::write_days;
use crate::training_support::samples;

const CONFIG: EvaluationConfig = EvaluationConfig { bootstrap: 200, calibration_bins: 10 };

fn judging() -> Judging<'static> {
    Judging { config: &CONFIG, seed: 7 }
}

fn column(samples: &Samples, column: usize) -> Vec<f64> {
    let rows = samples.days.iter().flat_map(|day| (0..day.rows.len()).map(|row| day.matrix.row(row)));
    rows.map(|row| row[column]).collect()
}

fn side<'a>(name: &str, samples: &'a Samples, answers: Vec<f64>) -> Side<'a> {
    Side { name: name.to_owned(), samples, answers }
}

#[test]
fn the_better_model_is_named_and_the_same_model_is_no_better_than_itself() {
    let rows = samples(10, 80, 1);
    let [good, noise] = [0, 2].map(|place| column(&rows, place));
    let both = |one: &[f64], two: &[f64]| {
        let sides = [side("one", &rows, one.to_vec()), side("two", &rows, two.to_vec())];
        compare(ModelKind::AlertScorer, sides, judging()).expect("the same rows")
    };
    let better = both(&good, &noise);
    assert_eq!(better.verdict, Verdict::First, "{}", better.sentence());
    assert!(better.sentence().contains("one is better than two (roc_auc 0."), "{}", better.sentence());
    let auc = &better.metrics["roc_auc"];
    let within = auc.interval.expect("an interval");
    assert!(within.low > 0.0 && within.low <= auc.difference && auc.difference <= within.high, "{auc:?}");
    assert_eq!(both(&noise, &good).verdict, Verdict::Second);

    let same = both(&good, &good);
    assert_eq!(same.verdict, Verdict::Open);
    for (name, found) in &same.metrics {
        let within = found.interval.expect("an interval");
        assert_eq!((found.difference, within.low, within.high), (0.0, 0.0, 0.0), "{name}: both are drawn together");
    }
    assert!(same.sentence().contains("do not tell"), "{}", same.sentence());
}

#[test]
fn models_are_compared_on_the_same_rows_alone() {
    let (rows, mut others) = (samples(4, 40, 1), samples(4, 40, 1));
    others.days[1].rows[2].id = "another".to_owned();
    let answers = || column(&rows, 0);
    let sides = [side("one", &rows, answers()), side("two", &others, answers())];
    let error = compare(ModelKind::AlertScorer, sides, judging()).expect_err("another row");
    assert!(error.to_string().contains("another"), "{error}");
    let fewer = samples(3, 40, 1);
    let sides = [side("one", &rows, answers()), side("two", &fewer, column(&fewer, 0))];
    assert!(compare(ModelKind::AlertScorer, sides, judging()).is_err());
}

#[test]
fn columns_are_taken_by_name() {
    let all = samples(3, 5, 1);
    let mut wanted = all.schema.clone();
    wanted.features = vec!["noise".to_owned(), "signal".to_owned()];
    let fewer = narrowed(&all, &wanted).expect("both are there");
    assert_eq!((column(&fewer, 0), column(&fewer, 1)), (column(&all, 2), column(&all, 0)));
    assert_eq!(fewer.days[1].rows, all.days[1].rows);
    wanted.features.push("absent".to_owned());
    assert!(narrowed(&all, &wanted).is_none());
}

/// A configuration for short days; what is said of the features and of training comes first.
fn config(more: &str) -> String {
    format!(
        "{more}\nsplit: {{embargo_days: 21, validation_share: 0.1, test_share: 0.1, shared_addresses: both}}\n\
         boosting: {{rounds: 12, early_stopping: 5, min_data_in_leaf: 3}}\nevaluation: {{bootstrap: 20}}\n"
    )
}

fn run(words: &[&str], room: &Path, config: &str) -> Output {
    let file = room.join("config.yaml");
    std::fs::write(&file, config).expect("a configuration");
    let mut command = Command::new(env!("CARGO_BIN_EXE_aml-miner-train"));
    command.args(words).arg("--config").arg(file).args(["--threads", "1"]).current_dir(room);
    command.env("SOURCE_DATE_EPOCH", "1767225600").output().expect("the trainer starts")
}

fn must(words: &[&str], room: &Path, config: &str) -> String {
    let output = run(words, room, config);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{words:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
}

/// Of the models in `whole` one was made months later then, and a record of another got damaged.
fn a_card_names_the_newest_and_tells_records_that_cannot_be_read(room: &Path) {
    let metadata = room.join("whole/model_metadata.json");
    let text = std::fs::read_to_string(&metadata).expect("entries");
    let (before, clusters) = text.split_once("\"cluster_scorer_v1.0.0.txt\": {").expect("an entry");
    let made = "\"created_at\": \"2026-";
    let later = clusters.replacen(&format!("{made}01"), &format!("{made}04"), 1);
    assert_ne!(later, clusters);
    std::fs::create_dir(room.join("later")).expect("a directory");
    for entry in std::fs::read_dir(room.join("whole")).expect("models").map(|entry| entry.expect("a file")) {
        std::fs::copy(entry.path(), room.join("later").join(entry.file_name())).expect("copied");
    }
    let later = format!("{before}\"cluster_scorer_v1.0.0.txt\": {{{later}");
    std::fs::write(room.join("later/model_metadata.json"), later).expect("entries");
    std::fs::write(room.join("later/alert_ranker_v1.0.0.training.json"), "{").expect("a record");
    std::fs::remove_file(room.join("later/cluster_scorer_v1.0.0.training.json")).expect("a record");
    let card = std::fs::read_to_string(card::write(&room.join("later"), "1.0.0").expect("a card")).expect("its text");
    assert!(card.contains("Made 2026-04-01T"), "{card}");
    assert_eq!(card.matches("cannot be read").count(), 1, "{card}");
    assert_eq!(card.matches("nothing was measured").count(), 1, "{card}");
}

#[test]
fn all_takes_fewer_features_where_they_do_better_and_says_both_figures_on_its_card() {
    let room = tempfile::tempdir().expect("a directory");
    let room = room.path();
    write_days(&room.join("data"), 70);
    let plain = config("");
    let said = must(&["all", "--data-dir", "data", "--end-date", "2025-11-03", "--output", "whole"], room, &plain);
    assert!(said.contains("fitted once more on"), "{said}");
    must(
        &["all", "--data-dir", "data", "--end-date", "2025-11-03", "--output", "fewer"],
        room,
        &config("training: {select: true}"),
    );

    let card = std::fs::read_to_string(room.join("whole/model_card_v1.0.0.md")).expect("a card");
    for part in [
        "## Alert scorer",
        "## Alert ranker",
        "## Cluster scorer",
        "| fitted once more | 95 % |",
        "| roc_auc |",
        "It has seen the test period",
    ] {
        assert!(card.contains(part), "{part}: {card}");
    }
    let record = TrainingRecord::load(&room.join("fewer/alert_scorer_v1.0.0.txt")).expect("a record");
    let selected = record.selected.expect("features were selected");
    let tried = selected.tried.values().copied().fold(selected.all, f64::max);
    let taken = if selected.features == selected.of { selected.all } else { selected.tried[&selected.features] };
    assert!((taken - tried).abs() < f64::EPSILON, "the best on the validation period is taken: {selected:?}");
    let card = std::fs::read_to_string(room.join("fewer/model_card_v1.0.0.md")).expect("a card");
    assert!(card.contains("on the validation period"), "{card}");

    a_card_names_the_newest_and_tells_records_that_cannot_be_read(room);

    // Days after both: the first lines of the answer and of the page are the verdict.
    let later = ["--data-dir", "data", "--start-date", "2025-11-04"];
    let said = must(
        &[&["evaluate", "--models", "whole", "--against", "fewer", "--output", "figures.json"], &later[..]].concat(),
        room,
        &plain,
    );
    assert!(said.starts_with("alert_scorer: "), "{said}");
    let figures = json(&room.join("figures.json"));
    assert_eq!(figures["comparison"].as_array().expect("comparisons").len(), 3);
    assert!(figures["alert_scorer"]["metrics"]["roc_auc"]["value"].is_f64());
    must(&[&["report", "--compare", "whole", "fewer", "--output", "report.html"], &later[..]].concat(), room, &plain);
    let page = std::fs::read_to_string(room.join("report.html")).expect("a page");
    let (verdict, models) = (page.find("Which is better").expect("a verdict"), page.find("ROC").expect("plots"));
    assert!(verdict < models && page.matches("<section>").count() == 7, "two models of three kinds and the verdict");
    let report = json(&room.join("report.json"));
    assert_eq!(report["comparison"][0]["metrics"], figures["comparison"][0]["metrics"]);
    // Neither without models nor with both.
    assert_eq!(run(&[&["report", "--output", "no.html"], &later[..]].concat(), room, &plain).status.code(), Some(2));
}

#[test]
fn the_choice_of_features_is_a_configuration() {
    let room = tempfile::tempdir().expect("a directory");
    let room = room.path();
    write_days(&room.join("data"), 64);
    let given = config("alert_features: {drop: [\"flow_*\"], add: [log_volume_usd], categorical: [peak_hour]}");
    let said = must(&["select", "--data-dir", "data", "--output", "fewer.yaml"], room, &given);
    assert!(said.contains("on the validation period") && said.contains("taken"), "{said}");
    let text = std::fs::read_to_string(room.join("fewer.yaml")).expect("a choice");
    let chosen = ModelConfig::from_yaml(&text).expect("a configuration");
    let names = |config: &ModelConfig| schema(RowKind::Alert, config).features.into_iter().collect::<BTreeSet<_>>();
    let (before, after) = (names(&ModelConfig::from_yaml(&given).expect("right")), names(&chosen));
    assert!(after.is_subset(&before), "{:?}", after.difference(&before).collect::<Vec<_>>());
    let told: Vec<(&str, bool)> = said
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.nth(2)? == "taken"))
        })
        .filter(|(name, _)| before.contains(*name))
        .collect();
    assert_eq!(told.len(), before.len().min(40), "{said}");
    for (name, taken) in told {
        assert_eq!(after.contains(name), taken, "{name}: {said}");
    }
    let sentence = said.lines().find(|line| line.contains("on the validation period")).expect("the outcome");
    let outcome = sentence.rsplit("; ").next().expect("a part");
    match outcome.strip_suffix(" are taken") {
        Some(number) => assert_eq!(number.parse(), Ok(after.len()), "{sentence}"),
        None => assert_eq!((outcome, &after), ("no smaller set does better: all are taken", &before)),
    }
    assert!(!room.join("model_metadata.json").exists(), "choosing writes no model");
}
