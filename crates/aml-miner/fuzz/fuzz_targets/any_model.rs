//! A model file from a stranger, of any library: read, compiled, scored and explained without a panic.
#![no_main]

#[path = "../src/bounds.rs"]
mod bounds;

use aml_miner::trees::contributions::Explainer;
use aml_miner::trees::forest::Forest;
use aml_miner::trees::read;
use libfuzzer_sys::fuzz_target;

fn run(bytes: &[u8]) {
    let Ok(model) = read(bytes) else { return };
    let forest = Forest::new(&model);
    let explainer = Explainer::with_table_bytes(&model, 1 << 16);
    for value in [0.5, f64::NAN, -0.0, 3.0, f64::INFINITY] {
        let row = vec![value; model.features];
        forest.predict_into(&row, &mut vec![0.0; model.outputs]);
        let Ok(explainer) = &explainer else { continue };
        explainer.contributions_into(&row, &mut vec![0.0; model.features * model.outputs]);
    }
}

fuzz_target!(|bytes: &[u8]| bounds::within(|| run(bytes)));
