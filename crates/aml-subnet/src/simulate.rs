//! Simulation: a validator's round on virtual time, in one thread, from one seed. In test builds only.
//!
//! Everything that the validator's core touches has a simulated side here ([`crate::validator::world`]): clock and timers,
//! ledger, talk with miners, chain, source, published files, randomness. The same code runs as in production. The same
//! seed is the same world and the same trace, whatever the machine; [`simulate`] says what happened and whether the law
//! held, [`least`] finds the least that has to go wrong for it to break.
//!
//! The laws stand in `laws`: a round that could be held was published and paid for, once, and the weights that the chain
//! shows are those of the ledger.

mod answers;
mod aside;
mod cast;
mod chain;
mod information;
mod laws;
mod ledger;
mod miners;
mod plan;
mod report;
mod source;
mod stage;
mod time;
mod trace;

use std::sync::Arc;
use std::time::Duration;

use aml_miner::digest::Digest;
use futures_util::future::{Either, join, select};
use tokio_util::sync::CancellationToken;

pub use laws::Broken;
pub use plan::{Flaw, Kind, Lie, Plan, Trouble};
pub use report::Report;
pub use time::Fault;
pub use trace::Trace;

use crate::calendar::{DAY_MS, start_ms};
use crate::config::{Answers, ValidatorSettings};
use crate::outputs::PublishError;
use crate::protocol::NonceSource;
use crate::store::OpenLedgerError;
use crate::store::records::RoundId;
use crate::validation::rules::RulesVersion;
use crate::validation::rules_list::RulesList;
use crate::validator::pay::{Payer, PayerParts};
use crate::validator::query::{Asker, AskingKey, QuerySettings, Surroundings};
use crate::validator::round::{Rounds, RoundsParts, Secret};
use crate::validator::run::Validator;
use crate::validator::settling::Settler;
use crate::validator::world::{Edition, Entropy, Job, NoBeacon, Press, Time as _, Workers, World, within};
use crate::wallet::{Scheme, Signer};
use aside::SimAside;
use cast::{Miner, NETUID, TARGET, neuron};
use chain::SimChain;
use ledger::SimLedger;
use miners::Miners;
use report::{Ended, Kept};
use source::{SimSource, WINDOW_DAYS, today};
use stage::Stage;
use time::VirtualTime;

/// What is simulated at most.
const DAY: Duration = Duration::from_millis(DAY_MS.unsigned_abs());
/// An operator's supervisor starts a dead process again within this.
const RESTARTS: Duration = Duration::from_secs(30);
/// What is simulated after the publication: more than an epoch, so that weights are due in two.
const PAYING: Duration = Duration::from_secs(90 * 60);
/// How often a simulated validator looks whether weights are due.
const WEIGHTS_INTERVAL: Duration = Duration::from_secs(600);

/// The parts of a simulated world that outlive the validator's processes.
struct Sides {
    stage: Arc<Stage>,
    ledger: Arc<SimLedger>,
    chain: Arc<SimChain>,
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
            if tried.breaks_as(&least) {
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
        let chain = Arc::new(SimChain::new(Arc::clone(stage), std::iter::once(us).chain(others).collect()));
        let ledger = Arc::new(SimLedger::open(Arc::clone(stage))?);
        let world = World {
            ledger: Arc::clone(&ledger) as Arc<_>,
            source: Arc::new(SimSource::new(Arc::clone(stage))),
            neurons: Arc::clone(&chain) as Arc<_>,
            aside: Arc::new(SimAside::default()),
            press: Arc::new(Counting { stage: Arc::clone(stage) }),
            beacon: Arc::new(NoBeacon),
            time: Arc::new(stage.time.clone()),
            workers: Arc::new(OnTheSpot),
        };
        let mut secret = [0; 32];
        // Drawn from the seed, which never ends.
        let _ = stage.fill(&mut secret);
        let miners = Arc::new(Miners { stage: Arc::clone(stage), all });
        Ok(Self { stage: Arc::clone(stage), ledger, chain, world, miners, signer, secret: Secret::new(secret) })
    }

    /// From noon to noon, or until it can be seen what was paid for the published round.
    async fn day(&self) {
        let Stage { time, published, .. } = &*self.stage;
        let (end, stop) = (time.uptime() + DAY, CancellationToken::new());
        let closing = async {
            let paid = async {
                published.cancelled().await;
                time.sleep(PAYING).await;
            };
            within(time, end, paid).await;
            self.stage.note("operator", "the day is over");
            stop.cancel();
        };
        join(self.lives(&stop), closing).await;
    }

    /// Processes are started, and die, until `stop`.
    async fn lives(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            self.stage.rise();
            let validator = self.validator();
            self.stage.note("operator", "a process is started");
            match select(Box::pin(validator.run(stop)), Box::pin(self.stage.death())).await {
                Either::Left(_) => self.stage.note("operator", "the process has ended"),
                Either::Right(_) => self.stage.note("operator", "the process was killed"),
            }
            drop(validator);
            self.stage.pause(RESTARTS).await;
        }
    }

    /// A validator as a fresh process would have it.
    fn validator(&self) -> Validator {
        let settings = ValidatorSettings {
            allow_private_ips: true,
            weights_interval: WEIGHTS_INTERVAL,
            rules: Some(RulesList::always(RulesVersion::V1)),
            answers: Answers::Open,
            ..ValidatorSettings::default()
        };
        let asking = QuerySettings { allow_private_ips: true, ..QuerySettings::default() };
        let key = AskingKey { signer: self.signer.clone(), nonces: Arc::new(NonceSource::default()) };
        let World { time, workers, .. } = self.world.clone();
        let stamps = Arc::clone(&time) as Arc<dyn aml_miner::clock::Clock>;
        let (talk, entropy) = (Arc::clone(&self.miners) as Arc<_>, self.entropy());
        let surroundings = Surroundings { time, stamps, talk, workers, entropy };
        let rounds = Rounds::new(RoundsParts {
            world: self.world.clone(),
            asker: Asker::among(asking, NETUID, key, surroundings),
            signer: self.signer.clone(),
            secret: self.secret.clone(),
            netuid: NETUID,
            settings: settings.clone(),
        });
        let settler = Settler::of(&self.world, NETUID, settings.clone());
        let payer = Payer::new(PayerParts {
            chain: Arc::clone(&self.chain) as Arc<_>,
            log: Arc::clone(&self.ledger) as Arc<_>,
            signer: self.signer.clone(),
            clock: Arc::new(self.stage.time.clone()),
            entropy: self.entropy(),
            target: TARGET,
            min_rounds: settings.weights_min_rounds,
        });
        Validator { rounds, settler, payer: Some(payer), world: self.world.clone(), netuid: NETUID, settings }
    }

    fn entropy(&self) -> Arc<dyn Entropy> {
        Arc::clone(&self.stage) as Arc<_>
    }

    fn report(&self, id: RoundId, fault: Option<Fault>) -> Report {
        let kept = self.ledger.look(async |ledger| Kept::read(ledger, id).await);
        let (taken, shown) = (self.chain.taken(), self.chain.shown_weights());
        Report::of(&self.stage, Ended { round: id, fault, kept, taken, shown })
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

    /// Nobody reads them here.
    fn has_pack(&self, _round: RoundId) -> bool {
        true
    }

    fn keep_pack(&self, _round: RoundId, _bytes: &[u8]) -> std::io::Result<()> {
        Ok(())
    }
}
