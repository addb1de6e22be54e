//! The kernels beside LightGBM's C library, one thread each: raw scores and exact contributions.
//!
//! `AML_BENCH_MODEL` names a LightGBM text model; `cargo bench -p aml-miner --bench trees` then prints rows a second.

use std::hint::black_box;

use aml_miner::models::lightgbm::{Model, Split, parse};
use aml_miner::models::shap::Explainer;
use aml_miner::models::trees::Forest;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lightgbm3::Booster;

/// Rows of the large cases.
const ROWS: usize = 4_096;
/// Rows for LightGBM's contributions, which take a millisecond each.
const FEW_ROWS: usize = 64;

/// Rows around the model's own thresholds, the same in every run.
fn rows(model: &Model) -> Vec<f64> {
    let mut cuts = vec![vec![0.0]; model.feature_names.len()];
    for node in model.trees.iter().flat_map(|tree| &tree.nodes) {
        if let Split::Numerical { threshold, .. } = node.split {
            cuts[node.feature as usize].push(threshold);
        }
    }
    let mut state = 42_u64;
    let mut next = |end: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((state >> 33) % end as u64).expect("below a usize")
    };
    let values = (0..ROWS).flat_map(|_| 0..cuts.len()).map(|feature| {
        let cuts = &cuts[feature];
        cuts[next(cuts.len())] * if next(2) == 0 { 0.999 } else { 1.001 }
    });
    values.collect()
}

fn kernels(criterion: &mut Criterion) {
    let Some(path) = std::env::var_os("AML_BENCH_MODEL") else {
        println!("skipped: AML_BENCH_MODEL names no model");
        return;
    };
    let text = std::fs::read_to_string(path).expect("a readable model");
    let model = parse(text.as_bytes()).expect("a valid model");
    let booster = Booster::from_string(&text).expect("a model for LightGBM as well");
    let (forest, explainer) = (Forest::new(&model), Explainer::new(&model).expect("row counts"));
    let rows = rows(&model);
    let features = forest.features();
    let columns = i32::try_from(features).expect("few features");
    let mut raw = vec![0.0; ROWS * forest.outputs()];
    let mut values = vec![0.0; rows.len() * forest.outputs()];

    let mut group = criterion.benchmark_group("raw");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("here", |bench| bench.iter(|| forest.raw_into(black_box(&rows), &mut raw)));
    let theirs = || booster.raw_scores_with_params(black_box(&rows), columns, true, "num_threads=1");
    group.bench_function("lightgbm", |bench| bench.iter(|| theirs().expect("scores")));
    group.throughput(Throughput::Elements(1));
    let one = &rows[..features];
    group.bench_function("here, one row", |bench| {
        bench.iter(|| forest.raw_into(black_box(one), &mut raw[..forest.outputs()]));
    });
    group.finish();

    let mut group = criterion.benchmark_group("contributions");
    group.sample_size(20);
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
        // Row by row: only then the binding uses one thread.
        let theirs = |row| booster.predict_contrib(row, columns, true).expect("contributions");
        group.bench_function("lightgbm", |bench| {
            bench.iter(|| rows.chunks(features).take(FEW_ROWS).map(theirs).map(|v| v.len()).sum::<usize>());
        });
    }
    group.finish();
}

criterion_group!(benches, kernels);
criterion_main!(benches);
