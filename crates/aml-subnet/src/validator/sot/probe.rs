//! Which batch is the newest: a directory is listed, a base URL is asked day by day.

use std::path::{Path, PathBuf};

use aml_miner::data::batch_dir::BatchDir;
use aml_miner::data::download::{DownloadError, Source, peek_manifest};
use aml_miner::data::listing::{BatchDay, directory_name, list_batches};
use aml_miner::data::manifest::MANIFEST_FILE;
use chrono::{Days, NaiveDate};

use super::error::{OpenSotError, SotError};
use super::settings::SotSettings;

/// Windows that a base URL is asked for when none is set: those that the format's examples use.
const USUAL_WINDOWS: [u16; 2] = [7, 30];

/// A source, and whether it can be listed.
#[derive(Clone, Debug)]
pub(super) struct Place {
    source: Source,
    directory: Option<PathBuf>,
}

impl Place {
    pub(super) fn open(source: &str) -> Result<Self, OpenSotError> {
        let local = match source.split_once("://") {
            None => Some(source),
            Some(("file", path)) => Some(path),
            Some(_) => None,
        };
        let Some(local) = local else { return Ok(Self { source: Source::parse(source)?, directory: None }) };
        let failed = |source| OpenSotError::Directory { path: local.into(), source };
        let mut directory = Path::new(local).canonicalize().map_err(failed)?;
        if !directory.is_dir() {
            return Err(failed(std::io::Error::from(std::io::ErrorKind::NotADirectory)));
        }
        if directory.join(MANIFEST_FILE).is_file() {
            // One batch: its neighbours are the source.
            directory.pop();
        }
        let source = Source::parse(&directory.to_string_lossy())?;
        Ok(Self { source, directory: Some(directory) })
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    pub(super) fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }
}

/// A batch that the source has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Its day.
    pub date: NaiveDate,
    /// Days that its features look back, as its manifest says.
    pub window_days: u16,
}

/// The newest batch of a day up to `last`.
pub(super) async fn newest(place: &Place, last: NaiveDate, settings: &SotSettings) -> Result<Option<Found>, SotError> {
    match place.directory() {
        Some(directory) => listed(directory, last, settings),
        None => asked(place.source(), last, settings).await,
    }
}

fn listed(directory: &Path, last: NaiveDate, settings: &SotSettings) -> Result<Option<Found>, SotError> {
    let entries = list_batches(directory, None, Some(last))?;
    for entry in entries.into_iter().rev() {
        let name = directory_name(entry.date, entry.window_days);
        let opened = BatchDir::open_within(&entry.path, settings.download.limits);
        let dir = opened.map_err(|error| SotError::Download { name, source: Box::new(DownloadError::Batch(error)) })?;
        let manifest = dir.manifest();
        // A directory under another day's name is nobody's batch; fetching it by its name would fail.
        let wanted = settings.window_days.is_none_or(|days| days == manifest.window_days);
        if manifest.processing_date == entry.date && wanted {
            return Ok(Some(Found { date: entry.date, window_days: manifest.window_days }));
        }
    }
    Ok(None)
}

/// The earliest batch of a day after `last` in a directory.
pub(super) fn ahead(directory: &Path, last: NaiveDate) -> Result<Option<NaiveDate>, SotError> {
    let entries = list_batches(directory, last.succ_opt(), None)?;
    Ok(entries.first().map(|entry| entry.date))
}

async fn asked(source: &Source, last: NaiveDate, settings: &SotSettings) -> Result<Option<Found>, SotError> {
    let windows: Vec<u16> = settings.window_days.map_or_else(|| USUAL_WINDOWS.to_vec(), |days| vec![days]);
    let names: Vec<Option<u16>> = windows.into_iter().map(Some).chain([None]).collect();
    for back in 0..=u64::from(settings.look_back_days) {
        let Some(date) = last.checked_sub_days(Days::new(back)) else { break };
        for &named in &names {
            let peeked =
                peek_manifest(source, BatchDay { date, window_days: named }, &settings.download, &|_| ()).await;
            let failed = |error| SotError::Download { name: directory_name(date, named), source: Box::new(error) };
            let Some(peeked) = peeked.map_err(failed)? else { continue };
            let window_days = peeked.manifest.window_days;
            if settings.window_days.is_none_or(|days| days == window_days) {
                return Ok(Some(Found { date, window_days }));
            }
        }
    }
    let asked_for: Vec<String> = names.iter().map(|named| directory_name(last, *named)).collect();
    tracing::warn!(
        days = settings.look_back_days + 1,
        ?asked_for,
        "the source has no batch under these names, nor of the days before; validator.window_days says which other window"
    );
    Ok(None)
}
