//! Simulation: a validator's days on virtual time, in one thread, from one seed. In test builds only.
//!
//! Everything that the validator's core touches has a simulated side here ([`crate::validator::world`]): clock and timers,
//! ledger, talk with miners, chain, source, beacon, published files, randomness. The same code runs as in production. The same
//! seed is the same world and the same trace, whatever the machine; [`simulate`] says what happened and whether the laws
//! held, [`least`] finds the least that has to go wrong for one of them to break.
//!
//! | file | what it has |
//! |---|---|
//! | `plan`, `troubles`, `drawing` | what a seed stands for |
//! | `time`, `stage`, `trace` | virtual time; what all sides share |
//! | `cast`, `miners`, `answers` | miners, and the way to them |
//! | `subnet`, `chain`, `chain_edge` | the chain |
//! | `batches`, `source` | batches and outcomes |
//! | `ledger`, `round_log`, `information`, `other_logs`, `promises` | the ledger |
//! | `aside`, `press`, `beacon` | the other edges |
//! | `season`, `days` | days, processes, the operator |
//! | `laws`, `checks`, `kept`, `figures`, `watch`, `report` | what must hold, and who looks whether it does |

mod answers;
mod aside;
mod batches;
mod beacon;
mod cast;
mod chain;
mod chain_edge;
mod checks;
mod days;
mod drawing;
mod figures;
mod information;
mod kept;
mod laws;
mod ledger;
mod miners;
mod other_logs;
mod plan;
mod press;
mod promises;
mod report;
mod round_log;
mod season;
mod source;
mod stage;
mod subnet;
mod time;
mod trace;
mod troubles;
mod watch;

use std::sync::Arc;
use std::time::{Duration, Instant};

use aml_miner::digest::Digest;

pub use laws::Broken;
pub use plan::{Flaw, Kind, Lie, Plan, Ruling, Wanted};
pub use report::Report;
pub use time::Fault;
pub use trace::Trace;
pub use troubles::{Span, Trouble};

use crate::store::OpenLedgerError;
use crate::validator::round::Secret;
use crate::validator::world::{Entropy as _, Job, NoMirrors, Workers, World};
use crate::wallet::{Scheme, Signer};
use aside::SimAside;
use beacon::SimBeacon;
use cast::Miner;
use chain::SimChain;
use ledger::SimLedger;
use miners::Miners;
use press::SimPress;
use source::SimSource;
use stage::Stage;
use subnet::Subnet;
use time::VirtualTime;
use watch::Watch;

/// The parts of a simulated world that outlive the validator's processes.
struct Sides {
    stage: Arc<Stage>,
    ledger: Arc<SimLedger>,
    chain: Arc<SimChain>,
    world: World,
    miners: Arc<Miners>,
    signer: Signer,
    secret: Secret,
    source: Arc<SimSource>,
    watch: Watch,
}

/// Runs a plan.
///
/// # Errors
/// When there is no ledger in memory.
pub fn simulate(plan: Plan) -> Result<Report, OpenLedgerError> {
    let time = VirtualTime::new(days::begins());
    let stage = Arc::new(Stage::new(plan, time.clone()));
    let sides = Sides::new(&stage)?;
    let ended = metrics::with_local_recorder(sides.watch.recorder(), || time.run(sides.season()));
    Ok(Report::of(&sides, ended.err()))
}

/// The smallest plan that breaks the law as `report`'s does, by leaving out troubles, miners and days as long as it still breaks;
/// the smallest that was found when `patience` is over.
///
/// # Errors
/// As [`simulate`].
pub fn least(report: Report, patience: Duration) -> Result<Report, OpenLedgerError> {
    let (mut least, end) = (report, Instant::now() + patience);
    'smaller: loop {
        for plan in least.plan.smaller() {
            if Instant::now() >= end {
                break 'smaller;
            }
            let tried = simulate(plan)?;
            if tried.breaks_as(&least) {
                least = tried;
                continue 'smaller;
            }
        }
        break;
    }
    Ok(least)
}

impl Sides {
    fn new(stage: &Arc<Stage>) -> Result<Self, OpenLedgerError> {
        let signer = Signer::from_seed(Digest::of(b"validator").as_bytes(), Scheme::Ed25519);
        let all: Vec<_> = (1..).zip(&stage.plan.miners).map(|(at, kind)| Arc::new(Miner::new(at, *kind))).collect();
        let subnet = Subnet::new(&stage.plan, signer.hotkey(), all.clone());
        let chain = Arc::new(SimChain::new(Arc::clone(stage), subnet));
        let ledger = Arc::new(SimLedger::open(Arc::clone(stage))?);
        let aside = Arc::new(SimAside::new(Arc::clone(stage)));
        let source = Arc::new(SimSource::new(Arc::clone(stage)));
        let world = World {
            ledger: Arc::clone(&ledger) as Arc<_>,
            source: Arc::clone(&source) as Arc<_>,
            neurons: Arc::clone(&chain) as Arc<_>,
            aside: Arc::clone(&aside) as Arc<_>,
            press: Arc::new(SimPress::new(Arc::clone(stage))),
            mirrors: Arc::new(NoMirrors),
            beacon: Arc::new(SimBeacon { stage: Arc::clone(stage) }),
            time: Arc::new(stage.time.clone()),
            workers: Arc::new(OnTheSpot { stage: Arc::clone(stage) }),
        };
        let mut secret = [0; 32];
        // Drawn from the seed, which never ends.
        let _ = stage.fill(&mut secret);
        let miners = Arc::new(Miners { stage: Arc::clone(stage), all });
        let watch = Watch::new(Arc::clone(&ledger), Arc::clone(&chain), aside, signer.hotkey());
        let (stage, secret) = (Arc::clone(stage), Secret::new(secret));
        Ok(Self { stage, ledger, chain, world, miners, signer, secret, source, watch })
    }
}

/// The one thread there is. On a slow machine what it does takes time.
struct OnTheSpot {
    stage: Arc<Stage>,
}

impl Workers for OnTheSpot {
    fn run(&self, job: Job) {
        let slow = |trouble: &Trouble| if let Trouble::SlowMachine(most) = trouble { Some(*most) } else { None };
        let Some(most) = self.stage.plan.troubles.iter().find_map(slow) else { return job() };
        let (stage, process) = (Arc::clone(&self.stage), self.stage.process());
        drop(tokio::spawn(async move {
            stage.pause(most).await;
            // What a dead process began ends with it.
            if process.is_some() && stage.process() == process {
                job();
            }
        }));
    }

    fn threads(&self) -> usize {
        1
    }
}
