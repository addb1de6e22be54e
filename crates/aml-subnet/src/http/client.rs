//! One HTTP exchange over one connection that serves no other.
//!
//! The connection goes to the given address and nowhere else: no name is looked up, no redirect followed, no proxy of the
//! environment used. Heads are bounded by number and size of headers, bodies by their decoded bytes while they arrive,
//! whatever their declared length; a compressed answer is not read at all. Time is bounded by whoever drops the future.

use std::net::SocketAddr;
use std::time::Duration;

use aml_miner::error_chain::with_causes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, EXPECT, HOST, USER_AGENT};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::body::{RequestBody, Sending};
use super::lanes::Lane;
use super::spool::{Spool, SpoolError, SpoolLimits, Spooled};
use crate::protocol::content_digest;

/// Header lines of an answer.
const MAX_HEADERS: usize = 64;
/// Head of an answer: a receipt has about 1 KiB.
const MAX_HEAD: usize = 32 * 1024;
/// Bytes read ahead of one connection.
const BUFFER: usize = 64 * 1024;
/// A refusal may say so much.
pub(crate) const MAX_REFUSAL: u64 = 64 * 1024;
/// A body that is announced by its digest, and any larger one, waits until the peer asks for it: most refusals come before.
const ASK_FIRST: u64 = 64 * 1024;
/// But not for longer: old servers do not know how to ask.
const CONTINUE: Duration = Duration::from_secs(2);

/// What is sent.
pub(crate) struct Posting {
    /// Where to.
    pub(crate) target: PathAndQuery,
    /// Signature and the like, and what the body is where it is not JSON.
    pub(crate) headers: HeaderMap,
    /// What.
    pub(crate) body: RequestBody,
    /// The lane to send it on, where lanes are few.
    pub(crate) lane: Option<Lane>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Received {
    /// Status.
    pub(crate) status: StatusCode,
    /// Headers.
    pub(crate) headers: HeaderMap,
    /// Body; of a refusal that says too much, nothing.
    pub(crate) body: Spooled,
    /// Whether the body is all that was sent.
    pub(crate) whole: bool,
}

/// Why nothing came back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExchangeError {
    /// No connection.
    #[error("no connection: {0}")]
    Connect(String),
    /// The connection ended before the exchange did.
    #[error("{0}")]
    Reset(String),
    /// The connection ended in the middle of the answer.
    #[error("the answer breaks off: {0}")]
    BrokeOff(String),
    /// What came is not HTTP.
    #[error("{0}")]
    Broken(String),
    /// More bytes than an answer may have.
    #[error("the answer is larger than an answer may be")]
    TooLarge,
    /// Compressed, which was not asked for.
    #[error("status {}: the answer is encoded as `{encoding}`, which was not asked for", .status.as_u16())]
    Encoded {
        /// Its status.
        status: StatusCode,
        /// How, shortened.
        encoding: String,
    },
    /// Ours, not the peer's: the answer cannot be kept.
    #[error("cannot keep an answer in a temporary file: {0}")]
    Disk(#[source] std::io::Error),
}

/// A connection to `address`.
pub(crate) async fn connect(address: SocketAddr, limit: Duration) -> Result<TcpStream, ExchangeError> {
    let late = |_| ExchangeError::Connect(format!("none within {} s", limit.as_secs_f64()));
    let stream = tokio::time::timeout(limit, TcpStream::connect(address)).await.map_err(late)?;
    let stream = stream.map_err(|error| ExchangeError::Connect(error.to_string()))?;
    // Only speed is lost without it.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// Sends `posting` over `stream` and receives the answer.
pub(crate) async fn post(stream: TcpStream, posting: Posting, limits: &SpoolLimits) -> Result<Received, ExchangeError> {
    let host = stream.peer_addr().map_err(|error| ExchangeError::Reset(error.to_string()))?;
    let handshake = http1::Builder::new()
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEAD)
        .max_buf_size(BUFFER)
        .handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(|error| broken(&error))?;
    // The socket is closed when this is dropped, at the latest.
    let _driver = AbortOnDropHandle::new(tokio::spawn(connection));
    let response = sender.send_request(request(posting, host)).await.map_err(|error| broken(&error))?;
    receive(response, limits).await
}

fn request(posting: Posting, host: SocketAddr) -> Request<Sending> {
    let Posting { target, mut headers, body, lane } = posting;
    let asks_first = body.len() > ASK_FIRST || headers.contains_key(content_digest::HEADER);
    let mut put = |name: HeaderName, text: &'static str| headers.insert(name, HeaderValue::from_static(text));
    put(ACCEPT, "application/json");
    put(ACCEPT_ENCODING, "identity");
    put(CONNECTION, "close");
    put(USER_AGENT, concat!("aml-subnet/", env!("CARGO_PKG_VERSION")));
    let asked_for = CancellationToken::new();
    let gate = asks_first.then(|| {
        put(EXPECT, "100-continue");
        let asked_for = asked_for.clone();
        Box::pin(async move { drop(tokio::time::timeout(CONTINUE, asked_for.cancelled_owned()).await) }) as _
    });
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    headers.insert(HOST, HeaderValue::from_str(&host.to_string()).expect("an address is a valid header value"));
    let mut request = Request::new(body.sending(gate, lane.map(Lane::upload)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::from(target);
    *request.headers_mut() = headers;
    hyper::ext::on_informational(&mut request, move |answer| {
        if answer.status() == StatusCode::CONTINUE {
            asked_for.cancel();
        }
    });
    request
}

async fn receive(response: Response<Incoming>, limits: &SpoolLimits) -> Result<Received, ExchangeError> {
    let (head, mut body) = response.into_parts();
    let (status, headers) = (head.status, head.headers);
    if let Some(encoding) = foreign_encoding(&headers) {
        return Err(ExchangeError::Encoded { status, encoding });
    }
    let most = if status == StatusCode::OK { limits.max_bytes } else { limits.max_bytes.min(MAX_REFUSAL) };
    let mut spool = Spool::new(&SpoolLimits { max_bytes: most, ..limits.clone() });
    let mut fits = body.size_hint().lower() <= most;
    while fits && let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ExchangeError::BrokeOff(with_causes(&error)))?;
        let Some(chunk) = frame.data_ref() else { continue };
        match spool.push(chunk).await {
            Ok(()) => {}
            Err(SpoolError::TooLarge(_)) => fits = false,
            Err(error) => return Err(not_kept(error)),
        }
    }
    if !fits {
        if status == StatusCode::OK {
            return Err(ExchangeError::TooLarge);
        }
        spool = Spool::new(limits);
    }
    Ok(Received { status, headers, body: spool.finish().await.map_err(not_kept)?, whole: fits })
}

/// The answer's encoding where it has one.
fn foreign_encoding(headers: &HeaderMap) -> Option<String> {
    let foreign = |value: &&HeaderValue| !value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity");
    let value = headers.get_all(CONTENT_ENCODING).iter().find(foreign)?;
    Some(printable(&String::from_utf8_lossy(value.as_bytes()), 40))
}

/// The start of a stranger's text, without what could disturb a terminal or a log.
pub(crate) fn printable(text: &str, most: usize) -> String {
    text.chars().filter(|c| matches!(c, ' '..='~')).take(most).collect()
}

/// An answer that cannot be kept.
pub(crate) fn not_kept(error: SpoolError) -> ExchangeError {
    ExchangeError::Disk(match error {
        SpoolError::Io(error) => error,
        other => std::io::Error::other(other),
    })
}

/// hyper's errors never quote the peer.
fn broken(error: &hyper::Error) -> ExchangeError {
    if error.is_parse_too_large() {
        ExchangeError::TooLarge
    } else if error.is_parse() {
        ExchangeError::Broken(with_causes(error))
    } else {
        ExchangeError::Reset(with_causes(error))
    }
}
