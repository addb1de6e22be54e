//! A miner asked in the form of SDK 10. Its signature does not cover the body and its answers are not signed: what comes is
//! worth what the connection is worth.
//!
//! Request and answer of this form lie in memory whole, so few miners are asked in it at a time. Of the answer the list of scores is kept, which is what the
//! native form answers.

use std::time::Duration;

use bytes::Bytes;

use super::native::{Caller, Heard};
use super::trouble::{OwnFailure, Trouble};
use crate::http::body::RequestBody;
use crate::http::client::{Posting, Received, not_kept};
use crate::http::spool::{Spool, SpoolLimits, Spooled};
use crate::protocol::synapse::NAME;
use crate::protocol::synapse::dendrite::{self, Receiver, Unique, Uuid};
use crate::protocol::synapse::reply;
use crate::validator::world::{Line, Workers};

/// Why a miner cannot be asked in the old form.
pub(crate) type CannotAsk = dendrite::BuildError;

/// Wraps `task` and signs it for `receiver`.
pub(crate) async fn wrap(
    caller: Caller<'_>,
    receiver: Receiver,
    patience: Duration,
    task: RequestBody,
) -> Result<Posting, CannotAsk> {
    let nonce = caller.nonces.next(caller.clock);
    let uuid = Uuid::random(caller.entropy).map_err(|_| CannotAsk::Randomness)?;
    let signer = caller.signer.clone();
    let make = move || dendrite::request(&signer, &receiver, Unique { nonce, uuid }, patience, &task.to_bytes());
    let made = caller.workers.compute(make).await.map_err(|_| CannotAsk::Body)??;
    let target = format!("/{NAME}").parse().expect("a class name is a valid path");
    Ok(Posting { target, headers: made.headers, body: made.body.into(), lane: None })
}

/// Sends what [`wrap`] made and reads the answer.
pub(crate) async fn ask(
    line: Box<dyn Line>,
    posting: Posting,
    limits: &SpoolLimits,
    workers: &dyn Workers,
) -> Result<Heard, Trouble> {
    let Received { status, headers, body, whole } = line.post(posting, limits).await?;
    let bytes = body.into_bytes().await.map_err(OwnFailure::Disk)?;
    let reading = workers.compute(move || {
        let read = reply::read(status, &headers, &bytes);
        (read, headers, bytes)
    });
    let (read, headers, bytes) = reading.await.map_err(OwnFailure::from)?;
    let (kept, verdict) = match read.map(|reply| reply.scores) {
        Ok(Some(scores)) => (scores, Ok(())),
        Ok(None) => (bytes, Err("the synapse comes back without scores".to_owned())),
        Err(error) => (bytes, Err(error.to_string())),
    };
    Ok(Heard { status, headers, body: keep(&kept, limits).await?, whole, verdict, signed: false, stated: None })
}

async fn keep(bytes: &Bytes, limits: &SpoolLimits) -> Result<Spooled, Trouble> {
    let mut spool = Spool::new(limits);
    spool.push(bytes).await.map_err(not_kept)?;
    Ok(spool.finish().await.map_err(not_kept)?)
}
