//! What the batch of a round says of its alerts, for pages that show one of them: read from the cache of batches, indexed,
//! and kept in memory for the newest ones that were asked for.
//!
//! Of the money flows only those of alerts' and clusters' addresses are held, of each address the largest counterparties.

pub(super) mod facts;
mod flows;

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use aml_miner::data::ReadBatchError;
use aml_miner::data::batch_dir::BatchDir;
use aml_miner::data::listing::directory_name;
use aml_miner::digest::Digest;
use aml_miner::wire::spec::{ALERTS, CLUSTERS, FEATURES, MONEY_FLOWS};
use aml_miner::wire::{Table, TextColumn};

use self::flows::Flows;
use super::error::ApiError;
use super::state::ApiState;
use crate::readers::cases::Group;
use crate::store::records::Round;
use crate::validator::sot::is_erased;

/// Batches that are held.
const HELD: usize = 2;

/// What a batch says, found by name.
#[derive(Debug)]
pub(super) struct Dossier {
    pub(super) alerts: Table,
    pub(super) clusters: Table,
    /// Of alerts' addresses alone.
    pub(super) features: Table,
    pub(super) flows: Flows,
    alert_rows: HashMap<String, usize>,
    cluster_rows: HashMap<String, usize>,
    feature_rows: HashMap<String, usize>,
    clusters_of_alert: HashMap<String, Vec<usize>>,
    clusters_of_address: HashMap<String, Vec<usize>>,
}

impl Dossier {
    fn read(dir: &BatchDir) -> Result<Self, ReadBatchError> {
        let table = |spec| Ok::<_, ReadBatchError>(dir.table(spec)?.unwrap_or_else(|| Table::empty(spec)));
        let (alerts, clusters) = (table(&ALERTS)?, table(&CLUSTERS)?);
        let mut of: BTreeSet<&str> = texts(&alerts, "address").collect();
        let lists = clusters.text_lists("addresses_involved");
        let involved = |row: usize| lists.into_iter().flat_map(move |lists| lists.get(row));
        of.extend((0..clusters.rows()).flat_map(involved));
        of.remove("");
        let features = table(&FEATURES)?;
        let known = texts(&features, "address").enumerate().filter(|(_, address)| of.contains(address));
        let rows: Vec<usize> = known.map(|(row, _)| row).collect();
        let features = features.take(&rows);
        let flows = Flows::of(&table(&MONEY_FLOWS)?, &of);
        drop(of);
        Ok(Self {
            alert_rows: rows_of(&alerts, "alert_id"),
            cluster_rows: rows_of(&clusters, "cluster_id"),
            feature_rows: rows_of(&features, "address"),
            clusters_of_alert: rows_of_lists(&clusters, "related_alert_ids"),
            clusters_of_address: rows_of_lists(&clusters, "addresses_involved"),
            alerts,
            clusters,
            features,
            flows,
        })
    }

    /// The row of an alert.
    pub(super) fn alert(&self, id: &str) -> Option<usize> {
        self.alert_rows.get(id).copied()
    }

    /// The row of a cluster.
    pub(super) fn cluster(&self, id: &str) -> Option<usize> {
        self.cluster_rows.get(id).copied()
    }

    /// The row of an address's features.
    pub(super) fn feature(&self, address: &str) -> Option<usize> {
        self.feature_rows.get(address).copied()
    }

    /// The clusters that an alert or its address is in, by row.
    pub(super) fn clusters_of(&self, alert: &str, address: &str) -> Vec<usize> {
        let none = Vec::new();
        let of_alert = self.clusters_of_alert.get(alert).unwrap_or(&none);
        let of_address = self.clusters_of_address.get(address).filter(|_| !address.is_empty()).unwrap_or(&none);
        let mut rows: Vec<usize> = of_alert.iter().chain(of_address).copied().collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }

    /// The alerts of some clusters, but for one.
    pub(super) fn alerts_of(&self, clusters: &[usize], but: &str) -> Vec<String> {
        self.listed("related_alert_ids", clusters).filter(|id| *id != but).map(str::to_owned).collect()
    }

    /// The addresses of some clusters.
    pub(super) fn addresses_of<'a>(&'a self, clusters: &'a [usize]) -> impl Iterator<Item = &'a str> {
        self.listed("addresses_involved", clusters)
    }

    /// What a cluster holds together.
    pub(super) fn group(&self, row: usize) -> Group<'_> {
        let of = |column: &str| -> Vec<&str> {
            self.clusters.text_lists(column).into_iter().flat_map(|lists| lists.get(row)).collect()
        };
        Group { alerts: of("related_alert_ids"), addresses: of("addresses_involved") }
    }

    /// Description, cut to so many characters, and volume of every alert.
    pub(super) fn told(&self, longest: usize) -> HashMap<&str, (String, Option<f64>)> {
        let (texts_of, volumes) = (self.alerts.texts("description"), self.alerts.numbers("volume_usd"));
        let fact = |(row, id)| {
            let text: String = texts_of.map(|texts| texts.get(row)).unwrap_or_default().chars().take(longest).collect();
            let volume = volumes.and_then(|volumes| volumes.get(row).copied()).filter(|volume| volume.is_finite());
            (id, (text, volume))
        };
        texts(&self.alerts, "alert_id").enumerate().map(fact).collect()
    }

    fn listed<'a>(&'a self, column: &str, clusters: &'a [usize]) -> impl Iterator<Item = &'a str> {
        let lists = self.clusters.text_lists(column);
        clusters.iter().flat_map(move |row| lists.into_iter().flat_map(move |lists| lists.get(*row)))
    }
}

/// The texts of a column; none where the table does not have it.
pub(super) fn texts<'a>(table: &'a Table, column: &str) -> impl Iterator<Item = &'a str> {
    table.texts(column).into_iter().flat_map(TextColumn::iter)
}

fn rows_of(table: &Table, column: &str) -> HashMap<String, usize> {
    texts(table, column).enumerate().map(|(row, name)| (name.to_owned(), row)).collect()
}

fn rows_of_lists(table: &Table, column: &str) -> HashMap<String, Vec<usize>> {
    let mut rows: HashMap<String, Vec<usize>> = HashMap::new();
    let Some(lists) = table.text_lists(column) else { return rows };
    for row in 0..table.rows() {
        for name in lists.get(row) {
            let of = rows.entry(name.to_owned()).or_default();
            if of.last() != Some(&row) {
                of.push(row);
            }
        }
    }
    rows
}

/// Dossiers by the digest of their batch, the last one asked for first.
#[derive(Debug, Default)]
pub(super) struct Dossiers {
    held: Mutex<Vec<(Digest, Arc<Dossier>)>>,
    /// One batch is read at a time.
    reading: tokio::sync::Mutex<()>,
}

impl Dossiers {
    fn get(&self, batch: &Digest) -> Option<Arc<Dossier>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let at = held.iter().position(|(digest, _)| digest == batch)?;
        let found = held.remove(at);
        let dossier = Arc::clone(&found.1);
        held.insert(0, found);
        Some(dossier)
    }

    fn put(&self, batch: Digest, dossier: &Arc<Dossier>) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(0, (batch, Arc::clone(dossier)));
        held.truncate(HELD);
    }
}

impl ApiState {
    /// Why the batch of a round says nothing.
    pub(super) fn why_no_batch(&self, round: &Round) -> &'static str {
        if self.is_batch_erased(round) { "was erased here" } else { "is not kept here any more" }
    }

    /// Whether the batch of a round was taken away because an address was erased.
    pub(super) fn is_batch_erased(&self, round: &Round) -> bool {
        is_erased(&self.batches, round.id.date, round.id.window_days, round.batch)
    }

    /// What the batch of a round says; `None` when it is not kept on this machine any more, or another one lies in its place.
    pub(super) async fn dossier(&self, round: &Round) -> Result<Option<Arc<Dossier>>, ApiError> {
        if let Some(held) = self.dossiers.get(&round.batch) {
            return Ok(Some(held));
        }
        let _turn = self.dossiers.reading.lock().await;
        if let Some(held) = self.dossiers.get(&round.batch) {
            return Ok(Some(held));
        }
        let place = self.batches.join(directory_name(round.id.date, Some(round.id.window_days)));
        let batch = round.batch;
        let reading = tokio::task::spawn_blocking(move || open(&place, batch)).await;
        let read = reading.map_err(ApiError::internal)?.map_err(ApiError::internal)?.map(Arc::new);
        if let Some(dossier) = &read {
            self.dossiers.put(batch, dossier);
        }
        Ok(read)
    }
}

fn open(place: &Path, batch: Digest) -> Result<Option<Dossier>, ReadBatchError> {
    if !place.is_dir() {
        return Ok(None);
    }
    let dir = BatchDir::open(place)?;
    if dir.manifest_sha256() != batch {
        return Ok(None);
    }
    Dossier::read(&dir).map(Some)
}
