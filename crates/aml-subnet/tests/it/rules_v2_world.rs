//! Alerts, models and miners for rules v2: evidence comes in families that err for everybody alike, a model adds an error of
//! its own, and half of the alerts are about an address that alerted the day before, with the same evidence and errors.
//!
//! Only the four operations, roots and `libm`: the same bits on every machine.

use aml_subnet::validation::v2::pay::Paid;
use aml_subnet::validation::v2::standing::Standings;
use aml_subnet::validation::v2::voice::Voices;

use crate::rules_v2_kit::{Answer, Batch, Season};

pub(crate) const ALERTS: usize = 300;
const FAMILIES: usize = 6;
const STRENGTH: [f64; FAMILIES] = [0.75, 0.75, 0.75, 0.75, 0.5, 0.5];
const BASE_RATE: f64 = 0.08;

/// Seeded numbers (SplitMix64).
#[derive(Clone)]
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    pub(crate) fn whole(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to 1.
    pub(crate) fn share(&mut self) -> f64 {
        (self.whole() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.whole() % count as u64).expect("below a count")
    }

    /// Nearly normal: twelve uniform numbers, with mean 0 and variance 1.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.share()).sum::<f64>() - 6.0
    }

    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.below(at + 1));
        }
    }
}

pub(crate) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

pub(crate) fn logit(p: f64) -> f64 {
    let p = p.clamp(1e-9, 1.0 - 1e-9);
    libm::log(p / (1.0 - p))
}

/// Days of alerts. Scores are lists by day, then by alert.
pub(crate) struct World {
    pub(crate) batches: Vec<Batch>,
    evidence: Vec<Vec<[f64; FAMILIES]>>,
    noise: Noise,
}

pub(crate) type Scores = Vec<Vec<f64>>;

impl World {
    pub(crate) fn new(seed: u64, days: usize) -> Self {
        let mut world = Self { batches: Vec::new(), evidence: Vec::new(), noise: Noise(seed) };
        for day in 0..days {
            world.add(day);
        }
        world
    }

    fn add(&mut self, day: usize) {
        let noise = &mut self.noise;
        let (mut batch, mut evidence) = (Batch::default(), Vec::new());
        let before = day.checked_sub(1).map(|before| (&self.batches[before], &self.evidence[before]));
        for at in 0..ALERTS {
            let again = before.filter(|_| noise.share() < 0.5);
            // Every address alerts at most once a day: the next day it has the same place.
            let (address, illicit, seen) = match again {
                Some((batch, evidence)) => (batch.addresses[at], batch.illicit[at], evidence[at]),
                None => {
                    let illicit = noise.share() < BASE_RATE;
                    let told = |strength: f64| {
                        let root = strength.sqrt();
                        root * (noise.normal() + if illicit { root } else { 0.0 }) - strength / 2.0
                    };
                    (u32::try_from(day * ALERTS + at).expect("few alerts"), illicit, STRENGTH.map(told))
                }
            };
            let suspicious = seen.iter().sum::<f64>() > 0.0;
            let known = noise.share() < if suspicious { 0.75 } else { 0.5 };
            let delay = i64::try_from(7 + noise.below(15)).expect("few days");
            batch.addresses.push(address);
            batch.illicit.push(illicit);
            batch.known.push(known.then_some(i64::try_from(day).expect("few days") + delay));
            evidence.push(seen);
        }
        self.batches.push(batch);
        self.evidence.push(evidence);
    }

    /// Standard noise, the same for an address that comes again on the next day.
    pub(crate) fn error(&mut self) -> Scores {
        let mut errors: Scores = Vec::new();
        for (day, batch) in self.batches.iter().enumerate() {
            let mut today: Vec<f64> = (0..ALERTS).map(|_| self.noise.normal()).collect();
            if let Some(before) = day.checked_sub(1) {
                let again = (0..ALERTS).filter(|at| self.batches[before].addresses[*at] == batch.addresses[*at]);
                again.for_each(|at| today[at] = errors[before][at]);
            }
            errors.push(today);
        }
        errors
    }

    /// Calibrated scores of a model that sees some families, with an own error of this variance.
    pub(crate) fn model(&mut self, own: f64, families: &[usize]) -> Scores {
        let errors = self.error();
        let strength: f64 = families.iter().map(|family| STRENGTH[*family]).sum();
        let prior = libm::log(BASE_RATE / (1.0 - BASE_RATE));
        let score = |(seen, error): (&[f64; FAMILIES], &f64)| {
            let told: f64 = families.iter().map(|family| seen[*family]).sum();
            sigmoid(prior + strength / (strength + own) * (told + own.sqrt() * error))
        };
        let day = |(seen, errors): (&Vec<[f64; FAMILIES]>, &Vec<f64>)| seen.iter().zip(errors).map(score).collect();
        self.evidence.iter().zip(&errors).map(day).collect()
    }

    /// Honest miners, from good to weak; a fifth of them see one more family.
    pub(crate) fn honest(&mut self, count: usize) -> Vec<Miner> {
        let own = |at: usize| 0.9 + 5.1 * at as f64 / count as f64;
        (0..count)
            .map(|at| {
                let scores = if at % 5 == 2 {
                    self.model(own(at), &[0, 1, 2, 3, 4])
                } else {
                    self.model(own(at), &[0, 1, 2, 3])
                };
                Miner::knows(scores)
            })
            .collect()
    }

    /// Scores that know nothing.
    pub(crate) fn random(&mut self) -> Scores {
        let day = |_| (0..ALERTS).map(|_| self.noise.share() * self.noise.share()).collect();
        (0..self.batches.len()).map(day).collect()
    }

    /// A copy with noise of its own of `spread` standard deviations or so of the log-odds.
    pub(crate) fn noisy(&mut self, scores: &Scores, spread: f64) -> Scores {
        let mut one = |score: &f64| sigmoid(logit(*score) + spread * self.noise.normal());
        scores.iter().map(|day| day.iter().map(&mut one).collect()).collect()
    }
}

/// Who answers what, and how it fares on traps.
#[derive(Clone)]
pub(crate) struct Miner {
    pub(crate) scores: Scores,
    /// Whether it answers, by day.
    pub(crate) answers: Vec<bool>,
    pub(crate) first: usize,
    /// Chance that a trap is where it belongs, among the high and among the low ones, on a day.
    pub(crate) traps: fn(usize) -> (f64, f64),
}

impl Miner {
    /// Answers every day and knows what it scores.
    pub(crate) fn knows(scores: Scores) -> Self {
        Self { answers: vec![true; scores.len()], scores, first: 0, traps: |_| (0.7, 0.9) }
    }

    /// Answers every day and does not know traps from other alerts.
    pub(crate) fn guesses(scores: Scores) -> Self {
        Self { traps: |_| (0.1, 0.5), ..Self::knows(scores) }
    }

    /// Answers only on some days.
    pub(crate) fn on(self, when: impl Fn(usize) -> bool) -> Self {
        Self { answers: (0..self.scores.len()).map(when).collect(), ..self }
    }

    fn answer(&self, day: usize, noise: &mut Noise) -> Option<Answer> {
        let (high, low) = (self.traps)(day);
        let mut share = |chance: f64| (0..20).filter(|_| noise.share() < chance).count() as f64 / 20.0;
        let advantage = aml_subnet::validation::v2::advantage::advantage(&[share(high)], &[share(low)]);
        (day >= self.first).then(|| {
            let here = self.answers[day];
            Answer { scores: here.then(|| self.scores[day].clone()), advantage: advantage.filter(|_| here) }
        })
    }
}

/// What came of a day.
pub(crate) struct Day {
    pub(crate) standings: Standings,
    pub(crate) voices: Voices,
    pub(crate) paid: Paid,
    pub(crate) canonical: Vec<f64>,
}

/// Plays a season and keeps the days from `kept` on; a few days before that, weights begin to be learned. Each miner's luck on
/// traps is its own: it depends on its scores, not on the company.
pub(crate) fn play(world: &World, miners: &[Miner], kept: usize) -> (Season, Vec<Day>) {
    let mut season = Season::new(miners.len());
    let mut days = Vec::new();
    for (day, batch) in world.batches.iter().enumerate() {
        let luck = |miner: &Miner| {
            Noise(miner.scores[day].iter().fold(day as u64, |sum, score| sum.rotate_left(5) ^ score.to_bits()))
        };
        let answers: Vec<Option<Answer>> = miners.iter().map(|miner| miner.answer(day, &mut luck(miner))).collect();
        let standings = if day + 3 >= kept { season.settle() } else { season.unsettled() };
        let references = season.references(batch);
        let (voices, paid) = season.round(batch.clone(), &answers, &references, &standings.miners);
        if day >= kept {
            days.push(Day { standings, voices, paid, canonical: season.canonical().to_vec() });
        }
    }
    (season, days)
}

/// Mean share of pay of some miners over the days.
pub(crate) fn pay_of(days: &[Day], miners: std::ops::Range<usize>) -> f64 {
    days.iter().map(|day| day.paid.shares[miners.clone()].iter().sum::<f64>()).sum::<f64>() / days.len() as f64
}

/// Mean share of the voice of some miners over the days.
pub(crate) fn voice_of(days: &[Day], miners: std::ops::Range<usize>) -> f64 {
    days.iter().map(|day| day.voices.shares[miners.clone()].iter().sum::<f64>()).sum::<f64>() / days.len() as f64
}
