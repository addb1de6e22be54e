//! Days of batches that appear one by one, with their outcomes: all of them long past.

use std::path::{Path, PathBuf};

use aml_miner::data::listing::directory_name;
use aml_miner::data::write_batch;
use aml_miner::synth::{Synth, SynthConfig, generate};
use aml_subnet::store::records::RoundId;
use chrono::{Days, NaiveDate};

use crate::validator_world::{NETUID, WINDOW, options};

/// Days that a season can have: all are past.
const MOST_DAYS: u32 = 1_800;
/// Traps are alerts of batches that are at least so much older: the first day is so long before the second that only it
/// has no traps.
const TRAPS_AFTER: u64 = 7;
/// Just enough for two groups of traps: every one of them is sent to every miner in a build without optimisation.
const ALERTS: usize = 200;

/// Where the validators look for batches.
pub(super) struct Source {
    folder: PathBuf,
    days: std::iter::Chain<Synth, Synth>,
}

fn world(start: NaiveDate, days: u32, seed: u64) -> Synth {
    let config = SynthConfig {
        seed,
        start,
        days,
        alerts: ALERTS,
        addresses: 800,
        window_days: WINDOW,
        illicit_share: 0.25,
        ..SynthConfig::default()
    };
    generate(&config).expect("a world")
}

impl Source {
    pub(super) fn new(folder: PathBuf) -> Self {
        std::fs::create_dir_all(&folder).expect("a folder");
        let second = NaiveDate::from_ymd_opt(2020, 1, 1).expect("a day");
        let days = world(second - Days::new(TRAPS_AFTER), 1, 1).chain(world(second, MOST_DAYS, 42));
        Self { folder, days }
    }

    /// The next batch appears, whole.
    pub(super) fn dawn(&mut self) -> RoundId {
        let day = self.days.next().expect("days enough");
        let name = directory_name(day.date, Some(WINDOW));
        let unfinished = tempfile::tempdir_in(self.folder.parent().unwrap_or(Path::new("."))).expect("a folder");
        let made = unfinished.path().join(&name);
        write_batch(&made, &day.batch, Some(&day.labels), &options(day.date)).expect("a batch");
        std::fs::rename(made, self.folder.join(name)).expect("a batch");
        RoundId { netuid: NETUID, date: day.date, window_days: WINDOW }
    }
}
