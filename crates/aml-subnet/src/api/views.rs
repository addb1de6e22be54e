//! What the API says, as plain values: made from records by pure functions, written as JSON and drawn as pages.
//!
//! A round is only ever shown once it is published. What names its traps (salt, places, groups) is shown once it is
//! settled; a vector of weights once the chain shows it.

pub mod alert;
pub mod brief;
pub mod information;
pub mod known;
pub mod miner;
pub mod readers;
pub mod round;
pub mod traps;
pub mod weights;

pub use brief::{MinerBrief, MinerOutcome, RoundBrief, RoundFacts, RoundList};
pub use information::{Heard, MinerInformation, Why};
pub use known::{KnownSoFar, Measures, SettledSummary};
pub use miner::{Day, MinerDetail, MinerList, MinerRound, MinerStanding};
pub use readers::{CalibrationBrief, Held, SeenBefore};
pub use round::{CanonicalSummary, RoundDetail, RoundMiner};
pub use weights::{WeightsAnswer, WeightsEntry};
