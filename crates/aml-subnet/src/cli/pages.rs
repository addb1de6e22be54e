//! `aml-subnet pages`: pages and API, read-only, from a replica or a copy of a validator's ledger; any number of them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use aml_miner::clock::SystemClock;
use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::chain;
use super::ledger::{self, LedgerArgs};
use crate::api::serve::serve_alone;
use crate::api::state::{ApiParts, ApiState, Readiness};
use crate::config::Settings;
use crate::logging;
use crate::store::Ledger;
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

async fn serve(args: &PagesArgs, mut settings: Settings) -> anyhow::Result<ExitCode> {
    let stop = CancellationToken::new();
    chain::stop_on_signal(stop.clone())?;
    let address = settings.validator.listen;
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let address = listener.local_addr()?;
    let listener = listener.into_std()?;
    let metrics = logging::record_metrics();
    let file = copied(&settings);
    while !stop.is_cancelled() {
        let seen = file.as_deref().and_then(face);
        let ledger = ledger::open(&settings, true).await?;
        args.ledger.choose_subnet(&mut settings, &ledger).await?;
        tracing::info!(netuid = settings.netuid, %address, ledger = ledger.address(), "pages are served");
        let api = state(&settings, ledger.clone(), args.hotkey, metrics.clone());
        // It ends with the process, or when another copy lies in the ledger's place.
        let turn = stop.child_token();
        let serving = serve_alone(TcpListener::from_std(listener.try_clone()?)?, api, turn.clone());
        tokio::join!(serving, watch(file.as_deref(), seen, &turn));
        ledger.close().await;
    }
    Ok(ExitCode::SUCCESS)
}

fn state(
    settings: &Settings,
    ledger: Ledger,
    hotkey: Hotkey,
    metrics: Option<metrics_exporter_prometheus::PrometheusHandle>,
) -> ApiState {
    let parts = ApiParts::of(settings, ledger, hotkey, Arc::new(SystemClock));
    ApiState::new(ApiParts { metrics, readiness: Readiness { mirror: true, ..parts.readiness }, ..parts })
}

/// The file that is served, where the ledger is one.
fn copied(settings: &Settings) -> Option<PathBuf> {
    settings.validator.ledger_url().strip_prefix("sqlite://").map(PathBuf::from)
}

/// What tells one copy from another: a copy that is moved into place is another file.
fn face(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    let about = std::fs::metadata(path).ok()?;
    Some((about.dev(), about.ino()))
}

/// Ends the turn when another file lies at `path`. A ledger that is being written to, beside its validator, stays the same file.
async fn watch(path: Option<&Path>, seen: Option<(u64, u64)>, turn: &CancellationToken) {
    let Some(path) = path else { return };
    loop {
        tokio::select! {
            () = turn.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let now = face(path);
        if now.is_some() && now != seen {
            tracing::info!(path = %path.display(), "another copy of the ledger is there");
            turn.cancel();
            return;
        }
    }
}
