//! From many miners' codes to those of an alert: each code's support is the sum of the voices of those who name it and agree with
//! the canonical score.
//!
//! A code needs [`LEAST`] of all voices, whoever explains. A miner whose voice is below that is believed as far as it chooses:
//! its voice for a code counts times the share of the alerts it explains of which it does not name the code, so that who
//! says the same of every alert says nothing. What one direction has is taken off what the other has.

use std::cmp::Ordering;

use super::Effect;
use super::catalogue::CodeName;
use super::said::Said;

/// Voices that a code needs, and below which a single voice is believed only as far as it chooses.
pub const LEAST: f64 = 0.05;
/// Digits behind the point that are kept of sums, so that the last bits of additions show nowhere.
const KEPT: f64 = 1e6;
/// Codes that an alert gets room for at once: two miners' that differ in half of theirs.
const ROOM: usize = 8;

/// Codes of all alerts, as they add up. Miners are added in ascending order of their hotkeys.
///
/// An alert takes room for the codes that are named of it, not for the whole catalogue: some megabytes where miners explain alike,
/// 100 MB for 50,000 alerts of each of which every code is named, however many miners there are.
#[derive(Clone, Debug, PartialEq)]
pub struct Merging {
    /// Empty until somebody explains.
    named: Vec<Sums>,
    alerts: usize,
    miners: u32,
    voices: f64,
}

/// What is said of one alert.
#[derive(Clone, Debug, Default, PartialEq)]
struct Sums {
    /// A bit for each code that is named.
    codes: u128,
    /// Of each of them, in the order of the catalogue, voices, and voices times part of the score; below zero where the score is
    /// lowered.
    of: Vec<[f64; 2]>,
}

impl Sums {
    fn add(&mut self, code: usize, [support, weight]: [f64; 2]) {
        let bit = bit(code);
        if bit == 0 {
            return;
        }
        // As many as there are codes before it.
        let at = (self.codes & bit.saturating_sub(1)).count_ones() as usize;
        if self.codes & bit == 0 {
            self.codes |= bit;
            if self.of.len() == self.of.capacity() {
                // A few at a time: twice as many would be twice the room.
                self.of.reserve_exact(ROOM);
            }
            self.of.insert(at, [0.0; 2]);
        }
        if let Some(sums) = self.of.get_mut(at) {
            *sums = [sums[0] + support, sums[1] + weight];
        }
    }

    fn each(&self) -> impl Iterator<Item = (CodeName, [f64; 2])> + '_ {
        let named = CodeName::all().filter(move |code| self.codes & bit(code.place()) != 0);
        named.zip(self.of.iter().copied())
    }
}

/// The bit of a code; none beyond the bits of the number, of which a test says that the catalogue has fewer codes.
fn bit(code: usize) -> u128 {
    u32::try_from(code).ok().and_then(|code| 1_u128.checked_shl(code)).unwrap_or(0)
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
        Self { named: Vec::new(), alerts, miners: 0, voices: 0.0 }
    }

    /// Adds what a miner with a voice, a share of all of them, says.
    pub fn add(&mut self, voice: f64, said: &Said) {
        if said.explained == 0 || voice <= 0.0 || !voice.is_finite() {
            return;
        }
        self.named.resize_with(self.alerts, Sums::default);
        self.miners += 1;
        self.voices += voice;
        for (place, of) in &said.named {
            let code = of.code.place();
            let believed = if voice < LEAST { said.choosy.get(code).copied().unwrap_or(0.0) } else { 1.0 };
            let sums = usize::try_from(*place).ok().and_then(|place| self.named.get_mut(place));
            // Who is not believed at all takes no room either.
            if let Some(sums) = sums.filter(|_| believed > 0.0) {
                sums.add(code, [voice * believed * of.part.signum(), voice * believed * of.part]);
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
        let Some(sums) = self.named.get(place) else { return Vec::new() };
        let mut found: Vec<(Candidate, f64)> = Vec::new();
        for (code, [support, weight]) in sums.each() {
            let effect = if support < 0.0 { Effect::Lowers } else { Effect::Raises };
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

    /// Bytes that a merging takes for its sums.
    fn room(merged: &Merging) -> usize {
        let of = |sums: &super::Sums| size_of::<super::Sums>() + sums.of.capacity() * size_of::<[f64; 2]>();
        merged.named.iter().map(of).sum()
    }

    #[test]
    fn an_alert_takes_room_for_what_is_named_of_it_and_for_no_more_than_all() {
        assert!(CATALOGUE.len() <= 128, "a bit for each code");
        let names: Vec<&'static str> = CATALOGUE.iter().map(|code| code.name).collect();
        let dense = ALERTS as usize * CATALOGUE.len() * size_of::<[f64; 2]>();
        let mut alike = Merging::new(ALERTS as usize);
        (0..256).for_each(|_| alike.add(0.003, &says(|place| vec![(names[place as usize % 7], 1.0), (names[8], 0.5)])));
        assert!(room(&alike) < dense / 8, "{} of {dense}", room(&alike));
        let mut all = Merging::new(ALERTS as usize);
        for miner in 0..256 {
            all.add(
                0.003,
                &says(|place| (0..5).map(|at| (names[(miner * 5 + at + place as usize) % names.len()], 0.2)).collect()),
            );
        }
        assert!(room(&all) < dense + dense / 8, "{} of {dense}", room(&all));
        let mut one_code = Merging::new(ALERTS as usize);
        let mut of_all = says(|_| vec![("hub", 1.0)]);
        of_all.choosy[code("hub").place()] = 0.0;
        (0..256).for_each(|_| one_code.add(0.003, &of_all));
        assert_eq!(
            room(&one_code),
            ALERTS as usize * size_of::<super::Sums>(),
            "who names it of all alerts names it of none"
        );
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
