//! The v10 axon form, for validators that still run the old SDK. Opt-in.
//!
//! The signature does not cover the body, so it is checked before a byte of the body is read. Answers of this form are
//! framed as a synapse and carry their status in headers too; they are not signed.

use std::io::Read;
use std::time::Instant;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::failure::Failure;
use super::forward::Answer;
use super::native;
use super::observe::Seen;
use super::proxy::Miner;
use crate::http::listen::Peer;
use crate::http::spool::Spooled;
use crate::protocol::synapse::body::{self, BodyError};
use crate::protocol::synapse::{Claim, reply};

/// What of the API serves the synapse.
const ROUTE: &str = "/score/alerts";

/// Checks `request`, forwards its body as it is, and frames the scores as a synapse.
pub(super) async fn serve(miner: &Miner, peer: Peer, seen: &mut Seen, request: Request) -> Result<Response, Failure> {
    let started = Instant::now();
    let (head, body) = request.into_parts();
    miner.gate.admit_peer(peer.0)?;
    let us = miner.hotkey();
    let claim = Claim::parse(&head.headers, &us)?;
    seen.caller = Some(claim.sender);
    claim.expect(miner.gate.scheme_of(&claim.sender), miner.gate.window, miner.gate.clock.now())?;
    let caller = miner.gate.admit_caller(&claim.sender)?;
    miner.gate.proven(peer.0, claim.verify(&us))?;
    plain_json(&head.headers)?;
    miner.gate.fits(&body)?;
    miner.gate.count(claim.sender, claim.nonce, peer.0).await?;
    seen.verified = true;
    // This form cannot seal.
    miner.sealer.allows_open(miner.gate.clock.now().as_secs()).await?;
    let (deadline, mut part) = (claim.timeout, miner.gate.begin(claim.sender)?);
    let work = async {
        let body = checked(miner.gate.receive(body, &mut part).await?, claim).await?;
        seen.bytes_in = body.len();
        let _slot = miner.slots.acquire(caller.stake).await.map_err(|_| Failure::Busy)?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        miner.upstream.ask(ROUTE, &headers, body).await
    };
    let answer = tokio::time::timeout(deadline, work).await.map_err(|_| Failure::Slow(deadline))??;
    if answer.status != StatusCode::OK {
        return Err(Failure::ApiStatus(answer.status));
    }
    seen.bytes_out = answer.body.len();
    framed(miner, answer, started).await
}

/// A failure in the words of the old form.
pub(super) fn refuse(failure: &Failure) -> Response {
    let text = failure.to_string();
    let mut headers = reply::headers(failure.status(), &text, 0.0);
    if let Some(seconds) = failure.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    native::stream(failure.status(), headers, Body::from(reply::refusal(&text)))
}

fn plain_json(headers: &HeaderMap) -> Result<(), Failure> {
    let json = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(reply::is_json);
    if !json {
        return Err(Failure::Media("the synapse must come as application/json"));
    }
    if headers.contains_key(CONTENT_ENCODING) {
        return Err(Failure::Media("the synapse must not be compressed"));
    }
    Ok(())
}

async fn checked(body: Spooled, claim: Claim) -> Result<Spooled, Failure> {
    let look = move |reader: &mut dyn Read| body::check(reader, &claim.sender);
    let (body, verdict) = body.inspect(look).await.map_err(|error| {
        tracing::error!(%error, "cannot read a body back");
        Failure::Internal
    })?;
    verdict.map_err(|error| match error {
        BodyError::Shape(text) => Failure::Shape(text),
        BodyError::Sender(refusal) => Failure::Refused(refusal),
    })?;
    Ok(body)
}

async fn framed(miner: &Miner, answer: Answer, started: Instant) -> Result<Response, Failure> {
    let (body, version) = answer.body.inspect(|reader| reply::first_model_version(reader)).await.map_err(|error| {
        tracing::error!(%error, "cannot read an answer back");
        Failure::Internal
    })?;
    let (prefix, suffix) = reply::frame(&miner.hotkey(), version.as_deref());
    let length = prefix.len() as u64 + body.len() + suffix.len() as u64;
    let mut headers = reply::headers(StatusCode::OK, "Success", started.elapsed().as_secs_f64());
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    let edge = |text: String| stream::iter([Ok::<_, std::io::Error>(Bytes::from(text))]);
    let whole = edge(prefix).chain(body.into_stream()).chain(edge(suffix.to_owned()));
    Ok(native::stream(StatusCode::OK, headers, Body::from_stream(whole)))
}
