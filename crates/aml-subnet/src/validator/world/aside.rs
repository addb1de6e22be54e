//! Answers that the ledger did not take when they came: they wait on disk until it does.
//!
//! One file per answer: its record as a line of JSON, then its body. Files are written whole or not at all, and all of them
//! together are bounded.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aml_miner::whole_file::{self, Readers};
use bytes::Bytes;

use crate::store::records::{Answer, RoundId};
use crate::wallet::Hotkey;

/// All that waits together: a round of 250 miners that send 35 MB each.
const MOST_BYTES: u64 = 9 << 30;

/// Why an answer cannot wait.
#[derive(Debug, thiserror::Error)]
pub enum AsideError {
    /// The disk.
    #[error("cannot use {path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Too much waits already.
    #[error("{0} bytes of answers wait for the ledger already, and no more may")]
    Full(u64),
    /// A file that is no answer.
    #[error("{path} is no answer that waits: {why}; remove it", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

/// Where answers wait for the ledger.
pub trait Aside: Send + Sync {
    /// Puts an answer aside.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn put(&self, round: RoundId, answer: &Answer, body: Option<&Bytes>) -> Result<(), AsideError>;

    /// Whose answers wait.
    ///
    /// # Errors
    /// When the folder cannot be read.
    fn waiting(&self, round: RoundId) -> Result<Vec<Hotkey>, AsideError>;

    /// An answer that waits.
    ///
    /// # Errors
    /// When it cannot be read.
    fn look(&self, round: RoundId, hotkey: &Hotkey) -> Result<(Answer, Option<Bytes>), AsideError>;

    /// Lets go of an answer that is recorded now.
    ///
    /// # Errors
    /// When its file cannot be removed.
    fn done(&self, round: RoundId, hotkey: &Hotkey) -> Result<(), AsideError>;
}

/// A folder with a folder per round.
#[derive(Clone, Debug)]
pub struct Folder {
    /// The folder.
    pub root: PathBuf,
}

impl Folder {
    fn round(&self, round: RoundId) -> PathBuf {
        self.root.join(round.to_string())
    }

    fn file(&self, round: RoundId, hotkey: &Hotkey) -> PathBuf {
        self.round(round).join(hotkey.to_string())
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> AsideError + '_ {
    |source| AsideError::Io { path: path.to_path_buf(), source }
}

/// The entries of a folder; none where there is no folder.
fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>, AsideError> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.collect::<Result<_, _>>().map_err(failed(folder)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(folder)(error)),
    }
}

impl Aside for Folder {
    fn put(&self, round: RoundId, answer: &Answer, body: Option<&Bytes>) -> Result<(), AsideError> {
        let mut waiting = 0_u64;
        for folder in entries(&self.root)? {
            for file in entries(&folder.path())? {
                waiting += file.metadata().map_err(failed(&file.path()))?.len();
            }
        }
        let body = body.map(|body| &body[..]).unwrap_or_default();
        if waiting.saturating_add(body.len() as u64) > MOST_BYTES {
            return Err(AsideError::Full(waiting));
        }
        let path = self.file(round, &answer.hotkey);
        let folder = self.round(round);
        fs::create_dir_all(&folder).map_err(failed(&folder))?;
        let mut bytes = serde_json::to_vec(answer).map_err(|error| failed(&path)(error.into()))?;
        bytes.push(b'\n');
        bytes.extend_from_slice(body);
        whole_file::write(&path, &bytes, Readers::Owner).map_err(failed(&path))
    }

    fn waiting(&self, round: RoundId) -> Result<Vec<Hotkey>, AsideError> {
        let files = entries(&self.round(round))?.into_iter();
        // What is no hotkey is a file that was not written whole.
        let mut all: Vec<Hotkey> = files.filter_map(|file| file.file_name().to_str()?.parse().ok()).collect();
        all.sort_unstable();
        Ok(all)
    }

    fn look(&self, round: RoundId, hotkey: &Hotkey) -> Result<(Answer, Option<Bytes>), AsideError> {
        let path = self.file(round, hotkey);
        let bytes = Bytes::from(fs::read(&path).map_err(failed(&path))?);
        let damaged = |why: String| AsideError::Damaged { path: path.clone(), why };
        let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(|| damaged("it has no line".to_owned()))?;
        let answer: Answer = serde_json::from_slice(&bytes[..end]).map_err(|error| damaged(error.to_string()))?;
        let body = answer.arrived().map(|_| bytes.slice(end + 1..));
        Ok((answer, body))
    }

    fn done(&self, round: RoundId, hotkey: &Hotkey) -> Result<(), AsideError> {
        let path = self.file(round, hotkey);
        fs::remove_file(&path).map_err(failed(&path))?;
        // The last one takes the folder with it; before that it is not empty.
        let _ = fs::remove_dir(self.round(round));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Aside as _, AsideError, Bytes, Folder, RoundId};
    use crate::store::records::Reply;
    use crate::wallet::Hotkey;
    use aml_miner::digest::Digest;

    #[test]
    fn an_answer_waits_with_its_body_until_it_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let aside = Folder { root: folder.path().join("unrecorded") };
        let round: RoundId = "1-2026-01-05-30".parse().unwrap();
        let hotkey = Hotkey::from_bytes([7; 32]);
        assert!(aside.waiting(round).unwrap().is_empty());
        let body = Bytes::from_static(b"two\nlines");
        let answer = Answer { body: Some(Digest::of(&body)), ..Answer::silence(hotkey, Reply::Answered, 5) };
        aside.put(round, &answer, Some(&body)).unwrap();
        let silent = Answer::silence(Hotkey::from_bytes([8; 32]), Reply::TimedOut, 6);
        aside.put(round, &silent, None).unwrap();
        assert_eq!(aside.waiting(round).unwrap(), [hotkey, silent.hotkey]);
        assert_eq!(aside.look(round, &hotkey).unwrap(), (answer, Some(body)));
        assert_eq!(aside.look(round, &silent.hotkey).unwrap(), (silent.clone(), None));
        std::fs::write(folder.path().join("unrecorded/1-2026-01-05-30").join(hotkey.to_string()), "half").unwrap();
        assert!(matches!(aside.look(round, &hotkey), Err(AsideError::Damaged { .. })));
        for whose in [hotkey, silent.hotkey] {
            aside.done(round, &whose).unwrap();
        }
        assert!(aside.waiting(round).unwrap().is_empty() && !folder.path().join("unrecorded/1-2026-01-05-30").exists());
    }
}
