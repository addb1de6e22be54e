//! The extension module of the Python package `aml-miner`: what the programs call, for callers in Python. No logic of its own.
//!
//! Python sees the package in `python/aml_miner`, which has the documentation and wraps what is here. Work runs without the
//! interpreter's lock. Tables and matrices leave through the Arrow C data interface ([`arrow`]), rows of numbers come in as bytes
//! of doubles, and tables as Arrow streams, which are read by the rules for streams from strangers. Errors are exceptions of
//! the package with the programs' words ([`errors`]).

mod arrow;
mod batch;
mod errors;
mod features;
mod judging;
mod model;
mod models;
mod pool;
mod programs;
mod receipts;

use pyo3::prelude::*;

/// What `aml_miner` is made of.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<arrow::Columns>()?;
    module.add_class::<batch::Batch>()?;
    module.add_class::<judging::Samples>()?;
    module.add_class::<model::Model>()?;
    module.add_class::<models::Models>()?;
    module.add_class::<receipts::ReceiptKey>()?;
    module.add_function(wrap_pyfunction!(batch::read_batch, module)?)?;
    module.add_function(wrap_pyfunction!(batch::batch_of_streams, module)?)?;
    module.add_function(wrap_pyfunction!(batch::batch_of_request, module)?)?;
    module.add_function(wrap_pyfunction!(batch::verify, module)?)?;
    module.add_function(wrap_pyfunction!(features::features, module)?)?;
    module.add_function(wrap_pyfunction!(features::feature_names, module)?)?;
    module.add_function(wrap_pyfunction!(judging::time_split, module)?)?;
    module.add_function(wrap_pyfunction!(judging::evaluate_models, module)?)?;
    module.add_function(wrap_pyfunction!(model::load_model, module)?)?;
    module.add_function(wrap_pyfunction!(model::adopt_model, module)?)?;
    module.add_function(wrap_pyfunction!(models::load_models, module)?)?;
    module.add_function(wrap_pyfunction!(programs::batch_program, module)?)?;
    module.add_function(wrap_pyfunction!(receipts::verify_receipt, module)?)
}
