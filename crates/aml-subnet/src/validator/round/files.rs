//! Canonical scores as signed files, with the probabilities that earlier outcomes say and the reasons that miners give, before the
//! ledger says that a round is published.
//!
//! May be repeated: files that are there already stay as they are.

use std::sync::Arc;

use super::{RoundError, RoundsParts, observe};
use crate::readers::reasons::Reasons;
use crate::store::records::{Mark, MarkKind, Round};
use crate::validator::calibrating::Calibrator;
use crate::validator::evidence::Archive;
use crate::validator::reasoning::{Making, Reasoner, ReasoningError, ScoredRound};
use crate::validator::world::{Edition, World};

/// How long scores wait for a batch that cannot be had for now.
const PATIENCE_MS: u64 = 10 * 60 * 1000;
/// Why a round is held that waits for its batch.
const AWAY: &str = "its batch cannot be read again for the reasons of its alerts";

/// Writes the files of a merged round; none when no submission counted.
pub(super) async fn write(parts: &RoundsParts, round: &Round) -> Result<(), RoundError> {
    let RoundsParts { world, signer, .. } = parts;
    let World { ledger, press, time, workers, .. } = world;
    let Some(canonical) = ledger.canonical(round.id).await? else { return Ok(()) };
    let task = Archive::of(world).task(round.id).await?;
    let calibration = Calibrator::of(world).in_force(round).await?;
    let merged = ScoredRound { id: round.id, task, canonical: Arc::new(canonical) };
    let reasons = reasons(parts, round, &merged).await?;
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

/// The reasons of a merged round. While its batch cannot be had the round is held, and goes on without them after a while.
async fn reasons(parts: &RoundsParts, round: &Round, merged: &ScoredRound) -> Result<Reasons, RoundError> {
    let World { ledger, source, time, .. } = &parts.world;
    let now_ms = time.now_ms();
    let held = round.marks.held.as_ref().filter(|held| held.why == AWAY);
    let is_patient = held.is_none_or(|held| now_ms.abs_diff(held.at_ms) < PATIENCE_MS);
    let making = Making { source: &**source, explain: parts.settings.explain, is_patient };
    let made = Reasoner::of(&parts.world).in_force(round, merged, making).await;
    if held.is_none() && matches!(made, Err(ReasoningError::Away(_))) {
        observe::held_without_batch(round.id);
        let mark = Mark { at_ms: now_ms, why: AWAY.to_owned() };
        ledger.mark_round(round.id, MarkKind::Held, Some(&mark)).await?;
    }
    let made = made?;
    if held.is_some() {
        ledger.mark_round(round.id, MarkKind::Held, None).await?;
    }
    Ok(made)
}
