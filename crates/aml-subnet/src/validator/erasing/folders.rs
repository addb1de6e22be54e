//! Where an address stands in a validator's folders, and taking that away.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use aml_miner::data::batch_dir::BatchDir;
use aml_miner::data::listing::list_batches;
use aml_miner::error_chain::with_causes;
use aml_miner::table::{Batch, Column, Table};
use aml_miner::whole_file::{self, Readers};
use chrono::NaiveDate;

use super::{EraseError, Journal};
use crate::config::ValidatorSettings;
use crate::outputs::pack::{LONGEST_PACK, names};
use crate::outputs::{editions, erase_edition, pack_path};
use crate::store::records::RoundId;
use crate::store::{Address, Needle};
use crate::validator::sot::erase_batch;

/// Where erasures are written down.
const JOURNAL: &str = "erasures.jsonl";
/// The journal has a line per erasure.
const LONGEST_JOURNAL: usize = 16 << 20;
/// Folders that are looked into below a data folder.
const DEPTH: usize = 8;

/// A batch that names the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedBatch {
    /// Its day.
    pub date: NaiveDate,
    /// Its window.
    pub window_days: u16,
    /// Where it lies.
    pub path: PathBuf,
}

/// A pool of traps that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedPool {
    /// The round that it was gathered for.
    pub round: RoundId,
    /// The file.
    pub path: PathBuf,
}

/// What of an address is in the folders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FolderTraces {
    /// Batches of the cache: taken away, and not fetched again.
    pub batches: Vec<TracedBatch>,
    /// Downloads that were interrupted: taken away unread.
    pub partial: Vec<PathBuf>,
    /// Pools of traps: taken away.
    pub pools: Vec<TracedPool>,
    /// Folders of published files: emptied.
    pub published: Vec<PathBuf>,
    /// Evidence packs: taken away, and written again from the ledger.
    pub packs: Vec<PathBuf>,
    /// Files that this program does not rewrite: a backup, an export, something of the operator's.
    pub others: Vec<PathBuf>,
    /// What could not be looked through, and why.
    pub unread: Vec<String>,
}

impl FolderTraces {
    /// Whether nothing of it was found.
    #[must_use]
    pub fn is_none(&self) -> bool {
        let Self { batches, partial: _, pools, published, packs, others, unread } = self;
        batches.is_empty()
            && pools.is_empty()
            && published.is_empty()
            && packs.is_empty()
            && others.is_empty()
            && unread.is_empty()
    }

    /// What stays, a line each.
    pub(super) fn stays(&self) -> impl Iterator<Item = String> + '_ {
        let others = self.others.iter();
        others
            .map(|path| format!("{}: not the validator's to rewrite (a backup or an export?)", path.display()))
            .chain(self.unread.iter().map(|why| format!("{why}: it could not be looked through")))
    }

    /// Takes everything away.
    pub(super) fn erase(&self, settings: &ValidatorSettings) -> Result<(), EraseError> {
        for batch in &self.batches {
            let dir = BatchDir::open(&batch.path).map_err(|error| failed(&batch.path)(io::Error::other(error)))?;
            erase_batch(&settings.data_dir, &dir).map_err(failed(&batch.path))?;
        }
        for path in &self.partial {
            let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            removed.map_err(failed(path))?;
        }
        for folder in &self.published {
            erase_edition(folder).map_err(failed(folder))?;
        }
        for path in self.pools.iter().map(|pool| &pool.path).chain(&self.packs) {
            fs::remove_file(path).map_err(failed(path))?;
        }
        Ok(())
    }
}

impl Journal<'_> {
    /// Adds the line to the journal of the data folder.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn keep(&self, data_dir: &Path) -> Result<PathBuf, EraseError> {
        let path = data_dir.join(JOURNAL);
        let mut lines = match whole_file::read(&path, LONGEST_JOURNAL) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read.map_err(failed(&path))?,
        };
        serde_json::to_writer(&mut lines, self).map_err(|error| failed(&path)(error.into()))?;
        lines.push(b'\n');
        whole_file::write(&path, &lines, Readers::Owner).map_err(failed(&path))?;
        Ok(path)
    }
}

/// Looks through the folders of a validator.
pub(super) fn look(settings: &ValidatorSettings, needle: &Needle) -> Result<FolderTraces, EraseError> {
    let mut found = FolderTraces::default();
    let (data, published) = (&settings.data_dir, settings.published_dir());
    let batches = data.join("batches");
    if batches.is_dir() {
        found.look_at_batches(&batches, needle)?;
        found.partial = children(&batches.join(".incoming"))?;
    }
    let pools = settings.shared().join("pools");
    for path in children(&pools)? {
        found.look_at_pool(path, needle);
    }
    for folder in editions(&published).map_err(failed(&published))? {
        let files = children(&folder)?;
        if files.iter().any(|path| found.is_named_in(path, needle)) {
            found.published.push(folder);
        }
    }
    let evidence = evidence_of(&published);
    for path in children(&evidence)? {
        found.look_at_pack(path, needle);
    }
    let handled = [batches, pools, published, evidence];
    for root in roots(settings) {
        found.look_at_rest(&root, needle, &Rest { settings, handled: &handled, depth: DEPTH })?;
    }
    Ok(found)
}

/// What is left to look at.
struct Rest<'a> {
    settings: &'a ValidatorSettings,
    handled: &'a [PathBuf],
    depth: usize,
}

impl Rest<'_> {
    /// The ledger is looked through as what it is.
    fn is_ledger(&self, path: &Path) -> bool {
        let Ok(Address::File(ledger)) = self.settings.ledger_url().parse() else { return false };
        let (Some(name), Some(of)) = (path.file_name(), ledger.file_name()) else { return false };
        let beside = name.to_string_lossy().strip_prefix(&*of.to_string_lossy()).map(str::to_owned);
        let same_folder = || folder_of(path).is_some_and(|folder| folder_of(&ledger) == Some(folder));
        beside.is_some_and(|rest| matches!(rest.as_str(), "" | "-wal" | "-shm" | ".lock")) && same_folder()
    }
}

fn folder_of(path: &Path) -> Option<PathBuf> {
    let folder = path.parent()?;
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    folder.canonicalize().ok()
}

impl FolderTraces {
    fn look_at_batches(&mut self, batches: &Path, needle: &Needle) -> Result<(), EraseError> {
        let entries = list_batches(batches, None, None).map_err(|error| failed(batches)(io::Error::other(error)))?;
        for entry in entries {
            let read = BatchDir::open(&entry.path).and_then(|dir| Ok((dir.load()?, dir.manifest().window_days)));
            match read {
                Ok((loaded, window_days)) => {
                    if is_in_batch(&loaded.batch, needle) || loaded.labels.is_some_and(|table| is_in(&table, needle)) {
                        self.batches.push(TracedBatch { date: entry.date, window_days, path: entry.path });
                    }
                }
                Err(error) => self.unread.push(format!("{}: {}", entry.path.display(), with_causes(&error))),
            }
        }
        Ok(())
    }

    fn look_at_pool(&mut self, path: PathBuf, needle: &Needle) {
        let name = path.file_stem().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
        if !self.is_named_in(&path, needle) {
            return;
        }
        match name {
            Some(round) => self.pools.push(TracedPool { round, path }),
            None => self.others.push(path),
        }
    }

    fn look_at_pack(&mut self, path: PathBuf, needle: &Needle) {
        let longest = usize::try_from(LONGEST_PACK).unwrap_or(usize::MAX);
        let named = whole_file::read(&path, longest).map_err(|error| error.to_string());
        match named.and_then(|bytes| names(&bytes, needle).map_err(|error| error.to_string())) {
            Ok(true) => self.packs.push(path),
            Ok(false) => {}
            Err(why) => self.unread.push(format!("{}: {why}", path.display())),
        }
    }

    fn look_at_rest(&mut self, folder: &Path, needle: &Needle, rest: &Rest<'_>) -> Result<(), EraseError> {
        for path in children(folder)? {
            let kind = path.symlink_metadata().map_err(failed(&path))?;
            if rest.handled.contains(&path) || rest.is_ledger(&path) {
                continue;
            }
            if kind.is_dir() && rest.depth > 0 {
                self.look_at_rest(&path, needle, &Rest { depth: rest.depth - 1, ..*rest })?;
            } else if kind.is_file() && self.is_named_in(&path, needle) {
                self.others.push(path);
            }
        }
        Ok(())
    }

    /// Whether a file names it; one that cannot be read is noted.
    fn is_named_in(&mut self, path: &Path, needle: &Needle) -> bool {
        match File::open(path).and_then(|file| needle.is_read_in(io::BufReader::new(file))) {
            Ok(named) => named,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => {
                self.unread.push(format!("{}: {error}", path.display()));
                false
            }
        }
    }
}

/// The folders of a validator, each once.
fn roots(settings: &ValidatorSettings) -> Vec<PathBuf> {
    let mut roots = vec![settings.data_dir.clone()];
    if let Some(shared) = settings.shared_dir.as_ref().filter(|shared| !shared.starts_with(&settings.data_dir)) {
        roots.push(shared.clone());
    }
    roots
}

/// Where packs are kept.
fn evidence_of(published: &Path) -> PathBuf {
    let any = RoundId { netuid: 0, date: NaiveDate::MIN, window_days: 0 };
    pack_path(published, &any).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// What lies in a folder, in the order of the names; nothing where there is none.
fn children(folder: &Path) -> Result<Vec<PathBuf>, EraseError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed(folder))?,
    };
    let mut all =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(failed(folder))?;
    all.sort();
    Ok(all)
}

fn is_in_batch(batch: &Batch, needle: &Needle) -> bool {
    let Batch { alerts, features, clusters, money_flows } = batch;
    [alerts, features, clusters, money_flows].into_iter().any(|table| is_in(table, needle))
}

fn is_in(table: &Table, needle: &Needle) -> bool {
    table.columns().iter().flatten().any(|column| match column {
        Column::Texts(texts) => texts.iter().any(|text| needle.is_in(text.as_bytes())),
        Column::TextLists(lists) => {
            (0..lists.len()).any(|row| lists.get(row).any(|text| needle.is_in(text.as_bytes())))
        }
        _ => false,
    })
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> EraseError {
    let path = path.to_path_buf();
    move |source| EraseError::Folder { path, source }
}
