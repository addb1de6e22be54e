//! An inspection shows what somebody should know before training on a batch.

use aml_miner::data::inspect::inspect;
use aml_miner::data::{BatchDir, write_batch};
use aml_miner::wire::spec::{ALERTS, FEATURES, LABELS};
use aml_miner::wire::{Batch, Column, Table};
use proptest::prelude::*;

use crate::batch_kit::{Written, options, table};

/// `count` alerts on addresses of their own; alert `i` is illicit, and lacks its degree, as the functions say.
fn batch(count: usize, illicit: impl Fn(usize) -> bool, missing: impl Fn(usize) -> bool) -> (Batch, Table) {
    let names = |prefix: &str| {
        let names: Vec<String> = (0..count).map(|row| format!("{prefix}{row}")).collect();
        Column::Texts(names.iter().map(String::as_str).collect())
    };
    let degree = |row| if missing(row) { f64::NAN } else { row as f64 };
    let flags = (0..count).map(|row| f64::from(u8::from(illicit(row)))).collect();
    let mut batch = Batch::empty();
    batch.alerts = table(&ALERTS, count, [("alert_id", names("a")), ("address", names("x"))]);
    let degrees = Column::Numbers((0..count).map(degree).collect());
    batch.features = table(&FEATURES, count, [("address", names("x")), ("degree_in", degrees)]);
    let known = Column::Numbers(vec![1_762_000_000_000.0; count]);
    let columns = [("alert_id", names("a")), ("confirmed_illicit", Column::Numbers(flags)), ("confirmed_at", known)];
    (batch, table(&LABELS, count, columns))
}

fn inspected(batch: &Batch, labels: &Table) -> aml_miner::data::inspect::Inspection {
    let root = tempfile::tempdir().expect("a temporary directory");
    let target = root.path().join("batch");
    write_batch(&target, batch, Some(labels), &options()).expect("a good batch");
    inspect(&BatchDir::open(&target).and_then(|directory| directory.load()).expect("what was written"))
}

#[test]
fn a_column_that_is_missing_for_one_class_is_pointed_out() {
    let (batch, labels) = batch(200, |row| row % 4 == 0, |row| row % 4 == 0);
    let found = inspected(&batch, &labels);
    let labels = found.labels.expect("labels");
    assert_eq!(labels.illicit_rate, Some(0.25));
    let signal = &labels.missing_signals[0];
    assert_eq!((signal.table, signal.column, signal.auc), ("features", "degree_in", 1.0));
    assert!(
        found.warnings.iter().any(|w| w.contains("features.degree_in: being missing predicts the label, AUC 1.000"))
    );
}

#[test]
fn values_that_are_missing_alike_are_not() {
    let (batch, labels) = batch(400, |row| row % 4 == 0, |row| row % 7 == 0);
    let labels = inspected(&batch, &labels).labels.expect("labels");
    assert_eq!(labels.missing_signals, []);
}

#[test]
fn a_missing_row_of_features_counts_as_a_signal() {
    let (mut batch, labels) = batch(200, |row| row >= 100, |_| false);
    batch.features = batch.features.take(&(0..100).collect::<Vec<_>>());
    let found = inspected(&batch, &labels);
    assert_eq!(found.joins.alerts_without_features, 100);
    assert_eq!(found.labels.expect("labels").missing_signals[0].column, "(row)");
}

#[test]
fn labels_that_were_known_on_the_day_are_counted() {
    let (batch, mut labels) = batch(10, |row| row % 2 == 0, |_| false);
    let position = LABELS.position("confirmed_at").expect("a column");
    labels.set_column(position, Some(Column::Numbers(vec![1_761_480_000_000.0; 10])));
    let found = inspected(&batch, &labels).labels.expect("labels");
    assert_eq!(found.known_too_early, 10, "noon of the day itself");
}

#[test]
fn ranges_and_missing_shares_are_those_of_the_values() {
    let loaded = Written::small().must_load();
    let found = inspect(&loaded);
    let alerts = found.tables.iter().find(|table| table.name == "alerts").expect("alerts");
    let column = |name| alerts.columns.iter().find(|column| column.name == name).expect("a column");
    let confidence = column("alert_confidence_score");
    assert_eq!((confidence.min, confidence.mean, confidence.max), (Some(0.25), Some(0.375), Some(0.5)));
    assert!((confidence.missing - 1.0 / 3.0).abs() < 1e-12);
    assert_eq!(column("severity").distinct, Some(3));
    assert_eq!(column("processing_date").days, Some(("2025-10-26".into(), "2025-10-26".into())));
    assert!(alerts.absent.contains(&"description"));
}

/// The area under the curve by its definition, ties counting half.
fn auc(pairs: &[(bool, bool)]) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for (missing, _) in pairs.iter().filter(|(_, illicit)| *illicit) {
        for (other, _) in pairs.iter().filter(|(_, illicit)| !*illicit) {
            sum += f64::from(u8::from(missing > other)) + f64::from(u8::from(missing == other)) / 2.0;
            count += 1.0;
        }
    }
    sum / count
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_auc_is_that_of_its_definition(pairs in prop::collection::vec(any::<(bool, bool)>(), 60..90)) {
        // Made unlike on purpose, so that there is a signal to report.
        let pairs: Vec<(bool, bool)> = pairs.into_iter().enumerate()
            .map(|(row, (missing, illicit))| (if row % 3 == 0 { missing } else { illicit }, illicit)).collect();
        let (batch, labels) = batch(pairs.len(), |row| pairs[row].1, |row| pairs[row].0);
        let found = inspected(&batch, &labels).labels.expect("labels").missing_signals;
        if let Some(signal) = found.iter().find(|signal| signal.column == "degree_in") {
            prop_assert!((signal.auc - auc(&pairs)).abs() < 1e-12);
        }
    }
}
