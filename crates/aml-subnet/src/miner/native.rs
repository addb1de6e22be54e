//! The native form: a btauth/1 request, whose body nobody here parses, and a signed answer.

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::failure::Failure;
use super::forward::Answer;
use super::observe::Seen;
use super::proxy::Miner;
use crate::http::listen::Peer;
use crate::protocol::answer::{self, Answered, Asked};
use crate::protocol::signed_request::{Claim, Target};

/// Checks `request`, forwards it to `route` of the API, and signs what comes back.
pub(super) async fn serve(
    miner: &Miner,
    route: &str,
    peer: Peer,
    seen: &mut Seen,
    request: Request,
) -> Result<Response, Failure> {
    let (head, body) = request.into_parts();
    miner.gate.admit_peer(peer.0)?;
    let claim = Claim::parse(&head.headers)?;
    let envelope = *claim.envelope();
    seen.caller = Some(envelope.sender);
    let (scheme, gate) = (miner.gate.scheme_of(&envelope.sender), &miner.gate);
    claim.expect(scheme, &miner.hotkey(), gate.window, gate.clock.now())?;
    let caller = miner.gate.admit_caller(&envelope.sender)?;
    let body = miner.gate.receive(body).await?;
    seen.bytes_in = body.len();
    let path_and_query = head.uri.path_and_query().map_or("/", |target| target.as_str());
    claim.verify(&Target { method: head.method.as_str(), path_and_query, body: body.digest() })?;
    miner.gate.count(envelope.sender, envelope.nonce).await?;
    seen.verified = true;
    let asked = Asked { nonce: envelope.nonce, validator: envelope.sender, body: body.digest() };
    let _slot = miner.slots.acquire(caller.stake).await.map_err(|_| Failure::Busy)?;
    let target = head.uri.query().map_or_else(|| route.to_owned(), |query| format!("{route}?{query}"));
    let answer = miner.upstream.ask(&target, &head.headers, body).await?;
    seen.bytes_out = answer.body.len();
    let answered = Answered { status: answer.status, body: answer.body.digest() };
    let signed = answer::sign(&miner.signer, answered, &asked);
    Ok(respond(answer, signed))
}

/// The API's answer with `more` headers.
fn respond(answer: Answer, more: HeaderMap) -> Response {
    let mut headers = answer.headers;
    headers.extend(more);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(answer.body.len()));
    stream(answer.status, headers, Body::from_stream(answer.body.into_stream()))
}

/// A response of these parts.
pub(super) fn stream(status: StatusCode, headers: HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
