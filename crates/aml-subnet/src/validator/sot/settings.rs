//! Where batches come from, and how long they are kept.

use std::path::PathBuf;

use aml_miner::data::download::DownloadSettings;

/// Where batches come from and how long they are kept.
#[derive(Clone, Debug)]
pub struct SotSettings {
    /// A directory, or a base URL.
    pub source: String,
    /// The validator's data folder; the cache lies in it.
    pub data_dir: PathBuf,
    /// Where pools of traps are kept.
    pub pools: PathBuf,
    /// Only batches whose features look back so many days; `None` for any.
    pub window_days: Option<u16>,
    /// Days before today that a base URL is asked for: it cannot be listed.
    pub look_back_days: u32,
    /// Batches this many days older than the newest one are dropped from the cache.
    pub keep_days: u32,
    /// No more bytes than this are cached; the oldest batches go first, the newest stays.
    pub keep_bytes: u64,
    /// Retries, deadlines, bounds; the publisher and the network that batches must name.
    pub download: DownloadSettings,
}

impl SotSettings {
    /// Usual settings: fourteen days looked back, thirty-five days and 64 GiB kept.
    #[must_use]
    pub fn new(source: impl Into<String>, data_dir: impl Into<PathBuf>) -> Self {
        let data_dir = data_dir.into();
        Self {
            source: source.into(),
            pools: data_dir.join("pools"),
            data_dir,
            window_days: None,
            look_back_days: 14,
            keep_days: 35,
            keep_bytes: 64 << 30,
            download: DownloadSettings::default(),
        }
    }
}
