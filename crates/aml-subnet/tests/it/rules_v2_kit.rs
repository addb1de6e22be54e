//! Plays rules v2 over a season in memory, a day at a time, with nothing but the public functions.

use std::num::NonZero;

use aml_subnet::validation::v2::calibration::mean_score;
use aml_subnet::validation::v2::column::Worths;
use aml_subnet::validation::v2::constants::Constants;
use aml_subnet::validation::v2::curve::Curve;
use aml_subnet::validation::v2::moments::Moments;
use aml_subnet::validation::v2::newcomers::{Present, parts};
use aml_subnet::validation::v2::once::{Outcome, weigh};
use aml_subnet::validation::v2::order::Order;
use aml_subnet::validation::v2::pay::{Earner, Paid, pay};
use aml_subnet::validation::v2::record::{Asked, Record, Tiers};
use aml_subnet::validation::v2::references::{self, Earlier, Known};
use aml_subnet::validation::v2::standing::{Delivered, Standing, Standings};
use aml_subnet::validation::v2::voice::{Today, Voices, canonical, voices};
use aml_subnet::validation::v2::window::Window;

pub(crate) const K: Constants = Constants::V2;
/// Canonical scores and outcomes of the same addresses.
pub(crate) const REFERENCES: usize = 2;

/// One day's alerts; the order of all lists is that of the batch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    pub(crate) addresses: Vec<u32>,
    pub(crate) illicit: Vec<bool>,
    /// The day on which an outcome becomes known.
    pub(crate) known: Vec<Option<i64>>,
}

/// What a miner that was asked did on a day.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) scores: Option<Vec<f64>>,
    pub(crate) advantage: Option<f64>,
}

/// A round that was judged.
struct Round {
    batch: Batch,
    known: Vec<(u32, Known)>,
    scores: Vec<Option<Vec<f64>>>,
    orders: Vec<Option<Order>>,
    parts: Vec<Option<Vec<u8>>>,
    columns: Vec<Option<Vec<i16>>>,
    canonical: Vec<f64>,
}

/// A season so far. Miners are in the order of hotkeys.
pub(crate) struct Season {
    pub(crate) miners: usize,
    pub(crate) threads: NonZero<usize>,
    pub(crate) weights: Vec<f64>,
    pub(crate) curve: Option<Curve>,
    rounds: Vec<Round>,
    records: Vec<Record>,
}

impl Season {
    pub(crate) fn new(miners: usize) -> Self {
        Self {
            miners,
            threads: NonZero::<usize>::MIN,
            weights: vec![0.0; miners],
            curve: None,
            rounds: Vec::new(),
            records: vec![Record::new(); miners],
        }
    }

    /// Today: as many rounds have been played.
    pub(crate) fn today(&self) -> i64 {
        i64::try_from(self.rounds.len()).expect("few days")
    }

    /// The days of the window's rounds and their outcomes as known today.
    fn window(&self) -> Vec<(usize, Vec<Outcome<u32>>)> {
        let (today, window) = (self.today(), Window::new(&K, self.today()));
        let rounds = window.rounds().filter_map(|day| usize::try_from(day).ok());
        let outcomes = |day: usize| {
            let batch = &self.rounds[day].batch;
            let date = i64::try_from(day).expect("few days");
            let counts = |place: &usize| batch.known[*place].is_some_and(|known| window.counts(date, known));
            let outcome = |place: usize| Outcome {
                place: u32::try_from(place).expect("few alerts"),
                address: batch.addresses[place],
                illicit: batch.illicit[place],
            };
            (day, (0..batch.known.len()).filter(counts).map(outcome).collect::<Vec<_>>())
        };
        rounds.filter(|day| (*day as i64) < today).map(outcomes).filter(|(_, known)| !known.is_empty()).collect()
    }

    /// The moments of today's window.
    pub(crate) fn moments(&self) -> Moments {
        let mut moments = Moments::new(self.miners + REFERENCES);
        let (days, outcomes): (Vec<usize>, Vec<Vec<Outcome<u32>>>) = self.window().into_iter().unzip();
        for (day, weighed) in days.into_iter().zip(weigh(&outcomes)) {
            let columns: Vec<Option<&[i16]>> = self.rounds[day].columns.iter().map(Option::as_deref).collect();
            moments.add(&weighed, &columns, self.threads);
        }
        moments
    }

    fn delivered(&self, window: &[(usize, Vec<Outcome<u32>>)], miner: usize) -> Delivered {
        let mut delivered = Delivered { rounds: window.len(), ..Delivered::default() };
        for (day, outcomes) in window {
            let round = &self.rounds[*day];
            let (Some(scores), Some(places)) = (&round.scores[miner], &round.parts[miner]) else { continue };
            delivered.counted += 1;
            for outcome in outcomes {
                let place = outcome.place as usize;
                delivered.parts.count(places[place], outcome.illicit);
                delivered.bins.count(scores[place], outcome.illicit);
            }
        }
        delivered
    }

    /// Weights and points of today; the curve is in force from now on.
    pub(crate) fn settle(&mut self) -> Standings {
        let window = self.window();
        let delivered: Vec<Delivered> = (0..self.miners).map(|miner| self.delivered(&window, miner)).collect();
        let standings = Standings::settle(&K, &self.moments(), &delivered, &self.weights);
        self.weights = standings.miners.iter().map(|one| one.priced.weight).collect();
        self.curve.clone_from(&standings.curve);
        standings
    }

    /// Where everybody stands as long as nothing is known.
    pub(crate) fn unsettled(&self) -> Standings {
        let nothing = vec![Delivered::default(); self.miners];
        Standings::settle(&K, &Moments::new(self.miners + REFERENCES), &nothing, &self.weights)
    }

    /// What everybody can know of a batch: canonical scores and outcomes of its addresses.
    pub(crate) fn references(&self, batch: &Batch) -> [Option<Vec<f64>>; REFERENCES] {
        let earlier: Vec<Earlier<'_, u32>> = self
            .rounds
            .iter()
            .zip(0..)
            .map(|(round, day)| Earlier {
                day,
                addresses: &round.batch.addresses,
                canonical: Some(&round.canonical),
                outcomes: &round.known,
            })
            .collect();
        let canonical = references::canonical(&K, self.today(), &earlier, &batch.addresses);
        [canonical, references::outcomes(self.today(), &earlier, &batch.addresses)]
    }

    /// Today's round: columns, voices, canonical scores and pay. `None`: not asked.
    pub(crate) fn round(
        &mut self,
        batch: Batch,
        answers: &[Option<Answer>],
        references: &[Option<Vec<f64>>; REFERENCES],
        standings: &[Standing],
    ) -> (Voices, Paid) {
        let today = self.today();
        let worths = Worths::new(self.curve.as_ref(), batch.addresses.len());
        let scores: Vec<Option<Vec<f64>>> =
            answers.iter().map(|answer| answer.as_ref().and_then(|answer| answer.scores.clone())).collect();
        let orders: Vec<Option<Order>> =
            scores.iter().map(|scores| scores.as_ref().map(|scores| Order::of(scores))).collect();
        let parts = orders.iter().map(|order| order.as_ref().map(Order::parts)).collect();
        let mut columns: Vec<Option<Vec<i16>>> =
            orders.iter().map(|order| order.as_ref().map(|order| worths.column(order))).collect();
        let zero = vec![0; batch.addresses.len()];
        let said = |scores: &Option<Vec<f64>>| {
            Some(scores.as_ref().map_or_else(|| zero.clone(), |scores| worths.column(&Order::of(scores))))
        };
        columns.extend(references.iter().map(said));
        for (record, answer) in self.records.iter_mut().zip(answers) {
            let Some(answer) = answer else { continue };
            let tier1 = answer.scores.as_ref().map(|_| 1.0);
            record.insert(today, Asked { tier1, advantage: answer.advantage, forgiven: false });
        }
        let known = (0_u32..).zip(batch.illicit.iter().zip(&batch.known));
        let known =
            known.filter_map(|(place, (illicit, day))| Some((place, Known { illicit: *illicit, day: (*day)? })));
        let known = known.collect();
        self.rounds.push(Round { batch, known, scores, orders, parts, columns, canonical: Vec::new() });
        let voices = self.voices(answers, standings);
        let paid = self.pay(standings);
        (voices, paid)
    }

    fn newest(&self) -> &Round {
        self.rounds.last().expect("a round was played")
    }

    fn voices(&mut self, answers: &[Option<Answer>], standings: &[Standing]) -> Voices {
        let round = self.newest();
        let here: Vec<usize> = (0..self.miners).filter(|miner| round.scores[*miner].is_some()).collect();
        let submission = |miner: usize| round.scores[miner].as_deref().expect("it is here");
        let today: Vec<Today<'_>> = here
            .iter()
            .map(|miner| Today {
                column: round.columns[*miner].as_deref().expect("it is here"),
                mean: mean_score(submission(*miner)),
                advantage: answers[*miner].as_ref().and_then(|answer| answer.advantage),
                standing: &standings[*miner],
            })
            .collect();
        let mut spoken = voices(&K, &today, self.threads);
        let submissions: Vec<&[f64]> = here.iter().map(|miner| submission(*miner)).collect();
        let merged = canonical(&spoken.shares, &submissions);
        let mut shares = vec![0.0; self.miners];
        here.iter().zip(&spoken.shares).for_each(|(miner, share)| shares[*miner] = *share);
        spoken.shares = shares;
        self.rounds.last_mut().expect("a round was played").canonical = merged;
        spoken
    }

    fn pay(&self, standings: &[Standing]) -> Paid {
        let today = self.today() - 1;
        let days: Vec<i64> = (0..=today).collect();
        let tiers: Vec<Tiers> = self.records.iter().map(|record| Tiers::of(&K, today, &days, record)).collect();
        let present = |miner: usize| {
            let order = self.newest().orders[miner].as_ref()?;
            let first_asked = *self.records[miner].keys().next()?;
            Some(Present { counted: standings[miner].counted, traps: tiers[miner].traps, first_asked, order })
        };
        let present: Vec<Option<Present<'_>>> = (0..self.miners).map(present).collect();
        let new = parts(&K, today, &present);
        let earner = |miner: usize| Earner {
            points: standings[miner].priced.points,
            calibration: standings[miner].calibration,
            tiers: tiers[miner],
            newcomer: new[miner],
        };
        pay(&K, &(0..self.miners).map(earner).collect::<Vec<_>>())
    }

    /// The newest canonical scores.
    pub(crate) fn canonical(&self) -> &[f64] {
        &self.newest().canonical
    }
}
