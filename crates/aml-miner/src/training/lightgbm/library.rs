//! The lock that every call of the C library goes through, and the library's errors.

use std::ffi::CStr;
use std::num::TryFromIntError;
use std::sync::{Mutex, PoisonError};

use lightgbm3_sys as sys;

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
    /// Values that are not whole rows.
    #[error("{values} values are no whole rows of {columns} columns")]
    Columns {
        /// Number of values.
        values: usize,
        /// Columns of the model.
        columns: usize,
    },
}

/// How many threads the library may use for an object: fixed when it is made, because its buffers are sized by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Threads(i32);

impl Threads {
    /// One thread.
    pub(super) const ONE: Self = Self(1);

    /// As many as given; as many as there are processors where it is zero.
    pub(super) fn new(threads: usize) -> Self {
        let threads = match threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            given => given,
        };
        Self(i32::try_from(threads).unwrap_or(i32::MAX))
    }

    /// The number, at least 1.
    pub(super) fn get(self) -> i32 {
        self.0
    }
}

/// Held during every call: the library's number of threads is one global for all of its objects.
static LIBRARY: Mutex<()> = Mutex::new(());

/// Calls the library on behalf of an object that was made with `threads`.
pub(super) fn call(threads: Threads, code: impl FnOnce() -> i32) -> Result<(), LightGbmError> {
    // What is guarded is the library's own state, which no panic of ours can leave half written.
    let _held = LIBRARY.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: the function takes a number and sets a global, which the lock guards.
    check(unsafe { sys::LGBM_SetMaxThreads(threads.get()) })?;
    check(code())
}

fn check(code: i32) -> Result<(), LightGbmError> {
    if code == 0 {
        return Ok(());
    }
    // SAFETY: the library returns a pointer to a NUL-terminated thread-local buffer, copied before the next call.
    let message = unsafe { CStr::from_ptr(sys::LGBM_GetLastError()) };
    Err(LightGbmError::Library(message.to_string_lossy().into_owned()))
}
