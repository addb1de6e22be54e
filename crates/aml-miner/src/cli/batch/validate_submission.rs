//! `validate-submission`: the checks of a validator, before one's own API meets a validator.

mod answers;
mod api;
mod client;
mod offline;

use std::io::Write;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use super::models::ModelArgs;
use super::{UsageError, Verdict};
use crate::data::BatchDir;
use crate::digest::Digest;

/// Arguments of `validate-submission`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The batch that is sent and scored
    #[arg(long, value_name = "DIR")]
    batch: PathBuf,
    /// Address of the API, such as http://127.0.0.1:8000; without it only the models are checked
    #[arg(long, value_name = "URL")]
    api_url: Option<String>,
    /// Requests of each kind whose answers must agree
    #[arg(long, default_value = "3")]
    repeats: NonZeroU32,
    /// Seconds that an answer to the whole batch may take
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    deadline: u64,
    /// Demand receipts of this signer (64 hex digits)
    #[arg(long, value_name = "KEY")]
    public_key: Option<Digest>,
    /// Do not score with the model files here
    #[arg(long)]
    no_models: bool,
    /// Numbers of threads that must give the same bits
    #[arg(long, value_delimiter = ',', default_values_t = [1_u16, 2, 4], value_name = "N,N")]
    threads: Vec<u16>,
    #[command(flatten)]
    models: ModelArgs,
}

/// Collects what was checked and prints it as it comes.
struct Checks<'a> {
    out: &'a mut dyn Write,
    verdict: Verdict,
}

impl Checks<'_> {
    /// Prints a finding: what was seen, or what is wrong.
    fn add(&mut self, name: &str, finding: &Result<String, String>) -> std::io::Result<()> {
        match finding {
            Ok(seen) => writeln!(self.out, "ok    {name:<34} {seen}"),
            Err(wrong) => {
                self.verdict = Verdict::Failed;
                writeln!(self.out, "FAIL  {name:<34} {wrong}")
            }
        }
    }
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    if args.api_url.is_none() && args.no_models {
        return Err(UsageError("nothing to check: give --api-url, or leave out --no-models".to_owned()).into());
    }
    let loaded = BatchDir::open(&args.batch)?.load()?;
    let mut checks = Checks { out, verdict: Verdict::Passed };
    let offline = if args.no_models { None } else { offline::run(args, &loaded.batch, &mut checks)? };
    if let Some(url) = &args.api_url {
        let settings = client::Settings {
            url: url.trim_end_matches('/').to_owned(),
            deadline: Duration::from_secs(args.deadline),
            rows: loaded.batch.alerts.rows().max(loaded.batch.clusters.rows()),
        };
        let session = api::Session {
            client: client::Client::new(settings)?,
            batch: &loaded.batch,
            repeats: args.repeats.get(),
            public_key: args.public_key,
            offline: offline.as_deref(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(session.run(&mut checks))?;
    }
    let verdict = checks.verdict;
    writeln!(out, "{}", if verdict == Verdict::Passed { "all checks passed" } else { "some checks failed" })?;
    Ok(verdict)
}
