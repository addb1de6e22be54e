//! Where a transaction ended up, and what came of it: the events of its block decide, not the pool's words.

use subxt::config::substrate::H256;
use subxt::error::DispatchError;
use subxt::events::Phase;

use super::extrinsic::blake2_256;
use super::snapshot::{ReadError, Snapshot, node};
use crate::chain::outcome::Included;
use crate::chain::refusal::ChainRefusal;

/// What the events say.
#[derive(Debug)]
pub(super) enum Dispatched {
    Succeeded(Included),
    Refused(ChainRefusal),
}

/// Looks `transaction` up in a block; `None` when it is not in it.
pub(super) async fn outcome(snapshot: &Snapshot, transaction: H256) -> Result<Option<Dispatched>, ReadError> {
    let hash = snapshot.at.block_hash();
    let block = snapshot.link.methods.chain_get_block(Some(hash)).await;
    let block = block.map_err(|error| node("a block", &error))?;
    let extrinsics = block.map(|details| details.block.extrinsics).unwrap_or_default();
    let Some(index) = extrinsics.iter().position(|bytes| blake2_256(bytes) == transaction.0) else {
        return Ok(None);
    };
    let events = snapshot.at.events().fetch().await.map_err(|error| node("events", &error))?;
    let mut names = Vec::new();
    let mut succeeded = false;
    for event in events.iter() {
        let event = event.map_err(|error| node("events", &error))?;
        if !matches!(event.phase(), Phase::ApplyExtrinsic(at) if usize::try_from(at) == Ok(index)) {
            continue;
        }
        match (event.pallet_name(), event.event_name()) {
            ("System", "ExtrinsicFailed") => {
                return refusal(snapshot, event.field_bytes()).map(|refusal| Some(Dispatched::Refused(refusal)));
            }
            ("System", "ExtrinsicSuccess") => succeeded = true,
            _ => {}
        }
        names.push(format!("{}.{}", event.pallet_name(), event.event_name()));
    }
    if !succeeded {
        let reason = "the block has the transaction, but no event that says how it ended".to_owned();
        return Err(ReadError::Decode { what: "events".to_owned(), reason });
    }
    Ok(Some(Dispatched::Succeeded(Included {
        block: snapshot.block(),
        block_hash: hash.0,
        transaction: transaction.0,
        events: names,
    })))
}

fn refusal(snapshot: &Snapshot, bytes: &[u8]) -> Result<ChainRefusal, ReadError> {
    let error = DispatchError::decode_from(bytes, snapshot.at.metadata());
    let error = error.map_err(|error| node("a dispatch error", &error))?;
    let DispatchError::Module(module) = &error else {
        return Ok(ChainRefusal::Other(error.to_string()));
    };
    let details = module.details().map_err(|error| node("a dispatch error", &error))?;
    Ok(ChainRefusal::from_name(details.pallet.name(), &details.variant.name))
}
