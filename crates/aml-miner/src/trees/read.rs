//! A model file of any library: told by its first bytes, read by that library's reader.

use super::json;
use super::lightgbm::{self, ParseError};
use super::limits::MAX_MODEL_BYTES;
use super::model::{Library, Model};
use super::{catboost, sklearn, xgboost};

/// A refused model file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Not a model of LightGBM that can be used.
    #[error(transparent)]
    LightGbm(#[from] ParseError),
    /// Not a model of this library that can be used.
    #[error("not a usable {library} model: {what}")]
    Refused {
        /// The library.
        library: Library,
        /// What is wrong, or cannot be exact here.
        what: String,
    },
    /// More bytes than a model has.
    #[error("the file has {bytes} bytes, a model has at most {MAX_MODEL_BYTES}")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The file of none of the libraries.
    #[error(
        "not a model: it begins with `{start}`. LightGBM's text, XGBoost's JSON or UBJSON (save_model), CatBoost's .cbm or JSON, \
         or a scikit-learn model written by scripts/export_sklearn.py is wanted"
    )]
    Unknown {
        /// The file's first characters.
        start: String,
    },
    /// A form that the library itself has given up.
    #[error("{0}")]
    OldForm(&'static str),
}

/// How a model is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    LightGbm,
    XgBoostJson,
    XgBoostUbjson,
    CatBoostJson,
    CatBoostBinary,
    ScikitLearn,
}

/// Reads a model of any library.
///
/// # Errors
/// What is wrong with it, or what of it cannot be given exactly. Time and memory are bounded by the file's size, whatever it holds.
pub fn read(bytes: &[u8]) -> Result<Model, ReadError> {
    if bytes.len() > MAX_MODEL_BYTES {
        return Err(ReadError::TooLarge { bytes: bytes.len() });
    }
    let refused = |library| move |what: String| ReadError::Refused { library, what };
    match form(bytes)? {
        Form::LightGbm => Ok(lightgbm::parse(bytes)?),
        Form::XgBoostJson => xgboost::from_json(bytes).map_err(refused(Library::XgBoost)),
        Form::XgBoostUbjson => xgboost::from_ubjson(bytes).map_err(refused(Library::XgBoost)),
        Form::CatBoostJson => catboost::from_json(bytes).map_err(refused(Library::CatBoost)),
        Form::CatBoostBinary => catboost::from_binary(bytes).map_err(refused(Library::CatBoost)),
        Form::ScikitLearn => sklearn::from_json(bytes).map_err(refused(Library::ScikitLearn)),
    }
}

/// The usual ending of a file that begins like this.
#[must_use]
pub fn extension(bytes: &[u8]) -> &'static str {
    match form(bytes) {
        Ok(Form::XgBoostJson | Form::CatBoostJson | Form::ScikitLearn) => "json",
        Ok(Form::XgBoostUbjson) => "ubj",
        Ok(Form::CatBoostBinary) => "cbm",
        Ok(Form::LightGbm) | Err(_) => "txt",
    }
}

fn form(bytes: &[u8]) -> Result<Form, ReadError> {
    let text = bytes.trim_ascii_start();
    if bytes.starts_with(b"tree") {
        return Ok(Form::LightGbm);
    }
    if bytes.starts_with(b"CBM1") {
        return Ok(Form::CatBoostBinary);
    }
    if bytes.starts_with(b"binf") || bytes.starts_with(b"bs64") {
        return Err(ReadError::OldForm(
            "XGBoost's old binary form is read by no XGBoost of today: load it with the XGBoost that wrote it and save_model(\"x.json\")",
        ));
    }
    if bytes.starts_with(&[0x80]) {
        return Err(ReadError::OldForm(
            "this looks like a pickle, which runs code when it is read: save the model in its library's own form",
        ));
    }
    match text {
        [b'{', rest @ ..] if matches!(rest.trim_ascii_start().first(), Some(b'"' | b'}')) => {
            Ok(match json::keys(&json::without_wild_numbers(text)) {
                keys if keys.iter().any(|key| key == "learner") => Form::XgBoostJson,
                keys if keys.iter().any(|key| key == sklearn::MARK) => Form::ScikitLearn,
                keys if keys.iter().any(|key| key == "model_info" || key == "features_info") => Form::CatBoostJson,
                _ => return Err(unknown(bytes)),
            })
        }
        [b'{', b'L' | b'l' | b'I' | b'i' | b'U' | b'$' | b'#', ..] => Ok(Form::XgBoostUbjson),
        _ => Err(unknown(bytes)),
    }
}

fn unknown(bytes: &[u8]) -> ReadError {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(24)]).escape_debug().to_string();
    ReadError::Unknown { start }
}
