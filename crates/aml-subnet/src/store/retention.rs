//! How long raw answers are kept. Verdicts, scores and settlements are kept for good.

use std::collections::BTreeSet;
use std::time::Duration;

use aml_miner::digest::Digest;
use sqlx::any::AnyRow;

use super::codec::{column, narrow, parsed};
use super::dialect::Dialect;
use super::error::{StorageError, during};
use super::ledger::Ledger;
use super::records::{EncodedTask, ReferencedTask, Step};
use super::steps::{number, step_of};

/// How many bodies are emptied in one transaction.
const BATCH: usize = 200;

/// Gives at most 256 MiB back to the file system at once; the next sweep goes on.
const SHRINK: &str = "PRAGMA incremental_vacuum(65536)";

/// How long raw answers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Older ones are swept, once their round is published. Longer than a settlement may take.
    pub age: Duration,
    /// When all together take more, the oldest of settled rounds are swept.
    pub bytes: u64,
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Bodies swept.
    pub bodies: u64,
    /// Bytes they took, compressed.
    pub bytes: u64,
    /// Bytes that are left, compressed. More than allowed when the rest is still needed.
    pub left: u64,
}

/// A body that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kept {
    digest: Digest,
    stored: u64,
    /// When it was last received.
    last_ms: i64,
    /// The least step of the rounds that have it.
    step: Step,
}

/// The bodies to sweep; `kept` oldest first. Those of rounds that are not published are never among them, those of
/// rounds that may still be settled only when they are too old.
fn choose(kept: &[Kept], now_ms: i64, retention: &Retention) -> BTreeSet<Digest> {
    let age = aml_miner::clock::millis(retention.age);
    let old = |body: &&Kept| body.step >= Step::Published && now_ms.saturating_sub(body.last_ms) > age;
    let mut chosen: BTreeSet<Digest> = kept.iter().filter(old).map(|body| body.digest).collect();
    let mut left: u64 = kept.iter().filter(|body| !chosen.contains(&body.digest)).map(|body| body.stored).sum();
    for body in kept.iter().filter(|body| body.step == Step::Settled) {
        if left <= retention.bytes {
            break;
        }
        if chosen.insert(body.digest) {
            left -= body.stored;
        }
    }
    chosen
}

impl Ledger {
    /// Sweeps raw answers that need not be kept any longer.
    ///
    /// # Errors
    /// The database's; what was swept until then stays swept.
    pub async fn sweep(&self, now_ms: i64, retention: &Retention) -> Result<Swept, StorageError> {
        let kept = self.kept_bodies().await?;
        let chosen = choose(&kept, now_ms, retention);
        let gone = || kept.iter().filter(|body| chosen.contains(&body.digest));
        let digests: Vec<Digest> = gone().map(|body| body.digest).collect();
        for batch in digests.chunks(BATCH) {
            self.empty(batch, now_ms).await?;
        }
        if !digests.is_empty() && self.inner.dialect == Dialect::Sqlite {
            let _turn = self.turns("sweep", 1).await?;
            sqlx::raw_sql(SHRINK).execute(&self.inner.pool).await.map_err(during("sweep"))?;
        }
        self.empty_forms(now_ms, retention).await?;
        let bytes = gone().map(|body| body.stored).sum();
        let all: u64 = kept.iter().map(|body| body.stored).sum();
        Ok(Swept { bodies: digests.len() as u64, bytes, left: all - bytes })
    }

    /// Encoded tasks are kept as long as answers: they are needed until the round is asked, and are evidence afterwards.
    async fn empty_forms(&self, now_ms: i64, retention: &Retention) -> Result<(), StorageError> {
        let before_ms = now_ms.saturating_sub(aml_miner::clock::millis(retention.age));
        let mut write = self.write_alone("sweep").await?;
        sqlx::query(
            "UPDATE files SET content = NULL, swept_ms = $1 WHERE name IN ($2, $5) AND swept_ms IS NULL AND round IN \
             (SELECT id FROM rounds WHERE (step >= $3 AND published_ms < $4) OR void_ms < $4)",
        )
        .bind(now_ms)
        .bind(EncodedTask::FILE)
        .bind(number(Step::Published))
        .bind(before_ms)
        .bind(ReferencedTask::FILE)
        .execute(&mut *write.tx)
        .await
        .map_err(during("sweep"))?;
        write.commit().await
    }

    async fn kept_bodies(&self) -> Result<Vec<Kept>, StorageError> {
        let rows = sqlx::query(
            "SELECT b.digest, b.stored, MAX(a.asked_ms) AS last_ms, MIN(r.step) AS step FROM bodies b \
             JOIN (SELECT round, body, asked_ms FROM answers UNION ALL \
             SELECT round, cipher, asked_ms FROM answers WHERE cipher IS NOT NULL) a ON a.body = b.digest \
             JOIN rounds r ON r.id = a.round \
             WHERE b.swept_ms IS NULL GROUP BY b.digest, b.stored ORDER BY last_ms, b.digest",
        )
        .fetch_all(&self.inner.pool)
        .await
        .map_err(during("sweep"))?;
        let read = |row: &AnyRow| {
            Ok(Kept {
                digest: parsed("body", row, "digest")?,
                stored: narrow("body", row, "stored")?,
                last_ms: column("body", row, "last_ms")?,
                step: step_of(narrow("body", row, "step")?)?,
            })
        };
        rows.iter().map(read).collect()
    }

    async fn empty(&self, digests: &[Digest], now_ms: i64) -> Result<(), StorageError> {
        let mut write = self.write_alone("sweep").await?;
        for digest in digests {
            sqlx::query(
                "UPDATE bodies SET content = NULL, stored = 0, swept_ms = $1 WHERE digest = $2 AND NOT EXISTS \
                 (SELECT 1 FROM answers JOIN rounds ON id = round WHERE (body = $2 OR cipher = $2) AND step < $3)",
            )
            .bind(now_ms)
            .bind(digest.to_string())
            .bind(number(Step::Published))
            .execute(&mut *write.tx)
            .await
            .map_err(during("sweep"))?;
        }
        write.commit().await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aml_miner::digest::Digest;

    use super::{Kept, Retention, Step, choose};

    fn kept(name: &str, stored: u64, last_ms: i64, step: Step) -> Kept {
        Kept { digest: Digest::of(name.as_bytes()), stored, last_ms, step }
    }

    #[test]
    fn what_a_resume_or_a_settlement_needs_is_kept() {
        let bodies = [
            kept("unfinished", 10, 0, Step::Asked),
            kept("unsettled and old", 10, 0, Step::Published),
            kept("settled", 10, 900, Step::Settled),
            kept("unsettled", 10, 950, Step::Published),
            kept("settled later", 10, 990, Step::Settled),
        ];
        let swept = |age, bytes| choose(&bodies, 1000, &Retention { age: Duration::from_millis(age), bytes });
        let named = |names: &[&str]| names.iter().map(|name| Digest::of(name.as_bytes())).collect();
        assert_eq!(swept(2000, 100), named(&[]));
        assert_eq!(swept(500, 100), named(&["unsettled and old"]));
        assert_eq!(swept(2000, 40), named(&["settled"]));
        assert_eq!(swept(2000, 0), named(&["settled", "settled later"]));
        assert_eq!(swept(500, 25), named(&["unsettled and old", "settled", "settled later"]));
        assert_eq!(swept(0, 0), named(&["unsettled and old", "settled", "unsettled", "settled later"]));
    }
}
