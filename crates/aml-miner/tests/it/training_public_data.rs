//! Training quality on public labelled data, against baselines measured with LightGBM's Python package.
//!
//! The data lies beside the project (see `docs/training_guide.md`); without it these tests say so and pass.

use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use aml_miner::features::{Matrix, RowKind, Schema};
use aml_miner::metrics::{average_precision, brier, roc_auc};
use aml_miner::models::bundle::CodeBook;
use aml_miner::training::boost::{Measured, Task, grow};
use aml_miner::training::config::Boosting;
use aml_miner::training::fit::raw_scores;
use aml_miner::training::samples::{Day, Row, Samples, Target, Targets};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::frame_kit::Frame;

/// Splits of the wallets; the baseline's spread is over five.
const SPLITS: u64 = 2;

/// What the baselines were measured with: LightGBM's own defaults.
fn library_defaults() -> Boosting {
    Boosting {
        learning_rate: 0.1,
        feature_fraction: 1.0,
        bagging_fraction: 1.0,
        bagging_freq: 0,
        rounds: 100,
        early_stopping: 0,
        ..Boosting::default()
    }
}

fn shared(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("AML_SHARED").map_or_else(beside, PathBuf::from);
    let path = root.join("data").join(name);
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

fn samples(columns: usize, rows: Vec<(Vec<f64>, bool)>) -> Samples {
    let (values, labels): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    let row = |illicit: bool| Row {
        id: String::new(),
        addresses: Box::default(),
        illicit,
        relevance: 0,
        known_at: 0,
        baseline: 0.0,
        kind: 0,
    };
    let matrix = Matrix::from_rows(columns, values.concat());
    Samples {
        schema: Schema {
            version: 1,
            rows: RowKind::Alert,
            features: (0..columns).map(|column| format!("f{column}")).collect(),
        },
        kinds: vec!["all".into()],
        days: vec![Day { date: 0, matrix, rows: labels.into_iter().map(row).collect() }],
    }
}

/// Trains on one set, gives the probabilities of the other.
fn probabilities(train: &Samples, test: &Samples, boosting: &Boosting, seed: u64) -> Vec<f64> {
    let targets = Targets::new(train, Target::Illicit, 1.0);
    let task = Task {
        parameters: boosting.parameters("binary", seed, 2),
        features: &train.schema.features,
        rounds: boosting.rounds as usize,
        patience: 0,
        train: Measured { rows: targets.rows(train), measure: &|_| 0.0 },
        validation: None,
    };
    let grown = grow(&task, &mut |_| ControlFlow::Continue(())).expect("LightGBM trains");
    let model = aml_miner::trees::lightgbm::parse(grown.model_text.as_bytes()).expect("a model");
    let raw = raw_scores(&aml_miner::trees::forest::Forest::new(&model), &CodeBook::default(), test);
    raw.into_iter().map(|score| 1.0 / (1.0 + (-score).exp())).collect()
}

#[test]
fn amlgentex_reaches_the_published_baseline() {
    let Some(folder) = shared("amlgentex_10k") else { return };
    let [alerts, features, labels] =
        ["alerts", "features", "labels"].map(|name| Frame::read(&folder.join(format!("{name}.parquet"))));
    assert_eq!(alerts.numbers("alert_id"), features.numbers("alert_id"), "rows are in the same order");
    assert_eq!(alerts.numbers("alert_id"), labels.numbers("alert_id"), "rows are in the same order");
    let names: Vec<String> = features.names().skip(1).map(str::to_owned).collect();
    let columns: Vec<Vec<f64>> = names.iter().map(|name| features.numbers(name)).collect();
    let (made, known, illicit) =
        (alerts.numbers("alert_step"), labels.numbers("label_known_step"), labels.numbers("is_sar"));
    let pick = |wanted: &dyn Fn(usize) -> bool| {
        let rows = (0..made.len()).filter(|&row| wanted(row));
        let row = |row: usize| (columns.iter().map(|column| column[row]).collect(), illicit[row] > 0.5);
        samples(columns.len(), rows.map(row).collect())
    };
    let (train, test) = (pick(&|row| known[row] <= 120.0), pick(&|row| made[row] > 120.0));
    let scores = probabilities(&train, &test, &library_defaults(), 0);
    let (auc, ap) = (roc_auc(&test.labels(), &scores), average_precision(&test.labels(), &scores));
    println!(
        "AMLGentex: {} / {} rows, AUC {auc:?}, AP {ap:?}, Brier {:?}",
        train.len(),
        test.len(),
        brier(&test.labels(), &scores)
    );
    assert!(auc.expect("both classes") >= 0.8838, "baseline 0.8839");
    assert!(ap.expect("both classes") >= 0.693, "baseline 0.6933");
}

#[test]
fn openaml_wallets_reach_the_measured_baseline() {
    let Some(folder) = shared("openaml_wallets") else { return };
    let mut text = String::new();
    let file = File::open(folder.join("raw.csv.gz")).expect("opens");
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("unpacks");
    let mut rows: Vec<(Vec<f64>, bool)> = text.lines().skip(1).map(wallet).collect();
    let columns = rows[0].0.len();
    assert_eq!((rows.len(), columns), (34_546, 16));
    let mut aucs = Vec::new();
    for seed in 0..SPLITS {
        rows.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let (mut train, mut test) = (Vec::new(), Vec::new());
        for class in [false, true] {
            let of_class: Vec<_> = rows.iter().filter(|row| row.1 == class).cloned().collect();
            let cut = of_class.len() * 4 / 5;
            train.extend_from_slice(&of_class[..cut]);
            test.extend_from_slice(&of_class[cut..]);
        }
        let (train, test) = (samples(columns, train), samples(columns, test));
        let scores = probabilities(&train, &test, &library_defaults(), seed);
        aucs.push(roc_auc(&test.labels(), &scores).expect("both classes"));
    }
    let mean = aucs.iter().sum::<f64>() / SPLITS as f64;
    println!("OpenAML wallets: AUC {mean:.4} over {SPLITS} splits, {aucs:.4?}");
    assert!(mean >= 0.9922 - 0.0007, "baseline 0.9922 +- 0.0007: {mean}");
}

/// `wallet_id`, sixteen numbers, `Positive` or `Negative`.
fn wallet(line: &str) -> (Vec<f64>, bool) {
    let fields: Vec<&str> = line.split(',').collect();
    let [_, values @ .., class] = fields.as_slice() else { panic!("a wallet: {line}") };
    (values.iter().map(|value| value.trim().parse().unwrap_or(f64::NAN)).collect(), class.trim() == "Positive")
}
