//! From many miners' codes to those of an alert: each code's support is the sum of the voices of those who name it and agree with
//! the canonical score.
//!
//! A code needs [`LEAST`] of all voices, whoever explains. A miner whose voice is below that is believed as far as it chooses:
//! its voice for a code counts times the share of the alerts it explains of which it does not name the code, so that who
//! says the same of every alert says nothing. What one direction has is taken off what the other has.

use std::cmp::Ordering;

use super::Effect;
use super::catalogue::{CATALOGUE, CodeName};
use super::said::Said;

/// Voices that a code needs, and below which a single voice is believed only as far as it chooses.
pub const LEAST: f64 = 0.05;
/// Digits behind the point that are kept of sums, so that the last bits of additions show nowhere.
const KEPT: f64 = 1e6;

/// Codes of all alerts, as they add up. Miners are added in ascending order of their hotkeys.
#[derive(Clone, Debug, PartialEq)]
pub struct Merging {
    alerts: usize,
    /// Voices by alert and code, below zero where the score is lowered; empty until somebody explains.
    support: Vec<f64>,
    /// Voices times part of the score, alike.
    weight: Vec<f64>,
    miners: u32,
    voices: f64,
}

/// A code that enough voices share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Which.
    pub code: CodeName,
    /// Which way it moved the scores.
    pub effect: Effect,
    /// Share of all voices.
    pub support: f64,
}

impl Merging {
    /// Nobody's, of so many alerts.
    #[must_use]
    pub fn new(alerts: usize) -> Self {
        Self { alerts, support: Vec::new(), weight: Vec::new(), miners: 0, voices: 0.0 }
    }

    /// Adds what a miner with a voice, a share of all of them, says.
    pub fn add(&mut self, voice: f64, said: &Said) {
        if said.explained == 0 || voice <= 0.0 || !voice.is_finite() {
            return;
        }
        let cells = self.alerts * CATALOGUE.len();
        self.support.resize(cells, 0.0);
        self.weight.resize(cells, 0.0);
        self.miners += 1;
        self.voices += voice;
        for (place, of) in &said.named {
            let code = of.code.place();
            let believed = if voice < LEAST { said.choosy.get(code).copied().unwrap_or(0.0) } else { 1.0 };
            let cell =
                usize::try_from(*place).unwrap_or(usize::MAX).saturating_mul(CATALOGUE.len()).saturating_add(code);
            if let (Some(support), Some(weight)) = (self.support.get_mut(cell), self.weight.get_mut(cell)) {
                *support += voice * believed * of.part.signum();
                *weight += voice * believed * of.part;
            }
        }
    }

    /// How many miners with a voice explained anything.
    #[must_use]
    pub const fn miners(&self) -> u32 {
        self.miners
    }

    /// Their voices together.
    #[must_use]
    pub fn voices(&self) -> f64 {
        kept(self.voices)
    }

    /// The codes of an alert that enough voices share, those that moved its scores most first; equal ones as the catalogue
    /// has them.
    #[must_use]
    pub fn candidates(&self, place: usize) -> Vec<Candidate> {
        let codes = CATALOGUE.len();
        let cells = place.saturating_mul(codes)..place.saturating_add(1).saturating_mul(codes);
        let (Some(support), Some(weight)) = (self.support.get(cells.clone()), self.weight.get(cells)) else {
            return Vec::new();
        };
        let mut found: Vec<(Candidate, f64)> = Vec::new();
        for ((code, support), weight) in CodeName::all().zip(support).zip(weight) {
            let effect = if *support < 0.0 { Effect::Lowers } else { Effect::Raises };
            let candidate = Candidate { code, effect, support: kept(support.abs()) };
            if candidate.support >= LEAST {
                found.push((candidate, kept(weight.abs())));
            }
        }
        found.sort_by(strongest_first);
        found.into_iter().map(|(candidate, _)| candidate).collect()
    }
}

fn strongest_first(one: &(Candidate, f64), other: &(Candidate, f64)) -> Ordering {
    let by_weight = other.1.total_cmp(&one.1);
    let by_support = || other.0.support.total_cmp(&one.0.support);
    by_weight.then_with(by_support).then_with(|| one.0.code.cmp(&other.0.code))
}

fn kept(sum: f64) -> f64 {
    (sum * KEPT).round() / KEPT
}

#[cfg(test)]
mod tests {
    use super::super::Effect;
    use super::super::catalogue::{CATALOGUE, CodeName};
    use super::super::said::{Named, Said};
    use super::{LEAST, Merging};

    const ALERTS: u32 = 100;

    fn code(name: &str) -> CodeName {
        CodeName::of(name).expect("a code")
    }

    /// A miner that names codes of each of a hundred alerts.
    fn says(of: impl Fn(u32) -> Vec<(&'static str, f64)>) -> Said {
        let mut named = Vec::new();
        for place in 0..ALERTS {
            named.extend(of(place).into_iter().map(|(name, part)| (place, Named { code: code(name), part })));
        }
        let mut choosy = vec![1.0; CATALOGUE.len()];
        named.iter().for_each(|(_, of)| choosy[of.code.place()] -= 1.0 / f64::from(ALERTS));
        Said { named, choosy, explained: ALERTS as usize }
    }

    fn told(merged: &Merging, place: usize) -> Vec<(&'static str, Effect, f64)> {
        let all = merged.candidates(place).into_iter();
        all.map(|of| (of.code.entry().name, of.effect, of.support)).collect()
    }

    #[test]
    fn voices_add_up_and_the_strongest_comes_first() {
        let mut merged = Merging::new(100);
        merged.add(0.3, &says(|_| vec![("received", 0.2), ("passed_on", 0.8)]));
        merged.add(0.4, &says(|_| vec![("received", 0.9), ("smallest", -0.1)]));
        merged.add(0.04, &says(|_| vec![("sent", 1.0)]));
        merged.add(0.0, &says(|_| vec![("hub", 1.0)]));
        let expected = vec![
            ("received", Effect::Raises, 0.7),
            ("passed_on", Effect::Raises, 0.3),
            ("smallest", Effect::Lowers, 0.4),
        ];
        assert_eq!(told(&merged, 7), expected);
        assert_eq!((merged.miners(), merged.voices()), (3, 0.74));
        assert_eq!(told(&merged, 100), []);
    }

    #[test]
    fn directions_cancel_each_other() {
        let mut merged = Merging::new(100);
        merged.add(0.3, &says(|_| vec![("received", 0.5), ("sent", 0.5)]));
        merged.add(0.28, &says(|_| vec![("received", -0.5), ("sent", -0.1)]));
        merged.add(0.1, &says(|_| vec![("sent", -0.1)]));
        assert_eq!(told(&merged, 0), [("sent", Effect::Lowers, 0.08)]);
    }

    #[test]
    fn one_code_for_every_alert_moves_no_page_while_its_voice_is_small() {
        // Others share the code now and then, just too little for it to be told.
        let honest = |place: u32| if place < 50 { vec![("hub", 0.4), ("sent", 0.6)] } else { vec![("received", 1.0)] };
        for part in [1.0, -1.0, f64::MIN_POSITIVE] {
            for voice in [0.049, 0.01] {
                let mut without = Merging::new(100);
                (0..2).for_each(|_| without.add(0.045, &says(honest)));
                without.add(0.5, &says(|place| if place % 2 == 0 { vec![("burst", 1.0)] } else { Vec::new() }));
                let mut with = without.clone();
                with.add(voice, &says(|_| vec![("hub", part)]));
                let mut fickle = without.clone();
                fickle.add(voice, &says(|place| vec![("hub", if place % 2 == 0 { 1.0 } else { -1.0 })]));
                for place in 0..100 {
                    assert_eq!(told(&with, place), told(&without, place), "{part} {voice} {place}");
                    assert_eq!(told(&fickle, place), told(&without, place), "{voice} {place}");
                }
            }
        }
    }

    #[test]
    fn many_small_voices_that_choose_are_heard() {
        let mut merged = Merging::new(100);
        (0..50).for_each(|_| merged.add(0.02, &says(|place| if place < 40 { vec![("hub", 1.0)] } else { Vec::new() })));
        assert_eq!(told(&merged, 0), [("hub", Effect::Raises, 0.6)]);
        assert_eq!(told(&merged, 40), []);
        let mut alone = Merging::new(100);
        alone.add(LEAST, &says(|_| vec![("hub", 1.0)]));
        assert_eq!(told(&alone, 40).len(), 1, "from five per cent on a voice is heard");
    }
}
