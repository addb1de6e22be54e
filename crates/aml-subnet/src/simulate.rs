//! Simulation: a validator's round on virtual time, in one thread, from one seed. In test builds only.
//!
//! Everything that the validator's core touches has a simulated side here ([`crate::validator::world`]): clock and timers,
//! ledger, talk with miners, chain, source, published files, randomness. The same code runs as in production. The same
//! seed is the same world and the same trace, whatever the machine; [`simulate`] says what happened and whether the law
//! held, [`least`] finds the least that has to go wrong for it to break.
//!
//! The law: a round that could be held was published. It could be held when the source had its batch, the chain answered
//! and an honest miner could be reached, each for the greater part of the day; and a publication without scores is none.

mod answers;
mod aside;
mod cast;
mod chain;
mod ledger;
mod miners;
mod plan;
mod source;
mod stage;
mod time;
mod trace;

use std::sync::Arc;
use std::time::Duration;

use aml_miner::digest::Digest;
use futures_util::future::{Either, select};

pub use plan::{Flaw, Kind, Lie, Plan, Trouble};
pub use time::Fault;
pub use trace::Trace;

use crate::calendar::{DAY_MS, start_ms};
use crate::chain::types::{Axon, Block, Neuron, Uid};
use crate::config::ValidatorSettings;
use crate::outputs::PublishError;
use crate::protocol::NonceSource;
use crate::store::OpenLedgerError;
use crate::store::records::{RoundId, Step};
use crate::validator::query::{Asker, AskingKey, QuerySettings, Surroundings};
use crate::validator::round::{Rounds, RoundsParts, Secret};
use crate::validator::run::Validator;
use crate::validator::settling::Settler;
use crate::validator::world::{Edition, Entropy as _, Job, Press, Time as _, Workers, World, within};
use crate::wallet::{Hotkey, Scheme, Signer};
use aside::SimAside;
use cast::{Miner, NETUID};
use chain::SimChain;
use ledger::SimLedger;
use miners::Miners;
use source::{SimSource, WINDOW_DAYS, today};
use stage::Stage;
use time::VirtualTime;

/// What is simulated.
const DAY: Duration = Duration::from_millis(DAY_MS.unsigned_abs());
/// An operator's supervisor starts a dead process again within this.
const RESTARTS: Duration = Duration::from_secs(30);

/// What came of a plan.
#[derive(Clone, Debug)]
pub struct Report {
    /// The plan.
    pub plan: Plan,
    /// The round.
    pub round: RoundId,
    /// Everything that crossed an edge of the validator.
    pub trace: Trace,
    /// Digest of the trace and of what the ledger has in the end.
    pub digest: Digest,
    /// How long it took, in the time of the simulation.
    pub took: Duration,
    /// Miners whose answer counts.
    pub accepted: usize,
    /// The law that was broken, if it was.
    pub broken: Option<Broken>,
}

/// The law was broken: a round that could be held was not published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It came to nothing in its day.
    #[error("round {round}, which could be held, is at step {step:?} at the end of its day")]
    Unpublished {
        /// Which.
        round: RoundId,
        /// How far it came.
        step: Option<Step>,
    },
    /// It was published, but empty.
    #[error("round {round} was published without scores, though an honest miner could be reached all day")]
    Empty {
        /// Which.
        round: RoundId,
    },
    /// The simulation came to no end.
    #[error("round {round}: {fault}")]
    Endless {
        /// Which.
        round: RoundId,
        /// Why.
        fault: Fault,
    },
}

/// The parts of a simulated world that outlive the validator's processes.
struct Sides {
    stage: Arc<Stage>,
    ledger: Arc<SimLedger>,
    world: World,
    miners: Arc<Miners>,
    signer: Signer,
    secret: Secret,
}

/// Runs a plan.
///
/// # Errors
/// When there is no ledger in memory.
pub fn simulate(plan: Plan) -> Result<Report, OpenLedgerError> {
    let round = RoundId { netuid: NETUID, date: today(), window_days: WINDOW_DAYS };
    let noon = Duration::from_millis(start_ms(round.date).unsigned_abs()) + DAY / 2;
    let time = VirtualTime::new(noon);
    let stage = Arc::new(Stage::new(plan, time.clone()));
    let sides = Sides::new(&stage)?;
    let ended = time.run(sides.day());
    Ok(sides.report(round, ended.err()))
}

/// The smallest plan that breaks the law as `report`'s does, by leaving out miners and troubles as long as it still breaks.
///
/// # Errors
/// As [`simulate`].
pub fn least(report: Report) -> Result<Report, OpenLedgerError> {
    let mut least = report;
    'smaller: loop {
        for plan in least.plan.smaller() {
            let tried = simulate(plan)?;
            if tried.broken == least.broken {
                least = tried;
                continue 'smaller;
            }
        }
        return Ok(least);
    }
}

impl Sides {
    fn new(stage: &Arc<Stage>) -> Result<Self, OpenLedgerError> {
        let signer = Signer::from_seed(Digest::of(b"validator").as_bytes(), Scheme::Ed25519);
        let all: Vec<_> = (1..).zip(&stage.plan.miners).map(|(at, kind)| Arc::new(Miner::new(at, *kind))).collect();
        let us = neuron(0, signer.hotkey(), None);
        let others = (1..).zip(&all).map(|(uid, miner)| neuron(uid, miner.hotkey(), Some(miner)));
        let chain = SimChain::new(Arc::clone(stage), std::iter::once(us).chain(others).collect());
        let ledger = Arc::new(SimLedger::open(Arc::clone(stage))?);
        let world = World {
            ledger: Arc::clone(&ledger) as Arc<_>,
            source: Arc::new(SimSource::new(Arc::clone(stage))),
            neurons: Arc::new(chain),
            aside: Arc::new(SimAside::default()),
            press: Arc::new(Counting { stage: Arc::clone(stage) }),
            time: Arc::new(stage.time.clone()),
            workers: Arc::new(OnTheSpot),
        };
        let mut secret = [0; 32];
        // Drawn from the seed, which never ends.
        let _ = stage.fill(&mut secret);
        let miners = Arc::new(Miners { stage: Arc::clone(stage), all });
        Ok(Self { stage: Arc::clone(stage), ledger, world, miners, signer, secret: Secret::new(secret) })
    }

    /// From noon to noon, or until the round is published: processes are started, and die.
    async fn day(&self) {
        let Stage { time, published, .. } = &*self.stage;
        let end = time.uptime() + DAY;
        while time.uptime() < end && !published.is_cancelled() {
            self.stage.rise();
            let validator = self.validator();
            self.stage.note("operator", "a process is started");
            let life = select(Box::pin(validator.run(published)), Box::pin(self.stage.death()));
            match within(time, end, life).await {
                None => self.stage.note("operator", "the day is over"),
                Some(Either::Left(_)) => self.stage.note("operator", "the process has ended"),
                Some(Either::Right(_)) => self.stage.note("operator", "the process was killed"),
            }
            drop(validator);
            self.stage.pause(RESTARTS).await;
        }
    }

    /// A validator as a fresh process would have it.
    fn validator(&self) -> Validator {
        let settings = ValidatorSettings { allow_private_ips: true, ..ValidatorSettings::default() };
        let asking = QuerySettings { allow_private_ips: true, ..QuerySettings::default() };
        let key = AskingKey { signer: self.signer.clone(), nonces: Arc::new(NonceSource::default()) };
        let World { time, workers, .. } = self.world.clone();
        let surroundings = Surroundings { time, talk: Arc::clone(&self.miners) as Arc<_>, workers };
        let rounds = Rounds::new(RoundsParts {
            world: self.world.clone(),
            asker: Asker::among(asking, NETUID, key, surroundings),
            signer: self.signer.clone(),
            secret: self.secret.clone(),
            netuid: NETUID,
            settings: settings.clone(),
        });
        let settler = Settler::of(&self.world, NETUID, settings.clone());
        Validator { rounds, settler, payer: None, world: self.world.clone(), netuid: NETUID, settings }
    }

    fn report(&self, id: RoundId, fault: Option<Fault>) -> Report {
        let (trace, took) = (self.stage.trace(), self.stage.time.uptime());
        let (round, answers, verdicts, canonical) = self.ledger.look(async |ledger| {
            let reads = (ledger.round(id).await, ledger.answers(id).await, ledger.verdicts(id).await);
            (
                reads.0.expect(THERE),
                reads.1.expect(THERE),
                reads.2.expect(THERE),
                ledger.canonical(id).await.expect(THERE),
            )
        });
        let accepted = verdicts.iter().filter(|verdict| verdict.accepted.is_ok()).count();
        let kept = format!("{trace}{round:?}{answers:?}{verdicts:?}{canonical:?}");
        let step = round.map(|round| round.step);
        let broken = match (fault, step) {
            (Some(fault), _) => Some(Broken::Endless { round: id, fault }),
            (None, Some(Step::Published | Step::Settled)) => canonical.is_none().then_some(Broken::Empty { round: id }),
            (None, step) => Some(Broken::Unpublished { round: id, step }),
        };
        let plan = self.stage.plan.clone();
        Report { plan, round: id, trace, digest: Digest::of(kept.as_bytes()), took, accepted, broken }
    }
}

const THERE: &str = "a ledger in memory can be read";

fn neuron(uid: u16, hotkey: Hotkey, miner: Option<&Arc<Miner>>) -> Neuron {
    let axon = miner.map(|miner| {
        let (ip, port) = (miner.address.ip(), miner.address.port());
        Axon { block: Block(1), version: 1, ip, port, protocol: 4 }
    });
    Neuron {
        uid: Uid(uid),
        hotkey,
        coldkey: hotkey,
        axon,
        validator_permit: miner.is_none(),
        active: true,
        stake: 0,
        last_update: Block(0),
        incentive: 0,
        dividends: 0,
    }
}

/// The one thread there is.
struct OnTheSpot;

impl Workers for OnTheSpot {
    fn run(&self, job: Job) {
        job();
    }

    fn threads(&self) -> usize {
        1
    }
}

/// Keeps nothing; writes down how many scores there were.
struct Counting {
    stage: Arc<Stage>,
}

impl Press for Counting {
    fn publish(&self, edition: &Edition<'_>) -> Result<(), PublishError> {
        self.stage.note("press", format_args!("{} scores", edition.canonical.scores.len()));
        Ok(())
    }
}
