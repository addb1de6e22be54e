//! What is sent to the miners, recorded before anything is sent.

use aml_miner::digest::Digest;
use sqlx::any::AnyRow;

use super::codec::{column, pack, to_i64, unpack};
use super::error::{RecordError, StorageError, during};
use super::files::{NewFile, put_file};
use super::ledger::Ledger;
use super::records::{EncodedTask, FormBytes, ReferencedTask, RoundId, Step, Task};
use super::steps::{advance, same};

const WHAT: &str = "task";
const SELECT: &str = "SELECT packed, commitment FROM tasks JOIN rounds ON id = round WHERE round = $1";

impl Ledger {
    /// Fetched → tasked: the task, its deadline and its commitment.
    ///
    /// # Errors
    /// When it is not its turn, or the round has another task.
    pub async fn record_task(&self, id: RoundId, task: &Task, commitment: Digest) -> Result<(), RecordError> {
        self.record_task_and_forms(id, task, commitment, FormBytes::default()).await
    }

    /// The same with the bytes of the task's encoded forms, where it has any. All are kept, or nothing.
    ///
    /// # Errors
    /// As [`record_task`](Self::record_task).
    pub async fn record_task_and_forms(
        &self,
        id: RoundId,
        task: &Task,
        commitment: Digest,
        forms: FormBytes<'_>,
    ) -> Result<(), RecordError> {
        let packed = pack(WHAT, task)?;
        let failed = during("record_task");
        let mut write = self.write("record_task").await?;
        if !advance(&mut write, "record_task", &id, Step::Tasked).await? {
            let row = sqlx::query(SELECT).bind(id.to_string());
            let row = row.fetch_one(&mut *write.tx).await.map_err(failed)?;
            let stored: &str = column(WHAT, &row, "commitment")?;
            return same(&id, "task", stored == commitment.to_string() && read(&row)? == *task);
        }
        sqlx::query("INSERT INTO tasks (round, packed) VALUES ($1, $2)")
            .bind(id.to_string())
            .bind(packed)
            .execute(&mut *write.tx)
            .await
            .map_err(failed)?;
        for (new, sent) in files_of(task, forms) {
            if put_file(&mut write, id, new).await?.is_none_or(|file| file.digest != sent) {
                return Err(RecordError::Differs { round: id, what: "encoded task" });
            }
        }
        let opening_ms =
            task.sealing.map(|sealing| to_i64(WHAT, sealing.opening_s.saturating_mul(1000))).transpose()?;
        sqlx::query("UPDATE rounds SET deadline_ms = $1, commitment = $2, opening_ms = $3 WHERE id = $4")
            .bind(task.deadline_ms)
            .bind(commitment.to_string())
            .bind(opening_ms)
            .bind(id.to_string())
            // A missing value and a number have different types to the driver.
            .persistent(false)
            .execute(&mut *write.tx)
            .await
            .map_err(failed)?;
        Ok(write.commit().await?)
    }

    /// The task of a round.
    ///
    /// # Errors
    /// The database's.
    pub async fn task(&self, id: RoundId) -> Result<Option<Task>, StorageError> {
        let row = sqlx::query(SELECT).bind(id.to_string()).fetch_optional(&self.inner.pool).await;
        row.map_err(during("read a task"))?.as_ref().map(read).transpose()
    }

    /// Tasked → asked: every miner has an answer or an outcome; later ones no longer count.
    ///
    /// # Errors
    /// When it is not its turn.
    pub async fn finish_asking(&self, id: RoundId) -> Result<(), RecordError> {
        let mut write = self.write("finish_asking").await?;
        if advance(&mut write, "finish_asking", &id, Step::Asked).await? {
            write.commit().await?;
        }
        Ok(())
    }
}

/// The files of a task's encoded forms, and the digests that they must have.
fn files_of<'a>(task: &Task, forms: FormBytes<'a>) -> Vec<(NewFile<'a>, Digest)> {
    let arrow = task.arrow.as_ref().zip(forms.arrow);
    let arrow = arrow
        .map(|(form, content)| (NewFile { name: EncodedTask::FILE, content, decoded: Some(form.decoded) }, form.sent));
    let reference = task.reference.as_ref().zip(forms.reference);
    // A descriptor is found by the object that it leads to.
    let reference = reference.map(|(form, content)| {
        (NewFile { name: ReferencedTask::FILE, content, decoded: Some(form.object) }, form.sent)
    });
    arrow.into_iter().chain(reference).collect()
}

fn read(row: &AnyRow) -> Result<Task, StorageError> {
    let task: Task = unpack(WHAT, column(WHAT, row, "packed")?)?;
    let strange = || StorageError::Malformed { what: WHAT, why: "its list is about another roster".to_owned() };
    Some(task).filter(Task::is_whole).ok_or_else(strange)
}
