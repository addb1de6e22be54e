//! One writer per hotkey: the key file is locked while a transaction is signed and sent.
//!
//! A miner and a validator of one host may share a hotkey. Two transactions in flight with the same nonce replace each
//! other until the node bans both, so whoever writes to the chain holds the file's advisory lock until its transaction
//! is final. The file itself is locked, not one beside it: that works on read-only mounts, and between containers
//! that mount the same file.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aml_miner::locked_file::LockedFile;

/// How often a lock that is held is tried again.
const RETRY: Duration = Duration::from_millis(200);

/// A hotkey's file, to be locked while something is written with it.
#[derive(Clone, Debug)]
pub struct KeyLock {
    path: PathBuf,
}

/// Held until it is dropped, or the process ends.
#[derive(Debug)]
pub struct KeyGuard {
    _file: LockedFile,
}

/// Why nothing may be written with the hotkey now.
#[derive(Debug, thiserror::Error)]
pub enum KeyLockError {
    /// Another process writes.
    #[error(
        "{holder} has been writing to the chain with the hotkey file {path} for {waited:?}: one writer per hotkey; wait for \
         it, or stop it",
        path = path.display()
    )]
    Held {
        /// The file.
        path: PathBuf,
        /// Who, as far as the system tells.
        holder: String,
        /// How long was waited for it.
        waited: Duration,
    },
    /// The file cannot be locked.
    #[error("cannot lock the hotkey file {path}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl KeyLock {
    /// The lock of a hotkey's file. Nothing is opened yet.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Waits until nobody else writes, for at most `patience`.
    ///
    /// # Errors
    /// [`KeyLockError`] when somebody does for longer, or the file cannot be opened.
    pub async fn hold(&self, patience: Duration) -> Result<KeyGuard, KeyLockError> {
        let failed = |source| KeyLockError::Io { path: self.path.clone(), source };
        let mut file = File::open(&self.path).map_err(failed)?;
        let started = tokio::time::Instant::now();
        loop {
            file = match LockedFile::try_lock(file) {
                Ok(file) => return Ok(KeyGuard { _file: file }),
                Err((_, TryLockError::Error(source))) => return Err(failed(source)),
                Err((file, TryLockError::WouldBlock)) if started.elapsed() < patience => file,
                Err((file, TryLockError::WouldBlock)) => {
                    let (path, holder) = (self.path.clone(), holder(&file));
                    return Err(KeyLockError::Held { path, holder, waited: patience });
                }
            };
            tokio::time::sleep(RETRY).await;
        }
    }
}

/// Who holds a file's lock, in words.
fn holder(file: &File) -> String {
    let unknown = || "another process".to_owned();
    let (Ok(locks), Some(inode)) = (std::fs::read_to_string("/proc/locks"), inode(file)) else { return unknown() };
    let Some(process) = holder_in(&locks, inode) else { return unknown() };
    let words = std::fs::read(format!("/proc/{process}/cmdline")).map(|line| command(&line)).unwrap_or_default();
    if words.is_empty() { format!("process {process}") } else { format!("process {process} ({words})") }
}

#[cfg(unix)]
fn inode(file: &File) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    file.metadata().ok().map(|metadata| metadata.ino())
}

#[cfg(not(unix))]
fn inode(_: &File) -> Option<u64> {
    None
}

/// The process that holds an exclusive lock on an inode, by the system's list of locks.
fn holder_in(locks: &str, inode: u64) -> Option<u32> {
    let line = |line: &str| {
        let mut words = line.split_ascii_whitespace().skip(1);
        // Waiting entries have an arrow here.
        let (kind, _, mode) = (words.next()?, words.next()?, words.next()?);
        let (process, place) = (words.next()?.parse().ok()?, words.next()?);
        let of_ours = place.rsplit(':').next()?.parse() == Ok(inode);
        (kind == "FLOCK" && mode == "WRITE" && of_ours).then_some(process)
    };
    locks.lines().find_map(line)
}

/// Program and subcommand of a command line: the rest may be long, and is nobody's business.
fn command(line: &[u8]) -> String {
    let mut words = line.split(|byte| *byte == 0).map(String::from_utf8_lossy).filter(|word| !word.is_empty());
    let program = words.next().map(|path| path.rsplit('/').next().unwrap_or_default().to_owned());
    let subcommand = words.next().filter(|word| !word.starts_with('-')).map(|word| word.into_owned());
    program.into_iter().chain(subcommand).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_found_in_the_systems_list() {
        let locks = "1: POSIX  ADVISORY  WRITE 10 08:01:77 0 EOF\n2: FLOCK  ADVISORY  WRITE 4242 08:01:77 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 4243 08:01:77 0 EOF\n3: FLOCK  ADVISORY  READ 11 08:01:78 0 EOF\n";
        assert_eq!(holder_in(locks, 77), Some(4242));
        assert_eq!(holder_in(locks, 78), None);
        assert_eq!(holder_in("nonsense\n\n7:", 77), None);
    }

    #[test]
    fn a_command_is_named_without_its_arguments() {
        assert_eq!(command(b"/usr/bin/aml-subnet\0miner\0--wallet.name\0w\0"), "aml-subnet miner");
        assert_eq!(command(b"prog\0--secret\0x\0"), "prog");
        assert_eq!(command(b""), "");
    }

    #[tokio::test]
    async fn the_second_writer_waits_and_hears_who_holds_it() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let lock = KeyLock::of(file.path());
        let first = lock.hold(Duration::ZERO).await.expect("free");
        let refused = lock.hold(Duration::ZERO).await.expect_err("held").to_string();
        assert!(refused.contains("one writer per hotkey"), "{refused}");
        if cfg!(target_os = "linux") && Path::new("/proc/locks").exists() {
            assert!(refused.contains("process"), "{refused}");
        }
        let (second, ()) = tokio::join!(lock.hold(Duration::from_secs(60)), async { drop(first) });
        second.expect("free again");
        let missing = KeyLock::of(Path::new("/no/such/file")).hold(Duration::ZERO).await.expect_err("no file");
        assert!(matches!(missing, KeyLockError::Io { .. }));
    }
}
