//! The chain as weights are set on it.

use futures_util::future::BoxFuture;

use super::WeightsTarget;
use crate::chain::commit::PendingReveal;
use crate::chain::epoch::Epoch;
use crate::chain::outcome::{Included, RevealFate, TimelockedAt, Trace, WeightsOutcome};
use crate::chain::plan::{WeightsPlan, WeightsRequest};
use crate::chain::standing::WeightsStanding;
use crate::chain::types::{Block, Metagraph, Uid};
use crate::subtensor::{ReadError, RevealError, SetWeightsError, Subtensor};
use crate::wallet::{Hotkey, Signer};

/// Weights a hotkey has on chain, by uid.
pub type WeightsOnChain = Vec<(Uid, u16)>;

/// The chain that weights are set on. Every method means what [`Subtensor`]'s does.
pub trait WeightsChain: Send + Sync {
    /// The last finalised block.
    fn finalised(&self) -> BoxFuture<'_, Result<Block, ReadError>>;

    /// The epoch of the best block.
    fn epoch(&self, netuid: u16) -> BoxFuture<'_, Result<Epoch, ReadError>>;

    /// All neurons of a subnet.
    fn metagraph(&self, netuid: u16) -> BoxFuture<'_, Result<Metagraph, ReadError>>;

    /// The hotkey of the subnet's owner; `None` where the chain names none.
    fn owner(&self, netuid: u16) -> BoxFuture<'_, Result<Option<Hotkey>, ReadError>> {
        let _ = netuid;
        Box::pin(async { Ok(None) })
    }

    /// A hotkey's standing, at the best block.
    fn standing(&self, hotkey: Hotkey, target: WeightsTarget) -> BoxFuture<'_, Result<WeightsStanding, ReadError>>;

    /// The weights that a hotkey has on chain; `None` when it is not registered.
    fn weights_of(
        &self,
        hotkey: Hotkey,
        target: WeightsTarget,
    ) -> BoxFuture<'_, Result<Option<WeightsOnChain>, ReadError>>;

    /// Brings weights into the chain's form and checks what can be checked before signing.
    fn plan<'a>(
        &'a self,
        hotkey: Hotkey,
        wanted: &'a WeightsRequest,
    ) -> BoxFuture<'a, Result<WeightsPlan, SetWeightsError>>;

    /// Carries a plan out, and reads back what came of it.
    fn set<'a>(
        &'a self,
        signer: &'a Signer,
        plan: &'a WeightsPlan,
    ) -> BoxFuture<'a, Result<WeightsOutcome, SetWeightsError>>;

    /// Looks for a plan that was perhaps carried out in or after block `since`.
    fn trace<'a>(
        &'a self,
        signer: &'a Signer,
        plan: &'a WeightsPlan,
        since: Block,
    ) -> BoxFuture<'a, Result<Trace, ReadError>>;

    /// The receivers of a plan who got their place in or after block `since`.
    fn replaced_since<'a>(
        &'a self,
        content: &'a PendingReveal,
        since: Block,
    ) -> BoxFuture<'a, Result<Vec<Uid>, ReadError>>;

    /// Reveals a hash commit; `None` when the chain shows its weights already.
    fn reveal<'a>(
        &'a self,
        signer: &'a Signer,
        content: &'a PendingReveal,
    ) -> BoxFuture<'a, Result<Option<Included>, RevealError>>;

    /// The first block in which the chain reveals a timelocked commit of block `committed`.
    fn reveals_from(&self, netuid: u16, committed: Block) -> BoxFuture<'_, Result<Block, ReadError>>;

    /// Whether the chain has revealed a timelocked commit.
    fn reveal_fate<'a>(
        &'a self,
        hotkey: Hotkey,
        content: &'a PendingReveal,
        commit: TimelockedAt,
    ) -> BoxFuture<'a, Result<RevealFate, ReadError>>;
}

impl WeightsChain for Subtensor {
    fn finalised(&self) -> BoxFuture<'_, Result<Block, ReadError>> {
        Box::pin(async { Ok(self.head().await?.block) })
    }

    fn epoch(&self, netuid: u16) -> BoxFuture<'_, Result<Epoch, ReadError>> {
        Box::pin(Self::epoch(self, netuid))
    }

    fn metagraph(&self, netuid: u16) -> BoxFuture<'_, Result<Metagraph, ReadError>> {
        Box::pin(Self::metagraph(self, netuid))
    }

    fn owner(&self, netuid: u16) -> BoxFuture<'_, Result<Option<Hotkey>, ReadError>> {
        Box::pin(Self::owner(self, netuid))
    }

    fn standing(&self, hotkey: Hotkey, target: WeightsTarget) -> BoxFuture<'_, Result<WeightsStanding, ReadError>> {
        Box::pin(Self::standing(self, hotkey, target.netuid, target.mechanism))
    }

    fn weights_of(
        &self,
        hotkey: Hotkey,
        target: WeightsTarget,
    ) -> BoxFuture<'_, Result<Option<WeightsOnChain>, ReadError>> {
        Box::pin(Self::weights_of(self, hotkey, target.netuid, target.mechanism))
    }

    fn plan<'a>(
        &'a self,
        hotkey: Hotkey,
        wanted: &'a WeightsRequest,
    ) -> BoxFuture<'a, Result<WeightsPlan, SetWeightsError>> {
        Box::pin(self.plan_weights(hotkey, wanted))
    }

    fn set<'a>(
        &'a self,
        signer: &'a Signer,
        plan: &'a WeightsPlan,
    ) -> BoxFuture<'a, Result<WeightsOutcome, SetWeightsError>> {
        Box::pin(self.set_weights(signer, plan))
    }

    fn trace<'a>(
        &'a self,
        signer: &'a Signer,
        plan: &'a WeightsPlan,
        since: Block,
    ) -> BoxFuture<'a, Result<Trace, ReadError>> {
        Box::pin(Self::trace(self, signer, plan, since))
    }

    fn replaced_since<'a>(
        &'a self,
        content: &'a PendingReveal,
        since: Block,
    ) -> BoxFuture<'a, Result<Vec<Uid>, ReadError>> {
        Box::pin(Self::replaced_since(self, content, since))
    }

    fn reveal<'a>(
        &'a self,
        signer: &'a Signer,
        content: &'a PendingReveal,
    ) -> BoxFuture<'a, Result<Option<Included>, RevealError>> {
        Box::pin(Self::reveal(self, signer, content))
    }

    fn reveals_from(&self, netuid: u16, committed: Block) -> BoxFuture<'_, Result<Block, ReadError>> {
        Box::pin(Self::reveals_from(self, netuid, committed))
    }

    fn reveal_fate<'a>(
        &'a self,
        hotkey: Hotkey,
        content: &'a PendingReveal,
        commit: TimelockedAt,
    ) -> BoxFuture<'a, Result<RevealFate, ReadError>> {
        Box::pin(Self::reveal_fate(self, hotkey, content, commit))
    }
}
