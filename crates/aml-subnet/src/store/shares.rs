//! Curves, standings and shares of rounds under rules v2.

use sqlx::any::AnyRow;

use super::codec::{column, from_text, pack, text, unpack};
use super::error::{RecordError, StorageError, during};
use super::ledger::Ledger;
use super::records::{RoundId, Shares, StandingRecord, Step};
use super::steps::held;
use super::write::Write;
use crate::validation::v2::curve::Curve;

const CURVE: &str = "curve";
const STANDING: &str = "standing";
const SHARES: &str = "shares";

/// What is in force for a round from its task on.
#[derive(Clone, Debug, PartialEq)]
pub struct InForce {
    /// What places are worth; `None` while too little is known.
    pub curve: Option<Curve>,
    /// Where everybody stands.
    pub standing: StandingRecord,
}

impl Ledger {
    /// Records what is in force for a round. Once the round has a task the first time counts; what is recorded comes back.
    ///
    /// # Errors
    /// When there is no such round.
    pub async fn record_in_force(&self, id: RoundId, given: &InForce) -> Result<InForce, RecordError> {
        let known = self.in_force(id).await?;
        let (curve, packed) = (text(CURVE, &given.curve)?, pack(STANDING, &given.standing)?);
        let failed = during("record_in_force");
        let mut write = self.write("record_in_force").await?;
        let step = held(&mut write, "record_in_force", &id).await?;
        if let Some(known) = known {
            if step > Step::Fetched {
                return Ok(known);
            }
            for table in ["DELETE FROM curves WHERE round = $1", "DELETE FROM standings WHERE round = $1"] {
                sqlx::query(table).bind(id.to_string()).execute(&mut *write.tx).await.map_err(failed)?;
            }
        }
        sqlx::query("INSERT INTO curves (round, curve) VALUES ($1, $2)")
            .bind(id.to_string())
            .bind(curve)
            .execute(&mut *write.tx)
            .await
            .map_err(failed)?;
        put(&mut write, &id, given.standing.made_ms, Made::Standing(packed)).await?;
        write.commit().await?;
        Ok(given.clone())
    }

    /// What is in force for a round: its curve, and the standing that it was made with.
    ///
    /// # Errors
    /// The database's.
    pub async fn in_force(&self, id: RoundId) -> Result<Option<InForce>, StorageError> {
        let row = sqlx::query(
            "SELECT c.curve, s.packed FROM curves c JOIN standings s ON s.round = c.round WHERE c.round = $1 \
             ORDER BY s.made_ms LIMIT 1",
        );
        let row = row.bind(id.to_string()).fetch_optional(&self.inner.pool).await.map_err(during("read a standing"))?;
        let read = |row: AnyRow| {
            Ok(InForce {
                curve: from_text(CURVE, column(CURVE, &row, "curve")?)?,
                standing: unpack(STANDING, column(STANDING, &row, "packed")?)?,
            })
        };
        row.map(read).transpose()
    }

    /// The newest standing of a round.
    ///
    /// # Errors
    /// The database's.
    pub async fn standing(&self, id: RoundId) -> Result<Option<StandingRecord>, StorageError> {
        let row = sqlx::query("SELECT packed FROM standings WHERE round = $1 ORDER BY made_ms DESC LIMIT 1");
        let row = row.bind(id.to_string()).fetch_optional(&self.inner.pool).await.map_err(during("read a standing"))?;
        row.map(|row| unpack(STANDING, column(STANDING, &row, "packed")?)).transpose()
    }

    /// The newest shares of a round; `None` before it is merged, and of a round that is not paid.
    ///
    /// # Errors
    /// The database's.
    pub async fn shares(&self, id: RoundId) -> Result<Option<Shares>, StorageError> {
        Ok(self.all_shares(id).await?.pop())
    }

    /// All shares of a round that were ever made, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn all_shares(&self, id: RoundId) -> Result<Vec<Shares>, StorageError> {
        let rows = sqlx::query("SELECT packed FROM shares WHERE round = $1 ORDER BY made_ms").bind(id.to_string());
        let rows = rows.fetch_all(&self.inner.pool).await.map_err(during("read shares"))?;
        rows.iter().map(|row| unpack(SHARES, column(SHARES, row, "packed")?)).collect()
    }

    /// Records that a round's pay was made again, because what it rests on has changed. The round's curve, voices and
    /// canonical scores stay.
    ///
    /// # Errors
    /// When there is no such round.
    pub async fn amend_shares(
        &self,
        id: RoundId,
        standing: &StandingRecord,
        shares: &Shares,
    ) -> Result<(), RecordError> {
        let (standing_packed, shares_packed) = (pack(STANDING, standing)?, pack(SHARES, shares)?);
        let mut write = self.write("amend_shares").await?;
        held(&mut write, "amend_shares", &id).await?;
        put(&mut write, &id, standing.made_ms, Made::Standing(standing_packed)).await?;
        put(&mut write, &id, shares.made_ms, Made::Shares(shares_packed)).await?;
        Ok(write.commit().await?)
    }
}

enum Made {
    Standing(Vec<u8>),
    Shares(Vec<u8>),
}

/// Keeps the first shares of a round, in the transaction that merges it.
pub(super) async fn put_shares(write: &mut Write, id: &RoundId, shares: &Shares) -> Result<(), StorageError> {
    put(write, id, shares.made_ms, Made::Shares(pack(SHARES, shares)?)).await
}

async fn put(write: &mut Write, id: &RoundId, made_ms: i64, made: Made) -> Result<(), StorageError> {
    let (insert, packed) = match made {
        Made::Standing(packed) => ("INSERT INTO standings (round, made_ms, packed) VALUES ($1, $2, $3)", packed),
        Made::Shares(packed) => ("INSERT INTO shares (round, made_ms, packed) VALUES ($1, $2, $3)", packed),
    };
    sqlx::query(insert)
        .bind(id.to_string())
        .bind(made_ms)
        .bind(packed)
        .execute(&mut *write.tx)
        .await
        .map_err(during("record_standing"))?;
    Ok(())
}
