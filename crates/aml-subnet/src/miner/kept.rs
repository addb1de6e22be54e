//! Sealed answers in plain, kept until two days after their opening: whoever was answered may ask for his when the beacon
//! stays away.
//!
//! One file per answer, named by opening, caller and digest, so that the folder is the list. All together are bounded, and so
//! is what one caller makes us keep: of one opening the first few.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use aml_miner::digest::Digest;
use aml_miner::whole_file::{self, Readers};

use crate::wallet::Hotkey;

/// The folder's name.
const FOLDER: &str = "answers";
/// So long after its opening an answer is kept, in seconds.
pub(super) const KEPT_S: u64 = 2 * 86_400;
/// Answers of one caller and one opening.
const OF_A_CALLER: usize = 4;
/// Largest file that is read back.
const MAX_FILE: usize = 512 << 20;
/// What names end with.
const END: &str = ".zst";

/// Whose answer, and when it may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// In seconds since 1970.
    pub(super) opening_s: u64,
    /// Who was answered.
    pub(super) caller: Hotkey,
    /// SHA-256 of the plain answer.
    pub(super) plain: Digest,
}

impl Kept {
    fn name(&self) -> String {
        format!("{}-{}-{}{END}", self.opening_s, self.caller, self.plain)
    }

    fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(END)?.split('-');
        let kept = Self {
            opening_s: parts.next()?.parse().ok()?,
            caller: parts.next()?.parse().ok()?,
            plain: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(kept)
    }
}

/// The folder.
pub(super) struct KeptAnswers {
    folder: PathBuf,
    most: u64,
    turn: Mutex<()>,
}

impl KeptAnswers {
    /// That of a data folder, of at most so many bytes.
    pub(super) fn of(data: PathBuf, most: u64) -> Self {
        Self { folder: data.join(FOLDER), most, turn: Mutex::new(()) }
    }

    /// Keeps a compressed answer, and lets go of what need not be kept any longer. Says whether it was kept.
    pub(super) fn put(&self, kept: &Kept, packed: &[u8], now_s: u64) -> io::Result<bool> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        fs::create_dir_all(&self.folder)?;
        let all = self.sweep(now_s, packed.len() as u64)?;
        let same = |other: &&Kept| other.opening_s == kept.opening_s && other.caller == kept.caller;
        if packed.len() as u64 > self.most || all.iter().filter(same).count() >= OF_A_CALLER {
            return Ok(false);
        }
        whole_file::write(&self.folder.join(kept.name()), packed, Readers::Owner)?;
        Ok(true)
    }

    /// The answer that `caller` was given under this digest, still compressed, with its opening.
    pub(super) fn get(&self, caller: &Hotkey, plain: &Digest) -> io::Result<Option<(u64, Vec<u8>)>> {
        let found = self.list()?.into_iter().find(|(kept, _)| kept.caller == *caller && kept.plain == *plain);
        let Some((kept, _)) = found else { return Ok(None) };
        Ok(Some((kept.opening_s, whole_file::read(&self.folder.join(kept.name()), MAX_FILE)?)))
    }

    /// Removes what is old, and the oldest beyond the bound with `more` to come; what is left.
    fn sweep(&self, now_s: u64, more: u64) -> io::Result<Vec<Kept>> {
        let mut all = self.list()?;
        all.sort_by_key(|(kept, _)| (kept.opening_s, kept.name()));
        let mut bytes: u64 = all.iter().map(|(_, bytes)| bytes).sum::<u64>().saturating_add(more);
        let mut left = Vec::with_capacity(all.len());
        for (kept, length) in all {
            if kept.opening_s.saturating_add(KEPT_S) < now_s || bytes > self.most {
                fs::remove_file(self.folder.join(kept.name()))?;
                bytes = bytes.saturating_sub(length);
            } else {
                left.push(kept);
            }
        }
        Ok(left)
    }

    fn list(&self) -> io::Result<Vec<(Kept, u64)>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut all = Vec::new();
        for entry in entries {
            let entry = entry?;
            let Some(kept) = entry.file_name().to_str().and_then(Kept::parse) else { continue };
            all.push((kept, entry.metadata()?.len()));
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use aml_miner::digest::Digest;

    use super::{KEPT_S, Kept, KeptAnswers};
    use crate::wallet::Hotkey;

    fn kept(caller: u8, opening_s: u64, name: &str) -> Kept {
        Kept { opening_s, caller: Hotkey::from_bytes([caller; 32]), plain: Digest::of(name.as_bytes()) }
    }

    #[test]
    fn answers_are_kept_for_whom_they_were_given_to_until_two_days_after_their_opening() {
        let folder = tempfile::tempdir().unwrap();
        let answers = KeptAnswers::of(folder.path().to_owned(), 1000);
        let one = kept(1, 100, "one");
        assert!(answers.put(&one, b"packed", 50).unwrap());
        assert_eq!(answers.get(&one.caller, &one.plain).unwrap(), Some((100, b"packed".to_vec())));
        assert_eq!(answers.get(&kept(2, 0, "").caller, &one.plain).unwrap(), None, "nobody else's");
        answers.put(&kept(2, 200, "two"), b"x", 100 + KEPT_S).unwrap();
        assert!(answers.get(&one.caller, &one.plain).unwrap().is_some());
        answers.put(&kept(3, 200, "three"), b"x", 101 + KEPT_S).unwrap();
        assert_eq!(answers.get(&one.caller, &one.plain).unwrap(), None);
    }

    #[test]
    fn the_folder_is_bounded_and_no_caller_takes_all_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let answers = KeptAnswers::of(folder.path().to_owned(), 100);
        let first = kept(1, 100, "first");
        assert!(answers.put(&first, &[0; 20], 0).unwrap());
        let taken: Vec<bool> =
            (0..6).map(|n| answers.put(&kept(9, 200, &n.to_string()), &[0; 10], 0).unwrap()).collect();
        assert_eq!(taken, [true, true, true, true, false, false]);
        assert!(answers.get(&first.caller, &first.plain).unwrap().is_some(), "the first is still there");
        assert!(!answers.put(&kept(4, 300, "huge"), &[0; 101], 0).unwrap());
        assert!(answers.put(&kept(5, 400, "large"), &[0; 90], 0).unwrap(), "the oldest openings go first");
        assert_eq!(answers.get(&first.caller, &first.plain).unwrap(), None);
    }
}
