//! Fresh ids for every alert, cluster and pattern of a task, whether it is the batch's or a trap's.
//!
//! An id says nothing then: it is the kind's letter and 64 random bits (or eighteen digits, where the old one was a number,
//! so that JSON in a text stays JSON). Ids change in every column that has them and in prose, all alike. What is left alone
//! are addresses, by which a task is joined, and numbers of less than five digits in prose, which may be counts.

use std::collections::{HashMap, HashSet};

use aml_miner::wire::{Batch, Column, Table, TextColumn, TextLists};

use super::draw::Draw;
use super::prose::Names;
use super::renaming::{is_prose, kind_of};
use super::slice::Kind;

/// Numbers of fewer digits in prose are not taken for ids.
const LEAST_DIGITS: usize = 5;
/// The kinds that get fresh ids, in the order of preference where a word in prose may be one of several.
const KINDS: [Kind; 3] = [Kind::Alert, Kind::Cluster, Kind::Pattern];

/// The ids of a batch and the fresh ones, in the order in which they were met.
#[derive(Clone, Debug, Default)]
pub(crate) struct Labels {
    pairs: Vec<(Kind, String, String)>,
    /// Where each kind's are, in the order of the kinds.
    fresh: [HashMap<String, usize>; 3],
    given: HashSet<String>,
}

impl Labels {
    /// Labels for all ids of `batch`, and for `more`, which stand in prose alone.
    pub(crate) fn of(batch: &Batch, more: &[(Kind, String)], draw: &mut Draw) -> Self {
        let mut labels = Self::default();
        for table in super::today::tables(batch) {
            each_name(table, |kind, name| labels.add(kind, name, draw));
        }
        more.iter().for_each(|(kind, name)| labels.add(*kind, name, draw));
        labels
    }

    /// The fresh id of `old`; nothing stays nothing.
    pub(crate) fn get(&self, kind: Kind, old: &str) -> &str {
        let at = number_of(kind).and_then(|number| self.fresh[number].get(old));
        at.map_or("", |&at| self.pairs[at].2.as_str())
    }

    /// The ids of a kind: the old one and the fresh one.
    pub(crate) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&str, &str)> {
        let own = self.pairs.iter().filter(move |(of, _, _)| *of == kind);
        own.map(|(_, old, fresh)| (old.as_str(), fresh.as_str()))
    }

    /// The batch with the fresh ids in place of its own.
    pub(crate) fn apply(&self, batch: &Batch) -> Batch {
        let mut names = Names::default();
        // What comes first stays: where one word names two things, an alert before a cluster before a pattern.
        for kind in KINDS {
            let in_prose = |(old, _): &(&str, &str)| !is_count(old);
            self.of_kind(kind).filter(in_prose).for_each(|(old, fresh)| names.add(old, fresh));
        }
        let renewed = |table: &Table| self.table(table, &names);
        Batch {
            alerts: renewed(&batch.alerts),
            features: renewed(&batch.features),
            clusters: renewed(&batch.clusters),
            money_flows: renewed(&batch.money_flows),
        }
    }

    fn add(&mut self, kind: Kind, name: &str, draw: &mut Draw) {
        let Some(number) = number_of(kind) else { return };
        if name.is_empty() || self.fresh[number].contains_key(name) {
            return;
        }
        let fresh = loop {
            let fresh = fresh_id(kind, name, draw);
            if self.given.insert(fresh.clone()) {
                break fresh;
            }
        };
        self.fresh[number].insert(name.to_owned(), self.pairs.len());
        self.pairs.push((kind, name.to_owned(), fresh));
    }

    fn table(&self, table: &Table, names: &Names) -> Table {
        let mut renewed = table.clone();
        for (index, about) in table.spec().columns.iter().enumerate() {
            let kind = kind_of(about.name).filter(|kind| number_of(*kind).is_some());
            if kind.is_none() && !is_prose(about.name) {
                continue;
            }
            let renew = |text: &str| match kind {
                Some(kind) => self.get(kind, text).to_owned(),
                None => names.replaced(text),
            };
            let column = match table.column(index) {
                Some(Column::Texts(texts)) => {
                    let mut new = TextColumn::default();
                    texts.iter().for_each(|text| new.push(&renew(text)));
                    Column::Texts(new)
                }
                Some(Column::TextLists(lists)) => {
                    let mut new = TextLists::default();
                    for row in 0..lists.len() {
                        lists.get(row).for_each(|text| new.push_item(&renew(text)));
                        new.end_row();
                    }
                    Column::TextLists(new)
                }
                _ => continue,
            };
            renewed.set_column(index, Some(column));
        }
        renewed
    }
}

fn number_of(kind: Kind) -> Option<usize> {
    KINDS.iter().position(|one| *one == kind)
}

/// Every id of a table, column by column.
fn each_name(table: &Table, mut visit: impl FnMut(Kind, &str)) {
    for (index, about) in table.spec().columns.iter().enumerate() {
        let Some(kind) = kind_of(about.name) else { continue };
        match table.column(index) {
            Some(Column::Texts(texts)) => texts.iter().for_each(|name| visit(kind, name)),
            Some(Column::TextLists(lists)) => {
                (0..lists.len()).for_each(|row| lists.get(row).for_each(|name| visit(kind, name)));
            }
            _ => {}
        }
    }
}

fn fresh_id(kind: Kind, old: &str, draw: &mut Draw) -> String {
    let number = draw.number();
    if is_number(old) {
        // Eighteen digits, the first of them none that a reader of numbers would drop.
        return format!("{}", 100_000_000_000_000_000 + number % 900_000_000_000_000_000);
    }
    let letter = match kind {
        Kind::Alert => 'a',
        Kind::Address => 'x',
        Kind::Pattern => 'p',
        Kind::Cluster => 'c',
    };
    format!("{letter}-{number:016x}")
}

fn is_number(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_count(name: &str) -> bool {
    is_number(name) && name.len() < LEAST_DIGITS
}

#[cfg(test)]
mod tests {
    use aml_miner::wire::spec::{ALERTS, CLUSTERS};
    use aml_miner::wire::{Batch, Column, Table, TextColumn, TextLists};

    use super::{Kind, Labels};
    use crate::validator::traps::Draw;

    fn set(table: &mut Table, name: &str, values: &[&str]) {
        let index = table.spec().position(name).unwrap();
        let column = values.iter().copied().collect::<TextColumn>();
        table.set_column(index, Some(Column::Texts(column)));
    }

    fn batch() -> Batch {
        let mut alerts = Table::new(&ALERTS, 2, vec![None; ALERTS.columns.len()], Vec::new());
        set(&mut alerts, "alert_id", &["alert_1", "7"]);
        set(&mut alerts, "address", &["0xa", "0xb"]);
        set(&mut alerts, "pattern_id", &["cycle_1", ""]);
        set(&mut alerts, "description", &["alert_1, of cycle_1, 7 days, 0xa", "as alert_1 and alert_12"]);
        let mut clusters = Table::new(&CLUSTERS, 1, vec![None; CLUSTERS.columns.len()], Vec::new());
        set(&mut clusters, "cluster_id", &["123456"]);
        set(&mut clusters, "pattern_id", &["cycle_1"]);
        set(&mut clusters, "primary_alert_id", &["alert_1"]);
        let mut members = TextLists::default();
        ["alert_1", "7", "alert_of_another_day"].into_iter().for_each(|id| members.push_item(id));
        members.end_row();
        let index = CLUSTERS.position("related_alert_ids").unwrap();
        clusters.set_column(index, Some(Column::TextLists(members)));
        Batch { alerts, clusters, ..Batch::empty() }
    }

    #[test]
    fn an_id_is_the_same_wherever_it_stands_and_nothing_of_the_old_one() {
        let batch = batch();
        let labels = Labels::of(&batch, &[(Kind::Alert, "told".to_owned())], &mut Draw::new(&[b"test"]));
        let sent = labels.apply(&batch);
        let text = |table: &Table, name: &str, row: usize| table.texts(name).unwrap().get(row).to_owned();
        let (first, pattern) = (text(&sent.alerts, "alert_id", 0), text(&sent.alerts, "pattern_id", 0));
        assert!(first.starts_with("a-") && first.len() == 18 && pattern.starts_with("p-"), "{first} {pattern}");
        assert_eq!(text(&sent.alerts, "alert_id", 1).len(), 18, "a number stays one");
        assert!(text(&sent.alerts, "alert_id", 1).parse::<u64>().is_ok());
        assert_eq!(text(&sent.alerts, "pattern_id", 1), "", "none stays none");
        assert_eq!(text(&sent.alerts, "description", 0), format!("{first}, of {pattern}, 7 days, 0xa"));
        assert_eq!(text(&sent.alerts, "description", 1), format!("as {first} and alert_12"));
        assert_eq!(text(&sent.alerts, "address", 0), "0xa", "what tables are joined by");
        assert_eq!(
            (text(&sent.clusters, "pattern_id", 0), text(&sent.clusters, "primary_alert_id", 0)),
            (pattern, first.clone())
        );
        let members: Vec<&str> = sent.clusters.text_lists("related_alert_ids").unwrap().get(0).collect();
        assert_eq!(members[..2], [first.as_str(), &text(&sent.alerts, "alert_id", 1)]);
        assert!(members[2].starts_with("a-"), "though no row has it");
        assert!(text(&sent.clusters, "cluster_id", 0).parse::<u64>().is_ok());
        assert!(labels.get(Kind::Alert, "told").starts_with("a-"));
    }
}
