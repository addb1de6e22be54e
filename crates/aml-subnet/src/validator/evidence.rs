//! From what the ledger keeps of a round to its judged answers; asks nobody and changes nothing.
//!
//! One raw answer per core, and one that is being read, are in memory at a time. The same for the round itself, after a
//! restart, for a settlement and for a replay.

use std::collections::BTreeMap;
use std::sync::Arc;

use aml_miner::digest::Digest;
use chrono::Days;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::judge::{Bench, Judged, compare, remember, shared_places};
use crate::store::records::{Answer, Reply, Round, RoundId, Step, Task};
use crate::store::{PackedBody, StorageError};
use crate::validation::rules::Rules;
use crate::validation::submission::Submission;
use crate::validator::world::{BrokeOff, RoundLog, Workers, World};
use crate::wallet::Hotkey;

/// Fewer alerts of both days say nothing of agreement.
const LEAST_SHARED: usize = 2;

/// Why a round cannot be judged from the ledger.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// Nothing was asked yet.
    #[error("round {0} has no task yet: nobody was asked")]
    NoTask(RoundId),
    /// A raw answer is gone.
    #[error(
        "the raw answer {body} of {hotkey} in round {round} is no longer kept (validator.retention_age, _bytes, or an erasure)"
    )]
    Swept {
        /// The round.
        round: RoundId,
        /// Whose.
        hotkey: Hotkey,
        /// Its digest.
        body: Digest,
    },
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] StorageError),
    /// A defect of ours.
    #[error("judging broke off")]
    Broken(#[from] BrokeOff),
}

/// Answers that were judged on their own already, by hotkey.
pub type Heard = BTreeMap<Hotkey, Judged>;

/// What is kept of rounds, and threads to judge it on.
#[derive(Clone, Copy)]
pub struct Archive<'a> {
    /// Where it is kept.
    pub ledger: &'a dyn RoundLog,
    /// Threads.
    pub workers: &'a dyn Workers,
}

impl<'a> Archive<'a> {
    /// That of a world.
    #[must_use]
    pub fn of(world: &'a World) -> Self {
        Self { ledger: &*world.ledger, workers: &*world.workers }
    }

    /// A round's task.
    ///
    /// # Errors
    /// When it has none yet.
    pub async fn task(&self, round: RoundId) -> Result<Arc<Task>, EvidenceError> {
        self.ledger.task(round).await?.map(Arc::new).ok_or(EvidenceError::NoTask(round))
    }

    /// All answers of a round, judged, by hotkey.
    ///
    /// # Errors
    /// When a raw answer is gone, or the ledger cannot be read.
    pub async fn judged(&self, round: &Round, task: &Arc<Task>, rules: Rules) -> Result<Vec<Judged>, EvidenceError> {
        self.judged_beside(round, task, rules, Heard::new()).await
    }

    /// As [`judged`](Self::judged); of those that were `heard` nothing is read again.
    ///
    /// # Errors
    /// As there.
    pub async fn judged_beside(
        &self,
        round: &Round,
        task: &Arc<Task>,
        rules: Rules,
        heard: Heard,
    ) -> Result<Vec<Judged>, EvidenceError> {
        judged_beside(*self, round, task, rules, heard).await
    }
}

async fn judged_beside(
    archive: Archive<'_>,
    round: &Round,
    task: &Arc<Task>,
    rules: Rules,
    mut heard: Heard,
) -> Result<Vec<Judged>, EvidenceError> {
    let Archive { ledger, workers } = archive;
    let yesterday = Yesterday::of(ledger, round.id, task).await?;
    let one = |(answer, heard): (Answer, Option<Judged>)| async {
        let hotkey = answer.hotkey;
        let mut judged = match heard {
            Some(heard) => Some(heard),
            None => {
                let packed = body_of(ledger, round.id, &answer).await?;
                let task = Arc::clone(task);
                let judge = move || -> Result<Option<Judged>, StorageError> {
                    let body = packed.map(|packed| packed.unpack()).transpose()?;
                    Ok(Bench { rules: &rules, task: &task }.judge(&answer, body.as_ref()))
                };
                workers.compute(judge).await??
            }
        };
        if let (Some(judged), Some(yesterday)) = (&mut judged, &yesterday)
            && let Some(before) = yesterday.submission(archive, &hotkey).await?
        {
            remember(judged, &before, &yesterday.shared);
        }
        Ok::<_, EvidenceError>(judged)
    };
    let answers = ledger.answers(round.id).await?.into_iter();
    let answers = stream::iter(answers.map(move |answer| {
        let heard = heard.remove(&answer.hotkey);
        (answer, heard)
    }));
    let all: Vec<Option<Judged>> = answers.map(one).buffered(workers.threads() + 1).try_collect().await?;
    let mut all: Vec<Judged> = all.into_iter().flatten().collect();
    let compared = move || {
        compare(&rules, &mut all);
        all
    };
    Ok(workers.compute(compared).await?)
}

/// The raw answer, where there is one to judge.
async fn body_of(ledger: &dyn RoundLog, round: RoundId, answer: &Answer) -> Result<Option<PackedBody>, EvidenceError> {
    let Some(body) = answer.body.filter(|_| answer.reply == Reply::Answered) else { return Ok(None) };
    let found = ledger.packed_body(&body).await?;
    found.map(Some).ok_or(EvidenceError::Swept { round, hotkey: answer.hotkey, body })
}

/// The round of the day before, where it shares alerts with this one.
struct Yesterday {
    task: Arc<Task>,
    answers: Vec<Answer>,
    rules: Rules,
    shared: Vec<(usize, usize)>,
}

impl Yesterday {
    async fn of(ledger: &dyn RoundLog, round: RoundId, task: &Task) -> Result<Option<Self>, EvidenceError> {
        let Some(date) = round.date.checked_sub_days(Days::new(1)) else { return Ok(None) };
        let Some(before) = ledger.round(RoundId { date, ..round }).await? else { return Ok(None) };
        let Some(old) = ledger.task(before.id).await?.filter(|_| before.step >= Step::Asked) else { return Ok(None) };
        let shared = shared_places(task, &old);
        if shared.len() < LEAST_SHARED {
            return Ok(None);
        }
        let answers = ledger.answers(before.id).await?;
        Ok(Some(Self { task: Arc::new(old), answers, rules: before.rules.rules(), shared }))
    }

    /// What `hotkey` said then, if it counted and is still kept.
    async fn submission(&self, archive: Archive<'_>, hotkey: &Hotkey) -> Result<Option<Submission>, EvidenceError> {
        let Some(answer) = self.answers.iter().find(|answer| answer.hotkey == *hotkey).cloned() else {
            return Ok(None);
        };
        let Some(digest) = answer.body else { return Ok(None) };
        let Some(packed) = archive.ledger.packed_body(&digest).await? else { return Ok(None) };
        let (task, rules) = (Arc::clone(&self.task), self.rules);
        let read = move || -> Result<Option<Submission>, StorageError> {
            Ok(Bench { rules: &rules, task: &task }.submission(&answer, &packed.unpack()?))
        };
        Ok(archive.workers.compute(read).await??)
    }
}
