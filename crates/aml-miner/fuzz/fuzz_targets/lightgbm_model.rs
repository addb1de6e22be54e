//! A model file from a stranger: read, compiled, scored and explained without a panic.
#![no_main]

#[path = "../src/bounds.rs"]
mod bounds;

use aml_miner::trees::lightgbm::parse;
use aml_miner::trees::contributions::Explainer;
use aml_miner::trees::forest::Forest;
use libfuzzer_sys::fuzz_target;

fn run(bytes: &[u8]) {
    let Ok(model) = parse(bytes) else { return };
    let features = model.feature_names.len();
    let forest = Forest::new(&model);
    let explainer = Explainer::with_table_bytes(&model, 1 << 16);
    for value in [0.5, f64::NAN, -0.0, 3.0, f64::INFINITY] {
        let row = vec![value; features];
        let mut raw = vec![0.0; model.outputs];
        forest.raw_into(&row, &mut raw);
        forest.predict_into(&row, &mut vec![0.0; model.outputs]);
        let Ok(explainer) = &explainer else { continue };
        let mut values = vec![0.0; features * model.outputs];
        explainer.contributions_into(&row, &mut values);
    }
}

fuzz_target!(|bytes: &[u8]| bounds::within(|| run(bytes)));
