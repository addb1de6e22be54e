//! A model in training.

use std::ffi::{CStr, c_char};
use std::marker::PhantomData;
use std::ptr;

use lightgbm3_sys as sys;

use super::dataset::Dataset;
use super::library::{LightGbmError, Threads, call};
use super::parameters::Parameters;

/// A model in training. Borrows its datasets, which the C library keeps pointers to.
pub struct Booster<'data> {
    handle: sys::BoosterHandle,
    data: PhantomData<&'data Dataset>,
    sizes: Vec<usize>,
    threads: Threads,
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
        let (threads, text) = (parameters.threads(), parameters.to_c()?);
        let mut handle = ptr::null_mut();
        call(threads, || unsafe { sys::LGBM_BoosterCreate(train.handle, text.as_ptr(), &raw mut handle) })?;
        let mut booster = Self { handle, data: PhantomData, sizes: vec![train.rows], threads };
        if let Some(valid) = valid {
            call(threads, || unsafe { sys::LGBM_BoosterAddValidData(booster.handle, valid.handle) })?;
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
        call(self.threads, || unsafe { sys::LGBM_BoosterUpdateOneIter(self.handle, &raw mut empty) })?;
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
        call(self.threads, || unsafe { sys::LGBM_BoosterGetNumPredict(self.handle, index, &raw mut length) })?;
        if usize::try_from(length)? != values.len() {
            return Err(LightGbmError::Library(format!("{length} predictions for {} rows", values.len())));
        }
        call(self.threads, || unsafe {
            sys::LGBM_BoosterGetPredict(self.handle, index, &raw mut length, values.as_mut_ptr())
        })?;
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
            call(self.threads, || unsafe {
                sys::LGBM_BoosterSaveModelToString(self.handle, 0, rounds, 0, capacity, needed, out)
            })
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
        let _ = call(self.threads, || unsafe { sys::LGBM_BoosterFree(self.handle) });
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
