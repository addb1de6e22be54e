//! Setting weights: planned, checked, sent, finalised, read back and compared.
//!
//! Success is reported only of what the chain shows afterwards.

use std::time::Duration;

use subxt::config::substrate::H256;

use super::calls::{self, Args, Names};
use super::epoch::{Occasion, moment};
use super::extrinsic::Call;
use super::pool::PoolError;
use super::readback::{TIMELOCKED, commits, timelocked_of};
use super::snapshot::{ReadError, Snapshot};
use super::submit::SubmitError;
use super::{At, Subtensor, standing};
use crate::chain::commit::{Mechanism, PendingReveal};
use crate::chain::outcome::{Included, WeightsOutcome};
use crate::chain::plan::{WeightsPlan, WeightsRequest};
use crate::chain::reveal_round::{NoRound, first_reveal_block, reveal_round};
use crate::chain::route::{Abilities, NoRoute, Route};
use crate::chain::standing::{Preflight, WeightsStanding};
use crate::chain::timelock::{SealError, TimelockPayload, seal};
use crate::chain::types::Block;
use crate::chain::weights::{ConformError, conform};
use crate::wallet::{Hotkey, Signer};

/// Why weights were not set, as far as is known.
#[derive(Debug, thiserror::Error)]
pub enum SetWeightsError {
    /// The weights themselves.
    #[error(transparent)]
    Conform(#[from] ConformError),
    /// Foreseen.
    #[error(transparent)]
    Preflight(#[from] Preflight),
    /// The runtime cannot do what the subnet demands.
    #[error(transparent)]
    Route(#[from] NoRoute),
    /// No reveal.
    #[error(transparent)]
    Round(#[from] NoRound),
    /// No encryption.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The chain could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The call did not take effect.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The call took effect, but the chain shows something else.
    #[error("the transaction is final, but the chain does not show {0}")]
    NotThere(&'static str),
}

impl SetWeightsError {
    /// Blocks to wait, where waiting is all that is needed.
    #[must_use]
    pub fn blocks_to_wait(&self) -> Option<u64> {
        match self {
            Self::Preflight(refusal) => refusal.blocks_to_wait(),
            Self::Submit(error) => error.refusal().filter(|refusal| refusal.is_too_soon()).map(|_| 1),
            _ => None,
        }
    }
}

impl Subtensor {
    /// A hotkey's standing in a mechanism of a subnet, at the best block.
    ///
    /// # Errors
    /// [`ReadError`] when no endpoint answers, or there is no such subnet.
    pub async fn standing(&self, hotkey: Hotkey, netuid: u16, mechanism: u8) -> Result<WeightsStanding, ReadError> {
        let subnet = Mechanism { netuid, number: mechanism };
        self.read(At::Best, |snapshot| Box::pin(standing::read(snapshot, subnet, hotkey))).await
    }

    /// The hotkey of the subnet's owner, at the best block; `None` where the chain names none.
    ///
    /// # Errors
    /// [`ReadError`] when no endpoint answers.
    pub async fn owner(&self, netuid: u16) -> Result<Option<Hotkey>, ReadError> {
        self.read(At::Best, |snapshot| Box::pin(standing::owner(snapshot, netuid))).await
    }

    /// Brings weights into the chain's form and checks everything that can be checked before signing.
    ///
    /// # Errors
    /// [`SetWeightsError`], under the chain's own names where the chain would refuse.
    pub async fn plan_weights(&self, hotkey: Hotkey, wanted: &WeightsRequest) -> Result<WeightsPlan, SetWeightsError> {
        let WeightsRequest { netuid, mechanism, .. } = *wanted;
        let standing = self.standing(hotkey, netuid, mechanism).await?;
        let weights = conform(&wanted.weights, &standing.weight_rules())?;
        let version_key = wanted.version_key.unwrap_or(standing.rules.weights_version);
        standing.check(mechanism, &weights, version_key)?;
        let rules = &standing.rules;
        let abilities = self.read(At::Best, |snapshot| Box::pin(async { Ok(abilities(snapshot)) })).await?;
        let route = abilities.route(rules.commit_reveal, rules.commit_reveal_version, mechanism)?;
        self.read(At::Best, |snapshot| Box::pin(async move { shows(snapshot, route) })).await?;
        let content = PendingReveal { netuid, mechanism, weights, salt: wanted.salt.clone(), version_key };
        Ok(WeightsPlan { route, content })
    }

    /// Carries a plan out, and reads back what came of it.
    ///
    /// # Errors
    /// [`SetWeightsError`]; of an uncertain end ([`SubmitError::is_uncertain`]) nothing is claimed.
    pub async fn set_weights(&self, signer: &Signer, plan: &WeightsPlan) -> Result<WeightsOutcome, SetWeightsError> {
        match plan.route {
            Route::Plain => self.set_plain(signer, &plan.content).await,
            Route::HashCommit => self.commit_hash(signer, &plan.content).await,
            Route::Timelocked { version } => self.commit_timelocked(signer, &plan.content, version).await,
        }
    }

    async fn set_plain(&self, signer: &Signer, content: &PendingReveal) -> Result<WeightsOutcome, SetWeightsError> {
        let call = self.of_mechanism(calls::SET, content, calls::weights(content)).await?;
        let included = self.send(signer, content, call).await?;
        let there = self.weights_at(&included, content, signer.hotkey()).await?;
        let there = there.ok_or(SetWeightsError::NotThere("the hotkey"))?;
        if there != content.weights.pairs() {
            return Err(SetWeightsError::NotThere("these weights"));
        }
        Ok(WeightsOutcome::Set(included))
    }

    async fn commit_hash(&self, signer: &Signer, content: &PendingReveal) -> Result<WeightsOutcome, SetWeightsError> {
        let hotkey = signer.hotkey();
        let hash = content.hash(&hotkey);
        let call = self.of_mechanism(calls::COMMIT, content, calls::commit(hash)).await?;
        let included = self.send(signer, content, call).await?;
        let (block, subnet) = (At::Hash(H256(included.block_hash)), content.target());
        let commits = self.read(block, |at| Box::pin(commits(at, subnet, hotkey))).await?;
        if !commits.iter().any(|commit| commit.hash == hash) {
            return Err(SetWeightsError::NotThere("this commit"));
        }
        Ok(WeightsOutcome::Committed(included))
    }

    async fn commit_timelocked(
        &self,
        signer: &Signer,
        content: &PendingReveal,
        version: u16,
    ) -> Result<WeightsOutcome, SetWeightsError> {
        let hotkey = signer.hotkey();
        let now = self.clock.now();
        let netuid = content.netuid;
        let occasion = self.read(At::Best, |snapshot| Box::pin(moment(snapshot, netuid))).await?;
        let TimelockedCommit { bytes, round, reveal_from } = timelocked(&occasion, now, content, &hotkey)?;
        let args = calls::timelocked(&bytes, round, version);
        let call = self.of_mechanism(calls::TIMELOCK, content, args).await?;
        let included = self.send(signer, content, call).await?;
        let (block, subnet) = (At::Hash(H256(included.block_hash)), content.target());
        let ours = self.read(block, |at| Box::pin(timelocked_of(at, subnet, hotkey))).await?;
        if !ours.iter().any(|stored| stored.bytes == bytes) {
            return Err(SetWeightsError::NotThere("this commit"));
        }
        Ok(WeightsOutcome::Timelocked { included, round, reveal_from })
    }

    /// Sends a call; a refusal that the pool only gives a number for is looked up by its name.
    async fn send(&self, signer: &Signer, content: &PendingReveal, call: Call) -> Result<Included, SetWeightsError> {
        let refused = match self.submit(signer, &call).await {
            Ok(included) => return Ok(included),
            Err(refused) => refused,
        };
        if matches!(refused, SubmitError::Pool(PoolError::Custom(_))) {
            let standing = self.standing(signer.hotkey(), content.netuid, content.mechanism).await?;
            standing.check(content.mechanism, &content.weights, content.version_key)?;
        }
        Err(refused.into())
    }

    /// The call of mechanism 0 where there is one, else the one that names the mechanism.
    pub(super) async fn of_mechanism(
        &self,
        names: Names,
        content: &PendingReveal,
        args: Args,
    ) -> Result<Call, ReadError> {
        let of_main = content.mechanism == 0
            && self.read(At::Best, |snapshot| Box::pin(async move { Ok(snapshot.has_call(names.main)) })).await?;
        Ok(names.call(of_main, content, args))
    }
}

/// Nothing is sent that could not be read back.
fn shows(snapshot: &Snapshot, route: Route) -> Result<(), ReadError> {
    let item = match route {
        Route::Plain => "Weights",
        Route::HashCommit => "WeightCommits",
        Route::Timelocked { .. } => TIMELOCKED,
    };
    let wanted = ["Uids", "LastUpdate", "Weights", item];
    wanted.into_iter().find(|item| !snapshot.has_item(item)).map_or(Ok(()), |item| Err(snapshot.without(item)))
}

/// What the runtime of a block offers.
fn abilities(snapshot: &Snapshot) -> Abilities {
    let both = |commit, reveal| snapshot.has_call(commit) && snapshot.has_call(reveal);
    Abilities {
        set: snapshot.has_call(calls::SET.main),
        set_mechanism: snapshot.has_call(calls::SET.general),
        commit: both(calls::COMMIT.main, calls::REVEAL.main),
        commit_mechanism: both(calls::COMMIT.general, calls::REVEAL.general),
        timelocked: snapshot.has_call(calls::TIMELOCK.main),
        timelocked_mechanism: snapshot.has_call(calls::TIMELOCK.general),
    }
}

/// A timelocked commit, ready to be sent.
struct TimelockedCommit {
    bytes: Vec<u8>,
    round: u64,
    reveal_from: Block,
}

/// Encrypts weights to the round of their reveal.
fn timelocked(
    Occasion { moment, block_time }: &Occasion,
    now: Duration,
    content: &PendingReveal,
    hotkey: &Hotkey,
) -> Result<TimelockedCommit, SetWeightsError> {
    let first = first_reveal_block(moment)?;
    let round = reveal_round(now, moment.block, first, *block_time);
    let payload = TimelockPayload::new(hotkey, &content.weights, content.version_key);
    Ok(TimelockedCommit { bytes: seal(&payload, round)?, round, reveal_from: Block(first) })
}
