//! How miners are asked.
//!
//! All miners of a round are asked at once, up to [`QuerySettings::concurrency`] at a time; those that failed lately come
//! last. What comes of each is one [`Answer`], delivered as it arrives. A miner's failure is an outcome, never an error.
//!
//! * **Address.** It comes from chain data, so it is hostile: [`check`](crate::http::address::check) lets only public unicast through. The
//!   connection goes to the checked address itself; no name is looked up, no redirect followed, no proxy used, and no
//!   connection serves two requests.
//! * **Request.** `POST /{netuid}/score/alerts?explain=...`, signed by btauth/1 under a nonce of its own. The body's
//!   digest stands in the head, and the body waits for `100 Continue` (2 s at most), so a refusal costs no upload. Whoever said that
//!   it takes Arrow is sent that, packed; after a 415 JSON again (`encoded`). A miner that does not know the route, and signs nothing, is asked by `POST /AlertScoring` of SDK 10 where [`QuerySettings::v10_fallback`] is set.
//! * **Answer.** Its signature is checked before anything of it is read: a 200 without a valid one is `Refused`. It must not be
//!   compressed. At most 64 headers, 32 KiB of them, and [`QuerySettings::max_answer_bytes`], counted as they arrive.
//! * **Time.** 5 s to connect, then [`QuerySettings::deadline`] from the first byte sent, and never beyond the round's own.
//!   Eight bodies go out at a time, so that each has its share of the line; who takes nothing for 5 s, or is not done in
//!   20 s, holds nobody else up any longer (`lanes`).
//! * **Again.** What may pass is tried again until the round's deadline, after growing pauses and behind all first
//!   attempts; what is final stays final (`again`).
//! * **Memory.** Bodies are ropes that share what all miners are sent, made only when the miner has taken a connection and
//!   it is its turn; a miner's own rows are below a megabyte, and let go of as they are sent.
//!   An answer above 256 KiB waits in an anonymous temporary file; one at a time is read back when it is delivered.
//! * **Dormancy.** After three failures in a row a miner is left alone for an hour, then two, four, up to three days
//!   ([`dormancy`]); anything heard of it ends that.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use aml_miner::clock::Clock;
use aml_miner::digest::Digest;
use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

mod again;
mod clocks;
pub mod dormancy;
mod encoded;
pub(crate) mod legacy;
pub(crate) mod native;
mod observe;
mod plain;
mod record;
mod settings;
mod talk;
mod targets;
mod trouble;
mod turn;

pub use crate::http::body::RequestBody;
pub use again::MOST_ATTEMPTS;
pub use clocks::Clocks;
pub use encoded::{Encoded, EncodedParts};
pub use plain::GivenPlain;
pub use settings::QuerySettings;
pub use trouble::OwnFailure;

use self::native::Caller;
use self::targets::Targets;
use self::turn::{Arrived, ask_in_turn};
use crate::http::lanes::Lanes;
use crate::http::spool::{DiskBudget, SpoolLimits};
use crate::protocol::NonceSource;
use crate::protocol::terms::{Day, Opening};
use crate::store::records::{Answer, Ask, Dormancy};
use crate::validator::world::{Entropy, MachineEntropy, MachineTime, Talk, Threads, Time, Wire, Workers};
use crate::wallet::{Hotkey, Signer};

/// An answer up to this size stays in memory while it arrives.
const MEMORY: usize = 256 * 1024;
/// Miners that are asked in the old form at a time: each takes a body's length of memory twice.
const OLD_FORM: usize = 16;

/// Makes the body for one miner. It runs on a thread that may block; what it returns lives only while that miner is asked.
pub type Bodies = Arc<dyn Fn(&Hotkey) -> Result<RequestBody, Box<dyn std::error::Error + Send + Sync>> + Send + Sync>;

/// One miner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Who.
    pub hotkey: Hotkey,
    /// Its uid at this moment.
    pub uid: u16,
    /// Where it serves, as announced.
    pub axon: Option<SocketAddr>,
}

impl Peer {
    /// The miners of a task.
    #[must_use]
    pub fn all(asks: &BTreeMap<Hotkey, Ask>) -> Vec<Self> {
        asks.iter().map(|(&hotkey, ask)| Self { hotkey, uid: ask.uid, axon: ask.axon }).collect()
    }
}

/// Whom to ask, until when, and with what.
#[derive(Clone)]
pub struct Asking {
    /// The miners that have no answer yet.
    pub peers: Vec<Peer>,
    /// When the round's answers stop to count, in milliseconds since 1970.
    pub until_ms: i64,
    /// Who failed lately.
    pub dormancy: BTreeMap<Hotkey, Dormancy>,
    /// What each is sent.
    pub bodies: Bodies,
    /// What some are sent instead.
    pub encoded: Option<Encoded>,
    /// What is said of the round beside the body; without it answers of the first form are asked for.
    pub terms: Option<RoundTerms>,
}

/// What is said of a round to all of its miners; the task's digest is that of the body as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundTerms {
    /// The commitment to its traps.
    pub commitment: Digest,
    /// Its day and window.
    pub day: Day,
    /// When answers are opened; none where they are to be sent open.
    pub opening: Option<Opening>,
}

/// What came of one miner.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// The record.
    pub answer: Answer,
    /// The body that belongs to it; its digest is in the record.
    pub body: Option<Bytes>,
    /// What is remembered of the miner from now on.
    pub dormancy: Option<Dormancy>,
}

/// Asks miners.
#[derive(Clone)]
pub struct Asker(Arc<Inner>);

struct Inner {
    settings: QuerySettings,
    targets: Targets,
    limits: SpoolLimits,
    lanes: Lanes,
    old_form: Semaphore,
    signer: Signer,
    nonces: Arc<NonceSource>,
    time: Arc<dyn Time>,
    stamps: Arc<dyn Clock>,
    talk: Arc<dyn Talk>,
    workers: Arc<dyn Workers>,
    entropy: Arc<dyn Entropy>,
}

/// The key that asks. All requests of a key share one source of nonces.
#[derive(Clone)]
pub struct AskingKey {
    /// The key.
    pub signer: Signer,
    /// Never gives one twice.
    pub nonces: Arc<NonceSource>,
}

/// The world as an asker sees it.
pub(crate) struct Surroundings {
    /// Clock and timers.
    pub(crate) time: Arc<dyn Time>,
    /// What requests are signed with.
    pub(crate) stamps: Arc<dyn Clock>,
    /// Reaches miners.
    pub(crate) talk: Arc<dyn Talk>,
    /// Where bodies are made.
    pub(crate) workers: Arc<dyn Workers>,
    /// Where UUIDs come from.
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl Asker {
    /// An asker of subnet `netuid` with this key, over sockets.
    #[must_use]
    pub fn new(settings: QuerySettings, netuid: u16, key: AskingKey, clock: Arc<dyn Clock>) -> Self {
        let clocks = Clocks { rounds: Arc::clone(&clock), stamps: clock };
        Self::by(settings, netuid, key, clocks)
    }

    /// The same with rounds by another clock than requests are signed by.
    #[must_use]
    pub fn by(settings: QuerySettings, netuid: u16, key: AskingKey, clocks: Clocks) -> Self {
        let time = Arc::new(MachineTime::new(clocks.rounds));
        let (talk, workers, entropy) = (Arc::new(Wire), Arc::new(Threads), Arc::new(MachineEntropy));
        Self::among(settings, netuid, key, Surroundings { time, stamps: clocks.stamps, talk, workers, entropy })
    }

    /// The same in a world that is given.
    pub(crate) fn among(settings: QuerySettings, netuid: u16, key: AskingKey, world: Surroundings) -> Self {
        let AskingKey { signer, nonces } = key;
        let Surroundings { time, stamps, talk, workers, entropy } = world;
        let targets = Targets::new(netuid, settings.explain);
        // Room for as many answers as can be on their way, so that no miner can take another one's.
        let disk = settings.max_answer_bytes.saturating_mul(settings.concurrency as u64 + 2);
        let limits =
            SpoolLimits { max_bytes: settings.max_answer_bytes, memory_bytes: MEMORY, disk: DiskBudget::new(disk) };
        let (lanes, old_form) = (Lanes::default(), Semaphore::new(OLD_FORM));
        Self(Arc::new(Inner {
            settings,
            targets,
            limits,
            lanes,
            old_form,
            signer,
            nonces,
            time,
            stamps,
            talk,
            workers,
            entropy,
        }))
    }

    /// Begins to ask; the answers come from [`Replies::next`]. After `stop` nobody else is asked and nobody is waited for.
    #[must_use]
    pub fn ask_all(&self, mut asking: Asking, stop: &CancellationToken) -> Replies {
        let mut peers = std::mem::take(&mut asking.peers);
        let failures = |peer: &Peer| asking.dormancy.get(&peer.hotkey).map_or(0, |dormancy| dormancy.failures);
        peers.sort_by_key(|peer| (failures(peer), peer.hotkey));
        let slots = Arc::new(Semaphore::new(self.0.settings.concurrency.max(1)));
        let (sender, incoming) = mpsc::channel(1);
        let (open, asking) = (peers.len(), Arc::new(asking));
        let mut tasks = JoinSet::new();
        for peer in peers {
            let work = ask_in_turn(Arc::clone(&self.0), Arc::clone(&asking), peer, Arc::clone(&slots));
            let (stop, sender) = (stop.clone(), sender.clone());
            tasks.spawn(async move {
                // What is complete is delivered even after a stop.
                if let Some(arrived) = stop.run_until_cancelled_owned(work).await {
                    drop(sender.send(arrived).await);
                }
            });
        }
        Replies { incoming, tasks, open }
    }
}

impl Inner {
    fn caller(&self) -> Caller<'_> {
        let Self { signer, nonces, stamps, workers, entropy, .. } = self;
        Caller { signer, nonces, clock: &**stamps, workers: &**workers, entropy: &**entropy }
    }

    fn now_ms(&self) -> i64 {
        self.time.now_ms()
    }
}

/// The answers of a round. Dropping it ends all conversations.
pub struct Replies {
    incoming: mpsc::Receiver<Result<Arrived, OwnFailure>>,
    tasks: JoinSet<()>,
    open: usize,
}

impl Replies {
    /// The next answer; `None` when there are no more, because all are there or because of a stop. To be awaited to its
    /// end: an answer that was taken and not returned is lost.
    ///
    /// # Errors
    /// What went wrong on our side. The miner concerned was not heard.
    pub async fn next(&mut self) -> Option<Result<Delivered, OwnFailure>> {
        let Some(arrived) = self.incoming.recv().await else { return self.panicked().await.map(Err) };
        Some(match arrived {
            Ok(arrived) => self.deliver(arrived).await,
            Err(failure) => Err(failure),
        })
    }

    /// Whether every miner has its answer.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.open == 0
    }

    async fn deliver(&mut self, arrived: Arrived) -> Result<Delivered, OwnFailure> {
        let Arrived { answer, body, dormancy, _slot } = arrived;
        let body = match body {
            None => None,
            Some(body) => Some(body.into_bytes().await.map_err(OwnFailure::Disk)?),
        };
        self.open -= 1;
        Ok(Delivered { answer, body, dormancy })
    }

    async fn panicked(&mut self) -> Option<OwnFailure> {
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                return Some(OwnFailure::Panicked(error.into()));
            }
        }
        None
    }
}
