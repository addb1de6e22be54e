//! The chain of a simulation as the validator asks it: through endpoints that may be away, behind, or lie.

use futures_util::future::BoxFuture;

use super::cast::NETUID;
use super::chain::{EPOCH, SimChain, revealed};
use super::plan::Flaw;
use super::subnet::BLOCK_TIME;
use super::troubles::Trouble;
use crate::chain::commit::PendingReveal;
use crate::chain::epoch::Epoch;
use crate::chain::metagraph::{MetagraphSource, SourceError};
use crate::chain::outcome::{Included, RevealFate, Sighting, TimelockedAt, Trace, WeightsOutcome};
use crate::chain::plan::{WeightsPlan, WeightsRequest};
use crate::chain::route::Route;
use crate::chain::standing::WeightsStanding;
use crate::chain::types::{Block, Metagraph, Uid};
use crate::chain::weights::conform;
use crate::subtensor::{ReadError, RevealError, SetWeightsError, SubmitError};
use crate::validator::world::{WeightsChain, WeightsOnChain, WeightsTarget};
use crate::wallet::{Hotkey, Signer};

/// The scheme of timelocked commits.
const SCHEME: u16 = 4;
/// After so many blocks a commit that was not revealed is dropped.
const DROPPED: u64 = 10;

impl SimChain {
    async fn read(&self) -> Result<Metagraph, ReadError> {
        self.asked("metagraph").await?;
        let block = self.seen();
        let mut neurons = self.subnet.neurons(block);
        let lies = |trouble: &Trouble| if let Trouble::ChainLies(span) = trouble { Some(*span) } else { None };
        if self.stage.suffers(lies) && self.lies_now() {
            self.stage.note("chain", "the metagraph is a part of what it is");
            neurons.truncate(neurons.len() / 4);
        }
        Ok(Metagraph { netuid: NETUID, block, neurons })
    }

    /// What a timelocked commit of a block came to, as far as an endpoint knows: the commit does not say whose it is, the
    /// weights that it reveals do.
    fn fate(&self, committed: Block, content: &PendingReveal) -> RevealFate {
        let seen = self.seen();
        let Some(taken) = self.newest(committed).filter(|taken| taken.block == committed) else {
            return RevealFate::Lost { opened: false };
        };
        match taken.shows {
            Some(shows) if shows <= seen => {
                let still = self.shown(seen).is_some_and(|shown| shown.block == taken.block);
                let still = still && taken.content.weights == content.weights;
                if still { RevealFate::Revealed { block: shows } } else { RevealFate::Lost { opened: true } }
            }
            None if seen.0 > revealed(committed).0 + DROPPED => RevealFate::Lost { opened: false },
            _ => RevealFate::Waiting { block: seen },
        }
    }

    /// What there is of a plan.
    fn sighting(&self, plan: &WeightsPlan, since: Block) -> Trace {
        let (seen, last) = (self.seen(), self.finalised_block());
        let there = |block: Block| match plan.route {
            Route::Plain => {
                let wanted = plan.content.weights.pairs();
                let ours = self.shown(block).filter(|taken| taken.block >= since && self.as_shown(taken) == wanted)?;
                Some(Sighting::Shown { block: ours.block })
            }
            _ => {
                let ours = self.newest(block).filter(|taken| taken.block >= since)?;
                Some(Sighting::Timelocked { block: ours.block, round: 1 })
            }
        };
        match there(last) {
            Some(sighting) => Trace::Final(sighting),
            None if there(seen).is_some() || self.waits() => Trace::Unsettled,
            None => Trace::Nothing,
        }
    }

    fn outcome(&self, plan: &WeightsPlan, included: Included) -> Result<WeightsOutcome, SetWeightsError> {
        if self.stage.plan.flaw == Some(Flaw::DeniesWeights) {
            let (transaction, waited) = (hex::encode(included.transaction), BLOCK_TIME);
            return Err(SubmitError::Unsettled { transaction, waited }.into());
        }
        Ok(match plan.route {
            Route::Plain => WeightsOutcome::Set(included),
            _ => {
                let reveal_from = revealed(included.block);
                WeightsOutcome::Timelocked { included, round: 1, reveal_from }
            }
        })
    }
}

impl MetagraphSource for SimChain {
    fn metagraph(&self) -> BoxFuture<'_, Result<Metagraph, SourceError>> {
        Box::pin(async { self.read().await.map_err(SourceError::new) })
    }
}

impl WeightsChain for SimChain {
    fn finalised(&self) -> BoxFuture<'_, Result<Block, ReadError>> {
        Box::pin(async { self.asked("head").await.map(|()| self.finalised_block()) })
    }

    fn epoch(&self, _netuid: u16) -> BoxFuture<'_, Result<Epoch, ReadError>> {
        Box::pin(async {
            self.asked("epoch").await?;
            let block = self.seen();
            let first = block.0 - block.0 % EPOCH;
            Ok(Epoch { block, first: Block(first), next: Block(first + EPOCH) })
        })
    }

    fn metagraph(&self, _netuid: u16) -> BoxFuture<'_, Result<Metagraph, ReadError>> {
        Box::pin(self.read())
    }

    fn owner(&self, _netuid: u16) -> BoxFuture<'_, Result<Option<Hotkey>, ReadError>> {
        Box::pin(async {
            self.asked("owner").await?;
            Ok(self.subnet.neurons(self.seen()).first().map(|neuron| neuron.hotkey))
        })
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
            Ok(self.standing_of(hotkey).uid.map(|_| self.shown_weights()))
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
            let version_key = wanted.version_key.unwrap_or(0);
            standing.check(wanted.mechanism, &weights, version_key)?;
            let WeightsRequest { netuid, mechanism, .. } = *wanted;
            let salt = wanted.salt.clone();
            let content = PendingReveal { netuid, mechanism, weights, salt, version_key };
            let route = if self.stage.plan.commits { Route::Timelocked { version: SCHEME } } else { Route::Plain };
            Ok(WeightsPlan { route, content })
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
            let included = self.included(&plan.content).await?;
            self.outcome(plan, included)
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
            Ok(self.sighting(plan, since))
        })
    }

    fn replaced_since<'a>(
        &'a self,
        content: &'a PendingReveal,
        since: Block,
    ) -> BoxFuture<'a, Result<Vec<Uid>, ReadError>> {
        Box::pin(async move {
            self.asked("registrations").await?;
            let mut replaced = self.subnet.replaced(since, self.seen());
            replaced.retain(|uid| content.weights.uids.contains(&uid.0));
            Ok(replaced)
        })
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
        Box::pin(async move { self.asked("reveals from").await.map(|()| revealed(committed)) })
    }

    fn reveal_fate<'a>(
        &'a self,
        _hotkey: Hotkey,
        content: &'a PendingReveal,
        commit: TimelockedAt,
    ) -> BoxFuture<'a, Result<RevealFate, ReadError>> {
        Box::pin(async move { self.asked("reveal fate").await.map(|()| self.fate(commit.block, content)) })
    }
}
