//! What comes of an upgrade, and why it was not tried.

use std::io;
use std::path::PathBuf;

use super::kept::KeepError;
use super::package::PackageError;
use super::program::ProgramError;
use super::release::ReleaseError;
use super::systemd::SystemdError;
use super::taking_back::TakenBack;
use super::version::Version;

/// What came of it.
#[derive(Debug)]
pub enum Done {
    /// The new version runs.
    Upgraded {
        /// The version.
        to: Version,
        /// Where what was replaced is kept.
        kept: PathBuf,
    },
    /// It would have been tried.
    Possible {
        /// The version.
        to: Version,
    },
    /// This version is installed already.
    Same(Version),
    /// It did not come up, and everything was put back.
    TakenBack {
        /// Why it did not come up.
        why: String,
        /// What that came to.
        back: TakenBack,
    },
}

/// Why nothing was changed, or, in one case, why a machine needs a person now.
#[derive(Debug, thiserror::Error)]
pub enum UpgradeError {
    /// A round is being asked.
    #[error("not now: {0}; wait, or say --force")]
    NotNow(String),
    /// Backwards.
    #[error("{installed} is installed, and {offered} is older: it may not read the ledger (--force tries it)")]
    Older {
        /// What is installed.
        installed: Version,
        /// What is offered.
        offered: Version,
    },
    /// Nobody said that there is a backup.
    #[error(
        "the ledger is in PostgreSQL, which is not backed up from here: back it up (docs/ledger.md) and say --have-backup"
    )]
    NoBackup,
    /// Units are root's.
    #[error("only root may stop and start units: run it with sudo")]
    NotRoot,
    /// What was kept names no version.
    #[error("{path} was not made by an upgrade", path = .0.display())]
    NotKept(PathBuf),
    /// Another upgrade is at work.
    #[error("another upgrade is at work ({path} is locked)", path = .0.display())]
    Busy(PathBuf),
    /// In a package's place, but of none.
    #[error("dpkg knows of no package aml, though programs are to be replaced in {}: what was installed there by hand is upgraded by hand (docs/operations.md)", .0.display())]
    NoPackage(PathBuf),
    /// dpkg.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// The release.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// A program.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// Units.
    #[error(transparent)]
    Systemd(#[from] SystemdError),
    /// What is to be replaced cannot be kept.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// The disk.
    #[error("cannot use {path}: {source}", path = path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It did not come up, and could not be put back either.
    #[error("{why}; and it could not be put back: {back}. What was there is kept in {kept}", kept = kept.display())]
    Stuck {
        /// Why it did not come up.
        why: String,
        /// Why it could not be put back.
        back: String,
        /// Where everything is kept.
        kept: PathBuf,
    },
}
