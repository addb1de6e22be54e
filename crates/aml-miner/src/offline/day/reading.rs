//! The tables of a day, read once each and sent to the blocks that need their rows.

use std::path::Path;

use super::batches::Batches;
use super::facts::Facts;
use super::flows::{Edges, Others};
use super::lists::{Lists, NONE, Numbers, Pairs, index, short_name};
use super::members::Members;
use super::sending::Sending;
use super::spools::Spools;
use super::wanted::Wanted;
use super::{Blocks, ScoreDayError};
use crate::data::walk::Keeping;
use crate::data::{BatchDir, ReadBatchError};
use crate::features::{Comparisons, Part, Reads};
use crate::scoring::Pool;
use crate::wire::spec::{ALERTS, CLUSTERS, FEATURES, LABELS, MONEY_FLOWS};
use crate::wire::{Column, Needs, Table, TableSpec, TextColumn, TextLists};

/// The tables in the order in which blocks hold them.
pub(super) const TABLES: [&TableSpec; 4] = [&ALERTS, &FEATURES, &CLUSTERS, &MONEY_FLOWS];
pub(super) const OF_ALERTS: usize = 0;
const OF_ADDRESSES: usize = 1;
pub(super) const OF_CLUSTERS: usize = 2;
const OF_FLOWS: usize = 3;

/// A day that is being read.
pub(super) struct Reading<'a> {
    directory: &'a BatchDir,
    blocks: Blocks,
    reads: Reads,
    needs: Needs,
    clusters: bool,
    severe: bool,
}

impl<'a> Reading<'a> {
    /// Of the batch in `directory`.
    pub(super) fn new(wanted: Wanted, directory: &'a BatchDir, blocks: Blocks) -> Self {
        let Wanted { reads, mut needs, clusters, severe } = wanted;
        if clusters || reads.has(Part::Clusters) {
            needs = needs.with("clusters", "related_alert_ids");
        }
        let links = reads.flows || reads.dealings || reads.has(Part::Flows);
        if links || reads.has(Part::Addresses) {
            needs = needs.with("alerts", "address");
        }
        if reads.has(Part::Addresses) {
            needs = needs.with("features", "address");
        }
        if links {
            needs = needs.with("money_flows", "from_address").with("money_flows", "to_address");
        }
        // A feature that looks at all of the day takes all of it at once.
        let rows = if reads.whole { usize::MAX } else { blocks.rows.max(1) };
        Self { directory, blocks: Blocks { rows, ..blocks }, reads, needs, clusters, severe }
    }

    /// Reads all tables, and checks all of the batch; rows that must wait do so in `place`.
    pub(super) fn read(self, place: &Path) -> Result<Batches, ScoreDayError> {
        let spooled = |source| ScoreDayError::Spool { path: place.to_path_buf(), source };
        let mut addresses = Numbers::default();
        let mut members = Members::default();
        let mut day = Facts::default();
        let takes_clusters = self.takes(OF_CLUSTERS) && (self.clusters || self.reads.has(Part::Clusters));
        self.walk(OF_CLUSTERS, takes_clusters, &mut |clusters| {
            members.add(&clusters, self.blocks.rows, &mut addresses);
            day.learn_clusters(&clusters, self.severe);
        })?;
        let involved = members.close();
        let alerts = self.directory.manifest().files_of(ALERTS.name).into_iter().flatten();
        let alerts: u64 = alerts.map(|(_, entry)| entry.rows).sum();
        let of_alerts = usize::try_from(alerts).unwrap_or(usize::MAX).div_ceil(self.blocks.rows);
        let of_clusters = if self.clusters { members.count() } else { 0 };
        let count = of_alerts + of_clusters;
        let spools = Spools::new(place, count * TABLES.len(), self.blocks.held).map_err(spooled)?;
        let mut sending = Sending::new(spools, count, of_alerts, self.reads.whole);
        let blocks = self.alerts(&mut sending, &mut day, &mut members, (&mut addresses, &involved))?;
        self.clusters(&mut sending, &members, (takes_clusters, &addresses))?;
        let others = self.flows(&mut sending, &blocks, &mut addresses)?;
        let flagged = self.addresses(&mut sending, &blocks, &others, &addresses)?;
        let dealing = others.dealing_with(&flagged);
        drop(others);
        self.walk_of(&LABELS, &Keeping::nothing(), &mut |_| ())?;
        let others = self.directory.others(1).pop();
        others.map_or(Ok(()), Err)?;
        sending.failed.map_or(Ok(()), |source| Err(spooled(source)))?;
        let compared = self.reads.relative.then(|| Comparisons::new(day.volumes(), day.confidences()));
        Ok(Batches {
            place: place.to_path_buf(),
            spools: sending.spools,
            tables: sending.tables,
            of_alerts,
            of_clusters,
            alert_ids: day.alert_ids,
            cluster_ids: day.cluster_ids,
            severe_alerts: day.severe_alerts,
            severe_clusters: day.severe_clusters,
            compared,
            addresses: self.reads.named.then_some(addresses),
            blocks,
            dealing,
            alert_rows: sending.alert_rows,
            cluster_rows: sending.cluster_rows,
            block_of_cluster: members.block,
        })
    }

    /// Whether columns of a table are read.
    fn takes(&self, table: usize) -> bool {
        let position = crate::wire::body::TABLES.iter().position(|spec| spec.name == TABLES[table].name);
        position.is_some_and(|position| self.needs.reads(position))
    }

    /// Walks through a table, checks it, and gives those columns to `use_rows` that are needed.
    fn walk(&self, table: usize, takes: bool, use_rows: &mut dyn FnMut(Table)) -> Result<(), ReadBatchError> {
        let spec = TABLES[table];
        let position = crate::wire::body::TABLES.iter().position(|known| known.name == spec.name).unwrap_or(table);
        let keeps = |column: usize| takes && self.needs.reads_column(position, column);
        if takes {
            self.walk_of(spec, &Keeping::these(&keeps, self.blocks.read), use_rows)
        } else {
            self.walk_of(spec, &Keeping::nothing(), &mut |_| ())
        }
    }

    fn walk_of(
        &self,
        spec: &'static TableSpec,
        keeping: &Keeping<'_>,
        use_rows: &mut dyn FnMut(Table),
    ) -> Result<(), ReadBatchError> {
        let walked = self.directory.walk((spec, 1), keeping, &Pool, use_rows);
        walked.map(|_| ()).map_err(|mut problems| problems.swap_remove(0))
    }

    /// Sends the alerts; the blocks to which each address belongs.
    fn alerts(
        &self,
        sending: &mut Sending,
        day: &mut Facts,
        members: &mut Members,
        (addresses, involved): (&mut Numbers, &Lists),
    ) -> Result<Lists, ReadBatchError> {
        let mut blocks = Pairs::default();
        let first_of_clusters = index(sending.of_alerts);
        if self.clusters {
            involved.each(|address, block| blocks.add(address, first_of_clusters + block));
        }
        let mut row = 0;
        self.walk(OF_ALERTS, true, &mut |mut alerts| {
            day.learn_alerts(&alerts, self.severe, self.reads.relative);
            let of = alerts.texts("address").map(|texts| addresses.numbers(texts));
            self.shorten(&mut alerts, "address", of.as_deref());
            let ids = alerts.texts("alert_id");
            sending.send(OF_ALERTS, &alerts, |at, targets| {
                let address = of.as_ref().map_or(NONE, |of| of[at]);
                targets.push(index(row / self.blocks.rows));
                let named = ids.map_or(&[][..], |ids| members.found(ids.get(at), row));
                if self.clusters {
                    targets.extend(named.iter().map(|block| first_of_clusters + block));
                }
                if address != NONE {
                    targets.iter().for_each(|&block| blocks.add(address, block));
                }
                row += 1;
            });
        })?;
        Ok(blocks.lists())
    }

    /// Sends the clusters to their own blocks, and to those of the alerts that they are the first to name.
    fn clusters(
        &self,
        sending: &mut Sending,
        members: &Members,
        (takes, addresses): (bool, &Numbers),
    ) -> Result<(), ReadBatchError> {
        if !takes {
            return Ok(());
        }
        let first_of_clusters = index(sending.of_alerts);
        let mut cluster = 0;
        self.walk(OF_CLUSTERS, true, &mut |mut clusters| {
            self.shorten_lists(&mut clusters, addresses);
            sending.send(OF_CLUSTERS, &clusters, |_, targets| {
                if self.clusters {
                    targets.push(first_of_clusters + members.block[cluster]);
                }
                for (row, blocks) in members.firsts(cluster) {
                    if row != NONE {
                        targets.push(index(row as usize / self.blocks.rows));
                    }
                    if self.clusters {
                        targets.extend(blocks.iter().map(|block| first_of_clusters + block));
                    }
                }
                cluster += 1;
            });
        })
    }

    /// Sends the money flows to the blocks of both ends; who deals with whom.
    fn flows(&self, sending: &mut Sending, blocks: &Lists, addresses: &mut Numbers) -> Result<Others, ReadBatchError> {
        let mut edges = Edges::default();
        self.walk(OF_FLOWS, self.takes(OF_FLOWS), &mut |mut flows| {
            let numbers = |end| flows.texts(end).map(|texts| addresses.numbers(texts));
            let [Some(from), Some(to)] = ["from_address", "to_address"].map(numbers) else { return };
            self.shorten(&mut flows, "from_address", Some(&from));
            self.shorten(&mut flows, "to_address", Some(&to));
            sending.send(OF_FLOWS, &flows, |at, targets| {
                edges.add(from[at], to[at]);
                targets.extend(blocks.of(from[at]).iter().chain(blocks.of(to[at])));
            });
        })?;
        Ok(edges.others(addresses.len()))
    }

    /// Sends addresses to the blocks to which they belong, and where that is asked for to those that deal with them; the
    /// flagged ones.
    fn addresses(
        &self,
        sending: &mut Sending,
        blocks: &Lists,
        others: &Others,
        addresses: &Numbers,
    ) -> Result<Vec<u32>, ReadBatchError> {
        let mut flagged = Vec::new();
        self.walk(OF_ADDRESSES, self.takes(OF_ADDRESSES), &mut |mut features| {
            let Some(of) = features.texts("address").map(|names| addresses.all_known(names)) else { return };
            self.shorten(&mut features, "address", Some(&of));
            let flag = |column: &str, row: usize| features.numbers(column).is_some_and(|flags| flags[row] > 0.0);
            sending.send(OF_ADDRESSES, &features, |at, targets| {
                let address = of[at];
                if address == NONE {
                    return;
                }
                targets.extend(blocks.of(address));
                let is_flagged = flag("is_mixer_like", at);
                if is_flagged {
                    flagged.push(address);
                }
                if self.reads.dealings || is_flagged || flag("is_exchange_like", at) {
                    let dealing = others.of(address).iter().flat_map(|&other| blocks.of(other));
                    targets.extend(dealing);
                }
            });
        })?;
        Ok(flagged)
    }
}

impl Reading<'_> {
    /// Gives the addresses of a column their short names, which tell them apart as well.
    fn shorten(&self, table: &mut Table, column: &str, numbers: Option<&[u32]>) {
        let (Some(numbers), Some(position)) = (numbers, table.spec().position(column)) else { return };
        if !self.reads.named {
            let mut names = TextColumn::default();
            numbers.iter().for_each(|&number| names.push(short_name(number).text()));
            table.set_column(position, Some(Column::Texts(names)));
        }
    }

    /// And those that clusters name.
    fn shorten_lists(&self, clusters: &mut Table, addresses: &Numbers) {
        let Some(position) = CLUSTERS.position("addresses_involved").filter(|_| !self.reads.named) else { return };
        let Some(Column::TextLists(lists)) = clusters.column(position) else { return };
        let mut short = TextLists::default();
        for row in 0..lists.len() {
            lists.get(row).for_each(|name| short.push_item(short_name(addresses.known(name)).text()));
            short.end_row();
        }
        clusters.set_column(position, Some(Column::TextLists(short)));
    }
}
