//! What a batch may take before it is refused.

use crate::table::lists::MAX_ITEMS;

/// Bounds on one batch directory. The defaults are far above a typical day (50,000 alerts, 500,000 addresses, some
/// million edges: about 400 MB of doubles) and far below what would hurt the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileLimits {
    /// Bytes of `META.json`: a dozen entries need under 4 KiB.
    pub manifest_bytes: u64,
    /// Entries of the manifest's `files`: the format knows five.
    pub files: usize,
    /// Bytes of one file, which is read whole so that what was hashed is what is parsed.
    pub file_bytes: u64,
    /// Rows of one table: forty times a heavy day's edges.
    pub rows: usize,
    /// Columns of one file, unknown ones included: the widest table of the format has under 110.
    pub columns: usize,
    /// Bytes of all pages of one file after decompression, as their headers state them.
    pub page_bytes: u64,
    /// Bytes of one page after decompression: writers make pages of about 1 MiB.
    pub one_page_bytes: u64,
    /// Values of one column, list items included.
    pub values: u64,
    /// Bytes of all text of one column: 20 KiB for each of 50,000 alerts.
    pub text_bytes: usize,
    /// Bytes of one text, the same as the API accepts.
    pub one_text_bytes: usize,
    /// Items of one list, the same as the API accepts.
    pub items: usize,
}

const MIB: u64 = 1 << 20;

impl Default for FileLimits {
    fn default() -> Self {
        Self {
            manifest_bytes: MIB,
            files: 64,
            file_bytes: 1024 * MIB,
            rows: 20_000_000,
            columns: 2_048,
            page_bytes: 4096 * MIB,
            one_page_bytes: 256 * MIB,
            values: 100_000_000,
            text_bytes: 1 << 30,
            one_text_bytes: 1 << 20,
            items: MAX_ITEMS,
        }
    }
}
