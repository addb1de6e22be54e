//! `history`: from batches to a state of addresses.

use std::io::Write;
use std::path::PathBuf;

use chrono::NaiveDate;

use super::{UsageError, Verdict};
use crate::history::{BuildHistoryError, History, MAX_ADDRESSES, build};
use crate::table::date::date_of_days;

const EXAMPLES: &str = "\
Models with features of earlier days take the state with --history, HISTORY_STATE_PATH or models.history. A state serves the batch of the day
after its last day.

Examples:
  aml-miner-batch history data --out state.parquet
  aml-miner-batch history data --from state.parquet --out state.parquet --replace
  aml-miner-batch history data --until 2025-10-25 --out state.parquet";

/// Arguments of `history`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Data directories with batches in them; the days of the last 30 days are read
    #[arg(required = true, value_name = "DIR")]
    directories: Vec<PathBuf>,
    /// Parquet file that is written: one row per address
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// State to go on from: batches of its days are passed over
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Last day that is read
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: Option<NaiveDate>,
    /// Addresses that are kept: of more, those that were seen last
    #[arg(long, value_name = "N", default_value_t = MAX_ADDRESSES, value_parser = addresses)]
    max_addresses: usize,
    /// Replace the file
    #[arg(long)]
    replace: bool,
}

fn addresses(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=MAX_ADDRESSES).contains(number));
    number.ok_or_else(|| format!("must be a whole number from 1 to {MAX_ADDRESSES}"))
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    if args.out.exists() && !args.replace {
        return Err(UsageError(format!("{} is there already: give --replace", args.out.display())).into());
    }
    let from = args.from.as_deref().map(History::read).transpose()?.unwrap_or_default();
    let built = match build(from.keeping(args.max_addresses), &args.directories, args.until) {
        Ok(built) => built,
        Err(BuildHistoryError::Batch { path, source }) if source.is_corrupt() => {
            writeln!(out, "BAD  {}: {source}", path.display())?;
            return Ok(Verdict::Failed);
        }
        Err(error) => return Err(error.into()),
    };
    let history = &built.history;
    let Some(last) = history.last_day() else {
        return Err(UsageError("there are no batches in these directories for the days asked for".to_owned()).into());
    };
    let digest = history.write(&args.out)?;
    let day = |day| date_of_days(day).unwrap_or_default();
    writeln!(
        out,
        "ok   {}: {} addresses, {} to {}, for batches from {} on; {} batches read, {} passed over (state {})",
        args.out.display(),
        history.addresses(),
        day(history.first_day()),
        day(last),
        day(last.saturating_add(1)),
        built.batches,
        built.passed_over,
        digest.short()
    )?;
    Ok(Verdict::Passed)
}
