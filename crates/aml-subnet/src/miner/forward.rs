//! To the inference API and back.
//!
//! The request's bytes go on as they came. The answer is kept whole before its first byte goes out, because the
//! signature over it stands in the headers. Redirects are not followed and no proxy is used: the API is where the owner said.

use std::time::Duration;

use futures_util::StreamExt as _;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, VARY};
use http::{HeaderMap, HeaderName, StatusCode};

use super::failure::Failure;
use crate::http::spool::{Spool, SpoolError, SpoolLimits, Spooled};

/// A local API that does not take a connection in this time is down.
const CONNECT: Duration = Duration::from_secs(5);
/// Idle connections are dropped before common servers drop them (5 s), so that no request meets a closing one.
const IDLE: Duration = Duration::from_secs(4);
/// What of a request's headers concerns the API.
const TO_API: [HeaderName; 4] = [CONTENT_TYPE, CONTENT_ENCODING, ACCEPT, ACCEPT_ENCODING];
/// What of an answer's headers concerns the caller.
const TO_CALLER: [HeaderName; 7] = [
    // In which other form the API takes bodies.
    ACCEPT,
    CONTENT_TYPE,
    CONTENT_ENCODING,
    RETRY_AFTER,
    VARY,
    HeaderName::from_static("x-aml-receipt"),
    HeaderName::from_static("x-request-id"),
];

/// The inference API.
#[derive(Clone, Debug)]
pub struct Upstream {
    client: reqwest::Client,
    base: String,
    limits: SpoolLimits,
}

/// What the API said, whole.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Those of its headers that concern the caller.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Spooled,
}

/// The HTTP client could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the HTTP client: {0}")]
pub struct UpstreamError(#[from] reqwest::Error);

impl Upstream {
    /// The API at `base`, a URL without a trailing path.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(base: &str, limits: SpoolLimits) -> Result<Self, UpstreamError> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .tcp_nodelay(true)
            .build()?;
        Ok(Self { client, base: base.trim_end_matches('/').to_owned(), limits })
    }

    /// Sends a verified body to `path_and_query` and keeps the whole answer.
    ///
    /// # Errors
    /// When the API does not answer, or not within bounds.
    pub async fn ask(&self, path_and_query: &str, headers: &HeaderMap, body: Spooled) -> Result<Answer, Failure> {
        let request = self
            .client
            .post(format!("{}{path_and_query}", self.base))
            .headers(only(headers, &TO_API))
            .header(CONTENT_LENGTH, body.len())
            .body(reqwest::Body::wrap_stream(body.into_stream()));
        let response = request.send().await.map_err(|error| failed(&error))?;
        let (status, headers) = (response.status(), only(response.headers(), &TO_CALLER));
        let mut spool = Spool::new(&self.limits);
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| failed(&error))?;
            spool.push(&chunk).await.map_err(|error| unkept(&error))?;
        }
        let body = spool.finish().await.map_err(|error| unkept(&error))?;
        Ok(Answer { status, headers, body })
    }

    /// Whether the API says that it is ready.
    pub async fn is_ready(&self) -> bool {
        let probe = self.client.get(format!("{}/ready", self.base)).timeout(Duration::from_secs(2)).send().await;
        probe.is_ok_and(|response| response.status().is_success())
    }
}

fn only(headers: &HeaderMap, names: &[HeaderName]) -> HeaderMap {
    let mut kept = HeaderMap::with_capacity(names.len());
    for name in names {
        for value in headers.get_all(name) {
            kept.append(name, value.clone());
        }
    }
    kept
}

fn failed(error: &reqwest::Error) -> Failure {
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    tracing::warn!(%error, cause, "inference API");
    if error.is_timeout() { Failure::ApiSlow } else { Failure::ApiDown }
}

fn unkept(error: &SpoolError) -> Failure {
    match error {
        SpoolError::TooLarge(_) => Failure::ApiAnswer,
        other => Failure::of_body(other),
    }
}
