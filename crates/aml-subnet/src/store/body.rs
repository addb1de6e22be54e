//! Bodies of answers: compressed, kept once under the digest of what they say.

use std::sync::Arc;

use aml_miner::digest::{Digest, Hashed};

use super::codec::{LARGEST, column, compress, decompress, to_i64};
use super::error::{RecordError, StorageError, during};
use super::ledger::Ledger;
use super::write::Write;
use crate::wallet::Hotkey;

const WHAT: &str = "body";

/// A body that is what its answer says.
pub(super) struct Body {
    digest: Digest,
    bytes: i64,
    content: Vec<u8>,
}

impl Body {
    /// Checks and compresses, on a thread of its own: bodies are large and arrive while others are awaited.
    pub(super) async fn of(
        hotkey: Hotkey,
        said: Option<(Digest, u64)>,
        body: Option<&Arc<Hashed>>,
    ) -> Result<Option<Self>, RecordError> {
        let wrong = |why: &str| Err(RecordError::Body { hotkey, why: why.to_owned() });
        let (digest, bytes, body) = match (said, body) {
            (None, None) => return Ok(None),
            (None, Some(_)) => return wrong("it names none"),
            (Some(_), None) => return wrong("there is none"),
            (Some((_, bytes)), Some(body)) if body.bytes().len() as u64 != bytes => return wrong("another length"),
            (Some((digest, _)), Some(body)) if body.digest() != digest => return wrong("another digest"),
            (Some((digest, bytes)), Some(body)) => (digest, bytes, Arc::clone(body)),
        };
        let bytes = to_i64(WHAT, bytes)?;
        let done = tokio::task::spawn_blocking(move || compress(WHAT, body.bytes()));
        let joined = done.await.map_err(|error| StorageError::Unrecordable { what: WHAT, why: error.to_string() })?;
        Ok(Some(Self { digest, bytes, content: joined? }))
    }

    /// Keeps it. One that was swept is there again.
    pub(super) async fn keep(self, write: &mut Write) -> Result<(), StorageError> {
        let stored = to_i64(WHAT, self.content.len() as u64)?;
        sqlx::query(
            "INSERT INTO bodies (digest, bytes, stored, content) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (digest) DO UPDATE SET stored = excluded.stored, swept_ms = NULL, content = excluded.content \
             WHERE bodies.swept_ms IS NOT NULL",
        )
        .bind(self.digest.to_string())
        .bind(self.bytes)
        .bind(stored)
        .bind(self.content)
        .execute(&mut *write.tx)
        .await
        .map_err(during("record_answer"))?;
        Ok(())
    }
}

/// A body as it is kept: compressed.
#[derive(Debug)]
pub struct PackedBody {
    digest: Digest,
    content: Vec<u8>,
}

impl PackedBody {
    /// The body. Takes a core for some milliseconds a megabyte.
    ///
    /// # Errors
    /// When what is stored is not what the digest says.
    pub fn unpack(&self) -> Result<Hashed, StorageError> {
        let body = Hashed::of(decompress(WHAT, &self.content, LARGEST)?);
        if body.digest() == self.digest {
            return Ok(body);
        }
        let why = format!("its digest is {}, it is kept as {}", body.digest(), self.digest);
        Err(StorageError::Malformed { what: WHAT, why })
    }
}

impl Ledger {
    /// The body of a digest; `None` when it was never kept, or was swept.
    ///
    /// # Errors
    /// The database's, or when what is stored is not what the digest says.
    pub async fn body(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StorageError> {
        let Some(packed) = self.packed_body(digest).await? else { return Ok(None) };
        let done = tokio::task::spawn_blocking(move || packed.unpack());
        let joined = done.await.map_err(|error| StorageError::Malformed { what: WHAT, why: error.to_string() })?;
        joined.map(|body| Some(body.into_bytes()))
    }

    /// As [`body`](Self::body), not unpacked yet: whoever works on it can do that on the same thread.
    ///
    /// # Errors
    /// The database's.
    pub async fn packed_body(&self, digest: &Digest) -> Result<Option<PackedBody>, StorageError> {
        let row = sqlx::query("SELECT content FROM bodies WHERE digest = $1 AND swept_ms IS NULL")
            .bind(digest.to_string())
            .fetch_optional(&self.inner.pool)
            .await
            .map_err(during("read a body"))?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(PackedBody { digest: *digest, content: column(WHAT, &row, "content")? }))
    }
}
