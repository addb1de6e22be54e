//! From the crate's errors to the package's exceptions, in the words that the programs print.

use std::error::Error;

use pyo3::{PyErr, import_exception};

use crate::data::ReadBatchError;
use crate::error_chain::with_causes;

import_exception!(aml_miner._errors, DataError);
import_exception!(aml_miner._errors, ModelError);
import_exception!(aml_miner._errors, ReceiptError);
import_exception!(aml_miner._errors, RequestError);
import_exception!(aml_miner._errors, UsageError);

/// Data that cannot be used.
pub(super) fn data(error: impl Error) -> PyErr {
    DataError::new_err(with_causes(&error))
}

/// A model that cannot be used.
pub(super) fn model(error: impl Error) -> PyErr {
    ModelError::new_err(with_causes(&error))
}

/// Arguments that make no sense.
pub(super) fn usage(text: impl Into<String>) -> PyErr {
    UsageError::new_err(text.into())
}

/// The error of a command of `aml-miner-batch`.
pub(super) fn command(error: anyhow::Error) -> PyErr {
    match error.downcast::<crate::cli::batch::UsageError>() {
        Ok(error) => usage(error.to_string()),
        Err(error) => DataError::new_err(with_causes(error.as_ref())),
    }
}

/// Everything that is wrong with a batch: a line each, and the lines apart.
pub(super) fn problems(problems: &[ReadBatchError]) -> PyErr {
    let lines: Vec<String> = problems.iter().map(|problem| with_causes(problem)).collect();
    DataError::new_err((lines.join("\n"), lines))
}
