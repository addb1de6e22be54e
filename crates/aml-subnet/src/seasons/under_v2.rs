//! A season under rules v2.

mod round;

use std::collections::BTreeMap;
use std::num::NonZero;

use crate::seasons::answers::{Details, Played};
use crate::seasons::checked::{Checked, Known, Submitted};
use crate::seasons::numbers::Numbers;
use crate::seasons::plan::Plan;
use crate::validation::rules::Rules;
use crate::validation::tier2_traps::{Expected, judge};
use crate::validation::v2::advantage::advantage;
use crate::validation::v2::calibration::mean_score;
use crate::validation::v2::curve::Curve;
use crate::validation::v2::moments::Moments;
use crate::validation::v2::newcomers::{Present, parts};
use crate::validation::v2::once::{Outcome, Weighed, weigh};
use crate::validation::v2::pay::{Earner, Paid, pay};
use crate::validation::v2::price::Priced;
use crate::validation::v2::record::{Asked, Record, Tiers};
use crate::validation::v2::references::{self, Earlier};
use crate::validation::v2::standing::{Delivered, Standing, Standings};
use crate::validation::v2::voice::{Today, canonical, voices};
use crate::validation::v2::window::Window;
use round::{Said, round_of};

use round::Round;

/// Canonical scores and outcomes of the same addresses.
const REFERENCES: usize = 2;

/// A season so far. Miners are in the order of hotkeys.
#[derive(Debug)]
pub(super) struct UnderV2 {
    plan: Plan,
    threads: NonZero<usize>,
    weights: Vec<f64>,
    rounds: BTreeMap<i64, Round>,
    records: Vec<Record>,
}

impl Known for UnderV2 {
    fn miners(&self) -> usize {
        self.plan.miners
    }

    fn last(&self) -> Option<i64> {
        self.rounds.keys().next_back().copied()
    }

    fn has_outcome(&self, day: i64, alert: usize) -> Option<bool> {
        let round = self.rounds.get(&day)?;
        (alert < round.addresses.len()).then(|| round.known.contains_key(&alert))
    }

    fn kept_on(&self, day: i64) -> usize {
        let kept = self.rounds.range(self.oldest(day)..);
        kept.map(|(_, round)| (round.said.iter().flatten().count() + REFERENCES) * round.addresses.len()).sum()
    }

    fn instead_of_traps(&self) -> &'static str {
        "advantage"
    }
}

impl UnderV2 {
    pub(super) fn new(plan: Plan, threads: NonZero<usize>) -> Self {
        let miners = plan.miners;
        let records = vec![Record::new(); miners];
        Self { plan, threads, weights: vec![0.0; miners], rounds: BTreeMap::new(), records }
    }

    /// The day of the oldest round that is still looked at.
    fn oldest(&self, today: i64) -> i64 {
        *Window::new(&self.plan.constants, today).rounds().start()
    }

    /// Plays a day: outcomes, weights, the round's columns, voices, pay.
    pub(super) fn play(&mut self, today: Checked) -> Played {
        let k = self.plan.constants;
        let day = today.day;
        let window = Window::new(&k, day);
        for outcome in &today.outcomes {
            if let Some(round) = self.rounds.get_mut(&outcome.day) {
                round.note(outcome, window.counts(outcome.day, outcome.known));
            }
        }
        let oldest = self.oldest(day);
        self.rounds.range_mut(..oldest).for_each(|(_, round)| round.forget());
        let (mut standings, moments) = self.settle(&window);
        if !self.plan.learned {
            standings.curve = None;
        }
        let advantages: Vec<Option<f64>> =
            today.answers.iter().map(|given| advantage_of(&today, given.as_ref())).collect();
        for ((record, given), advantage) in self.records.iter_mut().zip(&today.answers).zip(&advantages) {
            if let Some(given) = given {
                let tier1 = given.submission.as_ref().map(|_| given.tier1);
                let forgiven =
                    tier1.is_none() && record.keys().next().is_none_or(|first| day < first + self.plan.grace);
                record.insert(day, Asked { tier1, advantage: *advantage, forgiven: forgiven && self.plan.grace > 0 });
            }
        }
        let references = self.references(day, &today.addresses);
        let round = round_of(today, standings.curve.as_ref(), &references);
        let (shares, merged) = self.voices(&round, &standings.miners, &advantages);
        self.rounds.insert(day, Round { canonical: merged, ..round });
        let (paid, tiers) = self.pay(day, &standings.miners);
        let details = self.plan.details.then(|| self.details(&standings, &moments, &tiers));
        Played {
            day,
            voices: Numbers(shares),
            pay: Numbers(paid.shares),
            unearned: paid.unearned,
            canonical: Numbers(self.rounds.get(&day).map(|round| round.canonical.clone()).unwrap_or_default()),
            tier2: Numbers::default(),
            advantage: Numbers::of_options(advantages),
            details,
        }
    }

    /// The window's rounds and those of their outcomes that count.
    fn window(&self, window: &Window) -> Vec<(i64, Vec<Outcome<u64>>)> {
        let outcomes = |(day, round): (&i64, &Round)| (*day, round.counting(*day, window));
        self.rounds.range(window.rounds()).map(outcomes).filter(|(_, outcomes)| !outcomes.is_empty()).collect()
    }

    /// Where everybody stands today.
    fn settle(&mut self, window: &Window) -> (Standings, Moments) {
        let (days, outcomes): (Vec<i64>, Vec<Vec<Outcome<u64>>>) = self.window(window).into_iter().unzip();
        let mut moments = Moments::new(self.plan.miners + REFERENCES);
        for (day, mut weighed) in days.iter().zip(weigh(&outcomes)) {
            if !self.plan.once {
                weighed.iter_mut().for_each(|outcome: &mut Weighed| outcome.times = 1);
            }
            let Some(round) = self.rounds.get(day) else { continue };
            let said = round.said.iter().map(|said| said.as_ref().map(|said| said.column.as_slice()));
            let columns: Vec<Option<&[i16]>> =
                said.chain(round.references.iter().map(|one| Some(one.as_slice()))).collect();
            moments.add(&weighed, &columns, self.threads);
        }
        let delivered: Vec<Delivered> = (0..self.plan.miners).map(|miner| self.delivered(&days, miner)).collect();
        let standings = Standings::settle(&self.plan.constants, &moments, &delivered, &self.weights);
        self.weights = standings.miners.iter().map(|one| one.priced.weight).collect();
        (standings, moments)
    }

    /// What a miner delivered over the window's rounds. Those in which it was not asked though it had been before are none
    /// of its rounds.
    fn delivered(&self, days: &[i64], miner: usize) -> Delivered {
        let record = &self.records[miner];
        let first = record.keys().next().copied().unwrap_or(i64::MAX);
        let mut delivered = Delivered::default();
        for day in days.iter().filter(|day| **day < first || record.contains_key(*day)) {
            delivered.rounds += 1;
            if let Some(said) = self.rounds.get(day).and_then(|round| round.said[miner].as_ref()) {
                delivered.counted += 1;
                delivered.parts.add(&said.parts);
                delivered.bins.add(&said.bins);
            }
        }
        delivered
    }

    /// What everybody can know of a batch.
    fn references(&self, day: i64, addresses: &[u64]) -> [Option<Vec<f64>>; REFERENCES] {
        let outcomes: Vec<Vec<_>> = self.rounds.values().map(Round::outcomes).collect();
        let earlier: Vec<Earlier<'_, u64>> = (self.rounds.iter().zip(&outcomes))
            .map(|((day, round), outcomes)| Earlier {
                day: *day,
                addresses: &round.addresses,
                canonical: Some(&round.canonical),
                outcomes,
            })
            .collect();
        let canonical = references::canonical(&self.plan.constants, day, &earlier, addresses);
        [canonical, references::outcomes(day, &earlier, addresses)]
    }

    /// Everybody's share of the voice, and the canonical scores.
    fn voices(&self, round: &Round, standings: &[Standing], advantages: &[Option<f64>]) -> (Vec<f64>, Vec<f64>) {
        let here: Vec<(usize, &Said)> =
            round.said.iter().enumerate().filter_map(|(miner, said)| Some((miner, said.as_ref()?))).collect();
        let today = |(miner, said): &(usize, &'_ Said)| (mean_score(&said.scores), advantages[*miner]);
        let known: Vec<(f64, Option<f64>)> = here.iter().map(today).collect();
        let today: Vec<Today<'_>> = (here.iter().zip(known))
            .map(|((miner, said), (mean, advantage))| Today {
                column: &said.column,
                mean,
                advantage,
                standing: &standings[*miner],
            })
            .collect();
        let spoken = voices(&self.plan.constants, &today, self.threads);
        let submissions: Vec<&[f64]> = here.iter().map(|(_, said)| said.scores.as_slice()).collect();
        let merged = canonical(&spoken.shares, &submissions);
        let mut shares = vec![0.0; self.plan.miners];
        here.iter().zip(&spoken.shares).for_each(|((miner, _), share)| shares[*miner] = *share);
        (shares, merged)
    }

    fn pay(&self, today: i64, standings: &[Standing]) -> (Paid, Vec<Tiers>) {
        let k = &self.plan.constants;
        let days: Vec<i64> = self.rounds.keys().copied().collect();
        let tiers: Vec<Tiers> = self.records.iter().map(|record| Tiers::of(k, today, &days, record)).collect();
        let newest = self.rounds.get(&today);
        let present = |miner: usize| {
            let order = &newest?.said[miner].as_ref()?.order;
            let first_asked = *self.records[miner].keys().next()?;
            Some(Present { counted: standings[miner].counted, traps: tiers[miner].traps, first_asked, order })
        };
        let present: Vec<Option<Present<'_>>> = (0..self.plan.miners).map(present).collect();
        let new = parts(k, today, &present);
        let earner = |miner: usize| Earner {
            points: standings[miner].priced.points,
            calibration: standings[miner].calibration,
            tiers: tiers[miner],
            newcomer: new[miner],
        };
        let paid = pay(k, &(0..self.plan.miners).map(earner).collect::<Vec<_>>());
        (paid, tiers)
    }

    fn details(&self, standings: &Standings, moments: &Moments, tiers: &[Tiers]) -> Details {
        let miners = standings.miners.iter();
        let all: Vec<Priced> = miners.map(|one| one.priced).chain(standings.references.iter().copied()).collect();
        let priced = |of: fn(&Priced) -> f64| all.iter().map(of).collect::<Numbers>();
        let own = |of: fn(&Standing) -> f64| standings.miners.iter().map(of).collect::<Numbers>();
        let quality = |(tiers, one): (&Tiers, &Standing)| tiers.quality(&self.plan.constants, one.calibration);
        Details {
            b: priced(|one| one.correlation),
            c: priced(|one| one.beyond),
            w: priced(|one| one.weight),
            points: priced(|one| one.points),
            mass: own(|one| one.priced.mass),
            calibration: own(|one| one.calibration),
            usual: own(|one| one.usual),
            part: own(|one| one.part),
            quality: tiers.iter().zip(&standings.miners).map(quality).collect(),
            lately: tiers.iter().map(|tiers| tiers.lately).collect(),
            curve: standings.curve.iter().flat_map(|Curve { shares }| shares.iter().copied()).collect(),
            known: standings.known,
            outcomes: moments.number,
            illicit: moments.illicit,
        }
    }
}

/// How much better than chance a submission put the traps where they belong.
fn advantage_of(today: &Checked, given: Option<&Submitted>) -> Option<f64> {
    let given = given?;
    let submission = given.submission.as_ref()?;
    if today.groups.is_empty() {
        return given.told;
    }
    let found = judge(&Rules::V1, &today.groups, &submission.with_traps).findings;
    let of = |kind: Expected| -> Vec<f64> {
        let groups = today.groups.iter().zip(&found).filter(|(group, _)| group.expected == kind);
        groups.map(|(_, finding)| finding.share).collect()
    };
    advantage(&of(Expected::High), &of(Expected::Low))
}
