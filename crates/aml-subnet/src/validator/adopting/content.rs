//! What a pack says, as values that go together: read, and refused where rows are of another round, a task is not the one that was
//! committed to, or a column is not the one that its verdict names.

use std::collections::BTreeMap;

use aml_miner::digest::Digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::{AdoptError, unsound};
use crate::calendar::day_of;
use crate::outputs::pack::PackReader;
use crate::readers::calibration::Calibration;
use crate::readers::reasons::Reasons;
use crate::store::InForce;
use crate::store::records::{Answer, Canonical, ColumnName, RoundId, StandingRecord, StoredColumn, Task, Verdict};
use crate::validation::rules::RulesVersion;
use crate::validation::v2::curve::Curve;
use crate::validator::information::Grounds;
use crate::validator::task::commitment_of;
use crate::wallet::Hotkey;

/// Why a round is not taken over whose rules have no voices.
pub(super) const NOT_PAID_FOR_INFORMATION: &str = "it is under rules that do not pay for information";

#[derive(Deserialize)]
struct RoundLine {
    id: String,
    netuid: u16,
    day: i64,
    window_days: u16,
    rules: RulesVersion,
    batch: Digest,
    alerts: u64,
    commitment: Option<Digest>,
    void_ms: Option<i64>,
}

#[derive(Deserialize)]
struct Packed<T> {
    round: String,
    packed: T,
}

#[derive(Deserialize)]
struct Record<T> {
    round: String,
    record: T,
}

#[derive(Deserialize)]
struct ColumnLine {
    round: String,
    name: String,
    worths: Option<String>,
    scores: Option<String>,
    worths_sha256: Digest,
    scores_sha256: Digest,
}

#[derive(Deserialize)]
struct CurveLine {
    round: String,
    curve: Option<Curve>,
}

#[derive(Deserialize)]
struct OutcomeLine {
    round: String,
    place: u64,
    address: String,
}

/// What a pack says, as values that go together.
pub(super) struct Content {
    pub(super) round: RoundId,
    pub(super) rules: RulesVersion,
    pub(super) answers: Vec<Answer>,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) columns: Vec<StoredColumn>,
    pub(super) in_force: InForce,
    pub(super) canonical: Option<Canonical>,
    pub(super) calibration: Option<Calibration>,
    pub(super) grounds: Option<Grounds>,
    pub(super) reasons: Option<Reasons>,
}

/// The one row of a table.
fn only<T>(round: RoundId, rows: Vec<T>) -> Result<T, AdoptError> {
    let mut rows = rows.into_iter();
    match (rows.next(), rows.next()) {
        (Some(row), None) => Ok(row),
        _ => Err(unsound(round, "a table has not one row")),
    }
}

/// What a pack says.
///
/// # Errors
/// When its parts do not go together.
pub(super) fn content(pack: &PackReader) -> Result<Content, AdoptError> {
    let named = &pack.manifest.round;
    let unnamed = || AdoptError::Unsound { round: crate::http::client::printable(named, 80), why: "it names no round" };
    let round: RoundId = named.parse().map_err(|_| unnamed())?;
    let line: RoundLine = only(round, pack.rows("rounds")?)?;
    let itself = (line.netuid, line.day, line.window_days) == (round.netuid, day_of(round.date), round.window_days);
    if line.id != *named || !itself || line.batch != pack.manifest.batch {
        return Err(unsound(round, "its row is of another round"));
    }
    if line.void_ms.is_some() {
        return Err(unsound(round, "it is void"));
    }
    if line.rules.information().is_none() {
        return Err(unsound(round, NOT_PAID_FOR_INFORMATION));
    }
    let task: Packed<Task> = only(round, pack.rows("tasks")?)?;
    let curve: CurveLine = only(round, pack.rows("curves")?)?;
    let answers: Vec<Record<Answer>> = pack.rows("answers")?;
    let verdicts: Vec<Record<Verdict>> = pack.rows("verdicts")?;
    let standings: Vec<Packed<StandingRecord>> = pack.rows("standings")?;
    let canonical: Vec<Packed<Canonical>> = pack.rows("canonical")?;
    let shares: Vec<Packed<serde_json::Value>> = pack.rows("shares")?;
    let outcomes: Vec<OutcomeLine> = pack.rows("outcomes")?;
    let columns: Vec<ColumnLine> = pack.rows("columns")?;
    let rounds = [&task.round, &curve.round].into_iter();
    let rounds = rounds.chain(answers.iter().map(|row| &row.round)).chain(verdicts.iter().map(|row| &row.round));
    let rounds = rounds.chain(standings.iter().map(|row| &row.round)).chain(canonical.iter().map(|row| &row.round));
    let rounds = rounds.chain(shares.iter().map(|row| &row.round)).chain(outcomes.iter().map(|row| &row.round));
    if !rounds.chain(columns.iter().map(|row| &row.round)).all(|of| of == named) {
        return Err(unsound(round, "a row is of another round"));
    }
    let task = task.packed;
    if Some(commitment_of(&task)) != line.commitment || task.roster.len() as u64 != line.alerts {
        return Err(unsound(round, "its task is not the one that was committed to"));
    }
    let address = |one: &OutcomeLine| {
        usize::try_from(one.place).ok().and_then(|place| task.roster.get(place)).map(|row| &row.address)
    };
    if !outcomes.iter().all(|one| address(one) == Some(&one.address)) {
        return Err(unsound(round, "an outcome is of no alert of it"));
    }
    let standing = standings.into_iter().map(|row| row.packed).min_by_key(|standing| standing.made_ms);
    let standing = standing.ok_or_else(|| unsound(round, "it has no standing"))?;
    let verdicts: Vec<Verdict> = verdicts.into_iter().map(|row| row.record).collect();
    let columns = columns_of(round, columns, (&verdicts, task.roster.len()))?;
    Ok(Content {
        round,
        rules: line.rules,
        answers: answers.into_iter().map(|row| row.record).collect(),
        verdicts,
        columns,
        in_force: InForce { curve: curve.curve, standing },
        canonical: canonical.into_iter().map(|row| row.packed).next(),
        calibration: calibration_of(round, pack)?,
        grounds: pack.json("grounds.json")?,
        reasons: reasons_of(round, pack, usize::try_from(line.alerts).unwrap_or(usize::MAX))?,
    })
}

/// The calibration of the probabilities, where the pack has one: that it is what the outcomes of the days before make is the other
/// validator's word.
fn calibration_of(round: RoundId, pack: &PackReader) -> Result<Option<Calibration>, AdoptError> {
    let Some(calibration) = pack.json::<Calibration>("calibration.json")? else { return Ok(None) };
    if calibration.round == pack.manifest.round && calibration.problem().is_none() {
        Ok(Some(calibration))
    } else {
        Err(unsound(round, "its probabilities are not its own"))
    }
}

/// The reasons, where the pack has any, as far as they can be looked at without answers and batch: the rest is the other validator's
/// word, as outcomes are.
fn reasons_of(round: RoundId, pack: &PackReader, alerts: usize) -> Result<Option<Reasons>, AdoptError> {
    let Some(reasons) = pack.json::<Reasons>("reasons.json")? else { return Ok(None) };
    if reasons.alerts.len() == alerts && reasons.problem().is_none() {
        Ok(Some(reasons))
    } else {
        Err(unsound(round, "its reasons are not those of its alerts"))
    }
}

/// The columns: of every submission that counts the one that its verdict names, of nobody else's, and all of the roster.
fn columns_of(
    round: RoundId,
    lines: Vec<ColumnLine>,
    (verdicts, alerts): (&[Verdict], usize),
) -> Result<Vec<StoredColumn>, AdoptError> {
    let mut counting: BTreeMap<Hotkey, _> = BTreeMap::new();
    for verdict in verdicts.iter().filter(|verdict| verdict.accepted.is_ok()) {
        counting.insert(verdict.hotkey, verdict.stored);
    }
    let mut columns = Vec::with_capacity(lines.len());
    for line in lines {
        let wrong = || unsound(round, "a column is not the one that its verdict names");
        let name: ColumnName = line.name.parse().map_err(|_| wrong())?;
        let (Some(worths), Some(scores)) = (line.worths, line.scores) else { return Err(wrong()) };
        let (worths, scores) = (STANDARD.decode(worths), STANDARD.decode(scores));
        let (Ok(worths), Ok(scores)) = (worths, scores) else { return Err(wrong()) };
        let column = StoredColumn::of_bytes(name, &worths, &scores).ok_or_else(wrong)?;
        let digests = column.digests();
        let told = (line.worths_sha256, line.scores_sha256) == (digests.worths, digests.scores);
        let named = match &column.name {
            ColumnName::Miner(hotkey) => counting.remove(hotkey).flatten() == Some(digests),
            ColumnName::Reference(_) => true,
        };
        let sound = column.scores.iter().all(|score| (0.0..=1.0).contains(score));
        if !told || !named || !sound || column.scores.len() != alerts {
            return Err(wrong());
        }
        columns.push(column);
    }
    if counting.is_empty() {
        Ok(columns)
    } else {
        Err(unsound(round, "a column of a submission that counts is not there"))
    }
}
