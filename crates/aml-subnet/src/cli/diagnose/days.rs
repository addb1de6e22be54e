//! Batches with outcomes as rounds: who answers are the model, public models, further submissions and the detector itself.

use std::collections::BTreeMap;
use std::path::Path;

use aml_miner::data::batch_dir::BatchDir;
use aml_miner::data::outcomes::usable_rows;
use aml_miner::data::{LoadedBatch, list_batches};
use anyhow::{Context as _, bail};

use super::submission::{Line, Submitted, ids};
use super::{Cast, DiagnoseArgs};
use crate::calendar::{day_at_ms, day_of};
use crate::seasons::{StoredAnswer, StoredOutcome, StoredRound};
use crate::store::records::RosterRow;
use crate::validation::rules::RulesVersion;
use crate::validation::submission::Submission;
use crate::validator::settle::known_rows;
use crate::wallet::Hotkey;

/// Who answers besides the model.
enum Other<'a> {
    /// A public model that the submission has scores of.
    Public(&'a str),
    /// A further submission.
    Beside(&'a Submitted),
    /// What the alerts came with.
    Detector,
}

/// A round for each day of the submission.
pub(super) fn cast(args: &DiagnoseArgs, own: &Submitted, data: &Path) -> anyhow::Result<Cast> {
    let beside = args.beside.iter().map(|path| Submitted::read(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut others: Vec<Other<'_>> = own.public.iter().map(|name| Other::Public(name)).collect();
    others.extend(beside.iter().map(Other::Beside));
    others.push(Other::Detector);
    let mut names = vec![(hotkey(0), own.name())];
    names.extend(others.iter().enumerate().map(|(place, other)| (hotkey(place + 1), other.name())));
    let entries = list_batches(data, None, args.to)?;
    let (mut rounds, mut missing) = (Vec::new(), Vec::new());
    for (date, line) in own.days.iter().filter(|(date, _)| args.to.is_none_or(|to| **date <= to)) {
        let fits = |window: Option<u16>| window.is_none_or(|days| days == line.window_days);
        match entries.iter().find(|entry| entry.date == *date && fits(entry.window_days)) {
            Some(entry) => {
                let loaded = BatchDir::open(&entry.path).and_then(|directory| directory.load());
                let loaded = loaded.with_context(|| format!("batch {}", entry.path.display()))?;
                rounds.push(round(line, &loaded, &others)?);
            }
            None => missing.push(format!("{date}: {} has no batch of it", data.display())),
        }
    }
    if rounds.is_empty() {
        bail!("none of the {} days of the submission has a batch in {}", own.days.len(), data.display());
    }
    Ok(Cast { rounds, names, rules: args.rules.unwrap_or(RulesVersion::V2), grace: 0, missing })
}

fn round(line: &Line, loaded: &LoadedBatch, others: &[Other<'_>]) -> anyhow::Result<StoredRound> {
    let ids = ids(&loaded.batch);
    let mut miners = BTreeMap::from([(hotkey(0), answer(line.submission(None, &ids)?))]);
    for (place, other) in others.iter().enumerate() {
        if let Some(submission) = other.submission(line, loaded, &ids)? {
            miners.insert(hotkey(place + 1), answer(submission));
        }
    }
    let addresses = loaded.batch.alerts.texts("address");
    Ok(StoredRound {
        day: day_of(loaded.meta.processing_date),
        addresses: (0..ids.len())
            .map(|row| addresses.map_or_else(String::new, |all| all.get(row).to_owned()))
            .collect(),
        miners,
        outcomes: outcomes(loaded, &ids),
    })
}

impl Other<'_> {
    fn name(&self) -> String {
        match self {
            Self::Public(name) => (*name).to_owned(),
            Self::Beside(submitted) => submitted.name(),
            Self::Detector => "the detector's confidence".to_owned(),
        }
    }

    fn submission(&self, line: &Line, loaded: &LoadedBatch, ids: &[&str]) -> anyhow::Result<Option<Submission>> {
        match self {
            Self::Public(name) => line.submission(Some(*name), ids).map(Some),
            Self::Beside(submitted) => {
                let line = submitted.days.get(&loaded.meta.processing_date);
                line.map(|line| line.submission(None, ids)).transpose().with_context(|| submitted.name())
            }
            Self::Detector => {
                let told = loaded.batch.alerts.numbers("alert_confidence_score");
                let told =
                    told.map(|values| values.iter().map(|value| if value.is_nan() { 0.0 } else { *value }).collect());
                Ok(told.and_then(|values: Vec<f64>| Submission::of_stored(&values)))
            }
        }
    }
}

/// There are no traps: everybody is taken to have passed them.
fn answer(submission: Submission) -> StoredAnswer {
    StoredAnswer { submission: Some(submission), tier1: 1.0, tier2: Some(1.0), advantage: Some(1.0) }
}

/// Outcomes that count, as the validator takes them.
fn outcomes(loaded: &LoadedBatch, ids: &[&str]) -> Vec<StoredOutcome> {
    let Some(labels) = &loaded.labels else { return Vec::new() };
    let labels = labels.take(&usable_rows(labels, loaded.meta.processing_date));
    let known = labels.numbers("confirmed_at").unwrap_or_default();
    let row = |id: &&str| RosterRow {
        alert_id: (*id).to_owned(),
        address: String::new(),
        typology: String::new(),
        severity: String::new(),
    };
    let roster: Vec<RosterRow> = ids.iter().map(row).collect();
    let outcome = |(label, row): (crate::validation::tier3_settlement::Label, usize)| {
        #[expect(clippy::cast_possible_truncation, reason = "times are checked to be whole numbers below 2^53")]
        let known = day_at_ms(known[row] as i64);
        StoredOutcome { place: label.place, illicit: label.illicit, relevance: label.relevance, known }
    };
    known_rows(&roster, &labels).into_iter().map(outcome).collect()
}

/// Keys of nobody, in the order of the cast.
fn hotkey(place: usize) -> Hotkey {
    let mut bytes = [0; 32];
    bytes[24..].copy_from_slice(&(place as u64).to_be_bytes());
    Hotkey::from_bytes(bytes)
}
