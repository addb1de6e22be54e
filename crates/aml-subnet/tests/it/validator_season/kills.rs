//! Instants at which a validator is killed, drawn from a seed.

use std::time::Duration;

use aml_subnet::store::Ledger;
use aml_subnet::store::records::{RoundId, Step, WeightsTarget};
use aml_subnet::validator::pay::is_open;

use crate::validator_world::NETUID;

/// What a validator logs of a round, in that order; a kill follows some of it closely.
const OF_ROUND: [&str; 7] = [
    "round began",
    "task recorded",
    "every miner has an answer or an outcome",
    "answers judged",
    "canonical scores made",
    "round published",
    "round settled",
];
/// What it logs of weights, at any time.
const OF_WEIGHTS: &str = "\"message\":\"weights\"";
/// What it logs once, when it has opened its ledger and begins to work.
pub(super) const OF_START: &str = "validator runs";

/// When to kill.
#[derive(Debug)]
pub(super) enum Instant {
    /// So long after the start, or after the day began.
    After(Duration),
    /// So long after it logs this.
    Heard(&'static str, Duration),
}

/// How far a line of the log says that the day's round has come: words of [`OF_ROUND`] that are behind it.
pub(super) fn progress(line: &str) -> usize {
    OF_ROUND.iter().rposition(|words| line.contains(words)).map_or(0, |place| place + 1)
}

/// Numbers that follow from a seed alone (SplitMix64).
pub(super) struct Draw(u64);

impl Draw {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below a limit.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// Half of them at any time from two milliseconds to eight seconds, each power of two as likely; half of them within
    /// thirty milliseconds of something that is logged, of the round only what is still to come.
    pub(super) fn instant(&mut self, (progress, runs): (usize, bool)) -> Instant {
        if self.below(2) == 0 {
            let micros = 2_000_u64 << self.below(12);
            return Instant::After(Duration::from_micros(micros + self.below(micros)));
        }
        let any_time = [OF_START, OF_WEIGHTS].into_iter().skip(usize::from(runs));
        let ahead: Vec<&str> = OF_ROUND[progress..].iter().copied().chain(any_time).collect();
        let place = usize::try_from(self.below(ahead.len() as u64)).expect("small");
        Instant::Heard(ahead[place], Duration::from_micros(self.below(30_000)))
    }
}

/// What a kill interrupted.
pub(super) struct Moment {
    pub(super) step: String,
    pub(super) weights_open: bool,
}

impl Moment {
    pub(super) fn of_start() -> Self {
        Self { step: "starting".to_owned(), weights_open: false }
    }

    /// What came next for the round of the day.
    pub(super) async fn of(ledger: &Ledger, id: RoundId) -> Self {
        let next = match ledger.round(id).await.expect("a ledger").map(|round| round.step) {
            None => "fetching",
            Some(Step::Fetched) => "making the task",
            Some(Step::Tasked) => "asking",
            Some(Step::Asked) => "judging",
            Some(Step::Judged) => "merging",
            Some(Step::Merged) => "publishing",
            Some(Step::Published) => "settling",
            Some(Step::Settled) => "between rounds",
        };
        let weights = ledger.weights(WeightsTarget { netuid: NETUID, mechanism: 0 }, 8).await.expect("a ledger");
        Self { step: next.to_owned(), weights_open: weights.iter().any(|record| is_open(&record.state)) }
    }
}
