//! A season of rounds that a ledger keeps, played again under rules of any version, a round at a time.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZero;

use crate::seasons::Season;
use crate::seasons::answers::Played;
use crate::seasons::checked::{Became, Checked, Submitted, Whole};
use crate::seasons::plan::Plan;
use crate::seasons::under_v1::UnderV1;
use crate::seasons::under_v2::UnderV2;
use crate::validation::submission::Submission;
use crate::validation::v2::Constants;
use crate::wallet::Hotkey;

/// A round as it was judged.
#[derive(Clone, Debug)]
pub struct StoredRound {
    /// Its day, since 1970-01-01.
    pub day: i64,
    /// What each alert is about.
    pub addresses: Vec<String>,
    /// Everybody who was asked.
    pub miners: BTreeMap<Hotkey, StoredAnswer>,
    /// What is known of its alerts by now.
    pub outcomes: Vec<StoredOutcome>,
}

/// What one miner that was asked did.
#[derive(Clone, Debug)]
pub struct StoredAnswer {
    /// Its scores; `None` where nothing counts.
    pub submission: Option<Submission>,
    /// Share of tier 1's checks that were passed.
    pub tier1: f64,
    /// Share of groups of traps that were passed.
    pub tier2: Option<f64>,
    /// Advantage on them.
    pub advantage: Option<f64>,
}

/// An outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredOutcome {
    /// Place of the alert in its batch.
    pub place: usize,
    /// Whether it was illicit.
    pub illicit: bool,
    /// 2 confirmed illicit, 1 suspicious, 0 clean.
    pub relevance: u8,
    /// The day on which it became known.
    pub known: i64,
}

/// A season of stored rounds under one version of the rules.
#[derive(Debug)]
pub struct Replayed {
    season: Season,
    hotkeys: Vec<Hotkey>,
    addresses: HashMap<String, u64>,
    /// Outcomes that are not known yet on the day that was played last.
    ahead: Vec<Became>,
}

impl Replayed {
    /// Under rules v1. `hotkeys`: everybody who is asked in any of the rounds, ascending.
    #[must_use]
    pub fn v1(hotkeys: Vec<Hotkey>, grace: i64) -> Self {
        Self::new(Season::V1(Box::new(UnderV1::new(hotkeys.len(), grace))), hotkeys)
    }

    /// Under rules v2 with these constants.
    #[must_use]
    pub fn v2(constants: &Constants, hotkeys: Vec<Hotkey>, grace: i64, threads: NonZero<usize>) -> Self {
        let miners = hotkeys.len();
        let plan = Plan { miners, grace, constants: *constants, learned: true, once: true, details: false };
        Self::new(Season::V2(Box::new(UnderV2::new(plan, threads))), hotkeys)
    }

    fn new(season: Season, hotkeys: Vec<Hotkey>) -> Self {
        Self { season, hotkeys, addresses: HashMap::new(), ahead: Vec::new() }
    }

    /// Whose places the lists of [`Played`] have.
    #[must_use]
    pub fn hotkeys(&self) -> &[Hotkey] {
        &self.hotkeys
    }

    /// Plays the next round; rounds come by ascending day.
    pub fn play(&mut self, round: &StoredRound) -> Played {
        let (known, ahead) = self.ahead.drain(..).partition(|one| one.known <= round.day);
        self.ahead = ahead;
        let numbers = &mut self.addresses;
        let mut number = |address: &String| {
            let next = numbers.len() as u64;
            *numbers.entry(address.clone()).or_insert(next)
        };
        let addresses = round.addresses.iter().map(&mut number).collect();
        let is_v1 = matches!(self.season, Season::V1(_));
        let answer = |hotkey: &Hotkey| {
            let given = round.miners.get(hotkey)?;
            let told = if is_v1 { given.tier2 } else { given.advantage };
            let submission = given.submission.clone().map(|batch| Whole { with_traps: batch.clone(), batch });
            Some(Submitted { submission, tier1: given.tier1, told })
        };
        let answers = self.hotkeys.iter().map(answer).collect();
        let today = Checked { day: round.day, addresses, answers, groups: Vec::new(), outcomes: known };
        let played = match &mut self.season {
            Season::V1(season) => season.play(&today),
            Season::V2(season) => season.play(today),
        };
        let alerts = round.addresses.len();
        self.ahead.extend(round.outcomes.iter().filter(|one| one.place < alerts).map(|one| Became {
            day: round.day,
            known: one.known,
            alert: one.place,
            illicit: one.illicit,
            relevance: one.relevance,
        }));
        played
    }
}
