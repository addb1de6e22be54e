//! The kernels beside LightGBM's C library, one thread each: raw scores and exact contributions, as rows a second.
//!
//! `cargo bench -p aml-miner --bench trees` measures synthetic models of 31 and 255 leaves a tree, the same in every
//! run, and the shipped models; `AML_BENCH_MODEL` names one more LightGBM text model.

use std::hint::black_box;
use std::path::Path;

use aml_miner::training::lightgbm::Finished;
use aml_miner::trees::contributions::Explainer;
use aml_miner::trees::forest::Forest;
use aml_miner::trees::lightgbm::{Model, Split, parse};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

#[path = "../../tests/it/dice.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod dice;
mod synthetic;

/// Rows of the large cases.
const ROWS: usize = 2_048;
/// Rows for LightGBM's contributions, which take a millisecond or more each.
const FEW_ROWS: usize = 32;

/// Rows around the model's own thresholds, the same in every run.
fn rows(model: &Model) -> Vec<f64> {
    let mut cuts = vec![vec![0.0]; model.feature_names.len()];
    for node in model.trees.iter().flat_map(|tree| &tree.nodes) {
        if let Split::Numerical { threshold, .. } = node.split {
            cuts[node.feature as usize].push(threshold);
        }
    }
    let mut dice = dice::Dice(42);
    let values = (0..ROWS).flat_map(|_| 0..cuts.len()).map(|feature| {
        let cuts = &cuts[feature];
        cuts[dice.below(cuts.len())] * if dice.below(2) == 0 { 0.999 } else { 1.001 }
    });
    values.collect()
}

/// Measures one model; `name` goes before the names of its figures.
fn kernels(criterion: &mut Criterion, name: &str, text: &str) {
    let model = parse(text.as_bytes()).expect("a valid model");
    let finished = Finished::from_text(text).expect("a model for LightGBM as well");
    let (forest, explainer) = (Forest::new(&model), Explainer::new(&model).expect("row counts"));
    println!("{name}{} steps a row, {} bytes of tables", explainer.steps(), explainer.table_bytes());
    let rows = rows(&model);
    let features = forest.features();
    let mut raw = vec![0.0; ROWS * forest.outputs()];
    let mut values = vec![0.0; rows.len() * forest.outputs()];

    let mut group = criterion.benchmark_group(format!("{name}raw"));
    group.sample_size(20);
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("here", |bench| bench.iter(|| forest.raw_into(black_box(&rows), &mut raw)));
    let theirs = || finished.raw_scores(black_box(&rows));
    group.bench_function("lightgbm", |bench| bench.iter(|| theirs().expect("scores")));
    group.throughput(Throughput::Elements(1));
    let one = &rows[..features];
    group.bench_function("here, one row", |bench| {
        bench.iter(|| forest.raw_into(black_box(one), &mut raw[..forest.outputs()]));
    });
    group.finish();

    let mut group = criterion.benchmark_group(format!("{name}contributions"));
    group.sample_size(10);
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("here", |bench| {
        bench.iter(|| explainer.contributions_into(black_box(&rows), &mut values));
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("here, one row", |bench| {
        bench.iter(|| {
            let values = &mut values[..features * forest.outputs()];
            explainer.contributions_into(black_box(one), values);
        });
    });
    if forest.outputs() == 1 {
        group.throughput(Throughput::Elements(FEW_ROWS as u64));
        let few = &rows[..FEW_ROWS * features];
        group.bench_function("lightgbm", |bench| {
            bench.iter(|| finished.contributions(black_box(few)).expect("contributions"));
        });
    }
    group.finish();
}

fn all(criterion: &mut Criterion) {
    kernels(criterion, "31 leaves: ", &synthetic::model(synthetic::Shape { trees: 211, leaves: 31, features: 114 }));
    kernels(criterion, "255 leaves: ", &synthetic::model(synthetic::Shape { trees: 162, leaves: 255, features: 114 }));
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../trained_models");
    for name in ["alert_scorer", "alert_ranker", "cluster_scorer"] {
        let text = std::fs::read_to_string(shipped.join(format!("{name}_v1.0.0.txt"))).expect("a shipped model");
        kernels(criterion, &format!("{name}: "), &text);
    }
    if let Some(path) = std::env::var_os("AML_BENCH_MODEL") {
        kernels(criterion, "", &std::fs::read_to_string(path).expect("a readable model"));
    }
}

criterion_group!(benches, all);
criterion_main!(benches);
