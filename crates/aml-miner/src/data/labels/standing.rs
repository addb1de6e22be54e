//! What stands after all that was said: one verdict per alert, or none where sources disagree.

use std::collections::BTreeMap;

use super::journal::{Action, Journal, Outcome};
use crate::table::spec::LABELS;
use crate::table::{Column, Table};

/// What stands of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The alert.
    pub alert_id: String,
    /// What the sources come to.
    pub verdict: Verdict,
    /// Sources whose word stands, in the order of their names.
    pub sources: Vec<String>,
}

/// What the sources of an alert come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They agree.
    Agreed {
        /// Whether it was confirmed.
        confirmed_illicit: bool,
        /// The highest that one of them gives.
        relevance: Option<u8>,
        /// When the first of them knew.
        confirmed_at: i64,
    },
    /// They do not: there is no outcome until one of them corrects or withdraws.
    Disputed,
}

/// The alerts of which a word stands, by their names.
#[must_use]
pub fn standings(journal: &Journal) -> Vec<Standing> {
    let mut words: BTreeMap<&str, BTreeMap<&str, &Outcome>> = BTreeMap::new();
    for entry in journal.entries() {
        for outcome in &entry.outcomes {
            let of_alert = words.entry(&outcome.alert_id).or_default();
            match entry.action {
                Action::Add => of_alert.insert(&entry.source, outcome),
                Action::Withdraw => of_alert.remove(entry.source.as_str()),
            };
        }
    }
    let standing = |(alert_id, by_source): (&str, BTreeMap<&str, &Outcome>)| {
        let sources = by_source.keys().map(|source| (*source).to_owned()).collect();
        let verdict = verdict(&by_source.into_values().collect::<Vec<_>>())?;
        Some(Standing { alert_id: alert_id.to_owned(), verdict, sources })
    };
    words.into_iter().filter_map(standing).collect()
}

fn verdict(words: &[&Outcome]) -> Option<Verdict> {
    let confirmed_illicit = words.first()?.confirmed_illicit?;
    if words.iter().any(|word| word.confirmed_illicit != Some(confirmed_illicit)) {
        return Some(Verdict::Disputed);
    }
    let relevance = words.iter().filter_map(|word| word.relevance).max();
    let confirmed_at = words.iter().filter_map(|word| word.confirmed_at).min()?;
    Some(Verdict::Agreed { confirmed_illicit, relevance, confirmed_at })
}

/// The table of outcomes that `standings` come to: those that are not disputed.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "times are checked to be exact doubles when they are taken in")]
pub fn table(standings: &[Standing]) -> Table {
    let agreed = standings.iter().filter_map(|standing| match standing.verdict {
        Verdict::Agreed { confirmed_illicit, relevance, confirmed_at } => {
            Some((standing, f64::from(u8::from(confirmed_illicit)), relevance, confirmed_at as f64))
        }
        Verdict::Disputed => None,
    });
    let rows: Vec<_> = agreed.collect();
    let sources: Vec<String> = rows.iter().map(|(standing, ..)| standing.sources.join("+")).collect();
    let column = |name: &str| match name {
        "alert_id" => Column::Texts(rows.iter().map(|(standing, ..)| standing.alert_id.as_str()).collect()),
        "confirmed_illicit" => Column::Numbers(rows.iter().map(|row| row.1).collect()),
        "relevance" => Column::Numbers(rows.iter().map(|row| row.2.map_or(f64::NAN, f64::from)).collect()),
        "confirmed_at" => Column::Numbers(rows.iter().map(|row| row.3).collect()),
        _ => Column::Texts(sources.iter().map(String::as_str).collect()),
    };
    let columns = LABELS.columns.iter().map(|about| Some(column(about.name))).collect();
    Table::new(&LABELS, rows.len(), columns, Vec::new())
}
