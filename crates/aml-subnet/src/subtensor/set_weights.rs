//! Setting weights: planned, checked, sent, finalised, read back and compared.
//!
//! Success is reported only of what the chain shows afterwards.

use std::time::Duration;

use scale_value::Value;
use subxt::config::substrate::H256;

use super::epoch::{Occasion, moment};
use super::extrinsic::{Call, call};
use super::pool::PoolError;
use super::readback::{commits, numbers, timelocked_of};
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

/// A call of mechanism 0, and the same for any mechanism.
#[derive(Clone, Copy)]
pub(super) struct Names {
    pub(super) main: &'static str,
    pub(super) general: &'static str,
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
        let args = vec![
            ("dests", numbers(&content.weights.uids)),
            ("weights", numbers(&content.weights.values)),
            ("version_key", Value::u128(content.version_key.into())),
        ];
        let names = Names { main: "set_weights", general: "set_mechanism_weights" };
        let included = self.send(signer, content, self.of_mechanism(names, content, args).await?).await?;
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
        let args = vec![("commit_hash", Value::from_bytes(hash))];
        let names = Names { main: "commit_weights", general: "commit_mechanism_weights" };
        let included = self.send(signer, content, self.of_mechanism(names, content, args).await?).await?;
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
        let args = vec![
            ("commit", Value::from_bytes(&bytes)),
            ("reveal_round", Value::u128(round.into())),
            ("commit_reveal_version", Value::u128(version.into())),
        ];
        let names = Names { main: "commit_timelocked_weights", general: "commit_timelocked_mechanism_weights" };
        let included = self.send(signer, content, self.of_mechanism(names, content, args).await?).await?;
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
        Names { main, general }: Names,
        content: &PendingReveal,
        args: Vec<(&str, Value)>,
    ) -> Result<Call, ReadError> {
        let of_main = content.mechanism == 0
            && self.read(At::Best, |snapshot| Box::pin(async move { Ok(snapshot.has_call(main)) })).await?;
        let mut all = vec![("netuid", Value::u128(content.netuid.into()))];
        if !of_main {
            all.push(("mecid", Value::u128(content.mechanism.into())));
        }
        all.extend(args);
        Ok(call(if of_main { main } else { general }, all))
    }
}

/// What the runtime of a block offers.
fn abilities(snapshot: &Snapshot) -> Abilities {
    let both = |commit, reveal| snapshot.has_call(commit) && snapshot.has_call(reveal);
    Abilities {
        set: snapshot.has_call("set_weights"),
        set_mechanism: snapshot.has_call("set_mechanism_weights"),
        commit: both("commit_weights", "reveal_weights"),
        commit_mechanism: both("commit_mechanism_weights", "reveal_mechanism_weights"),
        timelocked: snapshot.has_call("commit_timelocked_weights"),
        timelocked_mechanism: snapshot.has_call("commit_timelocked_mechanism_weights"),
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
