//! A finished model in the C library: the answers that our own trees are compared with.

use std::ffi::{CStr, CString};
use std::ptr;

use lightgbm3_sys as sys;

use super::library::{LightGbmError, Threads, call};

const F64: i32 = 1;
/// Without warnings, and on one thread: what is compared is the arithmetic.
const QUIET: &CStr = c"num_threads=1 verbosity=-1";

/// What is asked of a finished model, by the C library's numbers.
#[derive(Clone, Copy)]
enum Asked {
    Answers = 0,
    RawScores = 1,
    Contributions = 3,
}

/// A model that was read from its text.
pub struct Finished {
    handle: sys::BoosterHandle,
    columns: usize,
}

impl Finished {
    /// The model of a LightGBM text.
    ///
    /// # Errors
    /// When the library refuses the text.
    pub fn from_text(text: &str) -> Result<Self, LightGbmError> {
        let text = CString::new(text)?;
        let (mut rounds, mut handle) = (0, ptr::null_mut());
        call(Threads::ONE, || unsafe {
            sys::LGBM_BoosterLoadModelFromString(text.as_ptr(), &raw mut rounds, &raw mut handle)
        })?;
        let mut model = Self { handle, columns: 0 };
        let mut columns = 0;
        call(Threads::ONE, || unsafe { sys::LGBM_BoosterGetNumFeature(model.handle, &raw mut columns) })?;
        model.columns = usize::try_from(columns)?;
        Ok(model)
    }

    /// Answers (probabilities of a binary model) of row-major rows, one per row and output.
    ///
    /// # Errors
    /// When these are not whole rows, or the library refuses.
    pub fn answers(&self, rows: &[f64]) -> Result<Vec<f64>, LightGbmError> {
        self.predict(rows, Asked::Answers)
    }

    /// Raw scores of row-major rows, one per row and output.
    ///
    /// # Errors
    /// When these are not whole rows, or the library refuses.
    pub fn raw_scores(&self, rows: &[f64]) -> Result<Vec<f64>, LightGbmError> {
        self.predict(rows, Asked::RawScores)
    }

    /// Contributions to the raw scores of row-major rows: one per column, then the base value, for each row and output.
    ///
    /// # Errors
    /// When these are not whole rows, or the library refuses.
    pub fn contributions(&self, rows: &[f64]) -> Result<Vec<f64>, LightGbmError> {
        self.predict(rows, Asked::Contributions)
    }

    fn predict(&self, rows: &[f64], asked: Asked) -> Result<Vec<f64>, LightGbmError> {
        let number = rows.len().checked_div(self.columns).unwrap_or(0);
        if number * self.columns != rows.len() {
            return Err(LightGbmError::Columns { values: rows.len(), columns: self.columns });
        }
        let (rows_c, columns, asked) = (i32::try_from(number)?, i32::try_from(self.columns)?, asked as i32);
        let mut length = 0_i64;
        call(Threads::ONE, || unsafe {
            sys::LGBM_BoosterCalcNumPredict(self.handle, rows_c, asked, 0, -1, &raw mut length)
        })?;
        let mut values = vec![0.0; usize::try_from(length)?];
        call(Threads::ONE, || unsafe {
            sys::LGBM_BoosterPredictForMat(
                self.handle,
                rows.as_ptr().cast(),
                F64,
                rows_c,
                columns,
                1,
                asked,
                0,
                -1,
                QUIET.as_ptr(),
                &raw mut length,
                values.as_mut_ptr(),
            )
        })?;
        values.truncate(usize::try_from(length)?);
        Ok(values)
    }
}

impl Drop for Finished {
    fn drop(&mut self) {
        // Freeing can only fail for a null handle, which no `Finished` has.
        let _ = call(Threads::ONE, || unsafe { sys::LGBM_BoosterFree(self.handle) });
    }
}
