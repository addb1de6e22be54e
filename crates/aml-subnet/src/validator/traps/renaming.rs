//! One fresh name for each name of a settled batch, the same wherever it stands: in keys, lists and texts.

use std::collections::{HashMap, HashSet};

use aml_miner::wire::{Column, Table, TextColumn, TextLists};

use super::draw::Draw;
use super::jitter::Change;
use super::reword::{Rewording, reword};
use super::slice::{Kind, Slice};
use super::today::Today;

/// Fresh names for those of one slice.
pub(super) struct Renaming<'a> {
    today: &'a Today,
    slice: &'a Slice,
    draw: &'a mut Draw,
    fresh: HashMap<(Kind, String), String>,
    /// Fresh names of all slices.
    given: &'a mut HashSet<String>,
}

/// What a column of names holds.
pub(super) fn kind_of(column: &str) -> Option<Kind> {
    match column {
        "alert_id" | "primary_alert_id" | "related_alert_ids" => Some(Kind::Alert),
        "address" | "primary_address" | "addresses_involved" | "from_address" | "to_address" => Some(Kind::Address),
        "pattern_id" => Some(Kind::Pattern),
        "cluster_id" => Some(Kind::Cluster),
        _ => None,
    }
}

pub(super) fn is_prose(column: &str) -> bool {
    matches!(column, "description" | "evidence_json" | "risk_indicators")
}

impl<'a> Renaming<'a> {
    /// `given` are the fresh names of other slices, which these join.
    pub(super) fn new(today: &'a Today, slice: &'a Slice, draw: &'a mut Draw, given: &'a mut HashSet<String>) -> Self {
        Self { today, slice, draw, fresh: HashMap::new(), given }
    }

    /// Fixes the fresh name of `old`.
    pub(super) fn set(&mut self, kind: Kind, old: &str, fresh: &str) {
        self.given.insert(fresh.to_owned());
        self.fresh.insert((kind, old.to_owned()), fresh.to_owned());
    }

    /// Whether `name` has a fresh name already.
    pub(super) fn known(&self, kind: Kind, name: &str) -> bool {
        self.fresh.contains_key(&(kind, name.to_owned()))
    }

    /// All fresh names, in an order of their own.
    pub(super) fn into_names(self) -> Vec<(Kind, String)> {
        let mut names: Vec<(Kind, String)> = self.fresh.into_iter().map(|((kind, _), fresh)| (kind, fresh)).collect();
        names.sort_unstable();
        names
    }

    /// The fresh name of `old`; nothing stays nothing.
    fn name(&mut self, kind: Kind, old: &str) -> String {
        if old.is_empty() {
            return String::new();
        }
        if let Some(fresh) = self.fresh.get(&(kind, old.to_owned())) {
            return fresh.clone();
        }
        let (today, given) = (self.today, &*self.given);
        let taken = |name: &str| name == old || today.is_taken(name) || given.contains(name);
        let fresh = today.shape(kind).fresh(old, self.draw, &taken);
        self.set(kind, old, &fresh);
        fresh
    }

    /// Renames everything in `table`; texts of row `i` change with `changes[i]`.
    pub(super) fn apply(&mut self, table: &mut Table, changes: &[Change], days: i32) {
        for index in 0..table.spec().columns.len() {
            let about = &table.spec().columns[index];
            let kind = kind_of(about.name);
            if kind.is_none() && !is_prose(about.name) {
                continue;
            }
            let mut renew = |row: usize, text: &str| match kind {
                Some(kind) => self.name(kind, text),
                None => {
                    let change = changes.get(row).copied().unwrap_or(Change { factor: 1.0, milliseconds: 0 });
                    reword(text, &mut Prose { renaming: &mut *self, change, days })
                }
            };
            let column = match table.column(index) {
                Some(Column::Texts(texts)) => {
                    let mut new = TextColumn::default();
                    texts.iter().enumerate().for_each(|(row, text)| new.push(&renew(row, text)));
                    Column::Texts(new)
                }
                Some(Column::TextLists(lists)) => {
                    let mut new = TextLists::default();
                    for row in 0..lists.len() {
                        lists.get(row).for_each(|text| new.push_item(&renew(row, text)));
                        new.end_row();
                    }
                    Column::TextLists(new)
                }
                _ => continue,
            };
            table.set_column(index, Some(column));
        }
    }
}

struct Prose<'a, 'b> {
    renaming: &'a mut Renaming<'b>,
    change: Change,
    days: i32,
}

impl Rewording for Prose<'_, '_> {
    fn name(&mut self, word: &str, long: bool) -> Option<String> {
        let kinds = [Kind::Alert, Kind::Address, Kind::Pattern, Kind::Cluster];
        let listed = self.renaming.slice.mentions.get(word).copied();
        let given = || kinds.into_iter().find(|kind| self.renaming.known(*kind, word));
        let kind = listed.or_else(given).or_else(|| long.then_some(Kind::Address))?;
        Some(self.renaming.name(kind, word))
    }

    fn factor(&self) -> f64 {
        self.change.factor
    }

    fn days(&self) -> i32 {
        self.days
    }

    fn milliseconds(&self) -> i64 {
        self.change.milliseconds
    }
}
