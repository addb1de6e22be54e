//! The kernels beside LightGBM's C library, one thread each, interleaved: raw scores and exact contributions.
//!
//! `cargo bench -p aml-miner --bench trees` prints one row per model and set of instructions: rows a second, and
//! explained rows a second for each MiB of tables. Models: two synthetic ones of the shape of the documented one (31
//! leaves a tree) and of the tuner's largest (255), and frozen copies of the models that were shipped first, so that
//! figures of different days compare; `AML_BENCH_MODEL` names one more LightGBM text model. An argument picks models by
//! a part of their name.

use std::hint::black_box;
use std::io::Read as _;
use std::path::Path;
use std::time::Instant;

use aml_miner::training::lightgbm::Finished;
use aml_miner::trees::contributions::Explainer;
use aml_miner::trees::forest::Forest;
use aml_miner::trees::isa::Isa;
use aml_miner::trees::lightgbm::parse;
use aml_miner::trees::model::{Model, Split};

#[path = "../../tests/it/dice.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod dice;
mod synthetic;

/// Rows of our kernels.
const ROWS: usize = 2_048;
/// Rows for LightGBM's contributions, which take a millisecond or more each.
const FEW_ROWS: usize = 16;
/// Times each kernel runs; the best time counts, as what disturbs a run only makes it longer.
const ROUNDS: usize = 9;

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

/// The best time of a kernel so far.
struct Best(f64);

impl Best {
    fn time(&mut self, work: impl FnOnce()) {
        let started = Instant::now();
        work();
        self.0 = self.0.min(started.elapsed().as_secs_f64());
    }

    fn rows_per_second(&self, rows: usize) -> f64 {
        rows as f64 / self.0
    }
}

/// One set of instructions, and what it took.
struct Set {
    isa: Isa,
    forest: Forest,
    explainer: Explainer,
    raw: Best,
    explained: Best,
    one: Best,
}

/// Measures one model.
fn kernels(name: &str, text: &str) {
    let model = parse(text.as_bytes()).expect("a valid model");
    let finished = Finished::from_text(text).expect("a model for LightGBM as well");
    let rows = rows(&model);
    let set = |isa: Isa| Set {
        isa,
        forest: Forest::new(&model).compiled_for(isa),
        explainer: Explainer::new(&model).expect("row counts").compiled_for(isa),
        raw: Best(f64::INFINITY),
        explained: Best(f64::INFINITY),
        one: Best(f64::INFINITY),
    };
    let mut sets: Vec<Set> = Isa::all().into_iter().map(set).collect();
    let (features, outputs) = (model.feature_names.len(), model.outputs);
    let (mut raw, mut values) = (vec![0.0; ROWS * outputs], vec![0.0; rows.len() * outputs]);
    let (mut raw_there, mut explained_there) = (Best(f64::INFINITY), Best(f64::INFINITY));
    for round in 0..ROUNDS {
        let one = &rows[round * 31 * features..][..features];
        for set in &mut sets {
            set.raw.time(|| set.forest.raw_into(black_box(&rows), &mut raw));
            set.explained.time(|| set.explainer.contributions_into(black_box(&rows), &mut values));
            set.one.time(|| set.explainer.contributions_into(black_box(one), &mut values[..features * outputs]));
        }
        raw_there.time(|| drop(black_box(finished.raw_scores(black_box(&rows)).expect("scores"))));
        if outputs == 1 {
            let few = &rows[..FEW_ROWS * features];
            explained_there.time(|| drop(black_box(finished.contributions(few).expect("contributions"))));
        }
    }
    for Set { isa, explainer, raw, explained, one, .. } in &sets {
        let mib = explainer.table_bytes() as f64 / f64::from(1 << 20);
        let per_second = explained.rows_per_second(ROWS);
        println!(
            "| {name} | {} | {:.0} | {:.0} | {:.2} | {:.0} | {:.0} | {mib:.1} | {:.0} | {:.0} |",
            isa.name(),
            raw.rows_per_second(ROWS),
            per_second,
            explainer.steps() as f64 * per_second / 1e9,
            one.0 * 1e6,
            per_second / mib.max(1.0),
            raw_there.rows_per_second(ROWS),
            explained_there.rows_per_second(FEW_ROWS),
        );
    }
}

fn unpacked(path: &Path) -> String {
    let file = std::fs::File::open(path).expect("a frozen model");
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("text");
    text
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()));
    println!(
        "| model | instructions | predicted rows/s | explained rows/s | 10^9 steps/s | one row explained, µs \
         | explained rows/s per MiB | tables, MiB | LightGBM predicted | LightGBM explained |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for (name, trees, leaves) in [("synthetic, 31 leaves", 211, 31), ("synthetic, 255 leaves", 162, 255)] {
        if is_wanted(name) {
            kernels(name, &synthetic::model(synthetic::Shape { trees, leaves, features: 114 }));
        }
    }
    let frozen = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/trees/models");
    for name in ["alert_scorer", "alert_ranker", "cluster_scorer"] {
        if is_wanted(name) {
            kernels(name, &unpacked(&frozen.join(format!("{name}.txt.gz"))));
        }
    }
    if let Some(path) = std::env::var_os("AML_BENCH_MODEL").filter(|_| is_wanted("reference")) {
        kernels("reference", &std::fs::read_to_string(path).expect("a readable model"));
    }
}
