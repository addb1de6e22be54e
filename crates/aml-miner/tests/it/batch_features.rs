//! `aml-miner-batch features`: the values that models take, with the outcomes that count.

use std::path::Path;
use std::process::{Command, Output};

use aml_miner::data::BatchDir;
use aml_miner::features::{FeatureBuilder, Schema};

use crate::frame_kit::Frame;
use crate::training_flow::write_days;

fn features(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_aml-miner-batch"))
        .arg("features")
        .args(arguments)
        .output()
        .expect("the command starts")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of the test")
}

#[test]
fn the_file_holds_what_the_builder_gives_and_the_outcomes_that_count() {
    let room = tempfile::tempdir().expect("a directory");
    let (data, out) = (room.path().join("data"), room.path().join("features.parquet"));
    write_days(&data, 2);
    let output = features(&[text(&data), "--out", text(&out), "--labels"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let frame = Frame::read(&out);
    let schema = Schema::default_alert();
    let builder = FeatureBuilder::new(&schema).expect("features");
    let mut expected: Vec<Vec<f64>> = vec![Vec::new(); schema.features.len()];
    let mut labelled = 0;
    for entry in aml_miner::data::list_batches(&data, None, None).expect("batches") {
        let loaded = BatchDir::open(&entry.path).expect("a batch").load().expect("a good batch");
        let matrix = builder.alerts(&loaded.batch).expect("built").matrix;
        (0..matrix.rows())
            .for_each(|row| expected.iter_mut().zip(matrix.row(row)).for_each(|(column, v)| column.push(*v)));
        labelled += loaded
            .labels
            .as_ref()
            .map_or(0, |labels| aml_miner::data::outcomes::usable_rows(labels, loaded.meta.processing_date).len());
    }
    for (name, expected) in schema.features.iter().zip(&expected) {
        let same = frame
            .numbers(name)
            .iter()
            .zip(expected)
            .all(|(a, b)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan());
        assert!(same, "{name}");
    }
    let known = frame.numbers("confirmed_illicit");
    assert_eq!(known.len(), expected[0].len());
    assert_eq!(known.iter().filter(|value| !value.is_nan()).count(), labelled);
    assert!(labelled > 10);
}

#[test]
fn it_neither_overwrites_nor_writes_a_part() {
    let room = tempfile::tempdir().expect("a directory");
    let (data, out) = (room.path().join("data"), room.path().join("features.parquet"));
    write_days(&data, 1);
    let arguments = [text(&data), "--out", text(&out)];
    assert!(features(&arguments).status.success());
    let again = features(&arguments);
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("--replace"));
    let broken = room.path().join("broken.parquet");
    let day = std::fs::read_dir(&data).expect("days").next().expect("a day").expect("an entry").path();
    std::fs::write(day.join("alerts.parquet"), b"no").expect("writable");
    let output = features(&[text(&data), "--out", text(&broken)]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!broken.exists());
    let clusters = features(&[text(&data), "--out", text(&broken), "--rows", "cluster", "--labels"]);
    assert_eq!(clusters.status.code(), Some(2));
}
