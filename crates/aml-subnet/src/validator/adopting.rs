//! Rounds of another validator, taken over from its evidence packs, so that a validator that begins today has voices and pay
//! that rest on more than its own days.
//!
//! Whose packs are taken is the operator's choice: the hotkey is pinned. What a pack says is computed again before it is taken:
//! commitment, digests of columns, the standing from its moments, voices and canonical scores. That outcomes are true, and that
//! miners signed what they did, is the other validator's word here; `scripts/check_evidence.py` looks at the signatures.

use std::collections::BTreeMap;

use aml_miner::digest::Digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::information::{Grounds, Information, InformationError, Told};
use super::judge::Judged;
use super::task::commitment_of;
use super::world::Workers;
use crate::calendar::day_of;
use crate::outputs::pack::{PackReader, ReadPackError};
use crate::store::records::{Answer, Canonical, ColumnName, RoundId, StandingRecord, StoredColumn, Task, Verdict};
use crate::store::{Adoption, ImportError, InForce, Ledger, ROUND_TABLES, StorageError};
use crate::validation::rules::RulesVersion;
use crate::validation::v2::Constants;
use crate::validation::v2::curve::Curve;
use crate::validation::v2::order::Order;
use crate::wallet::Hotkey;

/// Takes rounds over.
#[derive(Clone, Copy)]
pub struct Adopting<'a> {
    /// Into which ledger.
    pub ledger: &'a Ledger,
    /// Threads.
    pub workers: &'a dyn Workers,
    /// Of which subnet.
    pub netuid: u16,
    /// When, in milliseconds since 1970.
    pub now_ms: i64,
}

/// Why a pack was not taken.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// It cannot be believed.
    #[error(transparent)]
    Pack(#[from] ReadPackError),
    /// It is of another subnet.
    #[error("round {0} is of another subnet")]
    OtherSubnet(RoundId),
    /// Something in it is not what it should be.
    #[error("round {round} is not taken: {why}")]
    Unsound {
        /// Which.
        round: String,
        /// What is wrong.
        why: &'static str,
    },
    /// It cannot be recorded.
    #[error(transparent)]
    Record(#[from] ImportError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] StorageError),
    /// Voices did not come out.
    #[error(transparent)]
    Information(#[from] InformationError),
}

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
struct Content {
    round: RoundId,
    answers: Vec<Answer>,
    verdicts: Vec<Verdict>,
    columns: Vec<StoredColumn>,
    in_force: InForce,
    canonical: Option<Canonical>,
    grounds: Option<Grounds>,
}

impl Adopting<'_> {
    /// Takes over the round of a pack; says which, and whether it was not there before.
    ///
    /// # Errors
    /// When the pack is of another subnet, or does not come out again; then nothing is written.
    pub async fn adopt(&self, pack: PackReader) -> Result<(RoundId, bool), AdoptError> {
        let reading = move || content(&pack).map(|content| (pack, content));
        let (pack, content) = self.workers.compute(reading).await.map_err(InformationError::from)??;
        let id = content.round;
        if id.netuid != self.netuid {
            return Err(AdoptError::OtherSubnet(id));
        }
        let constants = &Constants::V2;
        stands(&content, constants)?;
        self.speaks(&content, constants).await?;
        let mut tables = BTreeMap::new();
        for table in ROUND_TABLES {
            tables.insert(table, pack.table(table)?);
        }
        let Content { answers, canonical, grounds, .. } = content;
        let from = pack.manifest.hotkey.to_string();
        let adoption = Adoption { round: id, from, at_ms: self.now_ms, tables, answers, canonical: canonical.as_ref() };
        let new = self.ledger.adopt(&adoption).await?;
        if let Some(grounds) = grounds.filter(|_| new) {
            let seen = grounds.miners.iter().filter_map(|(hotkey, of)| Some((*hotkey, of.first_seen_ms?)));
            for (hotkey, at_ms) in seen {
                self.ledger.note_seen(&[hotkey], at_ms).await?;
            }
        }
        Ok((id, new))
    }

    /// Whether the canonical scores are those that the standing and the columns make.
    async fn speaks(&self, content: &Content, constants: &'static Constants) -> Result<(), AdoptError> {
        let judged: Vec<Judged> = content
            .verdicts
            .iter()
            .map(|verdict| Judged { verdict: verdict.clone(), submission: None, group: None })
            .collect();
        let told = |column: &StoredColumn| match column.name {
            ColumnName::Miner(hotkey) => {
                Some(Told { hotkey, order: Order::of(&column.scores), column: column.clone() })
            }
            ColumnName::Reference(_) => None,
        };
        let mut told: Vec<Told> = content.columns.iter().filter_map(told).collect();
        told.sort_by_key(|one| one.hotkey);
        let information = Information { ledger: self.ledger, workers: self.workers, constants };
        let (canonical, _) = information.canonical_scores(&content.in_force, &judged, told).await?;
        if canonical == content.canonical {
            Ok(())
        } else {
            Err(unsound(content.round, "its canonical scores do not come out again"))
        }
    }
}

fn unsound(round: RoundId, why: &'static str) -> AdoptError {
    AdoptError::Unsound { round: round.to_string(), why }
}

/// Whether the standing and the curve are those that the grounds make, where there are any.
fn stands(content: &Content, constants: &Constants) -> Result<(), AdoptError> {
    let Some(grounds) = &content.grounds else { return Ok(()) };
    let standing = &content.in_force.standing;
    let same = grounds.standings(constants).is_some_and(|again| {
        let named = grounds.miners.keys().eq(standing.miners.keys()) && grounds.rounds == standing.rounds;
        named && again.miners.iter().eq(standing.miners.values()) && again.curve == content.in_force.curve
    });
    if same { Ok(()) } else { Err(unsound(content.round, "its standing does not come out again")) }
}

/// The one row of a table.
fn only<T>(round: RoundId, rows: Vec<T>) -> Result<T, AdoptError> {
    let mut rows = rows.into_iter();
    match (rows.next(), rows.next()) {
        (Some(row), None) => Ok(row),
        _ => Err(unsound(round, "a table has not one row")),
    }
}

fn content(pack: &PackReader) -> Result<Content, AdoptError> {
    let named = &pack.manifest.round;
    let unnamed = || AdoptError::Unsound { round: crate::http::client::printable(named, 80), why: "it names no round" };
    let round: RoundId = named.parse().map_err(|_| unnamed())?;
    let line: RoundLine = only(round, pack.rows("rounds")?)?;
    let itself = (line.netuid, line.day, line.window_days) == (round.netuid, day_of(round.date), round.window_days);
    if line.id != *named || !itself || line.batch != pack.manifest.batch {
        return Err(unsound(round, "its row is of another round"));
    }
    if line.rules != RulesVersion::V2 || line.void_ms.is_some() {
        return Err(unsound(round, "it is void, or not under rules v2"));
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
        answers: answers.into_iter().map(|row| row.record).collect(),
        verdicts,
        columns,
        in_force: InForce { curve: curve.curve, standing },
        canonical: canonical.into_iter().map(|row| row.packed).next(),
        grounds: pack.json("grounds.json")?,
    })
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
