//! `aml-subnet validator --standby`: waits until the validator that holds the ledger is gone, and goes on in its place.
//!
//! The ledger's lock decides: PostgreSQL gives it to one session, and lets go of it with the session. What a round needs
//! beside the ledger lies in the shared folder, which is held against the ledger before anything is done.

use std::time::Duration;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use super::ledger;
use crate::config::{Settings, ValidatorSettings};
use crate::store::records::{RoundId, Step};
use crate::store::{Ledger, OpenLedgerError};
use crate::validator::round::Secret;

/// How long a standby waits between two looks at the lock; each look itself waits for some seconds.
const PAUSE: Duration = Duration::from_secs(2);
/// Rounds among which one with a task is looked for.
const ROUNDS: u32 = 32;

/// Refuses a standby that could not go on: a ledger that other machines do not see, or no shared folder.
pub(super) fn check(own: &ValidatorSettings) -> anyhow::Result<()> {
    anyhow::ensure!(
        own.database_url.as_deref().is_some_and(|url| url.starts_with("postgres")),
        "--standby needs a ledger in PostgreSQL (validator.database_url): the lock of a file holds on one machine alone"
    );
    let shared = own.shared_dir.as_deref().context(
        "--standby needs validator.shared_dir: a folder that both machines see, with salts.secret, pools and published \
         scores",
    )?;
    anyhow::ensure!(
        shared.join(Secret::FILE).is_file(),
        "{} is not there: start the first validator with the same validator.shared_dir",
        shared.join(Secret::FILE).display()
    );
    Ok(())
}

/// The ledger once nobody else holds it; `None` when `stop` came first.
pub(super) async fn ledger_when_free(settings: &Settings, stop: &CancellationToken) -> anyhow::Result<Option<Ledger>> {
    let mut waiting = false;
    loop {
        match ledger::open(settings, false).await {
            Ok(ledger) => {
                if waiting {
                    tracing::warn!("the ledger is free: this validator goes on in the other's place");
                }
                return Ok(Some(ledger));
            }
            Err(error) => match error.downcast_ref() {
                Some(OpenLedgerError::Held { holder, .. }) if !waiting => {
                    tracing::warn!(holder, "this validator stands by: another one holds the ledger");
                    waiting = true;
                }
                Some(OpenLedgerError::Held { .. }) => {}
                // The server may be started again beside the machine that died.
                Some(OpenLedgerError::Storage { .. }) if waiting => {
                    tracing::warn!(%error, "the ledger cannot be asked; it is tried again");
                }
                _ => return Err(error),
            },
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(None),
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Refuses a shared folder whose secret is not the one that the ledger's rounds were salted with.
pub(super) async fn check_shared(ledger: &Ledger, settings: &Settings, secret: &Secret) -> anyhow::Result<()> {
    let Some(shared) = &settings.validator.shared_dir else { return Ok(()) };
    let Some((round, salt)) = newest_salt(ledger, settings.netuid).await? else { return Ok(()) };
    anyhow::ensure!(
        secret.salt(round) == salt,
        "round {round} of the ledger was salted with another secret than that of {}: both machines must see the same \
         folder (validator.shared_dir)",
        shared.display()
    );
    Ok(())
}

async fn newest_salt(ledger: &Ledger, netuid: u16) -> anyhow::Result<Option<(RoundId, [u8; 32])>> {
    let rounds = ledger.rounds(netuid, ROUNDS, None).await?;
    let Some(round) = rounds.into_iter().find(|round| round.step > Step::Fetched) else { return Ok(None) };
    Ok(ledger.task(round.id).await?.map(|task| (round.id, task.salt)))
}
