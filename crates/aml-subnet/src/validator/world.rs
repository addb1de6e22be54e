//! Where the validator's core touches the world: one trait per edge, each with a real side and a simulated one.
//!
//! | edge | trait | real side | simulated side |
//! |---|---|---|---|
//! | clock and timers | [`Time`] | [`MachineTime`]: a [`Clock`] and tokio's timers | virtual time |
//! | threads | [`Workers`] | [`Threads`]: tokio's pool of blocking threads | the one thread there is |
//! | ledger, rounds | [`RoundLog`] | [`Ledger`] | the same ledger in memory, with delays |
//! | ledger, weights | [`WeightsLog`] | [`Ledger`] | the same |
//! | talk with miners | `Talk` | HTTP over a socket (`talk`) | miners in memory |
//! | chain, who is there | [`MetagraphSource`] | [`Subnet`](crate::subtensor::subnet::Subnet) | a chain in memory |
//! | chain, weights | [`WeightsChain`] | [`Subtensor`](crate::subtensor::Subtensor) | a chain in memory |
//! | batches and outcomes | [`Source`] | [`Sot`] | batches in memory |
//! | answers that wait for the ledger | [`Aside`] | [`Folder`] | kept in memory |
//! | objects of tasks | [`Mirrors`] | [`Stores`]: object stores, the read API | none: tasks are sent inline |
//! | published files | [`Press`] | [`Shelf`] | nothing is kept |
//! | beacon | [`BeaconSource`] | [`BeaconReader`]: the chain, then relays | none: answers are open |
//! | randomness | [`Entropy`] | [`MachineEntropy`] | drawn from the seed |
//!
//! What stands above these traits knows no socket, no file, no driver and no timer of a runtime, so that the simulation
//! (`crate::simulate`, in test builds) runs the same code. Tasks are spawned and channels used as tokio has them: on a
//! runtime of one thread both are as deterministic as what they wait for.

mod aside;
mod chain;
mod information;
mod log;
mod mirrors;
mod opening_log;
mod press;
mod pulses;
mod source;
mod talk;
mod time;
mod weights_log;
mod workers;

use std::path::PathBuf;
use std::sync::Arc;

use aml_miner::clock::Clock;

pub use crate::outputs::Edition;
pub use crate::store::records::WeightsTarget;
pub use aside::{Aside, AsideError, Folder};
pub use chain::{WeightsChain, WeightsOnChain};
pub use information::InformationLog;
pub use log::RoundLog;
pub use mirrors::{Mirrors, NoMirrors, NoStore, Stores};
pub use opening_log::OpeningLog;
pub use press::{Press, Shelf};
pub use pulses::{BeaconReader, BeaconSource, NoBeacon};
pub use source::{BatchRows, Fetched, Source};
pub(crate) use talk::{Line, Talk, Wire};
pub use time::{MachineTime, Time, within};
pub use weights_log::{LogError, WeightsLog};
pub use workers::{BrokeOff, Job, Threads, Workers};

pub use crate::chain::metagraph::MetagraphSource;
pub use crate::entropy::{Entropy, MachineEntropy, NoEntropy};
use crate::store::Ledger;
use crate::validator::sot::Sot;

/// The world as rounds and settlements see it. Cheap to clone.
#[derive(Clone)]
pub struct World {
    /// Where every step is recorded.
    pub ledger: Arc<dyn RoundLog>,
    /// Where batches and outcomes come from.
    pub source: Arc<dyn Source>,
    /// Who is in the subnet.
    pub neurons: Arc<dyn MetagraphSource>,
    /// Where answers wait that the ledger did not take.
    pub aside: Arc<dyn Aside>,
    /// Where canonical scores are published.
    pub press: Arc<dyn Press>,
    /// Where the objects of tasks are put that miners fetch.
    pub mirrors: Arc<dyn Mirrors>,
    /// The beacon that answers are sealed to.
    pub beacon: Arc<dyn BeaconSource>,
    /// Clock and timers.
    pub time: Arc<dyn Time>,
    /// Threads that may take their time.
    pub workers: Arc<dyn Workers>,
}

impl World {
    /// The real world: files below `published`, answers that wait beside it, timers and threads of the runtime, and what is given.
    #[must_use]
    pub fn real(
        ledger: Ledger,
        sot: Arc<Sot>,
        neurons: Arc<dyn MetagraphSource>,
        clock: Arc<dyn Clock>,
        published: PathBuf,
    ) -> Self {
        Self {
            ledger: Arc::new(ledger),
            source: sot,
            neurons,
            aside: Arc::new(Folder { root: published.with_file_name("unrecorded") }),
            press: Arc::new(Shelf { root: published }),
            mirrors: Arc::new(NoMirrors),
            beacon: Arc::new(NoBeacon),
            time: Arc::new(MachineTime::new(clock)),
            workers: Arc::new(Threads),
        }
    }

    /// The same with a beacon, so that answers can be sealed.
    #[must_use]
    pub fn opened_by(self, beacon: Arc<dyn BeaconSource>) -> Self {
        Self { beacon, ..self }
    }

    /// The same with places from which miners fetch tasks.
    #[must_use]
    pub fn mirrored_by(self, mirrors: Arc<dyn Mirrors>) -> Self {
        Self { mirrors, ..self }
    }
}
