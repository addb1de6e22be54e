//! Fewer features: what is tried, and what becomes of a choice that is interrupted.

use std::cell::Cell;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use aml_miner::features::selector::{Dropped, Judged};
use aml_miner::features::{FeatureSelector, Matrix, RowKind, Schema};
use aml_miner::models::bundle::ModelKind;
use aml_miner::training::samples::{Day, Samples};
use aml_miner::training::select::{Selection, select};
use aml_miner::training::session::Session;
use aml_miner::training::shelf::models;
use aml_miner::training::split::split;
use aml_miner::training::train_scorer::train_scorer;
use aml_miner::training::watch::Watch;

use crate::training_flow::{session, write_days};
use crate::training_support::samples;

/// Says to stop in the first round of the model of this number, counted from 1.
struct StopsIn {
    model: usize,
    begun: Cell<usize>,
}

impl StopsIn {
    fn model(model: usize) -> Self {
        Self { model, begun: Cell::new(0) }
    }
}

impl Watch for StopsIn {
    fn step(&self, _: &str, _: usize, _: usize) {}

    fn round(&self, _: &str, done: usize, _: usize, _: Option<f64>) {
        self.begun.set(self.begun.get() + usize::from(done == 1));
    }

    fn note(&self, _: &str) {}

    fn stopped(&self) -> bool {
        self.begun.get() >= self.model
    }
}

/// The rows with other columns, made of the place of a row among all and its values.
fn with_columns(rows: &Samples, names: Vec<String>, of_row: impl Fn(usize, &[f64]) -> Vec<f64>) -> Samples {
    let mut place = 0;
    let day = |day: &Day| {
        let mut values = Vec::new();
        for row in 0..day.rows.len() {
            values.extend(of_row(place, day.matrix.row(row)));
            place += 1;
        }
        Day { date: day.date, matrix: Matrix::from_rows(names.len(), values), rows: day.rows.clone() }
    };
    let days = rows.days.iter().map(day).collect();
    Samples { schema: Schema { version: 1, rows: RowKind::Alert, features: names }, kinds: rows.kinds.clone(), days }
}

/// Columns that say something, with one each that follows it; ten of which one row has another value; and a constant.
const TELLING: usize = 6;
const RARE: usize = 10;

fn wide() -> Samples {
    let names = (0..TELLING).flat_map(|one| [format!("telling{one}"), format!("follower{one}")]);
    let names = names.chain((0..RARE).map(|one| format!("rare{one}"))).chain(["constant".to_owned()]);
    with_columns(&samples(80, 60, 3), names.collect(), |place, row| {
        let (a, b, noise) = (row[0], row[1], row[2]);
        let telling = [a, b, a + b, a - b, a * noise, b * noise];
        let both = telling.iter().flat_map(|value| [*value, value + 0.002 * (noise * 977.0).fract()]);
        let rare = (0..RARE).map(|one| if place == one { 1.0 } else { 0.0 });
        both.chain(rare).chain([7.0]).collect()
    })
}

fn chosen(session: &Session<'_>, rows: Samples) -> Option<Selection> {
    let split = split(rows, &session.config.split).expect("enough days");
    select(session, ModelKind::AlertScorer, &split).expect("a choice")
}

fn must_agree(selection: &Selection) {
    for Judged { name, dropped, .. } in &selection.judged {
        assert_eq!(dropped.is_none(), selection.schema.features.contains(name), "{name}: {dropped:?}");
    }
}

#[test]
fn features_that_the_first_model_never_used_are_not_tried() {
    let session = session(Path::new("none"), Path::new("none"), 1);
    let selection = chosen(&session, wide()).expect("nobody interrupts");
    let used = selection.judged.iter().filter(|one| one.importance > 0.0).count();
    assert!(used > TELLING, "followers are used too: {:?}", selection.judged);
    let largest = selection.record.tried.keys().max().copied();
    assert!(largest.is_some_and(|most| most <= TELLING), "{:?}", selection.record);
    must_agree(&selection);

    let (schema, matrix) =
        (Schema::new(RowKind::Alert, ["degree_in", "degree_out"]), Matrix::from_rows(2, vec![1.0, 2.0, 2.0, 4.0]));
    let selector = FeatureSelector { used_only: true, max_correlation: 2.0, ..FeatureSelector::default() };
    let found = selector.select(&schema, &matrix, &[0, 1], Some(&[0.0, 3.0])).expect("one is left");
    assert_eq!(found.judged[0].dropped, Some(Dropped::Unused));
    assert_eq!(found.schema.features, ["degree_out"]);
    assert_eq!(selector.select(&schema, &matrix, &[0, 1], None).expect("both are left").schema, schema);
}

#[test]
fn where_all_are_taken_none_is_called_left_out() {
    let session = session(Path::new("none"), Path::new("none"), 1);
    let names = ["signal", "second", "noise", "constant"].map(str::to_owned).to_vec();
    let rows = with_columns(&samples(80, 60, 3), names, |_, row| vec![row[0], row[1], row[2], 7.0]);
    let selection = chosen(&session, rows).expect("nobody interrupts");
    assert_eq!((selection.record.features, selection.record.tried.len()), (4, 0), "too few to try fewer");
    must_agree(&selection);
}

#[test]
fn a_try_that_was_interrupted_chooses_nothing() {
    let in_model = |model: usize| {
        let watch = StopsIn::model(model);
        let session = Session { watch: &watch, ..session(Path::new("none"), Path::new("none"), 1) };
        chosen(&session, wide())
    };
    let whole = chosen(&session(Path::new("none"), Path::new("none"), 1), wide()).expect("nobody interrupts");
    assert_eq!(in_model(1), None);
    assert_eq!(in_model(2), None);
    if whole.record.tried.len() > 1 {
        let part = in_model(3).expect("one smaller set was tried to its end").record;
        assert_eq!((part.all, part.tried.len()), (whole.record.all, 1));
    }

    let room = tempfile::tempdir().expect("a directory");
    let (data, output) = (room.path().join("data"), room.path().join("models"));
    write_days(&data, 64);
    let watch = StopsIn::model(2);
    let mut session = Session { watch: &watch, ..session(&data, &output, 1) };
    session.config.training.select = true;
    let trained = train_scorer(&session).expect("what is done is kept");
    assert!(trained.record.interrupted && trained.record.selected.is_none(), "{:?}", trained.record.selected);
    let kept = models(&output, None).expect("a model").remove(0);
    assert_eq!(kept.entry.schema, session.schema(ModelKind::AlertScorer), "all features stay");
}

#[test]
fn a_choice_that_is_interrupted_writes_nothing() {
    let room = tempfile::tempdir().expect("a directory");
    let room = room.path();
    write_days(&room.join("data"), 64);
    let config = "split: {validation_share: 0.1, test_share: 0.1, shared_addresses: both}\n\
                  boosting: {rounds: 20000, early_stopping: 0, learning_rate: 0.001}\n";
    std::fs::write(room.join("config.yaml"), config).expect("a configuration");
    let mut command = Command::new(env!("CARGO_BIN_EXE_aml-miner-train"));
    command.args([
        "select",
        "--data-dir",
        "data",
        "--output",
        "fewer.yaml",
        "--config",
        "config.yaml",
        "--threads",
        "1",
    ]);
    let mut trainer =
        command.current_dir(room).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it starts");
    let mut said = BufReader::new(trainer.stderr.take().expect("piped")).lines();
    let line = said.find(|line| line.as_ref().is_ok_and(|line| line.contains(" features 1/")));
    assert!(line.is_some(), "the first model begins");
    let told = Command::new("kill").args(["-INT", &trainer.id().to_string()]).status().expect("kill is there");
    assert!(told.success());
    let rest: Vec<String> = said.map_while(Result::ok).collect();
    let ended = trainer.wait().expect("it ends");
    assert_eq!(ended.code(), Some(130), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("nothing was chosen yet")), "{rest:?}");
    assert!(!room.join("fewer.yaml").exists());
}
