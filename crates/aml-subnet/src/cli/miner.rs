//! `aml-subnet miner`: the proxy between validators and the inference API.

use std::process::ExitCode;
use std::sync::Arc;

use aml_miner::clock::{Clock, SystemClock};
use clap::Args;
use tokio_util::sync::CancellationToken;

use super::settings_args::AxonArgs;
use super::{SettingsArgs, chain, sealing, upgrade};
use crate::chain::metagraph::Cache;
use crate::config::Settings;
use crate::logging;
use crate::miner::proxy::MinerParts;
use crate::miner::run::{Outside, Ports, run as serve};
use crate::protocol::replay::{MemoryNonces, NonceStore};
use crate::subtensor::Subtensor;
use crate::subtensor::subnet::Subnet;
use crate::upgrade::Role;
use crate::wallet::Signer;

/// Arguments of `miner`.
#[derive(Debug, Args)]
pub(super) struct MinerArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    axon: AxonArgs,
    /// Checks the configuration and the hotkey, and exits
    #[arg(long)]
    check: bool,
    /// Says what an upgrade has to know, as JSON, and exits
    #[arg(long, hide = true)]
    facts: bool,
}

/// Runs the proxy until it is told to stop.
pub(super) fn run(args: &MinerArgs) -> anyhow::Result<ExitCode> {
    let settings = args.settings.load(&args.axon.overrides())?;
    if args.facts {
        return upgrade::tell_facts(&settings, Role::Miner);
    }
    logging::init(&settings.log_level)?;
    let file = args.settings.wallet(&settings).locate(|name| std::env::var_os(name))?;
    let opened = file.open(|name| std::env::var_os(name))?;
    if let Some(warning) = opened.warning {
        tracing::warn!("{warning}");
    }
    if args.check {
        println!("{}, inference API {}", settings.chain_summary(), settings.miner.api_url);
        println!("configuration and hotkey {} are good", opened.signer.hotkey());
        return Ok(ExitCode::SUCCESS);
    }
    tracing::info!(on = settings.chain_summary(), hotkey = %opened.signer.hotkey(), "miner starts");
    let chain = chain::connect_to_write(&settings, &file)?;
    chain::block_on(until_stopped(&settings, opened.signer, chain))
}

async fn until_stopped(settings: &Settings, signer: Signer, subtensor: Arc<Subtensor>) -> anyhow::Result<ExitCode> {
    let stop = CancellationToken::new();
    chain::stop_on_signal(stop.clone())?;
    sealing::check_beacon(settings, &subtensor).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let subnet = Arc::new(Subnet { chain: Arc::clone(&subtensor), netuid: settings.netuid, signer: signer.clone() });
    let nonces = nonces(settings, &signer, &*clock).await?;
    let parts = MinerParts { signer, metagraph: Arc::new(Cache::default()), nonces, clock };
    let ports = Ports::bind(settings).await?;
    let (source, outlook) = (Arc::clone(&subnet) as Arc<_>, Arc::clone(&subnet) as Arc<_>);
    let metrics = logging::record_metrics();
    let served = serve(settings, parts, Outside { source, outlook, announce: subnet, ports, metrics }, stop);
    tokio::select! {
        served = served => served.map(|()| ExitCode::SUCCESS).map_err(Into::into),
        // Half-open connections look alive; the supervisor's restart is the cure.
        stalled = subtensor.watch_blocks(settings.subtensor.stalled_after) => Err(stalled.into()),
    }
}

#[cfg(not(feature = "redis"))]
async fn nonces(settings: &Settings, _: &Signer, clock: &dyn Clock) -> anyhow::Result<Arc<dyn NonceStore>> {
    let wanted = settings.protocol.redis_url_env.is_some();
    anyhow::ensure!(!wanted, "protocol.redis_url_env is set, but this build has no Redis: build with --features redis");
    std::future::ready(()).await;
    Ok(Arc::new(MemoryNonces::new(clock.now())))
}

#[cfg(feature = "redis")]
async fn nonces(settings: &Settings, signer: &Signer, clock: &dyn Clock) -> anyhow::Result<Arc<dyn NonceStore>> {
    use aml_miner::secret_url::SecretUrl;
    use anyhow::Context as _;

    use crate::protocol::replay::redis::RedisNonces;

    let Some(variable) = &settings.protocol.redis_url_env else {
        return Ok(Arc::new(MemoryNonces::new(clock.now())));
    };
    let url =
        std::env::var(variable).with_context(|| format!("environment variable {variable} (protocol.redis_url_env)"))?;
    let url = SecretUrl::new(url);
    let prefix = format!("aml:nonce:{}:{}", settings.netuid, signer.hotkey());
    let connected = RedisNonces::connect(&url, prefix).await;
    Ok(Arc::new(connected.with_context(|| format!("cannot reach Redis at {url}"))?))
}
