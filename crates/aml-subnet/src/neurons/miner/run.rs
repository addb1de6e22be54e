//! From settings to a running miner, and to its end.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::listen::{ListenLimits, STALLED, serve};
use super::server::{Miner, Parts, router};
use super::status::{self, StatusState};
use crate::config::Settings;
use crate::neurons::announce::{Announce, keep_announced};
use crate::neurons::metagraph::{MetagraphSource, keep_fresh};

/// The chain, as far as a miner needs it.
pub struct Chain {
    /// Reads the metagraph.
    pub source: Arc<dyn MetagraphSource>,
    /// Announces our axon.
    pub announce: Arc<dyn Announce>,
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
/// When a port cannot be bound or the HTTP client not be set up; never later.
pub async fn run(
    settings: &Settings,
    parts: Parts,
    chain: Chain,
    metrics: Option<PrometheusHandle>,
    stop: CancellationToken,
) -> Result<(), RunError> {
    let (cache, clock) = (Arc::clone(&parts.metagraph), Arc::clone(&parts.clock));
    let miner = Arc::new(Miner::new(settings, parts)?);
    let axon = bind(SocketAddr::new(settings.axon.ip, settings.axon.port)).await?;
    let status_port = bind(settings.miner.status_listen).await?;
    let state = StatusState {
        miner: Arc::clone(&miner),
        metagraph: Arc::clone(&cache),
        clock: Arc::clone(&clock),
        max_age: settings.miner.metagraph_max_age,
        metrics,
    };
    let ended = CancellationToken::new();
    let (status_end, refresh_end, announce_end) = (ended.clone(), ended.clone(), stop.clone());
    let interval = settings.miner.metagraph_refresh;
    tokio::spawn(async move { keep_fresh(&*chain.source, &cache, &*clock, interval, refresh_end).await });
    tokio::spawn(async move {
        axum::serve(status_port, status::router(state)).with_graceful_shutdown(status_end.cancelled_owned()).await
    });
    match announced_address(settings) {
        Some(place) => {
            tokio::spawn(async move { keep_announced(&*chain.announce, place, announce_end).await });
        }
        None => tracing::warn!(
            "axon.external_ip is not set: nothing is announced, validators find this miner only if it was before"
        ),
    }
    tracing::info!(hotkey = %miner.hotkey(), netuid = settings.netuid, port = settings.axon.port, "miner serves");
    let draining = Arc::clone(&miner);
    let drain = stop.clone();
    tokio::spawn(async move {
        drain.cancelled().await;
        draining.drain();
    });
    serve(axon, router(miner), limits(settings), stop).await;
    ended.cancel();
    tracing::info!("miner stopped");
    Ok(())
}

/// What the chain should say.
fn announced_address(settings: &Settings) -> Option<(IpAddr, u16)> {
    let port = settings.axon.external_port.unwrap_or(settings.axon.port);
    settings.axon.external_ip.map(|ip| (ip, port))
}

fn limits(settings: &Settings) -> ListenLimits {
    ListenLimits {
        connections: settings.miner.connections,
        per_peer: settings.miner.connections_per_peer,
        header_timeout: settings.miner.header_timeout,
        stalled: STALLED,
        grace: settings.miner.grace,
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, RunError> {
    TcpListener::bind(address).await.map_err(|source| RunError::Listen { address, source })
}
