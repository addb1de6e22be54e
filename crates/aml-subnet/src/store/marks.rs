//! Marks of rounds: held, void, late; and a deadline that is extended once.

use super::codec::column;
use super::error::{RecordError, StorageError, during};
use super::ledger::Ledger;
use super::records::{Mark, MarkKind, RoundId, Step};
use super::steps::{held, number};

const OPERATION: &str = "mark_round";

impl Ledger {
    /// Says something of a round, or, of one that is held, takes it back. What is void or late stays so: the first mark
    /// counts.
    ///
    /// # Errors
    /// When there is no such round, or a mark that stays is to be taken back.
    pub async fn mark_round(&self, id: RoundId, kind: MarkKind, mark: Option<&Mark>) -> Result<(), RecordError> {
        let update = match (kind, mark) {
            (MarkKind::Held, _) => "UPDATE rounds SET held_ms = $1, held_why = $2 WHERE id = $3",
            (MarkKind::Void, Some(_)) => {
                "UPDATE rounds SET void_ms = $1, void_why = $2 WHERE id = $3 AND void_ms IS NULL"
            }
            (MarkKind::Late, Some(_)) => {
                "UPDATE rounds SET late_ms = $1, late_why = $2 WHERE id = $3 AND late_ms IS NULL"
            }
            (MarkKind::Void | MarkKind::Late, None) => {
                let why = "a round that is void or late stays so".to_owned();
                return Err(StorageError::Unrecordable { what: "mark", why }.into());
            }
        };
        let mut write = self.write(OPERATION).await?;
        held(&mut write, OPERATION, &id).await?;
        sqlx::query(update)
            .bind(mark.map(|mark| mark.at_ms))
            .bind(mark.map(|mark| mark.why.clone()))
            .bind(id.to_string())
            // A missing value and a text have different types to the driver.
            .persistent(false)
            .execute(&mut *write.tx)
            .await
            .map_err(during(OPERATION))?;
        Ok(write.commit().await?)
    }

    /// Gives a round that is being asked a later deadline, once. Says whether it did: `false` when it was extended
    /// before.
    ///
    /// # Errors
    /// When the round is not being asked.
    pub async fn extend_deadline(&self, id: RoundId, deadline_ms: i64, at_ms: i64) -> Result<bool, RecordError> {
        let mut write = self.write("extend_deadline").await?;
        held(&mut write, "extend_deadline", &id).await?;
        let done = sqlx::query(
            "UPDATE rounds SET deadline_ms = $1, extended_ms = $2 WHERE id = $3 AND step = $4 AND extended_ms IS NULL",
        )
        .bind(deadline_ms)
        .bind(at_ms)
        .bind(id.to_string())
        .bind(number(Step::Tasked))
        .execute(&mut *write.tx)
        .await
        .map_err(during("extend_deadline"))?;
        write.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// The list of rules that this ledger's validator was last started with, as its JSON.
    ///
    /// # Errors
    /// The database's.
    pub async fn rules_list(&self) -> Result<Option<String>, StorageError> {
        let failed = during("read the rules");
        let row = sqlx::query("SELECT value FROM ledger WHERE name = 'rules'").fetch_optional(&self.inner.pool).await;
        row.map_err(failed)?.map(|row| column("rules", &row, "value")).transpose()
    }

    /// Remembers the list of rules.
    ///
    /// # Errors
    /// The database's.
    pub async fn keep_rules_list(&self, list: &str) -> Result<(), StorageError> {
        let mut write = self.write("keep_rules_list").await?;
        sqlx::query(
            "INSERT INTO ledger (name, value) VALUES ('rules', $1) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(list.to_owned())
        .execute(&mut *write.tx)
        .await
        .map_err(during("keep_rules_list"))?;
        write.commit().await
    }
}
