//! A season under rules v1: a round is settled once, on the first day on which enough of its outcomes are known.

use std::collections::{BTreeMap, BTreeSet};

use crate::seasons::answers::Played;
use crate::seasons::checked::{Became, Checked, Known, Submitted};
use crate::seasons::numbers::Numbers;
use crate::validation::ensemble_aggregator::aggregate_groups;
use crate::validation::performance::{RoundScore, after_grace, earned, performance};
use crate::validation::rules::Rules;
use crate::validation::similarity::Likeness;
use crate::validation::submission::Submission;
use crate::validation::tier2_traps::judge;
use crate::validation::tier3_settlement::{Label, ready, settle};
use crate::validation::weights::shares;
use crate::wallet::Hotkey;

/// Days after a round in which it can be settled: the validator's defaults of `settle_after` and `settle_until`.
const EARLIEST: i64 = 7;
const LATEST: i64 = 21;

/// A season so far.
#[derive(Debug)]
pub(super) struct UnderV1 {
    rules: Rules,
    hotkeys: Vec<Hotkey>,
    grace: i64,
    rounds: BTreeMap<i64, Round>,
    history: BTreeMap<Hotkey, Vec<RoundScore>>,
    first_asked: BTreeMap<Hotkey, i64>,
}

/// A round that was played.
#[derive(Debug)]
struct Round {
    alerts: usize,
    /// Gone once it is settled or too old to be.
    submissions: BTreeMap<Hotkey, Submission>,
    outcomes: Vec<Label>,
    known: BTreeSet<usize>,
    settled: bool,
}

impl Known for UnderV1 {
    fn miners(&self) -> usize {
        self.hotkeys.len()
    }

    fn last(&self) -> Option<i64> {
        self.rounds.keys().next_back().copied()
    }

    fn has_outcome(&self, day: i64, alert: usize) -> Option<bool> {
        let round = self.rounds.get(&day)?;
        (alert < round.alerts).then(|| round.known.contains(&alert))
    }

    fn kept_on(&self, day: i64) -> usize {
        let open = self.rounds.range(day - LATEST..).filter(|(_, round)| !round.settled);
        open.map(|(_, round)| round.submissions.len() * round.alerts).sum()
    }

    fn instead_of_traps(&self) -> &'static str {
        "tier2"
    }
}

/// Keys in the order of places.
fn hotkey(place: usize) -> Hotkey {
    let mut bytes = [0; 32];
    bytes[24..].copy_from_slice(&(place as u64).to_be_bytes());
    Hotkey::from_bytes(bytes)
}

impl UnderV1 {
    pub(super) fn new(miners: usize, grace: i64) -> Self {
        Self {
            rules: Rules::V1,
            hotkeys: (0..miners).map(hotkey).collect(),
            grace,
            rounds: BTreeMap::new(),
            history: BTreeMap::new(),
            first_asked: BTreeMap::new(),
        }
    }

    /// Plays a day.
    pub(super) fn play(&mut self, today: &Checked) -> Played {
        today.outcomes.iter().for_each(|outcome| self.note(outcome));
        self.settle(today.day);
        let submissions: BTreeMap<Hotkey, &Submission> = (self.hotkeys.iter().zip(&today.answers))
            .filter_map(|(hotkey, given)| Some((*hotkey, &given.as_ref()?.submission.as_ref()?.batch)))
            .collect();
        let all: Vec<&Submission> = submissions.values().copied().collect();
        let keys: Vec<Hotkey> = submissions.keys().copied().collect();
        let groups = Likeness::of(&all).groups(self.rules.alike);
        let groups: Vec<Vec<Hotkey>> =
            groups.into_iter().map(|group| group.into_iter().map(|at| keys[at]).collect()).collect();
        let worth = performance(&self.rules, today.day, &self.after_grace());
        let merged = aggregate_groups(&self.rules, &worth, &submissions, &groups);
        let copies: BTreeMap<Hotkey, usize> =
            groups.iter().flat_map(|group| group.iter().map(|hotkey| (*hotkey, group.len()))).collect();
        let tier2 = self.record(today, &copies);
        let (voices, canonical) = merged.map(|merged| (merged.weights, merged.scores)).unwrap_or_default();
        let pay = self.pay(today.day);
        let played = Played {
            day: today.day,
            voices: self.hotkeys.iter().map(|hotkey| voices.get(hotkey).copied().unwrap_or(0.0)).collect(),
            unearned: if pay.0.iter().any(|share| *share > 0.0) { 0.0 } else { 1.0 },
            pay,
            canonical: canonical.iter().map(|merged| merged.score.get()).collect(),
            tier2: Numbers::of_options(tier2),
            advantage: Numbers::default(),
            details: None,
        };
        let owned = submissions.into_iter().map(|(hotkey, given)| (hotkey, given.clone())).collect();
        let round = Round {
            alerts: today.addresses.len(),
            submissions: owned,
            outcomes: Vec::new(),
            known: BTreeSet::new(),
            settled: false,
        };
        self.rounds.insert(today.day, round);
        played
    }

    fn after_grace(&self) -> BTreeMap<Hotkey, Vec<RoundScore>> {
        after_grace(self.history.clone(), &self.first_asked, self.grace)
    }

    fn note(&mut self, outcome: &Became) {
        // What becomes known later than the rules' last day never counts.
        if let Some(round) = self.rounds.get_mut(&outcome.day).filter(|_| outcome.known <= outcome.day + LATEST) {
            let &Became { alert, illicit, relevance, .. } = outcome;
            round.known.insert(alert);
            round.outcomes.push(Label { place: alert, illicit, relevance });
        }
    }

    /// Settles the rounds of which enough is known by now.
    fn settle(&mut self, today: i64) {
        self.rounds.range_mut(..today - LATEST).for_each(|(_, round)| round.submissions.clear());
        for (day, round) in self.rounds.range_mut(today - LATEST..=today - EARLIEST) {
            if round.settled || ready(&self.rules, &round.outcomes).is_err() {
                continue;
            }
            round.outcomes.sort_by_key(|outcome| outcome.place);
            round.settled = true;
            for (hotkey, scores) in &mut self.history {
                let Some(own) = scores.iter_mut().find(|own| own.day == *day) else { continue };
                let submission = round.submissions.get(hotkey);
                let settled = submission.and_then(|given| settle(&self.rules, &round.outcomes, given).ok());
                own.tier3 = Some(settled.map_or(0.0, |settled| settled.score));
            }
            round.submissions.clear();
        }
    }

    /// Notes how everybody who was asked did; tier 2 of each.
    fn record(&mut self, today: &Checked, copies: &BTreeMap<Hotkey, usize>) -> Vec<Option<f64>> {
        let mut all = Vec::with_capacity(self.hotkeys.len());
        for (hotkey, given) in self.hotkeys.iter().zip(&today.answers) {
            let tier2 = given.as_ref().and_then(|given| self.tier2(today, given));
            all.push(tier2);
            let Some(Submitted { submission, tier1, .. }) = given else { continue };
            self.first_asked.entry(*hotkey).or_insert(today.day);
            let tier1 = submission.as_ref().map(|_| *tier1);
            let copies = copies.get(hotkey).map_or(1, |copies| u32::try_from(*copies).unwrap_or(u32::MAX));
            let score = RoundScore { day: today.day, tier1, tier2, tier3: None, copies };
            self.history.entry(*hotkey).or_default().push(score);
        }
        all
    }

    fn tier2(&self, today: &Checked, given: &Submitted) -> Option<f64> {
        let submission = given.submission.as_ref()?;
        given.told.or_else(|| judge(&self.rules, &today.groups, &submission.with_traps).score())
    }

    fn pay(&self, today: i64) -> Numbers {
        let registered: BTreeMap<u16, Hotkey> = (0..).zip(self.hotkeys.iter().copied()).collect();
        let mut pay = vec![0.0; self.hotkeys.len()];
        for share in shares(&earned(&self.rules, today, &self.after_grace()), &registered) {
            pay[usize::from(share.uid)] = share.share;
        }
        Numbers(pay)
    }
}
