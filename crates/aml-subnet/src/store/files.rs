//! Files that belong to a round: encoded forms of its task, evidence. Kept byte for byte, under the digest of what they
//! are.

use aml_miner::digest::Digest;
use sqlx::any::AnyRow;

use super::codec::{LARGEST, column, parsed, to_i64};
use super::error::{RecordError, StorageError, during};
use super::ledger::Ledger;
use super::records::{ReferencedTask, RoundId};
use super::steps::held;
use super::write::Write;

const WHAT: &str = "file";

/// A file of a round, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoundFile {
    /// Its name in the round, as `form/json`.
    pub name: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// SHA-256 of what they decode to, where they are an encoding of something else; of a descriptor, of the object that it
    /// leads to.
    pub decoded: Option<Digest>,
    /// How many bytes.
    pub bytes: u64,
}

impl Ledger {
    /// Keeps a file of a round. The first one of a name counts.
    ///
    /// # Errors
    /// When there is no such round, or it has another file of that name.
    pub async fn keep_file(
        &self,
        id: RoundId,
        name: &str,
        content: &[u8],
        decoded: Option<Digest>,
    ) -> Result<RoundFile, RecordError> {
        let mut write = self.write("keep_file").await?;
        held(&mut write, "keep_file", &id).await?;
        let Some(file) = put_file(&mut write, id, NewFile { name, content, decoded }).await? else {
            return Err(RecordError::Differs { round: id, what: "file" });
        };
        write.commit().await?;
        Ok(file)
    }

    /// The files of a round, by name.
    ///
    /// # Errors
    /// The database's.
    pub async fn files(&self, id: RoundId) -> Result<Vec<RoundFile>, StorageError> {
        let rows = sqlx::query("SELECT name, digest, decoded, bytes FROM files WHERE round = $1 ORDER BY name");
        let rows = rows.bind(id.to_string()).fetch_all(&self.inner.pool).await.map_err(during("read files"))?;
        rows.iter().map(read).collect()
    }

    /// The bytes of a file; `None` when there is none of that name, or it was swept.
    ///
    /// # Errors
    /// The database's, or when what is stored is not what its digest says.
    pub async fn file(&self, id: RoundId, name: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let row = sqlx::query(
            "SELECT name, digest, decoded, bytes, content FROM files WHERE round = $1 AND name = $2 AND swept_ms IS NULL",
        )
        .bind(id.to_string())
        .bind(name.to_owned())
        .fetch_optional(&self.inner.pool)
        .await
        .map_err(during("read a file"))?;
        let Some(row) = row else { return Ok(None) };
        let (file, content) = (read(&row)?, column::<Vec<u8>>(WHAT, &row, "content")?);
        let actual = Digest::of(&content);
        if actual == file.digest {
            return Ok(Some(content));
        }
        Err(StorageError::Altered { round: id, name: file.name, expected: file.digest, actual })
    }
}

impl Ledger {
    /// The round whose task is fetched as the object of this digest; `None` when there is none, or it was swept.
    ///
    /// # Errors
    /// The database's.
    pub async fn round_of_object(&self, object: &Digest) -> Result<Option<RoundId>, StorageError> {
        let row = sqlx::query("SELECT round FROM files WHERE name = $1 AND decoded = $2 AND swept_ms IS NULL LIMIT 1")
            .bind(ReferencedTask::FILE)
            .bind(object.to_string())
            .fetch_optional(&self.inner.pool)
            .await
            .map_err(during("find an object"))?;
        row.map(|row| parsed(WHAT, &row, "round")).transpose()
    }
}

/// A file that is to be kept.
pub(super) struct NewFile<'a> {
    pub(super) name: &'a str,
    pub(super) content: &'a [u8],
    pub(super) decoded: Option<Digest>,
}

/// Keeps a file of a round within a transaction; `None` when the round has another one of that name.
pub(super) async fn put_file(
    write: &mut Write,
    id: RoundId,
    new: NewFile<'_>,
) -> Result<Option<RoundFile>, StorageError> {
    let NewFile { name, content, decoded } = new;
    let (digest, bytes) = (Digest::of(content), content.len() as u64);
    if bytes > LARGEST {
        let why = format!("{name} has {bytes} bytes, more than {LARGEST}");
        return Err(StorageError::Unrecordable { what: WHAT, why });
    }
    let file = RoundFile { name: name.to_owned(), digest, decoded, bytes };
    sqlx::query(
        "INSERT INTO files (round, name, digest, decoded, bytes, content) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT DO NOTHING",
    )
    .bind(id.to_string())
    .bind(name.to_owned())
    .bind(digest.to_string())
    .bind(decoded.map(|digest| digest.to_string()))
    .bind(to_i64(WHAT, bytes)?)
    .bind(content.to_vec())
    .persistent(false)
    .execute(&mut *write.tx)
    .await
    .map_err(during("keep_file"))?;
    let row = sqlx::query("SELECT name, digest, decoded, bytes FROM files WHERE round = $1 AND name = $2")
        .bind(id.to_string())
        .bind(name.to_owned())
        .fetch_one(&mut *write.tx)
        .await
        .map_err(during("keep_file"))?;
    Ok((read(&row)? == file).then_some(file))
}

fn read(row: &AnyRow) -> Result<RoundFile, StorageError> {
    let decoded = column::<Option<String>>(WHAT, row, "decoded")?.map(|text| text.parse());
    let malformed =
        |error: <Digest as std::str::FromStr>::Err| StorageError::Malformed { what: WHAT, why: error.to_string() };
    Ok(RoundFile {
        name: column(WHAT, row, "name")?,
        digest: parsed(WHAT, row, "digest")?,
        decoded: decoded.transpose().map_err(malformed)?,
        bytes: super::codec::narrow(WHAT, row, "bytes")?,
    })
}
