//! The chain of a simulation: a block every twelve seconds, a subnet whose neurons come and go, weights that are set in the
//! clear, or committed and shown an epoch later. A submission that went out is in the next block, whether or not its sender
//! lives.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aml_miner::digest::Digest;

use super::cast::NETUID;
use super::laws::Broken;
use super::plan::Flaw;
use super::stage::Stage;
use super::subnet::{BLOCK_TIME, FIRST, REGISTERED, Subnet, at_block};
use super::troubles::Trouble;
use crate::chain::commit::PendingReveal;
use crate::chain::outcome::Included;
use crate::chain::reading::ChainReading;
use crate::chain::standing::WeightsStanding;
use crate::chain::types::{Block, Hyperparameters, Metagraph};
use crate::subtensor::{ReadError, SubmitError};
use crate::validator::world::{Time as _, WeightsOnChain};
use crate::wallet::Hotkey;

/// Blocks of a tempo.
pub(super) const TEMPO: u16 = 360;
/// Blocks of an epoch.
pub(super) const EPOCH: u64 = 361;
/// How long an endpoint takes at most.
const TAKES: Duration = Duration::from_secs(2);
/// No endpoint lies twice within this: who reads again is told the truth.
const QUIET: Duration = Duration::from_secs(60);
/// A transaction lives for 64 blocks.
const ERA: Duration = Duration::from_secs(64 * 12);
/// Who came so many blocks before a submission may be in it: it was read before, and sent after.
const MEANWHILE: u64 = 70;

/// A chain with one subnet.
pub(super) struct SimChain {
    pub(super) stage: Arc<Stage>,
    pub(super) subnet: Subnet,
    taken: Mutex<Vec<Taken>>,
    /// How often an endpoint was asked.
    asked: AtomicUsize,
    /// When a reading last showed a part of the subnet alone.
    lied: Mutex<Option<Duration>>,
}

/// Weights that the chain took.
#[derive(Clone)]
pub(super) struct Taken {
    /// In which block.
    pub(super) block: Block,
    /// From which block on it shows them; `None` when a commit is never revealed.
    pub(super) shows: Option<Block>,
    /// The weights, and the salt by which one submission is told from another.
    pub(super) content: PendingReveal,
}

impl SimChain {
    pub(super) fn new(stage: Arc<Stage>, subnet: Subnet) -> Self {
        Self { stage, subnet, taken: Mutex::default(), asked: AtomicUsize::new(0), lied: Mutex::default() }
    }

    /// Everything that is in a block, in order.
    pub(super) fn taken(&self) -> Vec<Taken> {
        let now = self.block();
        self.all().iter().filter(|taken| taken.block <= now).cloned().collect()
    }

    /// How often an endpoint was asked since the last time that this was asked.
    pub(super) fn times_asked(&self) -> usize {
        self.asked.swap(0, Ordering::Relaxed)
    }

    /// The weights that it shows.
    pub(super) fn shown_weights(&self) -> WeightsOnChain {
        self.shown(self.block()).map(|taken| self.as_shown(&taken)).unwrap_or_default()
    }

    /// Since which block the weights are as they are: without any, since the first submission; without one, since the
    /// registration.
    pub(super) fn weights_since(&self) -> Block {
        let first = || self.taken().first().map(|taken| taken.block);
        let shown = self.shown(self.block()).and_then(|taken| taken.shows);
        shown.or_else(first).unwrap_or(Block(REGISTERED))
    }

    /// The newest block.
    pub(super) fn block(&self) -> Block {
        Block(FIRST + self.stage.time.uptime().as_secs() / BLOCK_TIME.as_secs())
    }

    /// The newest block that an endpoint knows.
    pub(super) fn seen(&self) -> Block {
        let now = self.stage.time.uptime();
        let behind = |trouble: &Trouble| match trouble {
            Trouble::ChainLags { span, blocks } if span.has(now) => Some(*blocks),
            _ => None,
        };
        Block(self.block().0 - self.stage.plan.troubles.iter().filter_map(behind).max().unwrap_or(0))
    }

    /// The newest block that is final, as an endpoint knows it.
    pub(super) fn finalised_block(&self) -> Block {
        let now = self.stage.time.uptime();
        let stops = |trouble: &Trouble| match trouble {
            Trouble::FinalityStops(span) if span.has(now) => Some(at_block(span.from)),
            _ => None,
        };
        let stopped = self.stage.plan.troubles.iter().filter_map(stops).min();
        stopped.map_or_else(|| self.seen(), |stopped| self.seen().min(stopped))
    }

    /// What an endpoint that is well and up to date shows of the subnet.
    pub(super) fn reading(&self) -> ChainReading {
        let block = self.block();
        ChainReading {
            metagraph: Metagraph { netuid: NETUID, block, neurons: self.subnet.neurons(block) },
            tempo: TEMPO,
            registration_price: None,
            weights: Some(self.shown_weights()),
            last_update: Some(self.last_update(block)),
            stopped: None,
        }
    }

    /// What is shown at a block.
    pub(super) fn shown(&self, block: Block) -> Option<Taken> {
        let all = self.all();
        let there = all.iter().filter(|taken| taken.shows.is_some_and(|shows| shows <= block));
        there.max_by_key(|taken| (taken.shows, taken.block)).cloned()
    }

    /// Whether this reading is a lie: no two of them within a minute.
    pub(super) fn lies_now(&self) -> bool {
        let now = self.stage.time.uptime();
        let mut lied = self.lied.lock().unwrap_or_else(PoisonError::into_inner);
        let lies = lied.is_none_or(|before| now.saturating_sub(before) > QUIET);
        if lies {
            *lied = Some(now);
        }
        lies
    }

    /// Weights as they are shown.
    pub(super) fn as_shown(&self, taken: &Taken) -> WeightsOnChain {
        let mut weights = taken.content.weights.pairs();
        if self.stage.plan.flaw == Some(Flaw::MixesWeights) {
            weights.iter_mut().for_each(|(_, weight)| *weight /= 2);
        }
        weights
    }

    /// The newest submission in or before a block.
    pub(super) fn newest(&self, block: Block) -> Option<Taken> {
        self.all().iter().rfind(|taken| taken.block <= block).cloned()
    }

    fn last_update(&self, block: Block) -> Block {
        self.newest(block).map_or(Block(REGISTERED), |taken| taken.block)
    }

    /// Whether a submission waits for a block that an endpoint does not know yet.
    pub(super) fn waits(&self) -> bool {
        let seen = self.seen();
        self.all().iter().any(|taken| taken.block > seen)
    }

    /// An endpoint is asked.
    pub(super) async fn asked(&self, what: &'static str) -> Result<(), ReadError> {
        let stage = &self.stage;
        stage.instant().await;
        stage.note("chain", what);
        self.asked.fetch_add(1, Ordering::Relaxed);
        stage.pause(TAKES).await;
        stage.instant().await;
        let down = |trouble: &Trouble| if let Trouble::ChainDown(span) = trouble { Some(*span) } else { None };
        if !stage.is_cut() && !stage.suffers(down) {
            return Ok(());
        }
        stage.note("chain", format_args!("{what}: no answer"));
        Err(ReadError::Node { what: what.to_owned(), reason: "no endpoint answers".to_owned() })
    }

    /// A hotkey's standing as an endpoint knows it.
    pub(super) fn standing_of(&self, hotkey: Hotkey) -> WeightsStanding {
        let block = self.seen();
        let neurons = self.subnet.neurons(block);
        WeightsStanding {
            block,
            uid: neurons.iter().find(|neuron| neuron.hotkey == hotkey).map(|neuron| neuron.uid),
            neurons: u16::try_from(neurons.len()).unwrap_or(u16::MAX),
            mechanisms: 1,
            last_update: self.last_update(block),
            permit: true,
            is_owner: false,
            stake: 0,
            rules: self.rules(),
        }
    }

    /// A submission goes out, and is in the next block; final when finality is there.
    pub(super) async fn included(&self, content: &PendingReveal) -> Result<Included, SubmitError> {
        let stage = &self.stage;
        let block = Block(self.block().0 + 1);
        let hash = *Digest::of(&block.0.to_le_bytes()).as_bytes();
        let lost = |trouble: &Trouble| if let Trouble::SubmissionsLost(span) = trouble { Some(*span) } else { None };
        if stage.suffers(lost) {
            stage.note("chain", "a submission gets into no block");
            stage.instant().await;
            stage.time.sleep(ERA).await;
            stage.instant().await;
            return Err(SubmitError::Expired { transaction: hex::encode(hash), block: self.block().0 });
        }
        self.take(block, content);
        stage.instant().await;
        let passed = stage.time.uptime().as_nanos() % BLOCK_TIME.as_nanos();
        let passed = Duration::from_nanos(u64::try_from(passed).unwrap_or_default());
        stage.time.sleep(BLOCK_TIME - passed).await;
        stage.instant().await;
        let patient = stage.time.uptime() + ERA;
        let stops = |trouble: &Trouble| if let Trouble::FinalityStops(span) = trouble { Some(*span) } else { None };
        while stage.suffers(stops) {
            if stage.time.uptime() >= patient {
                return Err(SubmitError::Unsettled { transaction: hex::encode(hash), waited: ERA });
            }
            stage.time.sleep(BLOCK_TIME).await;
            stage.instant().await;
        }
        Ok(Included { block, block_hash: hash, transaction: hash, events: Vec::new() })
    }

    fn take(&self, block: Block, content: &PendingReveal) {
        let stage = &self.stage;
        stage.note("chain", format_args!("weights of {} neurons for block {}", content.weights.uids.len(), block.0));
        let hidden = |trouble: &Trouble| if let Trouble::RevealsLost(span) = trouble { Some(*span) } else { None };
        let shows = match stage.plan.commits {
            false => Some(block),
            true => (!stage.suffers(hidden)).then(|| revealed(block)),
        };
        let times = {
            let mut all = self.all();
            all.push(Taken { block, shows, content: content.clone() });
            all.iter().filter(|taken| taken.content == *content).count()
        };
        if times > 1 {
            stage.breaks(Broken::Twice { epoch: block.0 - block.0 % EPOCH, times });
        }
        if let Some(uid) = self.pays_a_newcomer(block, content) {
            stage.breaks(Broken::Newcomer { block: block.0, uid });
        }
    }

    /// A receiver who came in another one's place well before the submission.
    fn pays_a_newcomer(&self, block: Block, content: &PendingReveal) -> Option<u16> {
        let news = self.subnet.newcomers(Block(block.0 - MEANWHILE));
        let paid = content.weights.uids.iter().zip(&content.weights.values).filter(|(_, value)| **value > 0);
        paid.map(|(uid, _)| *uid).find(|uid| news.contains(uid))
    }

    /// The subnet's rules.
    fn rules(&self) -> Hyperparameters {
        let commit_reveal = self.stage.plan.commits;
        Hyperparameters { commit_reveal, commit_reveal_version: commit_reveal.then_some(4), ..RULES }
    }

    fn all(&self) -> MutexGuard<'_, Vec<Taken>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The block in which a commit is revealed: early in the epoch after its own.
pub(super) fn revealed(committed: Block) -> Block {
    Block(committed.0 - committed.0 % EPOCH + EPOCH + 3)
}

const RULES: Hyperparameters = Hyperparameters {
    tempo: TEMPO,
    weights_version: 0,
    weights_rate_limit: 100,
    serving_rate_limit: 50,
    min_allowed_weights: 1,
    max_weight_limit: u16::MAX,
    max_allowed_uids: Some(256),
    immunity_period: Some(5_000),
    activity_cutoff: Some(5_000),
    commit_reveal: false,
    reveal_period_epochs: 1,
    registration_price: None,
    stake_threshold: 0,
    commit_reveal_version: None,
};
