//! What an upgrade replaces, kept so that it can be put back: programs, units, shipped models, and a SQLite ledger.
//!
//! All of it lies in one folder with a list (`kept.json`), which is written last: a folder without a list is of no use, and nothing
//! was replaced yet.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use aml_miner::whole_file::{self, Readers};
use serde::{Deserialize, Serialize};

use super::facts::LedgerFacts;
use super::package::{Dpkg, PackageError};
use super::release::{Form, PROGRAMS, Release};
use super::systemd::Role;
use crate::store::{BackupError, Ledger};

/// Name of the list.
const LIST: &str = "kept.json";
/// A list has some dozens of paths.
const LONGEST_LIST: usize = 1 << 20;
/// What lies beside a SQLite file.
const SIDES: [&str; 2] = ["-wal", "-shm"];

/// Why something was not kept, or not put back.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The file system.
    #[error("cannot use {path}: {source}", path = path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The package that is installed.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// The ledger.
    #[error("cannot copy the ledger")]
    Ledger(#[from] BackupError),
    /// The list.
    #[error("{path} is no list of what was kept: {source}", path = path.display())]
    List {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
}

/// A file that is replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Replaced {
    /// Where it belongs.
    path: PathBuf,
    /// Its copy; `None` where there was no such file.
    copy: Option<PathBuf>,
}

/// What was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The version that was installed.
    pub(super) version: String,
    /// Where programs were installed.
    #[serde(default)]
    pub(super) prefix: Option<PathBuf>,
    /// What the ledger was before.
    pub(super) ledger: Option<LedgerFacts>,
    /// The copy of its file.
    pub(super) copy: Option<PathBuf>,
    files: Vec<Replaced>,
    /// The package that was installed, made anew; its files are in it.
    #[serde(default)]
    package: Option<PathBuf>,
    /// Where all of it lies.
    pub(super) folder: PathBuf,
}

/// Where programs and units are installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// What everything is below: `/`, unless somebody looks first.
    pub(super) root: PathBuf,
    /// As in `/usr/local`.
    pub(super) prefix: PathBuf,
}

impl Layout {
    pub(super) fn at(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// An installed program.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.at(&self.prefix).join("bin").join(name)
    }

    /// Which file of a release belongs here.
    pub(super) fn form(&self) -> Form {
        if self.prefix == Path::new("/usr") { Form::Package } else { Form::Tarball }
    }

    pub(super) fn dpkg(&self) -> Dpkg<'_> {
        Dpkg::below(&self.root)
    }

    fn units(&self) -> PathBuf {
        self.at(Path::new("/etc/systemd/system"))
    }

    /// All files that an installation of `release` replaces.
    fn replaced(&self, release: &Path) -> Result<Vec<PathBuf>, KeepError> {
        let mut all: Vec<PathBuf> = PROGRAMS.iter().map(|name| self.program(name)).collect();
        let units = [Role::Validator, Role::Miner].into_iter().flat_map(Role::units);
        all.extend(units.map(|unit| self.units().join(unit)));
        let models = release.join("trained_models");
        for entry in fs::read_dir(&models).map_err(failed(&models))? {
            let entry = entry.map_err(failed(&models))?;
            all.push(self.at(&self.prefix).join("share/aml/trained_models").join(entry.file_name()));
        }
        Ok(all)
    }
}

impl Kept {
    /// Keeps what an installation of `release` replaces, in `folder`, which is made. The ledger's units have stopped.
    pub(super) async fn keep(
        layout: &Layout,
        release: &Release,
        version: String,
        ledger: Option<&LedgerFacts>,
        folder: &Path,
    ) -> Result<Self, KeepError> {
        let files = folder.join("files");
        fs::create_dir_all(&files).map_err(failed(&files))?;
        let (ledger_facts, folder_kept) = (ledger.cloned(), folder.into());
        let mut kept = Self {
            version,
            prefix: Some(layout.prefix.clone()),
            ledger: ledger_facts,
            copy: None,
            files: Vec::new(),
            package: None,
            folder: folder_kept,
        };
        let replaced = match release.package {
            Some(_) => Vec::new(),
            None => layout.replaced(&release.folder)?,
        };
        if release.package.is_some() {
            let package = folder.join("package.deb");
            layout.dpkg().remake(&files, &package)?;
            fs::remove_dir_all(&files).map_err(failed(&files))?;
            kept.package = Some(package);
        }
        for (number, path) in replaced.into_iter().enumerate() {
            let copy = files.join(format!("{number:03}"));
            let copied = fs::copy(&path, &copy);
            let copy = match copied {
                Err(error) if error.kind() == io::ErrorKind::NotFound && !path.exists() => None,
                copied => copied.map(|_| Some(copy)).map_err(failed(&path))?,
            };
            kept.files.push(Replaced { path, copy });
        }
        if let Some(file) = ledger.and_then(|ledger| ledger.file.as_ref()).filter(|file| file.is_file()) {
            let copy = folder.join("ledger.sqlite");
            Ledger::copy_file(file, &copy).await?;
            kept.copy = Some(copy);
        }
        let list = folder.join(LIST);
        let bytes =
            serde_json::to_vec_pretty(&kept).map_err(|source| KeepError::List { path: list.clone(), source })?;
        whole_file::write(&list, &bytes, Readers::Owner).map_err(failed(&list))?;
        Ok(kept)
    }

    /// What was kept in `folder`.
    pub(super) fn read(folder: &Path) -> Result<Self, KeepError> {
        let list = folder.join(LIST);
        let bytes = whole_file::read(&list, LONGEST_LIST).map_err(failed(&list))?;
        serde_json::from_slice(&bytes).map_err(|source| KeepError::List { path: list, source })
    }

    /// Puts programs, units and models back. Repeated, nothing changes.
    pub(super) fn put_files_back(&self, layout: &Layout) -> Result<(), KeepError> {
        if let Some(package) = &self.package {
            layout.dpkg().install(package)?;
        }
        for Replaced { path, copy } in &self.files {
            match copy {
                Some(copy) => put(copy, path).map_err(failed(path))?,
                None => match fs::remove_file(path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(path)(error)),
                    _ => {}
                },
            }
        }
        Ok(())
    }

    /// Puts the ledger's copy in its place. What lies there is moved aside, and its new place told.
    pub(super) fn put_ledger_back(&self) -> Result<Option<PathBuf>, KeepError> {
        let ledger = self.ledger.as_ref().and_then(|ledger| ledger.file.as_ref());
        let (Some(ledger), Some(copy)) = (ledger, &self.copy) else { return Ok(None) };
        let name = |turn: u32| self.folder.join(format!("ledger-of-the-new-program-{turn}.sqlite"));
        let Some(aside) = (1..u32::MAX).map(name).find(|path| !path.exists()) else { return Ok(None) };
        let owner = fs::metadata(ledger).map(|about| (about.uid(), about.gid())).ok();
        for side in ["", SIDES[0], SIDES[1]] {
            let (from, to) = (with(ledger, side), with(&aside, side));
            match put(&from, &to) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                moved => moved.map_err(failed(&from))?,
            }
            // The file itself is replaced below in one step; what lies beside it belongs to the other one.
            if !side.is_empty() {
                fs::remove_file(&from).map_err(failed(&from))?;
            }
        }
        put(copy, ledger).map_err(failed(ledger))?;
        if let Some((user, group)) = owner {
            chown(ledger, Some(user), Some(group)).map_err(failed(ledger))?;
        }
        Ok(Some(aside))
    }
}

/// Replaces a file by a copy of another one, in one step and with its mode. A program that runs may be replaced.
fn put(copy: &Path, path: &Path) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let new = path.with_file_name(format!(".{name}.new"));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(copy, &new)?;
    fs::File::open(&new)?.sync_all()?;
    fs::rename(&new, path)
}

fn with(path: &Path, side: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(side);
    PathBuf::from(name)
}

fn failed(path: &Path) -> impl Fn(io::Error) -> KeepError + use<> {
    let path = path.to_path_buf();
    move |source| KeepError::Io { path: path.clone(), source }
}
