//! `score`: offline scoring of batch directories, with signed receipts.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::models::ModelArgs;
use super::{Verdict, batches_in};
use crate::clock::{Clock as _, SystemClock};
use crate::data::{BatchDir, LoadedBatch, ReadBatchError};
use crate::digest::Digest;
use crate::environment::expand_home;
use crate::history::Standing;
use crate::offline::{OfflineModels, Signing, write_answers};
use crate::receipt::{KEY_FILE, ReceiptKey};
use crate::wire::Explain;

/// Arguments of `score`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A batch directory, or a data directory with batches in it
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Directory for the answers; with several batches, a directory for each in it
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    models: ModelArgs,
    /// File with the key that signs receipts (64 hex digits, mode 0600); made when there is none
    #[arg(long, env = "MINER_SIGNING_KEY_FILE", default_value = KEY_FILE, value_name = "FILE")]
    signing_key: String,
    /// Scoring threads; 0 is one per core
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=1024))]
    threads: u16,
    /// How much is explained: none, top, full, or share:0.1 for the top features of the tenth with the highest scores
    /// and of severe alerts
    #[arg(long, default_value = "top", value_name = "HOW")]
    explain: Explain,
    /// As --explain none
    #[arg(long, conflicts_with = "explain")]
    no_explanations: bool,
    /// Replace answers that are there
    #[arg(long)]
    replace: bool,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    let models = OfflineModels::load(&args.models.files()?)?;
    let home = std::env::var("HOME").ok();
    let file = expand_home(&args.signing_key, home.as_deref()).unwrap_or_else(|_| args.signing_key.clone());
    let key = ReceiptKey::load_or_create(Path::new(&file))?;
    if key.is_new() {
        writeln!(out, "note {file} is a new key: {}", key.public_key())?;
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads.into()).build()?;
    let explain = if args.no_explanations { Explain::None } else { args.explain };
    let batches = batches_in(&args.directory)?;
    let mut verdict = Verdict::Passed;
    for path in &batches {
        let target = match path.file_name().filter(|_| batches.len() > 1) {
            Some(name) => args.out.join(name),
            None => args.out.clone(),
        };
        match load(path) {
            Ok((loaded, input)) => {
                let day = loaded.meta.processing_date.to_epoch_days();
                if let Some(standing) = models.standing(day).filter(|standing| *standing != Standing::Fresh) {
                    if standing == Standing::Contained {
                        // Scored all the same it would look like a day without a past.
                        writeln!(out, "BAD  {}: {standing}", path.display())?;
                        verdict = Verdict::Failed;
                        continue;
                    }
                    writeln!(out, "note {}: {standing}", path.display())?;
                }
                let started = Instant::now();
                let answers = pool.install(|| models.answers(&loaded.batch, explain))?;
                let seconds = started.elapsed().as_secs_f64();
                let timestamp = u64::try_from(SystemClock.now().as_millis()).unwrap_or(u64::MAX);
                let written = write_answers(&target, &answers, &Signing { key: &key, input, timestamp }, args.replace)?;
                let (from, to) = (path.display(), target.display());
                writeln!(out, "ok   {from} -> {to}: {} in {seconds:.2} s", written.join(", "))?;
            }
            Err(error) if error.is_corrupt() => {
                writeln!(out, "BAD  {}: {error}", path.display())?;
                verdict = Verdict::Failed;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(verdict)
}

fn load(path: &Path) -> Result<(LoadedBatch, Digest), ReadBatchError> {
    let directory = BatchDir::open(path)?;
    Ok((directory.load()?, directory.manifest_sha256()))
}
