//! The threads that work is spread over, anew in each process.
//!
//! A process that was forked has none of its parent's threads: work that is handed to them would wait for ever.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::errors::UsageError;

/// The pool, and the process that it was made in.
static POOL: Mutex<Option<(u32, Arc<ThreadPool>)>> = Mutex::new(None);

/// Does `work` on the pool, without the interpreter's lock.
pub(super) fn spread<T: Send>(py: Python<'_>, work: impl FnOnce() -> PyResult<T> + Send) -> PyResult<T> {
    let pool = of_this_process()?;
    py.detach(|| pool.install(work))
}

/// The interpreter's lock is held here, and whoever forks holds it, so no fork finds the pool's own lock taken.
fn of_this_process() -> PyResult<Arc<ThreadPool>> {
    let mut known = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    if let Some((_, pool)) = known.as_ref().filter(|(made_in, _)| *made_in == process) {
        return Ok(Arc::clone(pool));
    }
    let pool = ThreadPoolBuilder::new().build().map_err(|error| UsageError::new_err(error.to_string()))?;
    let pool = Arc::new(pool);
    // The parent's pool is not dropped: that would wait for threads which are not there.
    std::mem::forget(known.replace((process, Arc::clone(&pool))));
    Ok(pool)
}
