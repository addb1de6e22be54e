//! Where an address stands in the ledger. Everything that may hold words is looked through; numbers by place are not.

use std::collections::BTreeSet;

use aml_miner::digest::Digest;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe};

use super::super::codec::{LARGEST, column, decompress, from_text, narrow, parsed};
use super::super::error::{StorageError, during};
use super::super::records::{Answer, EncodedTask, ReferencedTask, RoundId, Step, Task};
use super::super::steps::step_of;
use super::{ERASED, LedgerTraces, Needle};

const WHAT: &str = "trace";

/// A record of which there is one per hotkey.
pub(super) const RECORDS: [&str; 2] = ["answers", "verdicts"];
/// What was said of a round.
pub(super) const MARKS: [&str; 3] = ["held_why", "void_why", "late_why"];

/// What was found, with where.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) traces: LedgerTraces,
    /// Tasks whose rosters have it.
    pub(super) tasks: Vec<RoundId>,
    /// Files that are written anew, by round and name.
    pub(super) files: Vec<(RoundId, String)>,
    /// Files that are emptied.
    pub(super) sealed: Vec<(RoundId, String)>,
    /// Bodies that are emptied.
    pub(super) bodies: BTreeSet<Digest>,
    /// Records by table, round and hotkey.
    pub(super) records: Vec<(&'static str, RoundId, String)>,
    /// Rounds and their marks.
    pub(super) marks: Vec<(RoundId, &'static str)>,
    /// Rounds of whose tasks something was erased before: what was still needed then may name it yet.
    before: BTreeSet<RoundId>,
}

/// A round as far as it matters here.
struct Place {
    id: RoundId,
    step: Step,
    /// Whether nothing goes on with it until it is published.
    open: bool,
    /// Whether its raw answers are needed: nothing else says what miners said.
    raw: bool,
}

/// Looks through the ledger.
pub(super) async fn look(
    connection: &mut AnyConnection,
    needle: &Needle,
    beside: &BTreeSet<RoundId>,
) -> Result<Found, StorageError> {
    let mut found = Found::default();
    let places = places(connection).await?;
    for place in &places {
        found.task(connection, needle, place).await?;
        found.files(connection, needle, place).await?;
        found.forms(connection, needle, place, beside.contains(&place.id)).await?;
        found.marks(connection, needle, place).await?;
    }
    found.rows(connection, needle).await?;
    found.spellings(connection, needle).await?;
    let mut named = &found.traces.rounds | beside;
    named.append(&mut found.before);
    for place in places.iter().filter(|place| named.contains(&place.id)) {
        found.answers(connection, needle, place).await?;
        found.records(connection, needle, place).await?;
    }
    let rounds = &found.traces.rounds;
    found.traces.open =
        places.iter().filter(|place| place.open && rounds.contains(&place.id)).map(|one| one.id).collect();
    Ok(found)
}

async fn places(connection: &mut AnyConnection) -> Result<Vec<Place>, StorageError> {
    let rows = sqlx::query("SELECT id, step, rules, void_ms FROM rounds ORDER BY id").fetch_all(connection).await;
    let read = |row: &AnyRow| {
        let step = step_of(narrow(WHAT, row, "step")?)?;
        let void = column::<Option<i64>>(WHAT, row, "void_ms")?.is_some();
        let settled_from_raw = column::<&str>(WHAT, row, "rules")? == "v1";
        let raw = !void && (step < Step::Published || (settled_from_raw && step < Step::Settled));
        Ok(Place { id: parsed(WHAT, row, "id")?, step, open: !void && step < Step::Published, raw })
    };
    rows.map_err(during("read traces"))?.iter().map(read).collect()
}

impl Found {
    async fn task(
        &mut self,
        connection: &mut AnyConnection,
        needle: &Needle,
        place: &Place,
    ) -> Result<(), StorageError> {
        if place.step < Step::Tasked {
            return Ok(());
        }
        let row = sqlx::query("SELECT packed FROM tasks WHERE round = $1").bind(place.id.to_string());
        let row = row.fetch_optional(connection).await.map_err(during("read traces"))?;
        let Some(row) = row else { return Ok(()) };
        let json = decompress("task", column("task", &row, "packed")?, LARGEST)?;
        if json.windows(ERASED.len()).any(|bytes| bytes == ERASED.as_bytes()) {
            self.before.insert(place.id);
        }
        if !needle.is_in(&json) {
            return Ok(());
        }
        let malformed = |why: String| StorageError::Malformed { what: "task", why };
        let mut task: Task = serde_json::from_slice(&json).map_err(|error| malformed(error.to_string()))?;
        let mut rows = 0;
        for row in task.roster.iter_mut().filter(|row| row.address == needle.address()) {
            row.address.clear();
            rows += 1;
        }
        if rows > 0 {
            self.tasks.push(place.id);
            self.traces.roster += rows;
            self.traces.rounds.insert(place.id);
        }
        let rest = serde_json::to_vec(&task).map_err(|error| malformed(error.to_string()))?;
        if needle.is_in(&rest) {
            self.traces.stays.push(format!(
                "round {}: ids of its alerts or clusters name the address; miners signed answers to these ids, and the round's \
                 commitment covers them",
                place.id
            ));
        }
        Ok(())
    }

    async fn rows(&mut self, connection: &mut AnyConnection, needle: &Needle) -> Result<(), StorageError> {
        for table in ["alerts", "outcomes"] {
            let select = format!("SELECT round, COUNT(*) AS n FROM {table} WHERE address = $1 GROUP BY round");
            let rows = sqlx::query(AssertSqlSafe(select)).bind(needle.address().to_owned());
            for row in rows.fetch_all(&mut *connection).await.map_err(during("read traces"))? {
                let count: u64 = narrow(WHAT, &row, "n")?;
                self.traces.rounds.insert(parsed(WHAT, &row, "round")?);
                let sum = if table == "alerts" { &mut self.traces.alerts } else { &mut self.traces.outcomes };
                *sum += count;
            }
        }
        Ok(())
    }

    async fn spellings(&mut self, connection: &mut AnyConnection, needle: &Needle) -> Result<(), StorageError> {
        for table in ["alerts", "outcomes"] {
            let select = format!(
                "SELECT DISTINCT address FROM {table} WHERE LOWER(address) = LOWER($1) AND address <> $1 LIMIT 100"
            );
            let rows = sqlx::query(AssertSqlSafe(select)).bind(needle.address().to_owned());
            for row in rows.fetch_all(&mut *connection).await.map_err(during("read traces"))? {
                self.traces.spellings.insert(column(WHAT, &row, "address")?);
            }
        }
        Ok(())
    }

    async fn files(
        &mut self,
        connection: &mut AnyConnection,
        needle: &Needle,
        place: &Place,
    ) -> Result<(), StorageError> {
        let rows = sqlx::query("SELECT name, content FROM files WHERE round = $1 AND swept_ms IS NULL ORDER BY name");
        let rows = rows.bind(place.id.to_string()).fetch_all(connection).await.map_err(during("read traces"))?;
        for row in &rows {
            let (name, content) = (column::<String>(WHAT, row, "name")?, column::<Vec<u8>>(WHAT, row, "content")?);
            if name == EncodedTask::FILE {
                continue;
            }
            // What does not unpack is looked through as it is.
            let named = needle.is_in(&content) || needle.is_read_in(content.as_slice()).unwrap_or(false);
            if !named {
                continue;
            }
            self.traces.rounds.insert(place.id);
            if is_ours(&name) {
                self.traces.files += 1;
                self.files.push((place.id, name));
            } else {
                self.traces.answers += 1;
                self.sealed.push((place.id, name));
            }
        }
        Ok(())
    }

    /// In an encoded task texts stand side by side without anything in between, so any occurrence counts: at worst a form is
    /// emptied that nobody needs any more. That of a batch that names the address (`beside`) is emptied without a look. Its
    /// descriptor goes with it: without the key in there an object that is still somewhere cannot be read.
    async fn forms(
        &mut self,
        connection: &mut AnyConnection,
        needle: &Needle,
        place: &Place,
        beside: bool,
    ) -> Result<(), StorageError> {
        let select =
            "SELECT name, content FROM files WHERE round = $1 AND name IN ($2, $3) AND swept_ms IS NULL ORDER BY name";
        let rows = sqlx::query(select).bind(place.id.to_string()).bind(EncodedTask::FILE).bind(ReferencedTask::FILE);
        let mut named = beside;
        for row in &rows.fetch_all(connection).await.map_err(during("read traces"))? {
            let name = column::<String>(WHAT, row, "name")?;
            if name == EncodedTask::FILE {
                let content = column::<Vec<u8>>(WHAT, row, "content")?;
                // What does not unpack is not known to be free of it.
                named |= needle.is_anywhere_in(content.as_slice()).unwrap_or(true);
            }
            if !named {
                continue;
            }
            self.traces.rounds.insert(place.id);
            self.traces.forms += u64::from(name == EncodedTask::FILE);
            self.sealed.push((place.id, name));
        }
        Ok(())
    }

    async fn marks(
        &mut self,
        connection: &mut AnyConnection,
        needle: &Needle,
        place: &Place,
    ) -> Result<(), StorageError> {
        let row = sqlx::query("SELECT held_why, void_why, late_why FROM rounds WHERE id = $1");
        let row = row.bind(place.id.to_string()).fetch_one(connection).await.map_err(during("read traces"))?;
        for mark in MARKS {
            let why: Option<String> = column(WHAT, &row, mark)?;
            if why.is_some_and(|why| needle.is_in(why.as_bytes())) {
                self.traces.records += 1;
                self.traces.rounds.insert(place.id);
                self.marks.push((place.id, mark));
            }
        }
        Ok(())
    }

    async fn records(
        &mut self,
        connection: &mut AnyConnection,
        needle: &Needle,
        place: &Place,
    ) -> Result<(), StorageError> {
        for table in RECORDS {
            let select = format!("SELECT hotkey, record FROM {table} WHERE round = $1 ORDER BY hotkey");
            let rows = sqlx::query(AssertSqlSafe(select)).bind(place.id.to_string());
            for row in rows.fetch_all(&mut *connection).await.map_err(during("read traces"))? {
                if needle.is_in(column::<&str>(WHAT, &row, "record")?.as_bytes()) {
                    self.traces.records += 1;
                    self.traces.rounds.insert(place.id);
                    self.records.push((table, place.id, column(WHAT, &row, "hotkey")?));
                }
            }
        }
        Ok(())
    }

    async fn answers(
        &mut self,
        connection: &mut AnyConnection,
        needle: &Needle,
        place: &Place,
    ) -> Result<(), StorageError> {
        let hotkeys =
            sqlx::query("SELECT hotkey, record FROM answers WHERE round = $1 AND body IS NOT NULL ORDER BY hotkey");
        let hotkeys = hotkeys.bind(place.id.to_string()).fetch_all(&mut *connection).await;
        for row in &hotkeys.map_err(during("read traces"))? {
            let answer: Answer = from_text("answer", column("answer", row, "record")?)?;
            let Some(body) = answer.body else { continue };
            let packed = sqlx::query("SELECT content FROM bodies WHERE digest = $1 AND swept_ms IS NULL");
            let packed = packed.bind(body.to_string()).fetch_optional(&mut *connection).await;
            let Some(packed) = packed.map_err(during("read traces"))? else { continue };
            let plain = decompress("body", column("body", &packed, "content")?, LARGEST)?;
            if !needle.is_in(&plain) {
                continue;
            }
            self.traces.rounds.insert(place.id);
            if place.raw {
                self.traces.stays.push(format!(
                    "round {}: the raw answer of {} names the address and is needed until the round is settled; then erase again",
                    place.id, answer.hotkey
                ));
                continue;
            }
            self.traces.answers += 1;
            self.bodies.insert(body);
            self.bodies.extend(answer.sealed.map(|sealed| sealed.cipher));
        }
        Ok(())
    }
}

/// Whether a file of a round is of our own words; the others are what miners signed.
fn is_ours(name: &str) -> bool {
    matches!(name, "reasons" | "calibration")
}
