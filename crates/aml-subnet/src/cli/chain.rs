//! What every command that talks to the chain needs: the endpoints, the connection, the stop signal.

use std::sync::Arc;
use std::time::Duration;

use aml_miner::clock::{Clock, SystemClock};
use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::subtensor::{Subtensor, Timing};
use crate::wallet::{HotkeyFile, KeyLock};

/// How long threads that may block are waited for at the end.
const LEFT_BEHIND: Duration = Duration::from_secs(2);

/// The chain that the settings name. Connects when it is first asked.
pub(super) fn connect(settings: &Settings) -> anyhow::Result<Arc<Subtensor>> {
    Ok(Arc::new(subtensor(settings)?))
}

/// The same, for a process that writes with a hotkey's file.
pub(super) fn connect_to_write(settings: &Settings, key: &HotkeyFile) -> anyhow::Result<Arc<Subtensor>> {
    Ok(Arc::new(subtensor(settings)?.writing_with(KeyLock::of(key.path()))))
}

fn subtensor(settings: &Settings) -> anyhow::Result<Subtensor> {
    let endpoints = settings.subtensor.endpoints()?;
    for endpoint in endpoints.list().iter().filter(|endpoint| endpoint.is_exposed()) {
        tracing::warn!(%endpoint, "not encrypted: others can read and change what the chain says");
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Ok(Subtensor::new(endpoints, Timing::default(), clock))
}

/// Runs `work` on a runtime of its own.
pub(super) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
    let done = runtime.block_on(work);
    // A thread that reads from a disk or a share that hangs must not keep the process.
    runtime.shutdown_timeout(LEFT_BEHIND);
    done
}

/// Cancels `stop` at SIGTERM or SIGINT; a second signal ends the process at once.
pub(super) fn stop_on_signal(stop: CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    tokio::spawn(async move {
        for first in [true, false] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if first {
                tracing::info!("stopping; another signal ends it now");
                stop.cancel();
            } else {
                std::process::exit(1);
            }
        }
    });
    Ok(())
}
