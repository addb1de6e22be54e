//! The only file that calls LightGBM's C library: datasets of many parts, boosting round by round, model text.
//!
//! The safe binding has no query groups, no parameters at binning and no say between two rounds, so the C interface
//! is called directly. Each `unsafe` block is one call; every pointer in it comes from a slice or a handle that
//! lives in the same function or is owned by `self`, and every length is that slice's own.
#![allow(unsafe_code, reason = "LightGBM is a C library; the safe binding lacks groups and round-wise training")]

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_void};
use std::marker::PhantomData;
use std::num::TryFromIntError;
use std::ptr;

use lightgbm3_sys as sys;

use crate::features::Matrix;

/// Version of the linked C library, as `model_metadata.json` states it.
pub const LIGHTGBM_VERSION: &str = "4.7.0";

const F32: i32 = 0;
const F64: i32 = 1;
const I32: i32 = 2;

/// Why the C library refused.
#[derive(Debug, thiserror::Error)]
pub enum LightGbmError {
    /// The library's own message.
    #[error("LightGBM: {0}")]
    Library(String),
    /// A text with a NUL byte.
    #[error("a parameter, a feature's name or a model holds a NUL byte")]
    Nul(#[from] std::ffi::NulError),
    /// More rows, columns or parts than the C interface can count.
    #[error("the data has too many rows, columns or parts for LightGBM")]
    TooLarge(#[from] TryFromIntError),
    /// Labels, weights or groups that do not fit the rows.
    #[error("{what} cover {given} rows, the data has {rows}")]
    Length {
        /// Which of them.
        what: &'static str,
        /// Rows they cover.
        given: usize,
        /// Rows of the data.
        rows: usize,
    },
}

/// Parameters by LightGBM's own names, in a stable order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(BTreeMap<&'static str, String>);

impl Parameters {
    /// Sets a parameter, replacing an earlier value.
    pub fn set(&mut self, name: &'static str, value: impl ToString) -> &mut Self {
        self.0.insert(name, value.to_string());
        self
    }

    /// The values by name.
    #[must_use]
    pub fn as_map(&self) -> &BTreeMap<&'static str, String> {
        &self.0
    }

    fn to_c(&self) -> Result<CString, LightGbmError> {
        let pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Ok(CString::new(pairs.join(" "))?)
    }
}

/// Labelled rows: the parts' rows one after the other.
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    /// Matrices with the same columns.
    pub parts: Vec<&'a Matrix>,
    /// One label a row.
    pub labels: &'a [f32],
    /// One weight a row.
    pub weights: Option<&'a [f32]>,
    /// Sizes of consecutive query groups.
    pub groups: Option<&'a [i32]>,
}

/// Rows in LightGBM's bins.
pub struct Dataset {
    handle: sys::DatasetHandle,
    rows: usize,
}

impl Dataset {
    /// Bins `rows`, with the bins of `reference` where one is given.
    ///
    /// # Errors
    /// When labels, weights or groups do not cover the rows, or the library refuses.
    pub fn new(
        rows: &Rows<'_>,
        features: &[String],
        parameters: &Parameters,
        reference: Option<&Self>,
    ) -> Result<Self, LightGbmError> {
        let parts: Vec<&Matrix> = rows.parts.iter().copied().filter(|part| part.rows() > 0).collect();
        let count: usize = parts.iter().map(|part| part.rows()).sum();
        check_lengths(rows, count)?;
        let mut data: Vec<*const c_void> = parts.iter().map(|part| part.values().as_ptr().cast()).collect();
        let mut lengths = parts.iter().map(|part| i32::try_from(part.rows())).collect::<Result<Vec<_>, _>>()?;
        let mut row_major = vec![1_i32; parts.len()];
        let (number, columns) = (i32::try_from(parts.len())?, i32::try_from(features.len())?);
        let parameters = parameters.to_c()?;
        let reference = reference.map_or(ptr::null_mut(), |other| other.handle);
        let mut handle = ptr::null_mut();
        check(unsafe {
            sys::LGBM_DatasetCreateFromMats(
                number,
                data.as_mut_ptr(),
                F64,
                lengths.as_mut_ptr(),
                columns,
                row_major.as_mut_ptr(),
                parameters.as_ptr(),
                reference,
                &raw mut handle,
            )
        })?;
        let dataset = Self { handle, rows: count };
        dataset.set_field(c"label", rows.labels, F32)?;
        if let Some(weights) = rows.weights {
            dataset.set_field(c"weight", weights, F32)?;
        }
        if let Some(groups) = rows.groups {
            dataset.set_field(c"group", groups, I32)?;
        }
        dataset.set_names(features)?;
        Ok(dataset)
    }

    fn set_field<T>(&self, name: &CStr, values: &[T], kind: i32) -> Result<(), LightGbmError> {
        let length = i32::try_from(values.len())?;
        check(unsafe { sys::LGBM_DatasetSetField(self.handle, name.as_ptr(), values.as_ptr().cast(), length, kind) })
    }

    fn set_names(&self, names: &[String]) -> Result<(), LightGbmError> {
        let owned = names.iter().map(|name| CString::new(name.as_str())).collect::<Result<Vec<_>, _>>()?;
        let mut pointers: Vec<*const c_char> = owned.iter().map(|name| name.as_ptr()).collect();
        let length = i32::try_from(pointers.len())?;
        check(unsafe { sys::LGBM_DatasetSetFeatureNames(self.handle, pointers.as_mut_ptr(), length) })
    }
}

impl Drop for Dataset {
    fn drop(&mut self) {
        // Freeing can only fail for a null handle, which no `Dataset` has.
        let _ = unsafe { sys::LGBM_DatasetFree(self.handle) };
    }
}

fn check_lengths(rows: &Rows<'_>, count: usize) -> Result<(), LightGbmError> {
    let groups = rows.groups.map(|sizes| sizes.iter().map(|&size| usize::try_from(size).unwrap_or(0)).sum());
    let given =
        [("labels", Some(rows.labels.len())), ("weights", rows.weights.map(<[f32]>::len)), ("query groups", groups)];
    match given.into_iter().find(|(_, given)| given.is_some_and(|given| given != count)) {
        Some((what, given)) => Err(LightGbmError::Length { what, given: given.unwrap_or(0), rows: count }),
        None => Ok(()),
    }
}

/// A model in training. Borrows its datasets, which the C library keeps pointers to.
pub struct Booster<'data> {
    handle: sys::BoosterHandle,
    data: PhantomData<&'data Dataset>,
    sizes: Vec<usize>,
}

impl<'data> Booster<'data> {
    /// A model without trees over `train`, which also follows `valid` from round to round.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn new(
        parameters: &Parameters,
        train: &'data Dataset,
        valid: Option<&'data Dataset>,
    ) -> Result<Self, LightGbmError> {
        let text = parameters.to_c()?;
        let mut handle = ptr::null_mut();
        check(unsafe { sys::LGBM_BoosterCreate(train.handle, text.as_ptr(), &raw mut handle) })?;
        let mut booster = Self { handle, data: PhantomData, sizes: vec![train.rows] };
        if let Some(valid) = valid {
            check(unsafe { sys::LGBM_BoosterAddValidData(booster.handle, valid.handle) })?;
            booster.sizes.push(valid.rows);
        }
        Ok(booster)
    }

    /// Adds one round; `false` when it found nothing to split.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn update(&mut self) -> Result<bool, LightGbmError> {
        let mut empty = 0;
        check(unsafe { sys::LGBM_BoosterUpdateOneIter(self.handle, &raw mut empty) })?;
        Ok(empty == 0)
    }

    /// Current predictions (probabilities of a binary model) for the training rows (0) or the followed rows (1).
    ///
    /// # Errors
    /// When the library refuses.
    pub fn predictions(&self, which: usize) -> Result<Vec<f64>, LightGbmError> {
        let mut values = vec![0.0; self.sizes[which]];
        let mut length = 0_i64;
        let index = i32::try_from(which)?;
        check(unsafe { sys::LGBM_BoosterGetNumPredict(self.handle, index, &raw mut length) })?;
        if usize::try_from(length)? != values.len() {
            return Err(LightGbmError::Library(format!("{length} predictions for {} rows", values.len())));
        }
        check(unsafe { sys::LGBM_BoosterGetPredict(self.handle, index, &raw mut length, values.as_mut_ptr()) })?;
        Ok(values)
    }

    /// The model text of the first `rounds` rounds, the same for every number of threads.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn model_text(&self, rounds: usize) -> Result<String, LightGbmError> {
        let rounds = i32::try_from(rounds)?;
        let mut needed = 0_i64;
        let save = |capacity: i64, needed: &mut i64, out: *mut c_char| {
            // SAFETY: `out` is null with capacity 0, or points to `capacity` writable bytes.
            check(unsafe { sys::LGBM_BoosterSaveModelToString(self.handle, 0, rounds, 0, capacity, needed, out) })
        };
        save(0, &mut needed, ptr::null_mut())?;
        let mut buffer = vec![0_u8; usize::try_from(needed)?];
        save(needed, &mut needed, buffer.as_mut_ptr().cast())?;
        let text = CStr::from_bytes_until_nul(&buffer).map_err(|_| unreadable())?;
        Ok(without_threads(text.to_str().map_err(|_| unreadable())?))
    }
}

impl Drop for Booster<'_> {
    fn drop(&mut self) {
        // Freeing can only fail for a null handle, which no `Booster` has.
        let _ = unsafe { sys::LGBM_BoosterFree(self.handle) };
    }
}

fn unreadable() -> LightGbmError {
    LightGbmError::Library("the model text is not readable".into())
}

/// The saved parameters name the number of threads, which does not change a model: it must not change its digest.
fn without_threads(text: &str) -> String {
    let lines = text.split_inclusive('\n');
    lines.map(|line| if line.starts_with("[num_threads: ") { "[num_threads: 0]\n" } else { line }).collect()
}

fn check(code: i32) -> Result<(), LightGbmError> {
    if code == 0 {
        return Ok(());
    }
    // SAFETY: the library returns a pointer to a NUL-terminated thread-local buffer, copied before the next call.
    let message = unsafe { CStr::from_ptr(sys::LGBM_GetLastError()) };
    Err(LightGbmError::Library(message.to_string_lossy().into_owned()))
}
