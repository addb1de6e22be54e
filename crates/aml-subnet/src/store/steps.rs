//! The step machine, enforced in SQL: a round moves on only from the step before, in the same transaction as what the
//! step records.

use super::codec::narrow;
use super::error::{RecordError, StepError, StorageError, during};
use super::records::{RoundId, Step};
use super::write::Write;

/// All steps, each at its number.
pub(super) const STEPS: [Step; 7] =
    [Step::Fetched, Step::Tasked, Step::Asked, Step::Judged, Step::Merged, Step::Published, Step::Settled];

/// A step's number in the ledger.
pub(super) const fn number(step: Step) -> i64 {
    step as i64
}

/// The step of a number.
pub(super) fn step_of(number: usize) -> Result<Step, StorageError> {
    let malformed = || StorageError::Malformed { what: "round", why: format!("there is no step {number}") };
    STEPS.get(number).copied().ok_or_else(malformed)
}

/// Moves a round to `to` from the step before. `false` when it is there already or beyond: then nothing is written,
/// and the caller compares what is recorded.
pub(super) async fn advance(
    write: &mut Write,
    operation: &'static str,
    round: &RoundId,
    to: Step,
) -> Result<bool, RecordError> {
    let moved = sqlx::query("UPDATE rounds SET step = $1 WHERE id = $2 AND step = $1 - 1")
        .bind(number(to))
        .bind(round.to_string())
        .execute(&mut *write.tx)
        .await
        .map_err(during(operation))?;
    if moved.rows_affected() == 1 {
        return Ok(true);
    }
    let actual = held(write, operation, round).await?;
    if actual >= to {
        return Ok(false);
    }
    let expected = STEPS.into_iter().rev().find(|step| *step < to).unwrap_or(Step::Fetched);
    Err(StepError { round: *round, expected, actual }.into())
}

/// Where a round is; it stays there until the transaction ends.
pub(super) async fn held(write: &mut Write, operation: &'static str, round: &RoundId) -> Result<Step, RecordError> {
    let row = sqlx::query(write.dialect.hold_step())
        .bind(round.to_string())
        .fetch_optional(&mut *write.tx)
        .await
        .map_err(during(operation))?
        .ok_or(RecordError::UnknownRound(*round))?;
    Ok(step_of(narrow("round", &row, "step")?)?)
}

/// `Ok` when what is recorded is what is given.
pub(super) fn same(round: &RoundId, what: &'static str, same: bool) -> Result<(), RecordError> {
    if same { Ok(()) } else { Err(RecordError::Differs { round: *round, what }) }
}
