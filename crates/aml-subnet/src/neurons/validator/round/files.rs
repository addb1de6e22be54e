//! Canonical scores as signed files, before the ledger says that a round is published.
//!
//! May be repeated: files that are there already stay as they are.

use super::{Parts, RoundError, published_dir};
use crate::neurons::validator::evidence;
use crate::outputs;
use crate::store::records::Round;

/// Writes the files of a merged round; none when no submission counted.
pub(super) async fn write(parts: &Parts, round: &Round) -> Result<(), RoundError> {
    let Some(canonical) = parts.ledger.canonical(round.id).await? else { return Ok(()) };
    let task = evidence::task_of(&parts.ledger, round.id).await?;
    let (root, round) = (published_dir(&parts.settings), round.clone());
    let (signer, now) = (parts.signer.clone(), parts.clock.now());
    let writing = move || outputs::publish(&root, &round, (&task.roster, &canonical), &signer, now);
    tokio::task::spawn_blocking(writing).await??;
    Ok(())
}
