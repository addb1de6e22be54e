//! The native form: a btauth/1 request, whose body nobody here parses, and a signed answer.
//!
//! A request that announces its body's digest is verified by its head alone; the server says `100 Continue` when the body is
//! first looked at, and that is after it. Without a digest there is a small budget of what is read before.

use std::net::IpAddr;

use aml_miner::digest::Digest;
use aml_miner::receipt::{self, Receipt};
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use futures_util::StreamExt as _;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::admit::Gate;
use super::failure::Failure;
use super::forward::Answer;
use super::observe::Seen;
use super::proxy::Miner;
use super::{references, sealing};
use crate::http::listen::Peer;
use crate::http::share::Part;
use crate::http::spool::Spooled;
use crate::protocol::answer::{self, Answered, Asked};
use crate::protocol::second_answer::{self, Subject};
use crate::protocol::signed_request::{Claim, Target};
use crate::protocol::terms::Terms;
use crate::protocol::{Refusal, content_digest, receipt_key};
use crate::wallet::Hotkey;

/// Checks `request`, forwards it to `route` of the API, and signs what comes back.
pub(super) async fn serve(
    miner: &Miner,
    route: &str,
    peer: Peer,
    seen: &mut Seen,
    request: Request,
) -> Result<Response, Failure> {
    let (mut head, body) = request.into_parts();
    let Proven { asked, stake, body, mut part } = prove(miner, peer, seen, &head, body).await?;
    let (terms, query) = Terms::of_query(head.uri.query())?;
    if terms.is_none_or(|terms| terms.opening.is_none()) {
        miner.sealer.allows_open(now_s(miner)).await?;
    }
    let body = if references::is_descriptor(&head.headers) {
        let body = miner.references.resolve(body, terms.as_ref(), &mut head.headers).await?;
        if !part.grow(body.len()) {
            return Err(Failure::TooManyAtOnce);
        }
        body
    } else {
        body
    };
    let promised = match &terms {
        Some(terms) => {
            encoding_goes_with(terms, &mut head.headers)?;
            miner.sealer.promise(terms, asked.validator, now_s(miner)).await?
        }
        None => None,
    };
    let _slot = miner.slots.acquire(stake).await.map_err(|_| Failure::Busy)?;
    let target = query.map_or_else(|| route.to_owned(), |query| format!("{route}?{query}"));
    let answer = miner.upstream.ask(&target, &head.headers, body).await?;
    if !part.grow(answer.body.len()) {
        return Err(Failure::TooManyAtOnce);
    }
    let (answer, mut signed) = match terms {
        None => {
            let answered = Answered { status: answer.status, body: answer.body.digest() };
            let signed = answer::sign(&miner.signer, answered, &asked);
            (answer, signed)
        }
        Some(terms) => {
            let decoded = decoded(&terms, &asked, &answer)?;
            let subject = Subject { task: terms.task, commitment: terms.commitment, decoded };
            let parties = sealing::parties(miner.hotkey(), &asked, &terms);
            let (answer, stated) = match promised.filter(|_| sealing::is_sealable(&answer)) {
                Some(opening) => miner.sealer.seal(answer, opening, parties, now_s(miner)).await?,
                None => {
                    let stated = sealing::open(&answer);
                    (answer, stated)
                }
            };
            let signed = second_answer::sign(&miner.signer, &stated, &asked, &subject);
            (answer, signed)
        }
    };
    if let Some(key) = &miner.receipt_key {
        signed.insert(receipt_key::HEADER, receipt_key::vouch(&miner.signer, key, &asked.body));
    }
    seen.bytes_out = answer.body.len();
    let mut response = respond(answer, signed, part);
    miner.references.say(response.headers_mut());
    Ok(response)
}

/// The plain answer that was sealed for whoever asks, once it may be read: for when the beacon stays away.
pub(super) async fn plain_answer(
    miner: &Miner,
    digest: Digest,
    peer: Peer,
    seen: &mut Seen,
    request: Request,
) -> Result<Response, Failure> {
    let (head, body) = request.into_parts();
    let Proven { asked, mut part, .. } = prove(miner, peer, seen, &head, body).await?;
    let plain = miner.sealer.plain(asked.validator, digest, now_s(miner)).await?;
    seen.bytes_out = plain.body.len() as u64;
    if !part.grow(seen.bytes_out) {
        return Err(Failure::TooManyAtOnce);
    }
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(plain.body.len()));
    if let Some(value) = plain.receipt.and_then(|receipt| HeaderValue::from_str(&receipt).ok()) {
        headers.insert(receipt::HEADER, value);
    }
    let chunk = futures_util::stream::iter([Ok::<_, std::io::Error>(bytes::Bytes::from(plain.body))]);
    let body = Body::from_stream(chunk.inspect(move |_| {
        let _held = &part;
    }));
    Ok(stream(StatusCode::OK, headers, body))
}

/// A verified request.
struct Proven {
    asked: Asked,
    stake: u64,
    body: Spooled,
    part: Part<Hotkey>,
}

/// Who asks, and with what: everything that has to hold before anything is done for it.
async fn prove(
    miner: &Miner,
    peer: Peer,
    seen: &mut Seen,
    head: &http::request::Parts,
    body: Body,
) -> Result<Proven, Failure> {
    miner.gate.admit_peer(peer.0)?;
    let claim = Claim::parse(&head.headers)?;
    let envelope = *claim.envelope();
    seen.caller = Some(envelope.sender);
    let (scheme, gate) = (miner.gate.scheme_of(&envelope.sender), &miner.gate);
    claim.expect(scheme, &miner.hotkey(), gate.window, gate.clock.now())?;
    let caller = miner.gate.admit_caller(&envelope.sender)?;
    gate.fits(&body)?;
    let arriving = Arriving { gate, peer: peer.0, claim: &claim, head };
    let (body, part) = match content_digest::announced(&head.headers)? {
        Some(digest) => arriving.announced(body, digest, seen).await?,
        None => arriving.unannounced(body, seen).await?,
    };
    let asked = Asked { nonce: envelope.nonce, validator: envelope.sender, body: body.digest() };
    Ok(Proven { asked, stake: caller.stake, body, part })
}

/// An answer of the second form vouches for the decoded request and the plain answer: the answer is not compressed, and what
/// a compressed request decodes to is said in the target, for nothing is unpacked here.
fn encoding_goes_with(terms: &Terms, headers: &mut HeaderMap) -> Result<(), Failure> {
    headers.remove(ACCEPT_ENCODING);
    match (headers.contains_key(CONTENT_ENCODING), terms.decoded) {
        (true, None) => Err(Failure::Media("a compressed request for an answer of the second form names aml_decoded")),
        (false, Some(_)) => Err(Failure::Media("aml_decoded is for compressed requests alone")),
        _ => Ok(()),
    }
}

/// SHA-256 of the decoded request. What the caller says of a compressed one is held against the receipt of whoever unpacked
/// it; without a receipt nothing contradicts.
fn decoded(terms: &Terms, asked: &Asked, answer: &Answer) -> Result<Digest, Failure> {
    let Some(decoded) = terms.decoded else { return Ok(asked.body) };
    let receipt = answer.headers.get(receipt::HEADER).and_then(|value| Receipt::from_header(value.to_str().ok()?).ok());
    match receipt {
        Some(receipt) if receipt.input_sha256 != decoded => Err(Failure::Decoded),
        _ => Ok(decoded),
    }
}

fn now_s(miner: &Miner) -> u64 {
    miner.gate.clock.now().as_secs()
}

/// A request whose body is still to come.
struct Arriving<'a> {
    gate: &'a Gate,
    peer: IpAddr,
    claim: &'a Claim,
    head: &'a http::request::Parts,
}

/// A verified body, and its place among those in flight.
type Arrived = (Spooled, Part<Hotkey>);

impl Arriving<'_> {
    /// The signature first, then the body.
    async fn announced(&self, body: Body, digest: Digest, seen: &mut Seen) -> Result<Arrived, Failure> {
        self.gate.proven(self.peer, self.verify(digest))?;
        let mut part = self.count(seen).await?;
        let body = self.gate.receive(body, &mut part).await?;
        seen.bytes_in = body.len();
        if body.digest() == digest { Ok((body, part)) } else { Err(Failure::Digest) }
    }

    /// The body first, within the budget of strangers.
    async fn unannounced(&self, body: Body, seen: &mut Seen) -> Result<Arrived, Failure> {
        let mut unverified = self.gate.begin_unverified(self.peer)?;
        let body = self.gate.receive_unverified(body, &mut unverified).await?;
        seen.bytes_in = body.len();
        self.verify(body.digest())?;
        unverified.proven();
        let mut part = self.count(seen).await?;
        if part.grow(body.len()) { Ok((body, part)) } else { Err(Failure::TooManyAtOnce) }
    }

    fn verify(&self, body: Digest) -> Result<(), Refusal> {
        let path_and_query = self.head.uri.path_and_query().map_or("/", |target| target.as_str());
        self.claim.verify(&Target { method: self.head.method.as_str(), path_and_query, body })
    }

    /// Uses the nonce up, whether or not a body follows.
    async fn count(&self, seen: &mut Seen) -> Result<Part<Hotkey>, Failure> {
        let envelope = self.claim.envelope();
        self.gate.count(envelope.sender, envelope.nonce, self.peer).await?;
        seen.verified = true;
        self.gate.begin(envelope.sender)
    }
}

/// The API's answer with `more` headers; `part` is given back when the last byte is out.
fn respond(answer: Answer, more: HeaderMap, part: Part<Hotkey>) -> Response {
    let mut headers = answer.headers;
    headers.extend(more);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(answer.body.len()));
    let chunks = answer.body.into_stream().inspect(move |_| {
        let _held = &part;
    });
    stream(answer.status, headers, Body::from_stream(chunks))
}

/// A response of these parts.
pub(super) fn stream(status: StatusCode, headers: HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
