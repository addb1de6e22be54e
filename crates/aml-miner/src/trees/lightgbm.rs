//! LightGBM's text model (`tree`, versions 3 and 4), read by a bounded parser.
//!
//! A model file is a stranger's input: nothing in it is trusted. Every number is range-checked, every array has the
//! length its tree declares, every child graph is a proper tree, and work and memory are linear in the file's size,
//! which is capped first. What comes out needs no further checks.

mod error;
mod header;
mod lines;
mod objective;
mod topology;
mod tree;

pub use error::{Fault, ParseError};

use super::limits::MAX_MODEL_BYTES;
use super::model::{Library, Model, Reading, Sums};
use lines::Lines;

/// Reads a model.
///
/// # Errors
/// What is wrong and in which line. Time and memory are linear in `bytes`, whatever they hold.
pub fn parse(bytes: &[u8]) -> Result<Model, ParseError> {
    if bytes.len() > MAX_MODEL_BYTES {
        return Err(Fault::TooLarge { bytes: bytes.len() }.at(0));
    }
    let text = str::from_utf8(bytes).map_err(|error| {
        let line = 1 + memchr::memchr_iter(b'\n', &bytes[..error.valid_up_to()]).count();
        Fault::NotText.at(line)
    })?;
    let mut lines = Lines::new(text);
    let header = header::Header::read(&mut lines)?;
    let trees = tree::read_all(&mut lines, &header)?;
    Ok(Model {
        library: Library::LightGbm,
        reading: Reading::NearZero,
        sums: Sums::PLAIN,
        objective: header.objective,
        objective_text: header.objective_text,
        outputs: header.outputs,
        average_output: header.average_output,
        features: header.feature_names.len(),
        feature_names: header.feature_names,
        feature_infos: header.feature_infos,
        code_books: Vec::new(),
        codes_unexplained: false,
        trees,
    })
}
