//! The steps of a scoring request, each alone: parse, features, predict, contributions, answer.
//!
//! Needs a batch and a bundle: `AML_BENCH_DATA` (a directory with `b1000/body.json`, `b10000/body.json`) and
//! `AML_BENCH_BUNDLE` (with `alert_scorer_v1.0.0.txt`). `scripts/bench.sh` sets both; without them nothing is measured.

use std::path::PathBuf;

use aml_miner::features::FeatureBuilder;
use aml_miner::models::{BaseModel as _, ModelKind, TreeModel};
use aml_miner::scoring::top_features;
use aml_miner::wire::reply::{AnswerWriter, Explanation, FeatureNames, Impact};
use aml_miner::wire::{InOrder, Reading, read_body};
use criterion::{Criterion, Throughput};

fn setting(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from)
}

fn steps(criterion: &mut Criterion, size: &str, body: &[u8], scorer: &TreeModel) {
    let reading = Reading::default();
    let batch = read_body(body, &reading, &InOrder).expect("a batch");
    let builder = FeatureBuilder::new(scorer.schema()).expect("known features");
    let matrix = builder.alerts(&batch).expect("a matrix").matrix;
    let ids = batch.alerts.texts("alert_id").expect("given");
    let mut group = criterion.benchmark_group(size);
    group.sample_size(10);
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("parse", |bench| bench.iter(|| read_body(body, &reading, &InOrder)));
    group.throughput(Throughput::Elements(matrix.rows() as u64));
    group.bench_function("features", |bench| bench.iter(|| builder.alerts(&batch)));
    group.bench_function("predict", |bench| bench.iter(|| scorer.predict(&matrix)));
    group.bench_function("contributions", |bench| bench.iter(|| scorer.explain(&matrix)));
    let (scores, explained) = (scorer.predict(&matrix), scorer.explain(&matrix));
    let names = FeatureNames::new(&scorer.schema().features);
    group.bench_function("answer", |bench| {
        bench.iter(|| {
            let mut writer = AnswerWriter::new("alert_id", scorer.version());
            for (row, score) in scores.iter().enumerate() {
                let value = |feature: usize| matrix.row(row)[feature];
                let top = top_features(explained.values.row(row)).into_iter();
                let impacts: Vec<_> = top
                    .map(|top| Impact { feature: top.feature, value: value(top.feature), impact: top.impact })
                    .collect();
                let explanation = Explanation { names: &names, base_value: explained.base_value, impacts: &impacts };
                writer.row(ids.get(row), *score, Some(explanation));
            }
            writer.finish(0.1)
        });
    });
    group.finish();
}

fn main() {
    let (Some(data), Some(bundle)) = (setting("AML_BENCH_DATA"), setting("AML_BENCH_BUNDLE")) else {
        println!("skipped: AML_BENCH_DATA and AML_BENCH_BUNDLE are not set");
        return;
    };
    // One thread, as the figures of other libraries are given.
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("a thread");
    let scorer = TreeModel::load(&bundle.join("alert_scorer_v1.0.0.txt"), ModelKind::AlertScorer).expect("a bundle");
    let mut criterion = Criterion::default().configure_from_args();
    for size in ["b1", "b1000", "b10000"] {
        let body = std::fs::read(data.join(size).join("body.json")).expect("a body");
        steps(&mut criterion, size, &body, &scorer);
    }
    criterion.final_summary();
}
