//! Receives a body: bounded as sent, as decoded and together with all others.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZstdDecoder};
use async_compression::zstd::DParameter;
use axum::body::Body;
use axum::http::{HeaderMap, header};
use futures_util::StreamExt as _;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio_util::io::StreamReader;

use super::error::{ApiError, ErrorCode};
use crate::config::LimitSettings;

/// Bytes that are asked for at once.
const PIECE: usize = 128 << 10;
/// Windows of zstd up to 8 MiB, as RFC 8878 recommends to decoders; larger ones would decide how much memory we use.
const ZSTD_WINDOW_LOG: u32 = 23;

/// Bytes of bodies that may be held at once.
pub(super) struct Budget {
    used: AtomicUsize,
    most: usize,
}

impl Budget {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), most })
    }

    /// Bytes that are held.
    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}

/// A share of a budget, given back when dropped.
struct Held {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Held {
    fn grow(&mut self, bytes: usize) -> Result<(), ApiError> {
        let used = self.budget.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.bytes += bytes;
        if used > self.budget.most {
            return Err(ApiError::new(ErrorCode::Overloaded, "Too many large bodies at once; try again"));
        }
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A whole body.
pub(super) struct Received {
    /// The decoded bytes.
    pub bytes: Vec<u8>,
    held: Held,
}

impl Received {
    /// Room for what its files become when they are decompressed.
    pub(super) fn room(&self, limits: &LimitSettings) -> Room {
        let held = Held { budget: Arc::clone(&self.held.budget), bytes: 0 };
        Room { held, left: (limits.decoded_bytes.saturating_sub(self.bytes.len())) as u64 }
    }
}

/// What the files of a body may take once decompressed, beside the body itself; counted with all bodies held at once
/// until dropped.
pub(super) struct Room {
    held: Held,
    left: u64,
}

impl Room {
    /// Bytes that may still be taken.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Takes `bytes`, at most those that are left.
    pub(super) fn take(&mut self, bytes: u64) -> Result<(), ApiError> {
        self.left = self.left.saturating_sub(bytes);
        self.held.grow(usize::try_from(bytes).unwrap_or(usize::MAX))
    }
}

/// Receives `body`.
pub(super) async fn receive(
    headers: &HeaderMap,
    body: Body,
    limits: &LimitSettings,
    budget: &Arc<Budget>,
) -> Result<Received, ApiError> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > limits.body_bytes) {
        return Err(too_large(limits.body_bytes, "as sent"));
    }
    let mut reader = decoder(headers, limited(body, limits.body_bytes))?;
    let mut received = Vec::with_capacity(announced.unwrap_or(0).min(PIECE));
    let mut held = Held { budget: Arc::clone(budget), bytes: 0 };
    loop {
        if received.capacity() - received.len() < PIECE / 2 && announced != Some(received.len()) {
            received.reserve(PIECE);
        }
        let before = received.len();
        let read = tokio::time::timeout(limits.header_time, reader.read_buf(&mut received)).await;
        let read = read.map_err(|_| ApiError::new(ErrorCode::TooSlow, "The body arrives too slowly"))?;
        if read.map_err(|error| read_error(&error, limits))? == 0 {
            break;
        }
        if received.len() > limits.decoded_bytes {
            return Err(too_large(limits.decoded_bytes, "decoded"));
        }
        held.grow(received.len() - before)?;
    }
    Ok(Received { bytes: received, held })
}

type Reader = Pin<Box<dyn AsyncRead + Send>>;
type Pieces = Pin<Box<dyn futures_util::Stream<Item = io::Result<bytes::Bytes>> + Send>>;

/// More bytes than allowed came.
#[derive(Debug, thiserror::Error)]
#[error("the body is too large")]
struct TooMany;

/// The pieces of `body`, ending with an error after `most` bytes.
fn limited(body: Body, most: usize) -> Pieces {
    let mut sum = 0;
    Box::pin(body.into_data_stream().map(move |piece| {
        let piece = piece.map_err(io::Error::other)?;
        sum += piece.len();
        if sum > most { Err(io::Error::other(TooMany)) } else { Ok(piece) }
    }))
}

fn decoder(headers: &HeaderMap, pieces: Pieces) -> Result<Reader, ApiError> {
    let raw = StreamReader::new(pieces);
    let encoding = headers.get(header::CONTENT_ENCODING).map_or(Ok("identity"), |value| value.to_str());
    Ok(match encoding.unwrap_or("unreadable").trim().to_ascii_lowercase().as_str() {
        "identity" | "" => Box::pin(raw),
        "gzip" | "x-gzip" => {
            let mut decoder = GzipDecoder::new(raw);
            decoder.multiple_members(true);
            Box::pin(decoder)
        }
        "zstd" => Box::pin(ZstdDecoder::with_params(raw, &[DParameter::window_log_max(ZSTD_WINDOW_LOG)])),
        "br" => Box::pin(BrotliDecoder::new(raw)),
        other => {
            let other: String = other.chars().take(40).collect();
            let detail = format!("Content-Encoding `{other}` is not known; use gzip, zstd, br or none");
            return Err(ApiError::new(ErrorCode::UnsupportedMediaType, detail));
        }
    })
}

fn too_large(most: usize, how: &str) -> ApiError {
    ApiError::new(ErrorCode::TooLarge, format!("The body is larger than {most} bytes {how}"))
}

fn read_error(error: &io::Error, limits: &LimitSettings) -> ApiError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = error.get_ref().map(|inner| inner as _);
    while let Some(inner) = cause {
        if inner.is::<TooMany>() {
            return too_large(limits.body_bytes, "as sent");
        }
        cause = inner.source();
    }
    ApiError::new(ErrorCode::MalformedBody, format!("The body cannot be read: {error}"))
}
