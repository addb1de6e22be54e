//! A file that one process at a time holds.

use std::fs::{File, TryLockError};
use std::ops::{Deref, DerefMut};

/// A file under an exclusive lock, which is let go when this is dropped.
///
/// Closing the file would not do: a process that this one is just starting has the file open too until it runs its own program.
#[derive(Debug)]
pub struct LockedFile(File);

impl LockedFile {
    /// Locks a file that nobody else has locked.
    ///
    /// # Errors
    /// The file again, and that somebody has it, or what the system said.
    pub fn try_lock(file: File) -> Result<Self, (File, TryLockError)> {
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(error) => Err((file, error)),
        }
    }
}

impl Deref for LockedFile {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl DerefMut for LockedFile {
    fn deref_mut(&mut self) -> &mut File {
        &mut self.0
    }
}

impl Drop for LockedFile {
    fn drop(&mut self) {
        // Where it fails the lock goes with the file.
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_let_go_whoever_still_has_the_file_open() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let held = LockedFile::try_lock(file.reopen().expect("it opens")).expect("it is free");
        // As a process has it that is just being started.
        let child = held.try_clone().expect("a second handle");
        let second = LockedFile::try_lock(file.reopen().expect("it opens"));
        assert!(matches!(second, Err((_, TryLockError::WouldBlock))));
        drop(held);
        assert!(LockedFile::try_lock(file.reopen().expect("it opens")).is_ok());
        drop(child);
    }
}
