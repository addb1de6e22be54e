//! Tier 3: measures stored submissions, and the canonical scores, against the outcomes once they are known.
//!
//! Pure: the outcomes come as a table of labels that may be used already; no miner is asked again.

use std::collections::{BTreeMap, HashMap};

use aml_miner::wire::Table;

use crate::store::records::{Canonical, RosterRow, Settled};
use crate::validation::rules::Rules;
use crate::validation::submission::Submission;
use crate::validation::tier3_settlement::{self, Label, SettleError, Settlement};
use crate::wallet::Hotkey;

/// The outcomes of the roster's alerts that `labels` knows, by place; labels of other alerts are passed over.
#[must_use]
pub fn outcomes(roster: &[RosterRow], labels: &Table) -> Vec<Label> {
    known_rows(roster, labels).into_iter().map(|(label, _)| label).collect()
}

/// The same, each with the row of `labels` that says so.
pub(crate) fn known_rows(roster: &[RosterRow], labels: &Table) -> Vec<(Label, usize)> {
    let (Some(ids), Some(illicit)) = (labels.texts("alert_id"), labels.numbers("confirmed_illicit")) else {
        return Vec::new();
    };
    let relevance = labels.numbers("relevance");
    let rows: HashMap<&str, usize> = ids.iter().enumerate().map(|(row, id)| (id, row)).collect();
    let known = |(place, alert): (usize, &RosterRow)| {
        let row = *rows.get(alert.alert_id.as_str())?;
        let illicit = (!illicit[row].is_nan()).then_some(illicit[row] > 0.5)?;
        let relevance = relevance.map_or(f64::NAN, |relevance| relevance[row]);
        Some((Label { place, illicit, relevance: grade(relevance, illicit) }, row))
    };
    roster.iter().enumerate().filter_map(known).collect()
}

/// Measures every submission against the outcomes.
///
/// # Errors
/// When too little is known yet.
pub fn settle(
    rules: &Rules,
    labels: Vec<Label>,
    submissions: &BTreeMap<Hotkey, Option<Submission>>,
    canonical: Option<&Canonical>,
) -> Result<Settled, SettleError> {
    tier3_settlement::ready(rules, &labels)?;
    let measure = |submission: &Submission| tier3_settlement::settle(rules, &labels, submission);
    let one = |(hotkey, submission): (&Hotkey, &Option<Submission>)| -> Result<_, SettleError> {
        Ok((*hotkey, submission.as_ref().map(measure).transpose()?))
    };
    let miners = submissions.iter().map(one).collect::<Result<BTreeMap<Hotkey, Option<Settlement>>, _>>()?;
    let canonical = canonical.map(|merged| measure(&Submission::of_canonical(&merged.scores))).transpose()?;
    Ok(Settled { rules: rules.version, labels, miners, canonical, beside: BTreeMap::new() })
}

/// 2 for what was confirmed, whatever else is said of it; else 1 for what stayed suspicious, and 0.
fn grade(relevance: f64, illicit: bool) -> u8 {
    match (illicit, relevance >= 0.5) {
        (true, _) => 2,
        (false, suspicious) => u8::from(suspicious),
    }
}
