//! The openings that this miner has promised: of each day the first one, whoever asked, and never an earlier one.
//!
//! Kept in a file, which is written before the first answer of a day leaves: a restart forgets no promise. Whoever asks can
//! make so many promises, and all callers together so many, that the file stays small.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use aml_miner::whole_file::{self, Readers};
use serde::{Deserialize, Serialize};

use crate::beacon::Beacon;
use crate::protocol::terms::{Day, Opening};
use crate::wallet::Hotkey;

/// The file's name.
const FILE: &str = "openings.json";
/// Days with a promise that one caller asked for first.
const OF_A_CALLER: usize = 16;
/// Days with a promise, of all callers.
const IN_ALL: usize = 1024;
/// A promise is forgotten so long after its opening, in seconds.
const FORGOTTEN_S: u64 = 4 * 86_400;
/// A larger file is something else.
const MAX_FILE: usize = 1 << 20;

/// What was promised of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Promise {
    day: String,
    opening_s: u64,
    beacon: Beacon,
    by: Hotkey,
}

/// Why nothing is sealed.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoOpening {
    /// What was asked for is no opening of that day.
    #[error("the opening is {0}")]
    Bad(&'static str),
    /// More days than anybody needs.
    #[error("too many days at once; ask again when some of them are open")]
    TooMany,
    /// Ours.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The promises.
pub(super) struct Openings {
    path: PathBuf,
    /// `None` before they were read.
    known: Mutex<Option<BTreeMap<Day, Promise>>>,
}

/// Who asks for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    /// Of which day.
    pub(super) day: Day,
    /// Which opening.
    pub(super) opening: Opening,
    /// Who.
    pub(super) by: Hotkey,
    /// Our time, in seconds since 1970.
    pub(super) now_s: u64,
}

impl Openings {
    /// Those of a folder; nothing is read before the first wish.
    pub(super) fn of(folder: PathBuf) -> Self {
        Self { path: folder.join(FILE), known: Mutex::new(None) }
    }

    /// The opening that an answer is sealed to: the one that was promised before, or the wished one, which is promised now.
    pub(super) fn promise(&self, wish: &Wish) -> Result<Opening, NoOpening> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let promises = match known.as_mut() {
            Some(promises) => promises,
            None => known.insert(self.read()?),
        };
        let Wish { day, opening, by, now_s } = *wish;
        if let Some(promise) = promises.get(&day).filter(|promise| promise.beacon == opening.beacon) {
            return Ok(Opening { at_s: promise.opening_s, beacon: promise.beacon });
        }
        opening.beacon.rule().first_is_good(day.start_s(), opening.at_s, now_s).map_err(NoOpening::Bad)?;
        promises.retain(|_, promise| promise.opening_s.saturating_add(FORGOTTEN_S) > now_s);
        let own = promises.values().filter(|promise| promise.by == by).count();
        if own >= OF_A_CALLER || promises.len() >= IN_ALL {
            return Err(NoOpening::TooMany);
        }
        promises.insert(day, Promise { day: day.to_string(), opening_s: opening.at_s, beacon: opening.beacon, by });
        if let Err(source) = self.write(promises) {
            // What is not on disk is not promised.
            promises.remove(&day);
            return Err(NoOpening::File { path: self.path.clone(), source });
        }
        Ok(opening)
    }

    /// Whether anything was promised lately: then this is a subnet whose answers are sealed.
    pub(super) fn any(&self, now_s: u64) -> Result<bool, NoOpening> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let promises = match known.as_mut() {
            Some(promises) => promises,
            None => known.insert(self.read()?),
        };
        Ok(promises.values().any(|promise| promise.opening_s.saturating_add(FORGOTTEN_S) > now_s))
    }

    fn read(&self) -> Result<BTreeMap<Day, Promise>, NoOpening> {
        let failed = |source| NoOpening::File { path: self.path.clone(), source };
        let bytes = match whole_file::read(&self.path, MAX_FILE) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            other => other.map_err(failed)?,
        };
        let listed: Vec<Promise> = serde_json::from_slice(&bytes).map_err(|error| failed(error.into()))?;
        let keyed = |promise: Promise| {
            let day = promise.day.parse().map_err(|_| failed(io::Error::other("a day is none")))?;
            Ok((day, promise))
        };
        listed.into_iter().map(keyed).collect()
    }

    fn write(&self, promises: &BTreeMap<Day, Promise>) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let listed: Vec<&Promise> = promises.values().collect();
        whole_file::write(&self.path, &serde_json::to_vec(&listed)?, Readers::Owner)
    }
}

#[cfg(test)]
mod tests {
    use super::{NoOpening, Openings, Wish};
    use crate::beacon::Beacon;
    use crate::protocol::terms::Opening;
    use crate::wallet::Hotkey;

    const DAY: u64 = 1_767_571_200; // 2026-01-05
    const HOUR: u64 = 3600;

    fn wish(opening_s: u64, now_s: u64, by: u8) -> Wish {
        let opening = Opening { at_s: opening_s, beacon: Beacon::Quicknet };
        Wish { day: "2026-01-05-30".parse().unwrap(), opening, by: Hotkey::from_bytes([by; 32]), now_s }
    }

    #[test]
    fn the_first_opening_of_a_day_stays_whoever_asks_and_whatever_happens() {
        let folder = tempfile::tempdir().unwrap();
        let openings = Openings::of(folder.path().join("made"));
        let usual = DAY + 30 * HOUR;
        assert_eq!(openings.promise(&wish(usual, DAY, 1)).unwrap().at_s, usual);
        // Later, earlier, or nonsense: of this day nothing else is promised any more.
        for other in [usual + 6 * HOUR, usual - 6 * HOUR, 17] {
            assert_eq!(openings.promise(&wish(other, usual + HOUR, 2)).unwrap().at_s, usual);
        }
        let restarted = Openings::of(folder.path().join("made"));
        assert_eq!(restarted.promise(&wish(usual + 6 * HOUR, usual + HOUR, 2)).unwrap().at_s, usual);
    }

    #[test]
    fn what_is_no_opening_is_not_promised() {
        let folder = tempfile::tempdir().unwrap();
        let openings = Openings::of(folder.path().to_owned());
        for opening in [DAY + 12 * HOUR, DAY + 36 * HOUR, DAY + 30 * HOUR + 1, DAY - 6 * HOUR] {
            assert!(matches!(openings.promise(&wish(opening, DAY + HOUR, 1)), Err(NoOpening::Bad(_))), "{opening}");
        }
        assert!(!folder.path().join("openings.json").exists());
    }

    #[test]
    fn one_caller_cannot_fill_the_list_for_others() {
        let folder = tempfile::tempdir().unwrap();
        let openings = Openings::of(folder.path().to_owned());
        let usual = DAY + 30 * HOUR;
        let mut refused = 0;
        for window in 1..40 {
            let day = format!("2026-01-05-{window}").parse().unwrap();
            refused += usize::from(openings.promise(&Wish { day, ..wish(usual, DAY, 1) }).is_err());
        }
        assert_eq!(refused, 39 - 16);
        assert_eq!(openings.promise(&wish(usual, DAY, 2)).unwrap().at_s, usual);
    }

    #[test]
    fn a_file_that_is_something_else_promises_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("openings.json"), "[1]").unwrap();
        let openings = Openings::of(folder.path().to_owned());
        assert!(matches!(openings.promise(&wish(DAY + 30 * HOUR, DAY, 1)), Err(NoOpening::File { .. })));
    }
}
