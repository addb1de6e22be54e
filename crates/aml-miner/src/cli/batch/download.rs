//! `download`: the batches of a date range.

use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use chrono::NaiveDate;
use indicatif::{ProgressBar, ProgressStyle};

use super::{UsageError, Verdict};
use crate::data::download::{DownloadError, DownloadSettings, Downloaded, Event, Source, SourceError, download_batch};
use crate::data::listing::BatchDay;

/// Ten years: more is a typing error.
const MAX_DAYS: usize = 3_660;

/// Arguments of `download`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// First day
    #[arg(long, value_name = "YYYY-MM-DD")]
    start_date: NaiveDate,
    /// Last day
    #[arg(long, value_name = "YYYY-MM-DD")]
    end_date: NaiveDate,
    /// Where the batch directories are: http(s)://host/path, s3://bucket/path (keys from `AWS_*`), or a directory
    #[arg(long, env = "BATCH_BASE_URL", value_name = "URL")]
    base_url: String,
    /// Directory that receives one batch directory per day
    #[arg(long, default_value = "data", value_name = "DIR")]
    output: PathBuf,
    /// Refuse batches of another network
    #[arg(long)]
    network: Option<String>,
    /// Window in the names of the batch directories (`<date>_w<days>`); 0 for names without
    #[arg(long, default_value_t = 7, value_name = "DAYS")]
    window_days: u16,
    /// How often a file is tried again
    #[arg(long, default_value_t = 5)]
    retries: u32,
    /// Demand the signature of this ed25519 public key (64 hex digits)
    #[arg(long, value_name = "KEY")]
    publisher: Option<String>,
    /// Replace batches that are there with other content
    #[arg(long)]
    replace: bool,
    /// Days without a batch are not a failure
    #[arg(long)]
    allow_missing: bool,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    let usage = |text: String| Err(UsageError(text).into());
    if args.start_date > args.end_date {
        return usage(format!("--start-date {} is after --end-date {}", args.start_date, args.end_date));
    }
    let days: Vec<NaiveDate> = args.start_date.iter_days().take_while(|day| *day <= args.end_date).collect();
    if days.len() > MAX_DAYS {
        return usage(format!("{} days, at most {MAX_DAYS} at once", days.len()));
    }
    let source = match Source::parse(&args.base_url) {
        Err(wrong @ SourceError::Form(_)) => return usage(format!("--base-url: {wrong}")),
        source => source?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let window_days = (args.window_days > 0).then_some(args.window_days);
    let mut verdict = Verdict::Passed;
    for date in days {
        let batch = BatchDay { date, window_days };
        let name = batch.directory();
        let outcome = runtime.block_on(one_day(&source, args, batch));
        verdict = verdict.and(match outcome {
            Ok(Downloaded::Fetched(manifest)) => {
                told(out, &format!("ok       {name}: digest {}", manifest.digest()), true)?
            }
            Ok(Downloaded::Present(_)) => told(out, &format!("present  {name}"), true)?,
            Ok(Downloaded::Absent) => told(out, &format!("missing  {name}"), args.allow_missing)?,
            Err(error) if is_finding(&error) => told(out, &format!("BAD      {name}: {error}"), false)?,
            Err(error) => return Err(error).with_context(|| name),
        });
    }
    Ok(verdict)
}

fn told(out: &mut dyn Write, line: &str, passed: bool) -> anyhow::Result<Verdict> {
    writeln!(out, "{line}")?;
    Ok(if passed { Verdict::Passed } else { Verdict::Failed })
}

/// Whether the batch is at fault, and not the line or the disk.
fn is_finding(error: &DownloadError) -> bool {
    use DownloadError as E;
    match error {
        E::Manifest(_) | E::Other { .. } | E::Exists(_) => true,
        E::Batch(error) => error.is_corrupt(),
        E::Fetch { .. } | E::Busy(_) | E::Publish(_) | E::Io { .. } => false,
    }
}

async fn one_day(source: &Source, args: &Args, batch: BatchDay) -> Result<Downloaded, DownloadError> {
    let settings = DownloadSettings {
        retries: args.retries,
        network: args.network.clone(),
        publisher: args.publisher.clone(),
        replace: args.replace,
        ..DownloadSettings::default()
    };
    let bar = std::io::stderr().is_terminal().then(progress_bar);
    let name = batch.directory();
    let outcome =
        download_batch(source, batch, &args.output, &settings, &|event| show(bar.as_ref(), &name, event)).await;
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    outcome
}

fn show(bar: Option<&ProgressBar>, batch: &str, event: Event<'_>) {
    match (event, bar) {
        (Event::File { name, done, total }, Some(bar)) => {
            bar.set_length(total);
            bar.set_position(done);
            bar.set_message(format!("{batch}/{name}"));
        }
        (Event::File { name, done, total }, None) => eprintln!("{batch}/{name}: {done} of {total} bytes are here"),
        (Event::Bytes(done), Some(bar)) => bar.set_position(done),
        (Event::Bytes(_), None) => {}
        (Event::Retry { name, error, pause }, Some(bar)) => {
            bar.println(format!("{batch}/{name}: {error}; again in {pause:?}"));
        }
        (Event::Retry { name, error, pause }, None) => eprintln!("{batch}/{name}: {error}; again in {pause:?}"),
    }
}

fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
