//! What submissions and references say, as columns by roster place, kept with their digests.

use std::sync::Arc;

use crate::store::records::{ColumnName, RoundId, StoredColumn, Task};
use crate::validation::rules::Rules;
use crate::validation::v2::column::Worths;
use crate::validation::v2::curve::Curve;
use crate::validation::v2::order::Order;
use crate::validator::judge::Judged;
use crate::wallet::Hotkey;

use super::{Information, InformationError, REFERENCES};

/// Columns that are written in one transaction: 128 MB would be too much at once.
const BATCH: usize = 16;

/// What a submission that counts says of a round.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Whose.
    pub hotkey: Hotkey,
    /// Its order of the alerts.
    pub order: Order,
    /// Its column and its scores.
    pub column: StoredColumn,
}

/// What the columns of a round are made with.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// The curve in force; without one, places are worth Savage scores.
    pub curve: Option<Curve>,
    /// When the round's standing was made, milliseconds since 1970: references look up what was known then.
    pub as_of_ms: i64,
}

impl Information<'_> {
    /// What each submission that counts says under the curve in force, by hotkey; verdicts name the digests where the
    /// rules of the round want that.
    ///
    /// # Errors
    /// When a worker breaks off.
    pub async fn told(
        &self,
        rules: &Rules,
        curve: Option<Curve>,
        judged: Vec<Judged>,
    ) -> Result<(Vec<Judged>, Vec<Told>), InformationError> {
        let (named, threads) = (rules.version.information().is_some(), self.workers.threads().max(1));
        let work = move || {
            let mut judged = judged;
            let places = judged.iter().find_map(|one| one.submission.as_ref()).map_or(0, |one| one.scores().len());
            let worths = Worths::new(curve.as_ref(), places);
            let share = judged.len().div_ceil(threads).max(1);
            let mut told: Vec<Told> = std::thread::scope(|scope| {
                let part = |part| {
                    let worths = &worths;
                    scope.spawn(move || of_part(part, worths, named))
                };
                let parts: Vec<_> = judged.chunks_mut(share).map(part).collect();
                parts.into_iter().flat_map(|part| part.join().expect("columns do not panic")).collect()
            });
            told.sort_by_key(|one| one.hotkey);
            (judged, told)
        };
        Ok(self.workers.compute(work).await?)
    }

    /// Keeps the columns of a round's submissions, and those of its references by what was known when its standing was
    /// made.
    ///
    /// # Errors
    /// When the ledger cannot be read or written, or has other columns of a judged round.
    pub async fn keep(
        &self,
        id: RoundId,
        task: &Arc<Task>,
        given: Given,
        told: &[Told],
    ) -> Result<(), InformationError> {
        let Given { curve, as_of_ms } = given;
        let references = self.references(id, task, as_of_ms).await?;
        let make = move || {
            let given = references.into_iter().zip(REFERENCES);
            let mut columns = Vec::new();
            for (scores, name) in given.filter_map(|(scores, name)| Some((scores?, name))) {
                let worths = Worths::new(curve.as_ref(), scores.len()).column(&Order::of(&scores));
                columns.push(StoredColumn { name: ColumnName::Reference(name.to_owned()), worths, scores });
            }
            columns
        };
        let references = self.workers.compute(make).await?;
        self.ledger.record_columns(id, &references).await?;
        for batch in told.chunks(BATCH) {
            let columns: Vec<StoredColumn> = batch.iter().map(|one| one.column.clone()).collect();
            self.ledger.record_columns(id, &columns).await?;
        }
        Ok(())
    }
}

fn of_part(judged: &mut [Judged], worths: &Worths, named: bool) -> Vec<Told> {
    let mut told = Vec::new();
    for one in judged {
        let Some(submission) = &one.submission else { continue };
        let scores = submission.values();
        let order = Order::of(&scores);
        let hotkey = one.verdict.hotkey;
        let column = StoredColumn { name: ColumnName::Miner(hotkey), worths: worths.column(&order), scores };
        if named {
            one.verdict.stored = Some(column.digests());
        }
        told.push(Told { hotkey, order, column });
    }
    told
}
