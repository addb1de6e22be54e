//! `aml-subnet ledger adopt`: rounds of another validator, from its evidence packs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use aml_miner::clock::{Clock as _, SystemClock, millis};
use aml_miner::error_chain::with_causes;
use aml_miner::whole_file;
use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::Deserialize;

use super::chain::block_on;
use super::fetch;
use super::ledger::{LedgerArgs, open};
use crate::calendar::{date_of, day_at};
use crate::outputs::pack::{LONGEST_PACK, PackReader};
use crate::store::Ledger;
use crate::store::records::RoundId;
use crate::validator::adopting::Adopting;
use crate::validator::world::Threads;
use crate::wallet::Hotkey;

/// A pack that comes more slowly is given up.
const PATIENCE: Duration = Duration::from_secs(600);
/// A list of rounds that is longer is none.
const LONGEST_LIST: u64 = 8 << 20;
/// Rounds that are asked for at once, as many as a validator tells.
const PAGE: usize = 100;

/// Arguments of `ledger`.
#[derive(Debug, Args)]
pub(super) struct LedgerCommandArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Takes rounds of another validator over from its evidence packs
    Adopt(Box<AdoptArgs>),
}

#[derive(Debug, Args)]
#[command(
    after_help = "A validator that begins on an old subnet has no outcomes of its own for weeks. Rounds that it takes over are marked \
                        with whose they are and count as its own. No validator may hold the ledger meanwhile.

Examples:
  aml-subnet ledger adopt --from https://validator.example.org --hotkey 5Grw...utQY
  aml-subnet ledger adopt --from packs --hotkey 5Grw...utQY"
)]
struct AdoptArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// A validator's API, a pack, or a folder of packs
    #[arg(long, value_name = "URL|PATH")]
    from: String,
    /// The validator that must have signed
    #[arg(long, value_name = "ADDRESS")]
    hotkey: Hotkey,
    /// How many days are looked back at a URL
    #[arg(long, value_name = "DAYS", default_value_t = 60)]
    days: i64,
}

/// Where a pack is.
enum Place {
    File(PathBuf),
    Url(String),
}

/// Takes them over, and says what became of each.
pub(super) fn run(args: &LedgerCommandArgs) -> anyhow::Result<ExitCode> {
    let Command::Adopt(args) = &args.command;
    let settings = args.ledger.load()?;
    block_on(async {
        let ledger = open(&settings, false).await?;
        let result = adopt(args, &ledger, settings.netuid).await;
        ledger.close().await;
        result
    })
}

async fn adopt(args: &AdoptArgs, ledger: &Ledger, netuid: u16) -> anyhow::Result<ExitCode> {
    let now = SystemClock.now();
    let adopting = Adopting { ledger, workers: &Threads, netuid, now_ms: millis(now) };
    let first = date_of(day_at(now) - args.days);
    let client = fetch::client(PATIENCE)?;
    let places = if args.from.starts_with("http://") || args.from.starts_with("https://") {
        let told = rounds(&client, args.from.trim_end_matches('/')).await?;
        let wanted = told.into_iter().filter(|id| id.netuid == netuid && id.date >= first);
        wanted.map(|id| Place::Url(format!("{}/api/1/rounds/{id}/evidence", args.from.trim_end_matches('/')))).collect()
    } else {
        files(Path::new(&args.from))?
    };
    anyhow::ensure!(!places.is_empty(), "{} has no evidence pack of subnet {netuid}", args.from);
    let (mut taken, mut there, mut refused) = (0_usize, 0_usize, 0_usize);
    for place in places {
        let named = place.to_string();
        let done = async {
            let Some(bytes) = place.read(&client).await? else { return Ok(None) };
            let pack = PackReader::open(bytes, &args.hotkey)?;
            anyhow::Ok(Some(adopting.adopt(pack).await?))
        };
        match done.await {
            Ok(None) => println!("{named}: no pack yet"),
            Ok(Some((id, true))) => {
                taken += 1;
                println!("{id}: taken over");
            }
            Ok(Some((id, false))) => {
                there += 1;
                println!("{id}: is there already, and stays as it is");
            }
            Err(error) => {
                refused += 1;
                eprintln!("{named}: {}", with_causes(error.as_ref()));
            }
        }
    }
    println!("{taken} taken over from {}, {there} there already, {refused} refused", args.hotkey);
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl std::fmt::Display for Place {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(out),
            Self::Url(url) => out.write_str(url),
        }
    }
}

impl Place {
    /// The pack; `None` where there is none yet.
    async fn read(&self, client: &reqwest::Client) -> anyhow::Result<Option<Vec<u8>>> {
        match self {
            Self::File(path) => {
                let longest = usize::try_from(LONGEST_PACK)?;
                let bytes =
                    whole_file::read(path, longest).with_context(|| format!("cannot read {}", path.display()))?;
                Ok(Some(bytes))
            }
            Self::Url(url) => fetch::fetch(client, url, LONGEST_PACK).await,
        }
    }
}

/// The packs of a folder, or the one that is named.
fn files(path: &Path) -> anyhow::Result<Vec<Place>> {
    if !path.is_dir() {
        return Ok(vec![Place::File(path.to_owned())]);
    }
    let entries = std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut found: Vec<PathBuf> =
        entries.collect::<Result<Vec<_>, _>>()?.into_iter().map(|entry| entry.path()).collect();
    found.retain(|path| path.extension().is_some_and(|ending| ending == "zip"));
    found.sort();
    Ok(found.into_iter().map(Place::File).collect())
}

/// The rounds that a validator tells of, oldest first.
async fn rounds(client: &reqwest::Client, base: &str) -> anyhow::Result<Vec<RoundId>> {
    #[derive(Deserialize)]
    struct List {
        rounds: Vec<One>,
    }
    #[derive(Deserialize)]
    struct One {
        id: String,
    }
    let told = fetch::fetch(client, &format!("{base}/api/1/rounds?limit={PAGE}"), LONGEST_LIST).await?;
    let told = told.with_context(|| format!("{base} is no validator's API: it has no /api/1/rounds"))?;
    let list: List = serde_json::from_slice(&told).with_context(|| format!("{base} does not answer as a validator"))?;
    let mut rounds: Vec<RoundId> = list.rounds.iter().filter_map(|one| one.id.parse().ok()).collect();
    rounds.sort_by_key(|id| (id.date, id.window_days));
    Ok(rounds)
}
