//! Canonical scores as signed files, with the probabilities that earlier outcomes say, before the ledger says that a round is published.
//!
//! May be repeated: files that are there already stay as they are.

use super::RoundError;
use crate::store::records::Round;
use crate::validator::calibrating::Calibrator;
use crate::validator::evidence::Archive;
use crate::validator::world::{Edition, World};
use crate::wallet::Signer;

/// Writes the files of a merged round; none when no submission counted.
pub(super) async fn write(world: &World, signer: &Signer, round: &Round) -> Result<(), RoundError> {
    let World { ledger, press, time, workers, .. } = world;
    let Some(canonical) = ledger.canonical(round.id).await? else { return Ok(()) };
    let task = Archive::of(world).task(round.id).await?;
    let calibration = Calibrator::of(world).in_force(round).await?;
    let (press, signer, round, now) = (press.clone(), signer.clone(), round.clone(), time.now());
    let writing = move || {
        let (round, roster, canonical, signer) = (&round, &*task.roster, &canonical, &signer);
        press.publish(&Edition { round, roster, canonical, calibration: Some(&calibration), signer, now })
    };
    workers.compute(writing).await??;
    Ok(())
}
