//! What is written beside the tables of a batch, and how.

use chrono::NaiveDate;
use ed25519_dalek::SigningKey;

/// What a manifest says beside its files.
#[derive(Clone, Copy, Debug)]
pub struct WriteOptions<'a> {
    /// The day the batch is for.
    pub processing_date: NaiveDate,
    /// Days that the features look back.
    pub window_days: u16,
    /// The chain the addresses are on.
    pub network: &'a str,
    /// When the batch was made, RFC 3339: given, so that the same batch gives the same bytes.
    pub created_at: &'a str,
    /// Signs the manifest, where there is a publisher.
    pub publisher: Option<&'a SigningKey>,
    /// Whether a batch that is there already is replaced; else it is an error.
    pub replace: bool,
}
