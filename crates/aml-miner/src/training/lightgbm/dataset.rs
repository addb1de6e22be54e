//! Rows in the C library's bins.

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;

use lightgbm3_sys as sys;

use super::library::{LightGbmError, Threads, call};
use super::parameters::Parameters;
use crate::features::Matrix;

const F32: i32 = 0;
const F64: i32 = 1;
const I32: i32 = 2;

/// Labelled rows: the parts' rows one after the other.
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    /// Matrices with the same columns.
    pub parts: Vec<&'a Matrix>,
    /// One label per row.
    pub labels: &'a [f32],
    /// One weight per row.
    pub weights: Option<&'a [f32]>,
    /// Sizes of consecutive query groups.
    pub groups: Option<&'a [i32]>,
}

/// Rows in LightGBM's bins.
pub struct Dataset {
    pub(super) handle: sys::DatasetHandle,
    pub(super) rows: usize,
    threads: Threads,
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
        let (threads, parameters) = (parameters.threads(), parameters.to_c()?);
        let reference = reference.map_or(ptr::null_mut(), |other| other.handle);
        let mut handle = ptr::null_mut();
        call(threads, || unsafe {
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
        let dataset = Self { handle, rows: count, threads };
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
        call(self.threads, || unsafe {
            sys::LGBM_DatasetSetField(self.handle, name.as_ptr(), values.as_ptr().cast(), length, kind)
        })
    }

    fn set_names(&self, names: &[String]) -> Result<(), LightGbmError> {
        let owned = names.iter().map(|name| CString::new(name.as_str())).collect::<Result<Vec<_>, _>>()?;
        let mut pointers: Vec<*const c_char> = owned.iter().map(|name| name.as_ptr()).collect();
        let length = i32::try_from(pointers.len())?;
        call(self.threads, || unsafe { sys::LGBM_DatasetSetFeatureNames(self.handle, pointers.as_mut_ptr(), length) })
    }
}

impl Drop for Dataset {
    fn drop(&mut self) {
        // Freeing can only fail for a null handle, which no `Dataset` has.
        let _ = call(self.threads, || unsafe { sys::LGBM_DatasetFree(self.handle) });
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
