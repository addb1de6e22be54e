//! What stand-ins answer with: the alerts of a task, read once from whichever form came first, and rows with scores and
//! explanations as long as real ones.

use std::collections::{HashMap, VecDeque};
use std::io::Read as _;
use std::sync::{Arc, Mutex, PoisonError};

use aml_miner::data::{FileLimits, read_stream};
use aml_miner::digest::Digest;
use aml_miner::wire::spec::ALERTS;
use aml_miner::wire::{Explain, InOrder, Needs, Reading, Table, read_body};
use anyhow::Context as _;
use tokio::sync::watch;

/// Bytes of a task that one stand-in reads for all, as they come and unpacked.
pub(super) const MOST: usize = 1 << 30;
/// Tasks that are kept; the oldest is let go of. A round has one.
const KEPT: usize = 4;
/// What stands in a row before the miner's own digits are written.
const DIGITS: &str = "000000";
/// Five features of an alert, as `aml-miner-serve` explains it.
const EXPLANATION: &str = r#"{"risk_score":0.731942,"top_features":[{"feature":"log_volume_usd","impact":0.412907,"value":11.284113},{"feature":"counterparty_entropy","impact":0.206551,"value":2.871334},{"feature":"flow_through_share_7d","impact":-0.151723,"value":0.094417},{"feature":"khop2_volume_log","impact":0.097112,"value":15.003911},{"feature":"burst_ratio_24h","impact":0.064203,"value":3.250000}]}"#;

/// The alerts of a task.
#[derive(Debug)]
pub(super) struct Sheet {
    ids: Vec<String>,
    severe: Vec<bool>,
    rows: Mutex<HashMap<String, Arc<Rows>>>,
}

/// Rows of an answer, and where the digits of their scores stand.
#[derive(Debug)]
struct Rows {
    json: Vec<u8>,
    digits: Vec<usize>,
}

/// A task that is read once for all who wait.
type Waited = watch::Sender<Option<Arc<Sheet>>>;

/// The tasks that were seen last, by the digest of their JSON, oldest first.
#[derive(Default)]
pub(super) struct Sheets(Mutex<VecDeque<(Digest, Waited)>>);

/// Whether somebody has to read a task, or waits for who does.
pub(super) enum Turn {
    /// It is this one's.
    Reads,
    /// Another one reads it.
    Waits(watch::Receiver<Option<Arc<Sheet>>>),
}

impl Sheets {
    /// Who reads the task of this digest.
    pub(super) fn turn(&self, task: Digest) -> Turn {
        let mut sheets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, sheet)) = sheets.iter().find(|(known, _)| *known == task) {
            return Turn::Waits(sheet.subscribe());
        }
        if sheets.len() >= KEPT {
            sheets.pop_front();
        }
        sheets.push_back((task, watch::Sender::new(None)));
        Turn::Reads
    }

    /// It is read.
    pub(super) fn put(&self, task: Digest, sheet: &Arc<Sheet>) {
        let sheets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, waiting)) = sheets.iter().find(|(known, _)| *known == task) {
            waiting.send_replace(Some(Arc::clone(sheet)));
        }
    }

    /// It cannot be read: who waits for it hears of that, and the next one reads it.
    pub(super) fn forget(&self, task: Digest) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(known, _)| *known != task);
    }
}

impl Sheet {
    /// The alerts of a body.
    ///
    /// # Errors
    /// When it is neither JSON nor a form of Arrow streams.
    pub(super) fn read(body: &[u8], media: &str, packed: bool) -> anyhow::Result<Self> {
        let unpacked = if packed { unpacked(body, MOST)? } else { Vec::new() };
        let body = if packed { &unpacked[..] } else { body };
        let alerts = match media.split_once("boundary=") {
            Some((_, boundary)) => first_part(body, boundary)?,
            None => {
                let needs = Needs::keys_only().with(ALERTS.name, "severity");
                read_body(body, &Reading { needs, ..Reading::default() }, &InOrder)?.alerts
            }
        };
        let ids = alerts.texts("alert_id").context("no ids")?.iter().map(str::to_owned).collect();
        let severity = alerts.texts("severity");
        let severe = |row| severity.is_some_and(|texts| matches!(texts.get(row), "high" | "critical"));
        Ok(Self { ids, severe: (0..alerts.rows()).map(severe).collect(), rows: Mutex::default() })
    }

    /// The answer of a stand-in.
    pub(super) fn answer(&self, number: u16, explain: Explain) -> Vec<u8> {
        let rows = {
            let mut made = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
            let rows = made.entry(explain.to_string()).or_insert_with(|| Arc::new(self.rows(explain)));
            Arc::clone(rows)
        };
        let mut json = rows.json.clone();
        // A walk of its own for each miner: no two answers are alike.
        let mut state = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        for &at in &rows.digits {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let text = format!("{:06}", state % 1_000_000);
            if let Some(place) = json.get_mut(at..at + DIGITS.len()) {
                place.copy_from_slice(text.as_bytes());
            }
        }
        json
    }

    fn rows(&self, explain: Explain) -> Rows {
        let every = match explain {
            Explain::None => 0,
            Explain::Share(_) => 10,
            _ => 1,
        };
        let (mut json, mut digits) = (b"[".to_vec(), Vec::with_capacity(self.ids.len()));
        for (row, (id, severe)) in self.ids.iter().zip(&self.severe).enumerate() {
            let told = every > 0 && (row % every == 0 || *severe);
            let explanation = serde_json::Value::from(if told { EXPLANATION } else { "{}" });
            let comma = if row == 0 { "" } else { "," };
            let head = format!("{comma}{{\"alert_id\":{},\"score\":0.", serde_json::Value::from(id.as_str()));
            json.extend_from_slice(head.as_bytes());
            digits.push(json.len());
            let rest = format!(
                "{DIGITS},\"model_version\":\"1.0.0+0a1b2c3d4e5f\",\"latency_ms\":0.012,\"explain_json\":{explanation}}}"
            );
            json.extend_from_slice(rest.as_bytes());
        }
        json.push(b']');
        Rows { json, digits }
    }
}

/// What is packed with zstd, of at most so many bytes; no more than these are unpacked to find out.
fn unpacked(body: &[u8], most: usize) -> anyhow::Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    let limit = u64::try_from(most)?.saturating_add(1);
    zstd::Decoder::new(body)?.take(limit).read_to_end(&mut unpacked).context("not zstd")?;
    anyhow::ensure!(unpacked.len() <= most, "more than {most} bytes");
    Ok(unpacked)
}

/// The first table of a form, which is that of the alerts.
fn first_part(form: &[u8], boundary: &str) -> anyhow::Result<Table> {
    let begin = find(form, b"\r\n\r\n").context("no part")? + 4;
    let part = form.get(begin..).unwrap_or_default();
    let end = find(part, format!("\r\n--{boundary}").as_bytes()).context("no end of a part")?;
    Ok(read_stream(part.get(..end).unwrap_or_default(), &ALERTS, ALERTS.name, &FileLimits::default())?)
}

/// Where `what` stands first.
pub(super) fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len().max(1)).position(|at| at == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Arc<Sheet> {
        Arc::new(Sheet::read(br#"{"alerts":[{"alert_id":"1"}]}"#, "application/json", false).expect("a task"))
    }

    fn must_wait(turn: Turn) -> watch::Receiver<Option<Arc<Sheet>>> {
        match turn {
            Turn::Waits(reader) => reader,
            Turn::Reads => panic!("somebody reads it"),
        }
    }

    #[tokio::test]
    async fn who_waits_for_a_task_that_cannot_be_read_is_told_and_the_next_one_reads_it() {
        let (sheets, task) = (Sheets::default(), Digest::of(b"task"));
        assert!(matches!(sheets.turn(task), Turn::Reads));
        let mut reader = must_wait(sheets.turn(task));
        sheets.forget(task);
        assert!(reader.wait_for(Option::is_some).await.is_err());
        assert!(matches!(sheets.turn(task), Turn::Reads));
        sheets.put(task, &sheet());
        assert!(must_wait(sheets.turn(task)).wait_for(Option::is_some).await.is_ok());
    }

    #[tokio::test]
    async fn the_oldest_task_is_let_go_of() {
        let (sheets, task) = (Sheets::default(), |number: usize| Digest::of(&number.to_be_bytes()));
        assert!(matches!(sheets.turn(task(0)), Turn::Reads));
        let mut reader = must_wait(sheets.turn(task(0)));
        sheets.put(task(0), &sheet());
        for number in 1..=KEPT {
            assert!(matches!(sheets.turn(task(number)), Turn::Reads));
        }
        assert!(reader.wait_for(Option::is_some).await.is_ok(), "who waits has it still");
        assert!(matches!(sheets.turn(task(0)), Turn::Reads));
        assert!(matches!(sheets.turn(task(KEPT)), Turn::Waits(_)));
    }

    #[test]
    fn no_more_is_unpacked_than_is_allowed() {
        let packed = zstd::encode_all(&[0_u8; 100_000][..], 1).expect("packed");
        assert!(packed.len() < 100);
        assert_eq!(unpacked(&packed, 100_000).expect("as many").len(), 100_000);
        assert!(unpacked(&packed, 99_999).is_err_and(|error| error.to_string().contains("more than")));
    }
}
