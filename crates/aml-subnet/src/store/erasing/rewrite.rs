//! What was found is rewritten, or loses its content.

use aml_miner::digest::Digest;
use sqlx::{AnyConnection, AssertSqlSafe};

use super::super::codec::{LARGEST, column, compress, decompress, pack, to_i64, unpack};
use super::super::error::{StorageError, during};
use super::super::records::{RoundId, Step, Task};
use super::super::steps::number;
use super::look::Found;
use super::{Erasure, Needle, OPERATION};

/// Rewrites everything that was found.
pub(super) async fn rewrite(
    connection: &mut AnyConnection,
    needle: &Needle,
    found: &Found,
    erasure: Erasure<'_>,
) -> Result<(), StorageError> {
    let by = erasure.by.as_str();
    for id in &found.tasks {
        task(connection, needle, *id, by).await?;
    }
    for table in ["alerts", "outcomes"] {
        let update = format!("UPDATE {table} SET address = $1 WHERE address = $2");
        let update = sqlx::query(AssertSqlSafe(update)).bind(by.to_owned()).bind(needle.address().to_owned());
        update.execute(&mut *connection).await.map_err(during(OPERATION))?;
    }
    for (id, name) in &found.files {
        file(connection, needle, (*id, name), by).await?;
    }
    for (id, name) in &found.sealed {
        let update = sqlx::query("UPDATE files SET content = NULL, swept_ms = $1 WHERE round = $2 AND name = $3");
        let update = update.bind(erasure.at_ms).bind(id.to_string()).bind(name.clone());
        update.execute(&mut *connection).await.map_err(during(OPERATION))?;
    }
    for digest in &found.bodies {
        empty(connection, digest, erasure.at_ms).await?;
    }
    for (table, id, hotkey) in &found.records {
        let select = format!("SELECT record AS words FROM {table} WHERE round = $1 AND hotkey = $2");
        let update = format!("UPDATE {table} SET record = $3 WHERE round = $1 AND hotkey = $2");
        words(connection, needle, Words { select, update, keys: [id.to_string(), hotkey.clone()] }, by).await?;
    }
    for (id, mark) in &found.marks {
        // Both keys are the round's, so that one statement serves all.
        let select = format!("SELECT {mark} AS words FROM rounds WHERE id = $1 AND id = $2");
        let update = format!("UPDATE rounds SET {mark} = $3 WHERE id = $1 AND id = $2");
        words(connection, needle, Words { select, update, keys: [id.to_string(), id.to_string()] }, by).await?;
    }
    Ok(())
}

async fn task(connection: &mut AnyConnection, needle: &Needle, id: RoundId, by: &str) -> Result<(), StorageError> {
    let failed = during(OPERATION);
    let row = sqlx::query("SELECT packed FROM tasks WHERE round = $1").bind(id.to_string());
    let row = row.fetch_one(&mut *connection).await.map_err(failed)?;
    let mut task: Task = unpack("task", column("task", &row, "packed")?)?;
    for row in task.roster.iter_mut().filter(|row| row.address == needle.address()) {
        by.clone_into(&mut row.address);
    }
    let update = sqlx::query("UPDATE tasks SET packed = $1 WHERE round = $2").bind(pack("task", &task)?);
    update.bind(id.to_string()).execute(&mut *connection).await.map_err(failed)?;
    Ok(())
}

/// Writes a file of our own anew, under the digest of what it says then.
async fn file(
    connection: &mut AnyConnection,
    needle: &Needle,
    (id, name): (RoundId, &str),
    by: &str,
) -> Result<(), StorageError> {
    let failed = during(OPERATION);
    let row = sqlx::query("SELECT content FROM files WHERE round = $1 AND name = $2").bind(id.to_string());
    let row = row.bind(name.to_owned()).fetch_one(&mut *connection).await.map_err(failed)?;
    let content: Vec<u8> = column("file", &row, "content")?;
    let malformed = |why: &str| StorageError::Malformed { what: "file", why: format!("{name} of round {id}: {why}") };
    let unpacked = decompress("file", &content, LARGEST);
    let packed = unpacked.is_ok();
    let json = String::from_utf8(unpacked.unwrap_or(content)).map_err(|_| malformed("it is no text"))?;
    let json = needle.replaced(&json, by).ok_or_else(|| malformed("the address is not where it was"))?;
    let content = if packed { compress("file", json.as_bytes())? } else { json.into_bytes() };
    let update = sqlx::query("UPDATE files SET digest = $1, bytes = $2, content = $3 WHERE round = $4 AND name = $5");
    let update = update.bind(Digest::of(&content).to_string()).bind(to_i64("file", content.len() as u64)?);
    let update = update.bind(content).bind(id.to_string()).bind(name.to_owned());
    update.execute(&mut *connection).await.map_err(failed)?;
    Ok(())
}

/// A body that some other round still needs stays: it was given to both, and both are looked at.
async fn empty(connection: &mut AnyConnection, digest: &Digest, at_ms: i64) -> Result<(), StorageError> {
    let update = sqlx::query(
        "UPDATE bodies SET content = NULL, stored = 0, swept_ms = $1 WHERE digest = $2 AND swept_ms IS NULL AND NOT EXISTS \
         (SELECT 1 FROM answers JOIN rounds ON id = round WHERE (body = $2 OR cipher = $2) AND void_ms IS NULL \
         AND (step < $3 OR (rules = 'v1' AND step < $4)))",
    );
    let update = update.bind(at_ms).bind(digest.to_string());
    let update = update.bind(number(Step::Published)).bind(number(Step::Settled));
    update.execute(connection).await.map_err(during(OPERATION))?;
    Ok(())
}

/// Words that are read and written by two keys.
struct Words {
    select: String,
    update: String,
    keys: [String; 2],
}

async fn words(connection: &mut AnyConnection, needle: &Needle, at: Words, by: &str) -> Result<(), StorageError> {
    let failed = during(OPERATION);
    let Words { select, update, keys: [first, second] } = at;
    let row = sqlx::query(AssertSqlSafe(select)).bind(first.clone()).bind(second.clone());
    let row = row.fetch_one(&mut *connection).await.map_err(failed)?;
    let before: String = column("record", &row, "words")?;
    let after = needle.replaced(&before, by).unwrap_or(before);
    let update = sqlx::query(AssertSqlSafe(update)).bind(first).bind(second).bind(after);
    update.execute(&mut *connection).await.map_err(failed)?;
    Ok(())
}
