//! `labels`: outcomes of a batch: added, corrected, withdrawn, shown.

use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat};

use super::seal::mapping;
use super::{UsageError, Verdict};
use crate::clock::{Clock as _, SystemClock};
use crate::data::csv::read_plain;
use crate::data::csv_table::{Names, table_from_csv};
use crate::data::labels::book::outcome_of;
use crate::data::labels::{Action, Book, BookError, Change, Outcome, Standing, Verdict as Outcomes};
use crate::data::outcomes::usable_rows;
use crate::data::{FileLimits, PROBLEMS_AT_ONCE, ParquetFile, TableError};
use crate::receipt::ReceiptKey;
use crate::table::spec::LABELS;
use crate::table::{Table, cells::DAY_MS};

const EXAMPLES: &str = "\
FILE has a row per outcome: id (or alert_id), outcome (or confirmed_illicit: true or false), relevance (2 confirmed illicit,
1 suspicious, 0 clean; may be left out), confirmed_at (a time). CSV or Parquet.

Examples:
  aml-miner-batch labels add data/2025-10-26_w7 decisions.csv --source investigations
  aml-miner-batch labels withdraw data/2025-10-26_w7 alert_17 --source investigations --reason \"wrong case\"
  aml-miner-batch labels show data/2025-10-26_w7";

/// Arguments of `labels`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Write outcomes down; those of an alert that the source spoke of before are corrected
    Add(AddArgs),
    /// Take back what a source said of alerts
    Withdraw(WithdrawArgs),
    /// Check the journal, and show what stands of every alert
    Show(ShowArgs),
}

#[derive(Debug, clap::Args)]
struct AddArgs {
    /// Batch directory
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Outcomes, CSV or Parquet
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    by: ByArgs,
    /// TOML file that says what your columns are called, under [labels]
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct WithdrawArgs {
    /// Batch directory
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Alerts
    #[arg(value_name = "ALERT_ID", required = true)]
    ids: Vec<String>,
    #[command(flatten)]
    by: ByArgs,
}

#[derive(Debug, clap::Args)]
struct ShowArgs {
    /// Batch directory
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct ByArgs {
    /// Who says so, such as a team or a court
    #[arg(long, value_name = "NAME", value_parser = source_name)]
    source: String,
    /// Why, for who reads the journal later
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// File with the key that signs the journal (64 hex digits, mode 0600); made when there is none
    #[arg(long, default_value = "keys/labels_signing.key", value_name = "FILE")]
    key: PathBuf,
    /// File with the key that signs META.json; needed where it is signed
    #[arg(long, value_name = "FILE")]
    publisher_key: Option<PathBuf>,
}

fn source_name(text: &str) -> Result<String, &'static str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let good = (1..=64).contains(&text.len()) && text.bytes().all(plain);
    if good { Ok(text.to_owned()) } else { Err("a name of up to 64 letters, digits, `-`, `_` or `.`") }
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    match &args.command {
        Command::Add(args) => add(args, out),
        Command::Withdraw(args) => withdraw(args, out),
        Command::Show(args) => show(args, out),
    }
}

fn add(args: &AddArgs, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    let mut book = Book::open(&args.directory)?;
    let day = book.batch().manifest().processing_date;
    let names = match args.mapping.as_deref() {
        Some(path) => mapping(path)?.remove(LABELS.name).unwrap_or_default(),
        None => Names::new(),
    };
    let table = match read(&args.file, names, day)? {
        Ok(table) => table,
        Err(problems) => return tell(&problems, out),
    };
    let now = now();
    if let Some(row) = table.numbers("confirmed_at").unwrap_or_default().iter().position(|&at| at > now.0 + DAY_MS) {
        writeln!(out, "BAD  {}: row {row}: confirmed_at lies in the future", args.file.display())?;
        return Ok(Verdict::Failed);
    }
    let early = table.rows() - usable_rows(&table, day).len();
    let change = Change {
        action: Action::Add,
        source: args.by.source.clone(),
        reason: args.by.reason.clone(),
        outcomes: outcomes(&table),
        at: now.1,
    };
    let verdict = write(&mut book, change, &args.by, out)?;
    if early > 0 {
        writeln!(
            out,
            "     {early} were known by the end of {day}: they are kept, and neither learnt from nor settled by"
        )?;
    }
    Ok(verdict)
}

fn withdraw(args: &WithdrawArgs, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    let mut book = Book::open(&args.directory)?;
    let outcome = |id: &String| outcome_of(id.clone(), |_| None);
    let change = Change {
        action: Action::Withdraw,
        source: args.by.source.clone(),
        reason: args.by.reason.clone(),
        outcomes: args.ids.iter().map(outcome).collect(),
        at: now().1,
    };
    write(&mut book, change, &args.by, out)
}

fn write(book: &mut Book, change: Change, by: &ByArgs, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    let key = ReceiptKey::load_or_create(&by.key)?;
    let publisher = by.publisher_key.as_deref().map(ReceiptKey::load_or_create).transpose()?;
    let verb = if change.action == Action::Add { "added" } else { "withdrawn" };
    match book.change(change, key.signing_key(), publisher.as_ref().map(ReceiptKey::signing_key)) {
        Ok(new) => {
            let standings = book.standings();
            writeln!(out, "ok   {}: {new} outcomes {verb} by {}", book.batch().path().display(), by.source)?;
            summary(&standings, out)?;
            Ok(Verdict::Passed)
        }
        Err(error @ (BookError::NoSuchAlert(_) | BookError::NothingToWithdraw { .. })) => {
            writeln!(out, "BAD  {}: {error}", book.batch().path().display())?;
            Ok(Verdict::Failed)
        }
        Err(error) => Err(error.into()),
    }
}

fn summary(standings: &[Standing], out: &mut dyn Write) -> std::io::Result<()> {
    let disputed = standings.iter().filter(|standing| standing.verdict == Outcomes::Disputed);
    let disputed: Vec<&str> = disputed.map(|standing| standing.alert_id.as_str()).collect();
    writeln!(out, "     {} outcomes stand, in labels.parquet", standings.len() - disputed.len())?;
    if !disputed.is_empty() {
        let shown = disputed.iter().take(PROBLEMS_AT_ONCE).copied().collect::<Vec<_>>().join(", ");
        writeln!(out, "     {} disputed, left out until a source corrects or withdraws: {shown}", disputed.len())?;
    }
    Ok(())
}

fn show(args: &ShowArgs, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    let book = Book::open(&args.directory)?;
    let (journal, standings) = (book.journal(), book.standings());
    if args.json {
        let rows: Vec<serde_json::Value> = standings.iter().map(json).collect();
        let head = journal.head().map(|head| head.to_string());
        let shown = serde_json::json!({"entries": journal.entries().len(), "head": head, "alerts": rows});
        writeln!(out, "{shown}")?;
        return Ok(Verdict::Passed);
    }
    match journal.head() {
        None => writeln!(out, "no journal: labels.parquet, where there is one, says nothing of where it comes from")?,
        Some(head) => {
            writeln!(out, "{} entries, every signature and link holds, head {head}", journal.entries().len())?
        }
    }
    for standing in &standings {
        let sources = standing.sources.join("+");
        let said = match standing.verdict {
            Outcomes::Disputed => "disputed".to_owned(),
            Outcomes::Agreed { confirmed_illicit, relevance, confirmed_at } => {
                let outcome = if confirmed_illicit { "illicit" } else { "not illicit" };
                let relevance = relevance.map_or_else(|| "-".to_owned(), |relevance| relevance.to_string());
                let known = DateTime::from_timestamp_millis(confirmed_at).unwrap_or_default();
                format!("{outcome}, relevance {relevance}, known {}", known.to_rfc3339_opts(SecondsFormat::Secs, true))
            }
        };
        writeln!(out, "{}: {said} ({sources})", standing.alert_id)?;
    }
    summary(&standings, out)?;
    Ok(Verdict::Passed)
}

fn json(standing: &Standing) -> serde_json::Value {
    let mut row = serde_json::json!({"alert_id": standing.alert_id, "sources": standing.sources});
    match standing.verdict {
        Outcomes::Disputed => row["disputed"] = true.into(),
        Outcomes::Agreed { confirmed_illicit, relevance, confirmed_at } => {
            row["confirmed_illicit"] = confirmed_illicit.into();
            row["relevance"] = relevance.into();
            row["confirmed_at"] = confirmed_at.into();
        }
    }
    row
}

fn tell(problems: &[TableError], out: &mut dyn Write) -> anyhow::Result<Verdict> {
    problems.iter().try_for_each(|problem| writeln!(out, "BAD  {problem}"))?;
    Ok(Verdict::Failed)
}

/// The table of outcomes in the file at `path`.
fn read(path: &Path, names: Names, day: chrono::NaiveDate) -> anyhow::Result<Result<Table, Vec<TableError>>> {
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let limits = FileLimits::default();
    let bytes = read_plain(path, limits.file_bytes)
        .map_err(|error| anyhow::anyhow!("cannot read {}: {error}", path.display()))?;
    let parquet = bytes.starts_with(b"PAR1");
    let opened = || ParquetFile::open(&bytes, &file, &limits);
    let header = match parquet {
        true => opened().map(|file| file.columns().to_vec()),
        false => Ok(crate::data::csv::Csv::open(&bytes).map(|csv| csv.header).unwrap_or_default()),
    };
    let header = match header {
        Ok(header) => header,
        Err(problem) => return Ok(Err(vec![problem])),
    };
    let names = with_short_names(names, &header)?;
    if parquet {
        let file = opened().and_then(|file| file.with_names(&names)).map_err(|problem| vec![problem]);
        return Ok(file.and_then(|file| file.examine(&LABELS, Some(day), &limits, PROBLEMS_AT_ONCE)));
    }
    let read = table_from_csv(&bytes, &LABELS, &file, &names, PROBLEMS_AT_ONCE);
    Ok(read.and_then(|table| match crate::data::check::check_times(&table, &file, day) {
        Ok(()) => Ok(table),
        Err(problem) => Err(vec![problem]),
    }))
}

/// The short names of the columns, where the file has them, beside those of a mapping.
fn with_short_names(mut names: Names, header: &[String]) -> Result<Names, UsageError> {
    if let Some(missing) = names.keys().find(|name| !header.contains(name)) {
        return Err(UsageError(format!("the file has no column `{missing}`, which the mapping names")));
    }
    for (short, full) in [("id", "alert_id"), ("outcome", "confirmed_illicit")] {
        let free = !names.values().any(|known| known == full) && !header.iter().any(|name| name == full);
        if free && header.iter().any(|name| name == short) {
            names.insert(short.to_owned(), full.to_owned());
        }
    }
    Ok(names)
}

fn outcomes(table: &Table) -> Vec<Outcome> {
    let id = |row: usize| table.texts("alert_id").map_or("", |ids| ids.get(row)).to_owned();
    let number = |name: &str, row: usize| table.numbers(name).map(|values| values[row]).filter(|value| !value.is_nan());
    (0..table.rows()).map(|row| outcome_of(id(row), |name| number(name, row))).collect()
}

/// This moment in milliseconds, and as RFC 3339.
fn now() -> (f64, String) {
    let millis = i64::try_from(SystemClock.now().as_millis()).unwrap_or_default();
    let time = DateTime::from_timestamp_millis(millis).unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below 2^53")]
    let number = millis as f64;
    (number, time.to_rfc3339_opts(SecondsFormat::Secs, true))
}
