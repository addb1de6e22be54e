//! The chain of a simulation: a block every twelve seconds, a subnet of a validator and some miners, weights set in the
//! clear. A submission that went out is in the next block, and final with it, whether or not its sender lives.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aml_miner::digest::Digest;
use futures_util::future::BoxFuture;

use super::cast::NETUID;
use super::plan::{Flaw, Trouble};
use super::stage::Stage;
use crate::chain::commit::PendingReveal;
use crate::chain::epoch::Epoch;
use crate::chain::metagraph::{MetagraphSource, SourceError};
use crate::chain::outcome::{Included, RevealFate, Sighting, TimelockedAt, Trace, WeightsOutcome};
use crate::chain::plan::{WeightsPlan, WeightsRequest};
use crate::chain::route::Route;
use crate::chain::standing::WeightsStanding;
use crate::chain::types::{Block, Hyperparameters, Metagraph, Neuron, Uid};
use crate::chain::weights::conform;
use crate::subtensor::{ReadError, RevealError, SetWeightsError, SubmitError};
use crate::validator::world::{Time as _, WeightsChain, WeightsOnChain, WeightsTarget};
use crate::wallet::{Hotkey, Signer};

const BLOCK_TIME: Duration = Duration::from_secs(12);
/// The block at the start.
const FIRST: u64 = 1_000_000;
const TEMPO: u16 = 360;
/// How long an endpoint takes at most.
const TAKES: Duration = Duration::from_secs(2);

/// A chain with one subnet.
pub(super) struct SimChain {
    stage: Arc<Stage>,
    neurons: Vec<Neuron>,
    down_until: Duration,
    taken: Mutex<Vec<Taken>>,
}

/// Weights that the chain took.
#[derive(Clone)]
pub(super) struct Taken {
    /// In which block.
    pub(super) block: Block,
    /// The weights, and the salt by which one submission is told from another.
    pub(super) content: PendingReveal,
}

impl SimChain {
    pub(super) fn new(stage: Arc<Stage>, neurons: Vec<Neuron>) -> Self {
        let down = |trouble: &Trouble| if let Trouble::ChainDown(until) = trouble { Some(*until) } else { None };
        let down_until = stage.plan.troubles.iter().find_map(down).unwrap_or_default();
        Self { stage, neurons, down_until, taken: Mutex::default() }
    }

    /// Everything that is in a block, in order.
    pub(super) fn taken(&self) -> Vec<Taken> {
        let now = self.block();
        self.all().iter().filter(|taken| taken.block <= now).cloned().collect()
    }

    /// The weights that it shows.
    pub(super) fn shown_weights(&self) -> WeightsOnChain {
        self.shown().map(|taken| self.as_shown(&taken)).unwrap_or_default()
    }

    fn block(&self) -> Block {
        Block(FIRST + (self.stage.time.uptime().as_secs() / BLOCK_TIME.as_secs()))
    }

    fn all(&self) -> MutexGuard<'_, Vec<Taken>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was set last, in a block that there is.
    fn shown(&self) -> Option<Taken> {
        let now = self.block();
        self.all().iter().rfind(|taken| taken.block <= now).cloned()
    }

    fn as_shown(&self, taken: &Taken) -> WeightsOnChain {
        let mut weights = taken.content.weights.pairs();
        if self.stage.plan.flaw == Some(Flaw::MixesWeights) {
            weights.iter_mut().for_each(|(_, weight)| *weight /= 2);
        }
        weights
    }

    /// Whether a submission waits for the next block.
    fn waits(&self) -> bool {
        let now = self.block();
        self.all().iter().any(|taken| taken.block > now)
    }

    async fn asked(&self, what: &'static str) -> Result<(), ReadError> {
        self.stage.instant().await;
        self.stage.note("chain", what);
        self.stage.pause(TAKES).await;
        self.stage.instant().await;
        if self.stage.time.uptime() >= self.down_until {
            return Ok(());
        }
        self.stage.note("chain", format_args!("{what}: no answer"));
        Err(ReadError::Node { what: what.to_owned(), reason: "no endpoint answers".to_owned() })
    }

    async fn read(&self) -> Result<Metagraph, ReadError> {
        self.asked("metagraph").await?;
        Ok(Metagraph { netuid: NETUID, block: self.block(), neurons: self.neurons.clone() })
    }

    fn uid(&self, hotkey: Hotkey) -> Option<Uid> {
        self.neurons.iter().find(|neuron| neuron.hotkey == hotkey).map(|neuron| neuron.uid)
    }

    fn standing_of(&self, hotkey: Hotkey) -> WeightsStanding {
        WeightsStanding {
            block: self.block(),
            uid: self.uid(hotkey),
            neurons: u16::try_from(self.neurons.len()).unwrap_or(u16::MAX),
            mechanisms: 1,
            last_update: self.shown().map_or(Block(0), |taken| taken.block),
            permit: true,
            is_owner: false,
            stake: 0,
            rules: RULES,
        }
    }

    /// A submission goes out, and is in the next block.
    async fn included(&self, content: &PendingReveal) -> Included {
        let block = Block(self.block().0 + 1);
        self.stage
            .note("chain", format_args!("weights of {} neurons for block {}", content.weights.uids.len(), block.0));
        self.all().push(Taken { block, content: content.clone() });
        self.stage.instant().await;
        let passed = self.stage.time.uptime().as_nanos() % BLOCK_TIME.as_nanos();
        let passed = Duration::from_nanos(u64::try_from(passed).unwrap_or_default());
        self.stage.time.sleep(BLOCK_TIME - passed).await;
        self.stage.instant().await;
        let hash = *Digest::of(&block.0.to_le_bytes()).as_bytes();
        Included { block, block_hash: hash, transaction: hash, events: Vec::new() }
    }
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

impl MetagraphSource for SimChain {
    fn metagraph(&self) -> BoxFuture<'_, Result<Metagraph, SourceError>> {
        Box::pin(async { self.read().await.map_err(SourceError::new) })
    }
}

impl WeightsChain for SimChain {
    fn finalised(&self) -> BoxFuture<'_, Result<Block, ReadError>> {
        Box::pin(async { self.asked("head").await.map(|()| self.block()) })
    }

    fn epoch(&self, _netuid: u16) -> BoxFuture<'_, Result<Epoch, ReadError>> {
        Box::pin(async {
            self.asked("epoch").await?;
            let (block, length) = (self.block(), u64::from(TEMPO) + 1);
            let first = block.0 - block.0 % length;
            Ok(Epoch { block, first: Block(first), next: Block(first + length) })
        })
    }

    fn metagraph(&self, _netuid: u16) -> BoxFuture<'_, Result<Metagraph, ReadError>> {
        Box::pin(self.read())
    }

    fn owner(&self, _netuid: u16) -> BoxFuture<'_, Result<Option<Hotkey>, ReadError>> {
        Box::pin(async { self.asked("owner").await.map(|()| self.neurons.first().map(|neuron| neuron.hotkey)) })
    }

    fn standing(&self, hotkey: Hotkey, _target: WeightsTarget) -> BoxFuture<'_, Result<WeightsStanding, ReadError>> {
        Box::pin(async move { self.asked("standing").await.map(|()| self.standing_of(hotkey)) })
    }

    fn weights_of(
        &self,
        hotkey: Hotkey,
        _target: WeightsTarget,
    ) -> BoxFuture<'_, Result<Option<WeightsOnChain>, ReadError>> {
        Box::pin(async move {
            self.asked("weights").await?;
            Ok(self.uid(hotkey).map(|_| self.shown_weights()))
        })
    }

    fn plan<'a>(
        &'a self,
        hotkey: Hotkey,
        wanted: &'a WeightsRequest,
    ) -> BoxFuture<'a, Result<WeightsPlan, SetWeightsError>> {
        Box::pin(async move {
            self.asked("plan").await?;
            let standing = self.standing_of(hotkey);
            let weights = conform(&wanted.weights, &standing.weight_rules())?;
            standing.check(wanted.mechanism, &weights, 0)?;
            let WeightsRequest { netuid, mechanism, .. } = *wanted;
            let salt = wanted.salt.clone();
            let content = PendingReveal { netuid, mechanism, weights, salt, version_key: 0 };
            Ok(WeightsPlan { route: Route::Plain, content })
        })
    }

    fn set<'a>(
        &'a self,
        signer: &'a Signer,
        plan: &'a WeightsPlan,
    ) -> BoxFuture<'a, Result<WeightsOutcome, SetWeightsError>> {
        Box::pin(async move {
            self.asked("set weights").await?;
            let PendingReveal { mechanism, weights, version_key, .. } = &plan.content;
            self.standing_of(signer.hotkey()).check(*mechanism, weights, *version_key)?;
            let included = self.included(&plan.content).await;
            if self.stage.plan.flaw == Some(Flaw::DeniesWeights) {
                let (transaction, waited) = (hex::encode(included.transaction), BLOCK_TIME);
                return Err(SubmitError::Unsettled { transaction, waited }.into());
            }
            Ok(WeightsOutcome::Set(included))
        })
    }

    fn trace<'a>(
        &'a self,
        _signer: &'a Signer,
        plan: &'a WeightsPlan,
        since: Block,
    ) -> BoxFuture<'a, Result<Trace, ReadError>> {
        Box::pin(async move {
            self.asked("trace").await?;
            if self.stage.plan.flaw == Some(Flaw::DeniesWeights) {
                return Ok(Trace::Nothing);
            }
            let wanted = plan.content.weights.pairs();
            let ours = self.shown().filter(|taken| taken.block >= since && self.as_shown(taken) == wanted);
            Ok(match ours {
                Some(taken) => Trace::Final(Sighting::Shown { block: taken.block }),
                None if self.waits() => Trace::Unsettled,
                None => Trace::Nothing,
            })
        })
    }

    fn replaced_since<'a>(
        &'a self,
        _content: &'a PendingReveal,
        _since: Block,
    ) -> BoxFuture<'a, Result<Vec<Uid>, ReadError>> {
        Box::pin(async { self.asked("registrations").await.map(|()| Vec::new()) })
    }

    fn reveal<'a>(
        &'a self,
        _signer: &'a Signer,
        _content: &'a PendingReveal,
    ) -> BoxFuture<'a, Result<Option<Included>, RevealError>> {
        Box::pin(async {
            self.asked("reveal").await?;
            Err(RevealError::NotFound)
        })
    }

    fn reveals_from(&self, _netuid: u16, committed: Block) -> BoxFuture<'_, Result<Block, ReadError>> {
        Box::pin(async move { self.asked("reveals from").await.map(|()| committed) })
    }

    fn reveal_fate<'a>(
        &'a self,
        _hotkey: Hotkey,
        _content: &'a PendingReveal,
        _commit: TimelockedAt,
    ) -> BoxFuture<'a, Result<RevealFate, ReadError>> {
        Box::pin(async { self.asked("reveal fate").await.map(|()| RevealFate::Lost { opened: false }) })
    }
}
