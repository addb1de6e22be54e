//! How a download behaves, and what it tells while it runs.

use std::time::Duration;

use super::error::FetchError;
use crate::data::limits::FileLimits;

/// How a download behaves.
#[derive(Clone, Debug)]
pub struct DownloadSettings {
    /// How often one file is tried again after a failure.
    pub retries: u32,
    /// Pause before the first retry; doubled for each further one.
    pub first_pause: Duration,
    /// Longest pause between retries.
    pub longest_pause: Duration,
    /// A connection that brings nothing for this long has failed.
    pub stall: Duration,
    /// One file takes no longer than this, retries included.
    pub deadline: Duration,
    /// Bounds of the batch.
    pub limits: FileLimits,
    /// The network that the manifest must name, where given.
    pub network: Option<String>,
    /// The key that must have signed the manifest (64 hex digits), where given.
    pub publisher: Option<String>,
    /// Whether a batch that is there with other content is replaced.
    pub replace: bool,
}

impl Default for DownloadSettings {
    fn default() -> Self {
        Self {
            retries: 5,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
            stall: Duration::from_secs(30),
            deadline: Duration::from_secs(3600),
            limits: FileLimits::default(),
            network: None,
            publisher: None,
            replace: false,
        }
    }
}

/// What a download tells while it runs.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A file begins, `done` bytes of which are here already.
    File {
        /// Its name.
        name: &'a str,
        /// Bytes that need not be fetched.
        done: u64,
        /// Its length.
        total: u64,
    },
    /// So many bytes of the file are here.
    Bytes(u64),
    /// It failed and is tried again.
    Retry {
        /// Its name.
        name: &'a str,
        /// Why.
        error: &'a FetchError,
        /// After this pause.
        pause: Duration,
    },
}

/// Receives events.
pub type Progress<'a> = &'a (dyn Fn(Event<'_>) + Sync);
