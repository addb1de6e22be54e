//! Rounds of another validator, taken over from its evidence packs, so that a validator that begins today has voices and pay
//! that rest on more than its own days.
//!
//! Whose packs are taken is the operator's choice: the hotkey is pinned. What a pack says is computed again before it is taken:
//! commitment, digests of columns, the standing from its moments, voices and canonical scores. That outcomes are true, and that
//! miners signed what they did, is the other validator's word here; `scripts/check_evidence.py` looks at the signatures.

mod content;

use std::collections::BTreeMap;

use self::content::{Content, content};
use super::information::{Information, InformationError, Told};
use super::judge::Judged;
use super::world::Workers;
use crate::outputs::pack::{PackReader, ReadPackError};
use crate::store::records::{ColumnName, RoundId, StoredColumn};
use crate::store::{Adoption, ImportError, Ledger, ROUND_TABLES, StorageError};
use crate::validation::v2::Constants;
use crate::validation::v2::order::Order;

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
        let constants = content.rules.information().ok_or_else(|| unsound(id, content::NOT_PAID_FOR_INFORMATION))?;
        stands(&content, constants)?;
        self.speaks(&content, constants).await?;
        let mut tables = BTreeMap::new();
        for table in ROUND_TABLES {
            tables.insert(table, pack.table(table)?);
        }
        let Content { answers, canonical, calibration, grounds, reasons, .. } = content;
        let from = pack.manifest.hotkey.to_string();
        let adoption = Adoption {
            round: id,
            from,
            at_ms: self.now_ms,
            tables,
            answers,
            canonical: canonical.as_ref(),
            calibration: calibration.as_ref(),
            reasons: reasons.as_ref(),
        };
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
        let information = Information { ledger: self.ledger, workers: self.workers, rules: content.rules, constants };
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
