//! A miner asked in the form of SDK 10. Its signature does not cover the body and its answers are not signed: what comes is
//! worth what the connection is worth.
//!
//! Request and answer of this form lie in memory whole, so few miners are asked in it at a time. Of the answer the list of scores is kept, which is what the
//! native form answers.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpStream;

use super::body::RequestBody;
use super::exchange::{OwnFailure, Posting, Received, Trouble, own, post};
use super::native::{Caller, Heard};
use crate::neurons::spool::{Spool, SpoolLimits, Spooled};
use crate::protocol::synapse::NAME;
use crate::protocol::synapse::dendrite::{self, Receiver};
use crate::protocol::synapse::reply;
use crate::wallet::Hotkey;

/// Why a miner cannot be asked in the old form.
pub(crate) type CannotAsk = dendrite::BuildError;

/// Wraps `task` and signs it for the miner at `address`.
pub(crate) async fn wrap(
    caller: Caller<'_>,
    (hotkey, address): (Hotkey, SocketAddr),
    patience: Duration,
    task: RequestBody,
) -> Result<Posting, CannotAsk> {
    let nonce = caller.nonces.next(caller.clock);
    let signer = caller.signer.clone();
    let receiver = Receiver { hotkey, address };
    let made =
        tokio::task::spawn_blocking(move || dendrite::request(&signer, &receiver, nonce, patience, &task.to_bytes()));
    let made = made.await.map_err(|_| CannotAsk::Body)??;
    let target = format!("/{NAME}").parse().expect("a class name is a valid path");
    Ok(Posting { target, headers: made.headers, body: made.body.into(), lane: None })
}

/// Sends what [`wrap`] made and reads the answer.
pub(crate) async fn ask(stream: TcpStream, posting: Posting, limits: &SpoolLimits) -> Result<Heard, Trouble> {
    let Received { status, headers, body, whole } = post(stream, posting, limits).await?;
    let bytes = body.into_bytes().await.map_err(OwnFailure::Disk)?;
    let reading = tokio::task::spawn_blocking(move || {
        let read = reply::read(status, &headers, &bytes);
        (read, headers, bytes)
    });
    let (read, headers, bytes) = reading.await.map_err(OwnFailure::Panicked)?;
    let (kept, verdict) = match read.map(|reply| reply.scores) {
        Ok(Some(scores)) => (scores, Ok(())),
        Ok(None) => (bytes, Err("the synapse comes back without scores".to_owned())),
        Err(error) => (bytes, Err(error.to_string())),
    };
    Ok(Heard { status, headers, body: keep(&kept, limits).await?, whole, verdict, signed: false })
}

async fn keep(bytes: &Bytes, limits: &SpoolLimits) -> Result<Spooled, Trouble> {
    let mut spool = Spool::new(limits);
    spool.push(bytes).await.map_err(own)?;
    spool.finish().await.map_err(own)
}
