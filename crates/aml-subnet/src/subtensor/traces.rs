//! What the chain shows of a submission whose end this process did not see.
//!
//! A process that died after signing does not know whether its transaction went out. Before anything is sent again the
//! chain is asked: a finalised block that shows it ends the question; the newest block or the pool with something of
//! the hotkey's means to wait.

use super::nonce::pending;
use super::readback::{commits, stored, timelocked_of};
use super::snapshot::{Item, ReadError, Snapshot};
use super::{At, Subtensor};
use crate::chain::commit::{Mechanism, PendingReveal};
use crate::chain::outcome::{Sighting, Trace};
use crate::chain::plan::WeightsPlan;
use crate::chain::route::Route;
use crate::chain::types::{Block, Uid};
use crate::wallet::{Hotkey, Signer};

impl Subtensor {
    /// Looks for a plan that was perhaps carried out in or after block `since`.
    ///
    /// # Errors
    /// [`ReadError`] when no endpoint answers.
    pub async fn trace(&self, signer: &Signer, plan: &WeightsPlan, since: Block) -> Result<Trace, ReadError> {
        let hotkey = signer.hotkey();
        if let Some(sighting) = self.sight(At::Finalised, hotkey, plan, since).await? {
            return Ok(Trace::Final(sighting));
        }
        let seen = self.sight(At::Best, hotkey, plan, since).await?.is_some();
        if seen || pending(&self.snapshot(At::Best).await?, signer).await? {
            return Ok(Trace::Unsettled);
        }
        Ok(Trace::Nothing)
    }

    async fn sight(
        &self,
        at: At,
        hotkey: Hotkey,
        plan: &WeightsPlan,
        since: Block,
    ) -> Result<Option<Sighting>, ReadError> {
        let plan = plan.clone();
        self.read(at, |snapshot| {
            let plan = plan.clone();
            Box::pin(async move { look(snapshot, hotkey, &plan, since).await })
        })
        .await
    }

    /// The receivers of a plan who got their place in or after block `since`: perhaps not those that were meant.
    ///
    /// # Errors
    /// [`ReadError`] when no endpoint answers.
    pub async fn replaced_since(&self, content: &PendingReveal, since: Block) -> Result<Vec<Uid>, ReadError> {
        let (netuid, uids) = (content.netuid, content.weights.uids.clone());
        self.read(At::Best, |snapshot| {
            let uids = uids.clone();
            Box::pin(async move {
                let item = |uid: &u16| Item::plain("BlockAtRegistration").number(netuid).number(*uid);
                let items: Vec<Item> = uids.iter().map(item).collect();
                let values = snapshot.fetch(&items).await?;
                let mut replaced = Vec::new();
                for (uid, item) in uids.iter().zip(&items) {
                    if values.get::<u64>(item)?.is_some_and(|block| block >= since.0 && block > 0) {
                        replaced.push(Uid(*uid));
                    }
                }
                Ok(replaced)
            })
        })
        .await
    }
}

async fn look(
    snapshot: &Snapshot,
    hotkey: Hotkey,
    plan: &WeightsPlan,
    since: Block,
) -> Result<Option<Sighting>, ReadError> {
    let content = &plan.content;
    let subnet = content.target();
    match plan.route {
        Route::Plain => {}
        Route::HashCommit => {
            let hash = content.hash(&hotkey);
            let found = commits(snapshot, subnet, hotkey).await?.into_iter().find(|commit| commit.hash == hash);
            if let Some(commit) = found {
                return Ok(Some(Sighting::Committed { block: Block(commit.block) }));
            }
        }
        Route::Timelocked { .. } => {
            let ours = timelocked_of(snapshot, subnet, hotkey).await?;
            let newest = ours.into_iter().filter(|commit| commit.block >= since.0).max_by_key(|commit| commit.block);
            if let Some(commit) = newest {
                return Ok(Some(Sighting::Timelocked { block: Block(commit.block), round: commit.round }));
            }
        }
    }
    let updated = last_update(snapshot, subnet, hotkey).await?;
    let there = stored(snapshot, subnet, hotkey).await?;
    let shown = updated >= since && there.is_some_and(|there| there == content.weights.pairs());
    Ok(shown.then_some(Sighting::Shown { block: updated }))
}

/// Block of the hotkey's last update; 0 where there is none.
async fn last_update(snapshot: &Snapshot, mechanism: Mechanism, hotkey: Hotkey) -> Result<Block, ReadError> {
    let uid = Item::plain("Uids").number(mechanism.netuid).account(&hotkey);
    let updates = Item::plain("LastUpdate").number(mechanism.index());
    let values = snapshot.fetch(&[uid.clone(), updates.clone()]).await?;
    let updates: Vec<u64> = values.need(&updates)?;
    let uid: Option<u16> = values.get(&uid)?;
    Ok(Block(uid.and_then(|uid| updates.get(usize::from(uid)).copied()).unwrap_or_default()))
}
