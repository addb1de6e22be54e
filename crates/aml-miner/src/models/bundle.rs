//! A bundle: a model file and its entry in the `model_metadata.json` beside it.
//!
//! The entry binds the model file (by SHA-256), the features it takes (by the schema and its hash) and everything that
//! turns its raw scores into answers. [`Bundle::load`] and [`save`] apply the same checks, so what was saved loads.

mod check;
mod code_book;
mod files;
mod kind;
mod learnt_from;
mod metadata;
mod version;

pub use check::Mismatch;
pub use code_book::{CodeBook, CodeBookError};
pub use files::{Bundle, LoadError, SaveError, file_name, save};
pub use kind::ModelKind;
pub use learnt_from::LearntFrom;
pub use metadata::{Adopted, CalibrationRows, Draft, Entry, Metadata, MetadataError, Origin, Training};

/// The metadata file's name, in the directory of the models.
pub const METADATA_FILE: &str = "model_metadata.json";
/// Bytes of the metadata file. An entry with a long isotonic curve has some hundred kilobytes.
pub const MAX_METADATA_BYTES: usize = 16 << 20;
