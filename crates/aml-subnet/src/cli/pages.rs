//! `aml-subnet pages`: pages and API, read-only, from a replica or a copy of a validator's ledger; any number of them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use aml_miner::clock::SystemClock;
use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::ledger::{self, LedgerArgs};
use super::{chain, readers};
use crate::api::serve::{Shown, serve_newest};
use crate::api::state::{ApiParts, ApiState, Readiness};
use crate::config::Settings;
use crate::logging;
use crate::store::{Address, Ledger};
use crate::wallet::Hotkey;

/// How often is looked whether another copy lies in the ledger's place.
const LOOK: Duration = Duration::from_secs(5);

/// Arguments of `pages`.
#[derive(Debug, Args)]
#[command(
    after_help = "Needs no key and no chain: weights and the chain's state are those of the ledger alone. Published files, evidence packs and
batches are shown where the folders of the validator are there too (validator.data_dir, validator.shared_dir).

Examples:
  DATABASE_URL=postgres://reader@replica/aml aml-subnet pages --hotkey 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY
                                                       beside a PostgreSQL replica; as many as readers need
  aml-subnet backup copy.sqlite && mv copy.sqlite /srv/pages/ledger.sqlite
  aml-subnet pages --validator.data_dir /srv/pages --hotkey ADDRESS
                                                       of a copied file; another copy in its place is taken within seconds"
)]
pub(super) struct PagesArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Hotkey of the validator whose ledger it is
    #[arg(long, env = "VALIDATOR_HOTKEY", value_name = "ADDRESS")]
    hotkey: Hotkey,
}

/// Serves until it is told to stop.
pub(super) fn run(args: &PagesArgs) -> anyhow::Result<ExitCode> {
    let settings = args.ledger.load()?;
    logging::init(&settings.log_level)?;
    chain::block_on(serve(args, settings))
}

async fn serve(args: &PagesArgs, settings: Settings) -> anyhow::Result<ExitCode> {
    let stop = CancellationToken::new();
    chain::stop_on_signal(stop.clone())?;
    let address = settings.validator.listen;
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let address = listener.local_addr()?;
    let metrics = logging::record_metrics();
    let access = Arc::new(readers::access(&settings.validator)?);
    let source = Source { args, settings: &settings, file: copied(&settings)? };
    let told = |copy: &Opened| {
        tracing::info!(netuid = copy.settings.netuid, %address, ledger = copy.ledger.address(), "pages are served");
    };
    let of = |copy: &Opened| {
        let parts = ApiParts::of(&copy.settings, copy.ledger.clone(), args.hotkey, Arc::new(SystemClock));
        let readiness = Readiness { mirror: true, ..parts.readiness };
        Shown::from(ApiState::new(ApiParts {
            metrics: metrics.clone(),
            readiness,
            access: Arc::clone(&access),
            ..parts
        }))
    };
    let first = source.open().await?;
    let mut seen = first.seen;
    let (shown, newest) = watch::channel(of(&first));
    told(&first);
    drop(first);
    let replacing = async {
        while let Some(copy) = source.newer(seen, &stop).await {
            seen = copy.seen;
            // The old ledger closes with the last request that reads it.
            shown.send_replace(of(&copy));
            told(&copy);
        }
    };
    tokio::join!(serve_newest(listener, newest, stop.clone()), replacing);
    Ok(ExitCode::SUCCESS)
}

/// Where ledgers come from.
struct Source<'a> {
    args: &'a PagesArgs,
    settings: &'a Settings,
    /// The file, where the ledger is one.
    file: Option<PathBuf>,
}

/// A ledger that is open and can be read.
struct Opened {
    ledger: Ledger,
    /// With its subnet.
    settings: Settings,
    /// Which file it was.
    seen: Option<Face>,
}

impl Source<'_> {
    /// Opens the ledger, and reads its newest round, for a file that is half copied does not have it.
    async fn open(&self) -> anyhow::Result<Opened> {
        let seen = self.file.as_deref().and_then(face);
        let ledger = ledger::open(self.settings, true).await?;
        let mut settings = self.settings.clone();
        let looked = async {
            self.args.ledger.choose_subnet(&mut settings, &ledger).await?;
            ledger.rounds(settings.netuid, 1, None).await?;
            anyhow::Ok(())
        };
        if let Err(error) = looked.await {
            ledger.close().await;
            return Err(error);
        }
        Ok(Opened { ledger, settings, seen })
    }

    /// The next ledger, as soon as another file lies in the place of the one that was `seen` and can be served; `None` at the
    /// end. A ledger that is being written to, beside its validator, stays the same file.
    async fn newer(&self, seen: Option<Face>, stop: &CancellationToken) -> Option<Opened> {
        let Some(path) = &self.file else {
            stop.cancelled().await;
            return None;
        };
        let mut said = String::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return None,
                () = tokio::time::sleep(LOOK) => {}
            }
            let now = face(path);
            if now.is_none() || now == seen {
                continue;
            }
            match self.open().await {
                Ok(copy) => {
                    tracing::info!(path = %path.display(), "another copy of the ledger is there");
                    return Some(copy);
                }
                Err(error) => {
                    let error = format!("{error:#}");
                    if error != said {
                        tracing::warn!(path = %path.display(), error, "another ledger is there that cannot be served; the old one is");
                    }
                    said = error;
                }
            }
        }
    }
}

/// The file that is served, where the ledger is one.
fn copied(settings: &Settings) -> anyhow::Result<Option<PathBuf>> {
    match settings.validator.ledger_url().parse()? {
        Address::File(path) => Ok(Some(path)),
        Address::Memory | Address::Postgres(_) => Ok(None),
    }
}

/// What tells one copy from another: a copy that is moved into place is another file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Face {
    device: u64,
    inode: u64,
}

fn face(path: &Path) -> Option<Face> {
    use std::os::unix::fs::MetadataExt as _;
    let about = std::fs::metadata(path).ok()?;
    Some(Face { device: about.dev(), inode: about.ino() })
}
