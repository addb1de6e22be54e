//! The selector keeps what says something about the label, once.

use aml_miner::features::selector::{Dropped, SelectError};
use aml_miner::features::{FeatureSelector, Matrix, RowKind, Schema, Selection};

const ROWS: usize = 400;

/// Columns: the label, its opposite with noise, a copy of the label in other units, noise, a constant.
fn data() -> (Schema, Matrix, Vec<u8>) {
    let names = ["volume_usd", "degree_in", "log_volume_usd", "degree_out", "window_days"];
    let mut state = 1_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % 1009) as f64
    };
    let mut values = Vec::new();
    let mut labels = Vec::new();
    for _ in 0..ROWS {
        let label = u8::from(noise() > 600.0);
        let signal = 1.0 + 1000.0 * f64::from(label) + noise() / 1009.0;
        values.extend([signal, noise() - 300.0 * f64::from(label), signal.ln_1p(), noise(), 7.0]);
        labels.push(label);
    }
    (Schema::new(RowKind::Alert, names), Matrix::from_rows(names.len(), values), labels)
}

fn choose(selector: FeatureSelector, importance: Option<&[f64]>) -> Selection {
    let (schema, matrix, labels) = data();
    selector.select(&schema, &matrix, &labels, importance).expect("a choice")
}

#[test]
fn a_column_that_says_the_same_is_dropped_in_favour_of_the_first() {
    let chosen = choose(FeatureSelector::default(), None);
    assert_eq!(chosen.schema, Schema::new(RowKind::Alert, ["volume_usd", "degree_in", "degree_out"]));
    let Some(Dropped::Redundant { with, correlation }) = &chosen.judged[2].dropped else { panic!("{chosen:?}") };
    assert_eq!(with, "volume_usd");
    assert!((correlation - 1.0).abs() < 1e-12);
    assert_eq!(chosen.judged[4].dropped, Some(Dropped::Constant));
}

#[test]
fn importance_decides_which_of_two_equals_is_kept() {
    let chosen = choose(FeatureSelector::default(), Some(&[1.0, 0.5, 2.0, 0.1, 9.0]));
    assert_eq!(chosen.schema.features, ["degree_in", "log_volume_usd", "degree_out"]);
}

#[test]
fn the_most_important_are_kept_in_the_order_of_the_schema() {
    let selector = FeatureSelector { keep: 2, ..FeatureSelector::default() };
    let chosen = choose(selector, Some(&[1.0, 0.5, 0.2, 2.0, 9.0]));
    assert_eq!(chosen.schema.features, ["volume_usd", "degree_out"]);
    assert_eq!(chosen.judged[1].dropped, Some(Dropped::Beyond));
}

#[test]
fn mutual_information_is_that_of_the_table_of_counts() {
    let chosen = choose(FeatureSelector { bins: 2, ..FeatureSelector::default() }, None);
    let informations: Vec<f64> = chosen.judged.iter().map(|judged| judged.information).collect();
    assert!(informations[0] > informations[1] && informations[1] > informations[3], "{informations:?}");
    let schema = Schema::new(RowKind::Alert, ["volume_usd"]);
    // Bins {1, 2}, {3, 4} and the missing one against the label: 2x(1,0), (1,1), 1x(0,1) of 5 rows.
    let matrix = Matrix::from_rows(1, vec![1.0, 2.0, 3.0, 4.0, f64::NAN]);
    let selector = FeatureSelector { bins: 2, ..FeatureSelector::default() };
    let found = selector.select(&schema, &matrix, &[1, 1, 1, 0, 0], None).expect("a choice").judged[0].information;
    let part = |joint: f64, bin: f64, label: f64| joint / 5.0 * (joint * 5.0 / (bin * label)).ln();
    let expected = part(2.0, 2.0, 3.0) + part(1.0, 2.0, 3.0) + part(1.0, 2.0, 2.0) + part(1.0, 1.0, 2.0);
    assert!((found - expected).abs() < 1e-12, "{found} {expected}");
}

#[test]
fn a_threshold_drops_noise_and_may_leave_nothing() {
    let chosen = choose(FeatureSelector { min_information: 0.05, bins: 8, ..FeatureSelector::default() }, None);
    assert_eq!(chosen.judged[3].dropped, Some(Dropped::Uninformative));
    let (schema, matrix, labels) = data();
    let strict = FeatureSelector { min_information: 10.0, ..FeatureSelector::default() };
    assert_eq!(strict.select(&schema, &matrix, &labels, None), Err(SelectError::NothingLeft));
}

#[test]
fn a_column_missing_where_another_is_known_is_not_redundant() {
    let schema = Schema::new(RowKind::Alert, ["volume_usd", "degree_in"]);
    let values = (0..20).flat_map(|row| [f64::from(row), if row == 3 { f64::NAN } else { f64::from(row) }]).collect();
    let labels: Vec<u8> = (0..20).map(|row| u8::from(row > 9)).collect();
    let chosen = FeatureSelector::default().select(&schema, &Matrix::from_rows(2, values), &labels, None);
    assert_eq!(chosen.expect("a choice").schema, schema);
}

#[test]
fn sizes_that_do_not_belong_together_are_refused() {
    let (schema, matrix, labels) = data();
    let select = |labels: &[u8], importance| FeatureSelector::default().select(&schema, &matrix, labels, importance);
    let error = select(&labels[1..], None).expect_err("sizes");
    assert_eq!(error.to_string(), "labels: expected 400, found 399");
    assert!(matches!(select(&labels, Some(&[1.0])), Err(SelectError::Size { what: "importances", .. })));
}
