//! Reads and writes bundles on disk. A file is replaced in one step: a reader sees the old one or the new one, never a part.

use std::io;
use std::path::{Path, PathBuf};

use super::METADATA_FILE;
use super::ModelKind;
use super::check::{Mismatch, check, name};
use super::code_book::{CodeBook, CodeBookError};
use super::metadata::{Draft, Entry, Metadata, MetadataError};
use super::version;
use crate::digest::Digest;
use crate::trees::limits::MAX_MODEL_BYTES;
use crate::trees::model::Model;
use crate::trees::read::extension;
use crate::trees::{self, ReadError};
use crate::whole_file::{self, Readers};

/// A checked model and its entry.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// The entry.
    pub entry: Entry,
    /// The model.
    pub model: Model,
    /// From values of categories to the codes that the model splits by.
    pub codes: CodeBook,
}

/// Why a bundle does not load.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The model file cannot be read, or is larger than a model can be.
    #[error("cannot read {path}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Its metadata cannot be used.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The metadata file has no entry for the model.
    #[error("{path} has no entry for `{file}`, only for: {known}", path = path.display())]
    NoEntry {
        /// The metadata file.
        path: PathBuf,
        /// The model file.
        file: String,
        /// The entries there are.
        known: String,
    },
    /// The model file is broken.
    #[error("{path}", path = path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ReadError,
    },
    /// Its categories cannot be looked up.
    #[error("{path}", path = path.display())]
    Codes {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: CodeBookError,
    },
    /// The two do not belong together.
    #[error("{path} does not match its entry", path = path.display())]
    Mismatch {
        /// The model file.
        path: PathBuf,
        /// What differs.
        source: Mismatch,
    },
}

impl Bundle {
    /// Loads the model file at `path`, with the metadata beside it, and checks that they belong together.
    ///
    /// # Errors
    /// What is missing, broken or different.
    pub fn load(path: &Path, kind: ModelKind) -> Result<Self, LoadError> {
        let directory = path.parent().unwrap_or(Path::new(""));
        let mut metadata = Metadata::load(directory)?;
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(entry) = metadata.models.remove(&file) else {
            let known: Vec<&str> = metadata.models.keys().map(String::as_str).take(20).collect();
            let known = known.join(", ");
            return Err(LoadError::NoEntry { path: directory.join(METADATA_FILE), file, known });
        };
        let mismatch = |source| LoadError::Mismatch { path: path.to_owned(), source };
        if entry.model != kind {
            return Err(mismatch(Mismatch::Kind { expected: kind, found: entry.model }));
        }
        let read = whole_file::read(path, MAX_MODEL_BYTES);
        let bytes = read.map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
        let digest = Digest::of(&bytes);
        if digest != entry.sha256 {
            let expected = entry.sha256;
            return Err(mismatch(Mismatch::Digest { expected, actual: digest }));
        }
        let model = trees::read(&bytes).map_err(|source| LoadError::Model { path: path.to_owned(), source })?;
        check(&entry, digest, &model).map_err(mismatch)?;
        let codes = CodeBook::of(&model, &bytes);
        let codes = codes.map_err(|source| LoadError::Codes { path: path.to_owned(), source })?;
        let model_version = version::whole(name(&entry).map_err(mismatch)?, digest, &entry.calibration);
        Ok(Self { entry: Entry { model_version, ..entry }, model, codes })
    }
}

/// Why a bundle was not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The model would not load again.
    #[error("the model would not load again")]
    Model(#[from] ReadError),
    /// The draft does not fit the model.
    #[error("the metadata does not fit the model")]
    Mismatch(#[from] Mismatch),
    /// Its categories cannot be looked up.
    #[error(transparent)]
    Codes(#[from] CodeBookError),
    /// The metadata that is there cannot be kept.
    #[error("the metadata of the other models in this directory cannot be read")]
    Metadata(#[from] MetadataError),
    /// Something is not a JSON value, such as a NaN metric.
    #[error("metric `{0}` is not a finite number")]
    Metric(String),
    /// The metadata cannot be written down.
    #[error("cannot write the metadata as JSON")]
    Json(#[from] serde_json::Error),
    /// A file cannot be written.
    #[error("cannot write {path}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Draft {
    /// Whether this describes the model in `file`, as [`save`] will ask.
    ///
    /// # Errors
    /// What differs.
    pub fn check(&self, file: &[u8], model: &Model) -> Result<(), SaveError> {
        let digest = Digest::of(file);
        let entry = Entry::new(self.clone(), digest, model.objective_text.clone());
        Ok(check(&entry, digest, model)?)
    }
}

/// The name of the file of a model whose bytes are these: `<model>_v<version>`, and the usual ending of its form.
#[must_use]
pub fn file_name(kind: ModelKind, version: &str, file: &[u8]) -> String {
    format!("{kind}_v{version}.{}", extension(file))
}

/// Writes a model and its entry into `directory`, under its [`file_name`], and returns the model's path and entry.
///
/// The model goes first: when the second write fails, the old entry no longer fits and loading says so, but no entry
/// ever points to a model that was not written.
///
/// # Errors
/// When the bundle would not load again, or cannot be written.
pub fn save(directory: &Path, model: impl AsRef<[u8]>, draft: Draft) -> Result<(PathBuf, Entry), SaveError> {
    let bytes = model.as_ref();
    let model = trees::read(bytes)?;
    let digest = Digest::of(bytes);
    let file = file_name(draft.model, &draft.version, bytes);
    if let Some((name, _)) = draft.metrics.iter().find(|(_, value)| !value.is_finite()) {
        return Err(SaveError::Metric(name.clone()));
    }
    let entry = Entry::new(draft, digest, model.objective_text.clone());
    check(&entry, digest, &model)?;
    CodeBook::of(&model, bytes)?;
    let mut metadata = match Metadata::load(directory) {
        Err(error) if error.is_missing() => Metadata::default(),
        other => other?,
    };
    metadata.models.insert(file.clone(), entry.clone());
    let mut json = serde_json::to_vec_pretty(&metadata)?;
    json.push(b'\n');
    let path = directory.join(file);
    replace(&path, bytes)?;
    replace(&directory.join(METADATA_FILE), &json)?;
    Ok((path, entry))
}

fn replace(path: &Path, bytes: &[u8]) -> Result<(), SaveError> {
    whole_file::write(path, bytes, Readers::Everyone)
        .map_err(|source| SaveError::Write { path: path.to_owned(), source })
}
