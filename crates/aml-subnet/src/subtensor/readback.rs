//! What the chain shows of weights: those that are set, and those that are committed.

use subxt::config::substrate::{AccountId32, H256};

use super::snapshot::{Item, ReadError, Snapshot};
use super::{At, Subtensor};
use crate::chain::commit::{Mechanism, PendingReveal};
use crate::chain::outcome::Included;
use crate::chain::types::Uid;
use crate::wallet::Hotkey;

/// Where they are stored.
pub(super) const TIMELOCKED: &str = "TimelockedWeightCommits";
/// Epochs with open timelocked commits that are looked through.
const MAX_COMMIT_EPOCHS: usize = 64;

/// An open hash commit. Runtimes with stateful epochs store no window: it is `None` there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) hash: [u8; 32],
    pub(super) block: u64,
    pub(super) window: Option<(u64, u64)>,
}

/// An open timelocked commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Timelocked {
    pub(super) block: u64,
    pub(super) bytes: Vec<u8>,
    pub(super) round: u64,
}

/// The open hash commits of a hotkey.
pub(super) async fn commits(
    snapshot: &Snapshot,
    mechanism: Mechanism,
    hotkey: Hotkey,
) -> Result<Vec<Commit>, ReadError> {
    let item = Item::plain("WeightCommits").number(mechanism.index()).account(&hotkey);
    let found: Option<Vec<(H256, u64, u64, u64)>> = snapshot.fetch(std::slice::from_ref(&item)).await?.get(&item)?;
    // Either (block, first, last), or (epoch, block, 0).
    let commit = |(hash, first, second, last): (H256, u64, u64, u64)| match last {
        0 => Commit { hash: hash.0, block: second, window: None },
        last => Commit { hash: hash.0, block: first, window: Some((second, last)) },
    };
    Ok(found.unwrap_or_default().into_iter().map(commit).collect())
}

impl Subtensor {
    /// The weights that a hotkey has on chain; `None` when it is not registered.
    ///
    /// # Errors
    /// [`ReadError`] when no endpoint answers.
    pub async fn weights_of(
        &self,
        hotkey: Hotkey,
        netuid: u16,
        mechanism: u8,
    ) -> Result<Option<Vec<(Uid, u16)>>, ReadError> {
        self.read(At::Finalised, |snapshot| Box::pin(stored(snapshot, Mechanism { netuid, number: mechanism }, hotkey)))
            .await
    }

    pub(super) async fn weights_at(
        &self,
        included: &Included,
        content: &PendingReveal,
        hotkey: Hotkey,
    ) -> Result<Option<Vec<(Uid, u16)>>, ReadError> {
        let subnet = content.target();
        let block = At::Hash(H256(included.block_hash));
        self.read(block, |snapshot| Box::pin(stored(snapshot, subnet, hotkey))).await
    }
}

/// The weights of a hotkey in a block; `None` when it is not registered.
pub(super) async fn stored(
    snapshot: &Snapshot,
    mechanism: Mechanism,
    hotkey: Hotkey,
) -> Result<Option<Vec<(Uid, u16)>>, ReadError> {
    if !snapshot.has_item("Uids") {
        return Err(snapshot.without("Uids"));
    }
    let uid = Item::plain("Uids").number(mechanism.netuid).account(&hotkey);
    let Some(uid) = snapshot.fetch(std::slice::from_ref(&uid)).await?.get::<u16>(&uid)? else {
        return Ok(None);
    };
    let row = Item::plain("Weights").number(mechanism.index()).number(uid);
    let row: Vec<(u16, u16)> = snapshot.fetch(std::slice::from_ref(&row)).await?.need(&row)?;
    Ok(Some(row.into_iter().map(|(uid, value)| (Uid(uid), value)).collect()))
}

/// The open timelocked commits of a hotkey. A runtime without such commits has none.
pub(super) async fn timelocked_of(
    snapshot: &Snapshot,
    mechanism: Mechanism,
    hotkey: Hotkey,
) -> Result<Vec<Timelocked>, ReadError> {
    type Commits = Vec<(AccountId32, u64, Vec<u8>, u64)>;
    if !snapshot.has_item(TIMELOCKED) {
        return Ok(Vec::new());
    }
    let item = Item::plain(TIMELOCKED).number(mechanism.index());
    let epochs: Vec<Commits> = snapshot.below(&item, MAX_COMMIT_EPOCHS).await?;
    let account = AccountId32(*hotkey.as_bytes());
    let ours = epochs.into_iter().flatten().filter(|(who, ..)| *who == account);
    Ok(ours.map(|(_, block, bytes, round)| Timelocked { block, bytes, round }).collect())
}
