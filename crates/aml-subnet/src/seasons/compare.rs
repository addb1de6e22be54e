//! What stored rounds come to under one version of the rules or another: pay, voice, quality of the canonical scores.

use aml_miner::metrics::{log_loss, roc_auc};
use serde::Serialize;

use crate::seasons::answers::Played;
use crate::seasons::stored::{Replayed, StoredRound};

/// A miner under one version.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MinerUnder {
    /// Who.
    pub hotkey: String,
    /// Mean share of a day's pay.
    pub pay: f64,
    /// Mean share of the voice.
    pub voice: f64,
    /// Rounds in which its submission counted.
    pub counted: usize,
    /// Of its scores against the outcomes that are known; `None` with one class alone.
    pub auc: Option<f64>,
}

/// What the rounds come to under one version.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Under {
    /// Its name.
    pub rules: String,
    /// Rounds that were looked at.
    pub rounds: usize,
    /// Alerts of these with an outcome.
    pub outcomes: usize,
    /// Mean share of a day's pay that nobody earned.
    pub unearned: f64,
    /// Of the canonical scores against the outcomes that are known.
    pub auc: Option<f64>,
    /// The same.
    pub log_loss: Option<f64>,
    /// Best paid first.
    pub miners: Vec<MinerUnder>,
}

/// Adds up the rounds of one version.
#[derive(Debug)]
pub struct Comparison {
    rules: String,
    season: Replayed,
    pay: Vec<f64>,
    voice: Vec<f64>,
    counted: Vec<usize>,
    unearned: f64,
    rounds: usize,
    labels: Vec<bool>,
    merged: Vec<f64>,
    /// By miner: labels and scores where it answered.
    told: Vec<(Vec<bool>, Vec<f64>)>,
}

impl Comparison {
    /// Nothing yet.
    #[must_use]
    pub fn new(rules: &str, season: Replayed) -> Self {
        let miners = season.hotkeys().len();
        Self {
            rules: rules.to_owned(),
            season,
            pay: vec![0.0; miners],
            voice: vec![0.0; miners],
            counted: vec![0; miners],
            unearned: 0.0,
            rounds: 0,
            labels: Vec::new(),
            merged: Vec::new(),
            told: vec![(Vec::new(), Vec::new()); miners],
        }
    }

    /// Plays a round; it is counted where `counts` says so, those before are what it rests on.
    pub fn add(&mut self, round: &StoredRound, counts: bool) {
        let played = self.season.play(round);
        if counts {
            self.count(round, &played);
        }
    }

    fn count(&mut self, round: &StoredRound, played: &Played) {
        self.rounds += 1;
        self.unearned += played.unearned;
        self.pay.iter_mut().zip(&played.pay.0).for_each(|(sum, share)| *sum += share);
        self.voice.iter_mut().zip(&played.voices.0).for_each(|(sum, share)| *sum += share);
        let known: Vec<_> = round.outcomes.iter().filter(|one| one.place < played.canonical.0.len()).collect();
        self.labels.extend(known.iter().map(|one| one.illicit));
        self.merged.extend(known.iter().map(|one| played.canonical.0[one.place]));
        for (at, hotkey) in self.season.hotkeys().iter().enumerate() {
            let Some(given) = round.miners.get(hotkey).and_then(|given| given.submission.as_ref()) else { continue };
            self.counted[at] += 1;
            let (labels, scores) = &mut self.told[at];
            labels.extend(known.iter().map(|one| one.illicit));
            scores.extend(known.iter().map(|one| given.scores()[one.place].get()));
        }
    }

    /// What it came to.
    #[must_use]
    pub fn finish(self) -> Under {
        let mean = |sum: f64| if self.rounds == 0 { 0.0 } else { sum / self.rounds as f64 };
        let miner = |(at, hotkey): (usize, &crate::wallet::Hotkey)| MinerUnder {
            hotkey: hotkey.to_string(),
            pay: mean(self.pay[at]),
            voice: mean(self.voice[at]),
            counted: self.counted[at],
            auc: roc_auc(&self.told[at].0, &self.told[at].1).ok(),
        };
        let mut miners: Vec<MinerUnder> = self.season.hotkeys().iter().enumerate().map(miner).collect();
        miners.sort_by(|one, two| two.pay.total_cmp(&one.pay).then(one.hotkey.cmp(&two.hotkey)));
        Under {
            rounds: self.rounds,
            outcomes: self.labels.len(),
            unearned: mean(self.unearned),
            auc: roc_auc(&self.labels, &self.merged).ok(),
            log_loss: log_loss(&self.labels, &self.merged).ok(),
            miners,
            rules: self.rules,
        }
    }
}
