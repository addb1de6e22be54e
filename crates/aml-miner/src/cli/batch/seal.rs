//! `seal`: tables of one's own to a batch directory.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, SecondsFormat};
use config::{FileFormat, Source as _, ValueKind};

use super::{UsageError, Verdict};
use crate::clock::{Clock as _, SystemClock};
use crate::data::csv_table::Names;
use crate::data::seal::stated_by_name;
use crate::data::{PROBLEMS_AT_ONCE, SealError, SealOptions, WriteOptions, seal};
use crate::receipt::ReceiptKey;
use crate::table::spec::{ALERTS, CLUSTERS, FEATURES, LABELS, MONEY_FLOWS, TableSpec};

const EXAMPLES: &str = "\
The directory holds alerts.parquet or alerts.csv (or .csv.gz) and, where there are such, features, clusters, money_flows and
labels. A mapping file names columns of yours for columns of the format:

  [alerts]
  alert_id = \"Case ID\"
  volume_usd = \"Amount (USD)\"

Examples:
  aml-miner-batch seal data/2025-10-26_w7 --network torus
  aml-miner-batch seal exported --date 2025-10-26 --window-days 7 --network torus --mapping names.toml --out data/2025-10-26_w7";

/// Arguments of `seal`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Directory with the tables
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Day of the batch [default: the one in the directory's name]
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<NaiveDate>,
    /// Days that the features look back [default: those in the directory's name]
    #[arg(long, value_name = "N")]
    window_days: Option<u16>,
    /// The chain that the addresses are on
    #[arg(long, value_name = "NAME")]
    network: String,
    /// TOML file that says what your columns are called
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Write the batch here and leave the tables as they are
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Sign the manifest with the key in this file (64 hex digits, mode 0600); made when there is none
    #[arg(long, value_name = "FILE")]
    signing_key: Option<PathBuf>,
    /// When the batch was made, RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    created_at: Option<DateTime<chrono::FixedOffset>>,
    /// Replace a META.json, or a batch under --out, that is there
    #[arg(long)]
    replace: bool,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    let (processing_date, window_days) = args.stated()?;
    let names = args.mapping.as_deref().map_or_else(|| Ok(BTreeMap::new()), mapping)?;
    let key = args.signing_key.as_deref().map(ReceiptKey::load_or_create).transpose()?;
    let created_at = args.created_at();
    let about = WriteOptions {
        processing_date,
        window_days,
        network: &args.network,
        created_at: &created_at,
        publisher: key.as_ref().map(ReceiptKey::signing_key),
        replace: args.replace,
    };
    let options = SealOptions { about, names, output: args.out.as_deref() };
    match seal(&args.directory, &options) {
        Ok(sealed) => {
            let rows = sealed.manifest.files.iter().map(|(name, entry)| format!("{} rows in {name}", entry.rows));
            writeln!(out, "ok   {}: {}", sealed.path.display(), rows.collect::<Vec<_>>().join(", "))?;
            writeln!(out, "     digest {}", sealed.manifest.digest())?;
            for (table, columns) in &sealed.unknown {
                writeln!(out, "     {table}: columns that the format does not know: {}", columns.join(", "))?;
            }
            if !sealed.empty.is_empty() {
                writeln!(out, "     no file for {}: written without rows", sealed.empty.join(" and "))?;
            }
            Ok(Verdict::Passed)
        }
        Err(SealError::Tables(problems)) => {
            problems.iter().try_for_each(|problem| writeln!(out, "BAD  {}: {problem}", args.directory.display()))?;
            if problems.len() >= PROBLEMS_AT_ONCE {
                writeln!(out, "BAD  and perhaps more: the first {PROBLEMS_AT_ONCE} problems are shown")?;
            }
            Ok(Verdict::Failed)
        }
        Err(error) if error.is_of_the_tables() => {
            writeln!(out, "BAD  {}: {error}", args.directory.display())?;
            Ok(Verdict::Failed)
        }
        Err(error) => Err(error.into()),
    }
}

impl Args {
    fn stated(&self) -> Result<(NaiveDate, u16), UsageError> {
        let place = self.out.as_deref().unwrap_or(&self.directory);
        let (day, window) = stated_by_name(place);
        let missing = |what: &str| UsageError(format!("{what}, or a directory with a name such as 2025-10-26_w7"));
        let day = self.date.or(day).ok_or_else(|| missing("which day is the batch for? Give --date YYYY-MM-DD"))?;
        let window = self.window_days.or(window);
        Ok((day, window.ok_or_else(|| missing("how many days do the features look back? Give --window-days N"))?))
    }

    fn created_at(&self) -> String {
        let now = || {
            let millis = i64::try_from(SystemClock.now().as_millis()).unwrap_or_default();
            DateTime::from_timestamp_millis(millis).unwrap_or_default().fixed_offset()
        };
        self.created_at.unwrap_or_else(now).to_utc().to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}

/// What the file at `path` calls the columns of each table, and what the format does.
pub(super) fn mapping(path: &Path) -> Result<BTreeMap<String, Names>, UsageError> {
    let wrong = |what: String| UsageError(format!("{}: {what}", path.display()));
    let file = config::File::from(path).format(FileFormat::Toml).collect().map_err(|error| wrong(error.to_string()))?;
    let tables: [&TableSpec; 5] = [&ALERTS, &FEATURES, &CLUSTERS, &MONEY_FLOWS, &LABELS];
    let mut names = BTreeMap::new();
    for (table, value) in file {
        let spec = tables.iter().find(|spec| spec.name == table).ok_or_else(|| wrong(format!("no table `{table}`")))?;
        let ValueKind::Table(columns) = value.kind else { return Err(wrong(format!("`{table}` is not a table"))) };
        let mut of_table = Names::new();
        for (ours, theirs) in columns {
            if spec.position(&ours).is_none() {
                let like = spec.columns.iter().map(|column| column.name);
                let like = like.max_by(|a, b| strsim::jaro(a, &ours).total_cmp(&strsim::jaro(b, &ours)));
                return Err(wrong(format!(
                    "{table} has no column `{ours}`; do you mean `{}`?",
                    like.unwrap_or_default()
                )));
            }
            let theirs =
                theirs.into_string().map_err(|_| wrong(format!("{table}.{ours}: expected a name in quotes")))?;
            if of_table.insert(theirs.clone(), ours).is_some() {
                return Err(wrong(format!("{table}: two columns are called `{theirs}`")));
            }
        }
        names.insert(table, of_table);
    }
    Ok(names)
}
