//! From settings to a running miner, and to its end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::announce::keep_announced;
use super::observe;
use super::proxy::{Miner, MinerParts};
use super::refresh::{keep_fresh, watch_outlook};
use super::server::router;
use super::status::{self, StatusState};
use super::verdicts;
use crate::chain::announce::Announce;
use crate::chain::metagraph::MetagraphSource;
use crate::chain::outlook::OutlookSource;
use crate::config::Settings;
use crate::http::listen::{ListenLimits, STALLED, serve};

/// The chain as far as a miner needs it, and the ports.
pub struct Outside {
    /// Reads the metagraph.
    pub source: Arc<dyn MetagraphSource>,
    /// Tells how near we are to losing our place.
    pub outlook: Arc<dyn OutlookSource>,
    /// Announces our axon.
    pub announce: Arc<dyn Announce>,
    /// Where to serve.
    pub ports: Ports,
    /// Renders the metrics, where they are recorded.
    pub metrics: Option<PrometheusHandle>,
}

/// Bound ports.
pub struct Ports {
    /// For validators.
    pub axon: TcpListener,
    /// For the owner.
    pub status: TcpListener,
}

impl Ports {
    /// Binds what the settings name.
    ///
    /// # Errors
    /// When a port is taken, or not ours to take.
    pub async fn bind(settings: &Settings) -> Result<Self, RunError> {
        let axon = bind(SocketAddr::new(settings.axon.ip, settings.axon.port)).await?;
        Ok(Self { axon, status: bind(settings.miner.status_listen).await? })
    }
}

/// Why a miner cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A port is taken, or not ours to take.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The HTTP client.
    #[error(transparent)]
    Upstream(#[from] super::forward::UpstreamError),
}

/// Runs until `stop`, then finishes what is in flight.
///
/// # Errors
/// When the HTTP client cannot be set up; never later.
pub async fn run(
    settings: &Settings,
    parts: MinerParts,
    outside: Outside,
    stop: CancellationToken,
) -> Result<(), RunError> {
    let Outside { source, outlook, announce, ports, metrics } = outside;
    let (cache, clock) = (Arc::clone(&parts.metagraph), Arc::clone(&parts.clock));
    let miner = Arc::new(Miner::new(settings, parts)?);
    let state = StatusState {
        miner: Arc::clone(&miner),
        metagraph: Arc::clone(&cache),
        clock: Arc::clone(&clock),
        max_age: settings.miner.metagraph_max_age,
        metrics,
    };
    let ended = CancellationToken::new();
    let (status_end, refresh_end, outlook_end, announce_end) =
        (ended.clone(), ended.clone(), ended.clone(), stop.clone());
    let interval = settings.miner.metagraph_refresh;
    tokio::spawn(async move { keep_fresh(&*source, &cache, &*clock, interval, refresh_end).await });
    tokio::spawn(async move { watch_outlook(&*outlook, outlook_end).await });
    tokio::spawn(async move {
        axum::serve(ports.status, status::router(state)).with_graceful_shutdown(status_end.cancelled_owned()).await
    });
    let (validators, hotkey, watch_end) = (settings.miner.validators.clone(), miner.hotkey(), ended.clone());
    tokio::spawn(async move { verdicts::watch(&validators, hotkey, watch_end).await });
    match announced_address(settings, &ports.axon) {
        Some(place) => {
            tokio::spawn(async move { keep_announced(&*announce, place, announce_end).await });
        }
        None => tracing::warn!(
            "axon.external_ip is not set: nothing is announced, validators find this miner only if it was before"
        ),
    }
    let address = ports.axon.local_addr().map(|address| address.to_string()).unwrap_or_default();
    tracing::info!(hotkey = %miner.hotkey(), netuid = settings.netuid, address, "miner serves");
    let draining = Arc::clone(&miner);
    let drain = stop.clone();
    tokio::spawn(async move {
        drain.cancelled().await;
        draining.drain();
    });
    let limits = limits(settings, &miner);
    serve(ports.axon, router(miner), limits, observe::connection_refused, stop).await;
    ended.cancel();
    tracing::info!("miner stopped");
    Ok(())
}

/// What the chain should say.
fn announced_address(settings: &Settings, axon: &TcpListener) -> Option<SocketAddr> {
    let port = settings.axon.external_port.or_else(|| axon.local_addr().ok().map(|address| address.port()))?;
    settings.axon.external_ip.map(|ip| SocketAddr::new(ip, port))
}

fn limits(settings: &Settings, miner: &Miner) -> ListenLimits {
    ListenLimits {
        connections: settings.miner.connections,
        per_peer: settings.miner.connections_per_peer,
        header_timeout: settings.miner.header_timeout,
        stalled: STALLED,
        grace: settings.miner.grace,
        reserved: Some(miner.reserved(settings.miner.connections)),
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, RunError> {
    TcpListener::bind(address).await.map_err(|source| RunError::Listen { address, source })
}
