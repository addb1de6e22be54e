//! Canonical scores as signed files, with the probabilities that earlier outcomes say and the reasons that miners give, before the
//! ledger says that a round is published.
//!
//! May be repeated: files that are there already stay as they are.

use std::sync::Arc;

use super::{RoundError, RoundsParts};
use crate::store::records::Round;
use crate::validator::calibrating::Calibrator;
use crate::validator::evidence::Archive;
use crate::validator::reasoning::{Reasoner, ScoredRound};
use crate::validator::world::{Edition, World};

/// Writes the files of a merged round; none when no submission counted.
pub(super) async fn write(parts: &RoundsParts, round: &Round) -> Result<(), RoundError> {
    let RoundsParts { world, signer, settings, .. } = parts;
    let World { ledger, press, source, time, workers, .. } = world;
    let Some(canonical) = ledger.canonical(round.id).await? else { return Ok(()) };
    let task = Archive::of(world).task(round.id).await?;
    let calibration = Calibrator::of(world).in_force(round).await?;
    let merged = ScoredRound { id: round.id, task, canonical: Arc::new(canonical) };
    let reasons = Reasoner::of(world).in_force(round, &merged, &**source, settings.explain).await?;
    let (press, signer, round, now) = (press.clone(), signer.clone(), round.clone(), time.now());
    let writing = move || {
        press.publish(&Edition {
            round: &round,
            roster: &merged.task.roster,
            canonical: &merged.canonical,
            calibration: Some(&calibration),
            reasons: Some(&reasons),
            signer: &signer,
            now,
        })
    };
    workers.compute(writing).await??;
    Ok(())
}
