//! `/objects/{digest}`: a round's task, encrypted, for miners that fetch it.
//!
//! Nothing is listed, and whoever does not know the digest finds nothing. Objects are made again from what the ledger keeps (the
//! packed task and the descriptor with its key); the last ones stay in memory, so that a round reads the ledger once. When
//! retention sweeps the packed task, the object is gone. No token is asked for: what is given is ciphertext.

use std::collections::VecDeque;

use aml_miner::digest::Digest;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use tokio::sync::Mutex;

use super::error::ApiError;
use super::reply::{self, Keep};
use super::state::ApiState;
use crate::protocol::reference::{Descriptor, encrypt};
use crate::store::records::{EncodedTask, ReferencedTask};
use crate::store::{Ledger, StorageError};

/// Objects that are kept in memory: of the round that is asked, and of the one before.
const KEPT: usize = 2;
/// Bytes of them.
const MOST: usize = 256 << 20;
/// Where they are, below the version or without it.
const PREFIX: &str = "/objects/";

/// The last objects, the oldest first. Held while one is made, so that a hundred miners who ask at once wait for one.
#[derive(Default)]
pub(super) struct Objects(Mutex<VecDeque<(Digest, Bytes)>>);

/// Whether a path is that of an object.
pub(super) fn is_object(path: &str) -> bool {
    path.strip_prefix(super::VERSION).unwrap_or(path).starts_with(PREFIX)
}

/// The bytes of an object.
pub(super) async fn one(
    State(api): State<ApiState>,
    Path(digest): Path<String>,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let none = || ApiError::not_found("There is no such object");
    let digest: Digest = digest.parse().map_err(|_| none())?;
    let tag = format!("\"{digest}\"");
    if reply::has(&asked, &tag) {
        return Ok(reply::unchanged(&tag, Keep::Forever));
    }
    let found = api.objects.get(&api.ledger, digest).await.map_err(ApiError::internal)?;
    let bytes = found.ok_or_else(none)?;
    let mut response = Response::new(Body::from(bytes));
    reply::mark(&mut response, &tag, Keep::Forever);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    Ok(response)
}

impl Objects {
    async fn get(&self, ledger: &Ledger, digest: Digest) -> Result<Option<Bytes>, StorageError> {
        // Before the turn, so that those who guess hold nobody up.
        let Some(round) = ledger.round_of_object(&digest).await? else { return Ok(None) };
        let mut kept = self.0.lock().await;
        if let Some((_, bytes)) = kept.iter().find(|(known, _)| *known == digest) {
            return Ok(Some(bytes.clone()));
        }
        let packed = ledger.file(round, EncodedTask::FILE).await?;
        let Some((packed, descriptor)) = packed.zip(ledger.file(round, ReferencedTask::FILE).await?) else {
            return Ok(None);
        };
        let made = tokio::task::spawn_blocking(move || made(&packed, &descriptor, digest)).await.ok().flatten();
        let Some(bytes) = made else { return Ok(None) };
        kept.push_back((digest, bytes.clone()));
        while kept.len() > KEPT || (kept.len() > 1 && kept.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > MOST) {
            kept.pop_front();
        }
        Ok(Some(bytes))
    }
}

/// The object of this digest, from what is kept of a round.
fn made(packed: &[u8], descriptor: &[u8], digest: Digest) -> Option<Bytes> {
    let descriptor = Descriptor::read(descriptor).ok()?;
    let object = encrypt(packed, &descriptor.key, &descriptor.task).ok()?;
    (Digest::of(&object) == digest).then(|| Bytes::from(object))
}
