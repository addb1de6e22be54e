//! Answers with a validator: an `ETag` over their bytes, `Cache-Control`, and 304 for who has them already.

use aml_miner::digest::Digest;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::error::ApiError;

/// How long an answer may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// What is published under a fixed name hardly ever changes: an hour, then it is asked for again.
    Published,
    /// Never changes: its name is its digest. A day, for it is needed for minutes.
    Forever,
    /// May change with the next round: kept, but asked for again each time.
    Check,
}

impl Keep {
    const fn header(self) -> &'static str {
        match self {
            Self::Published => "public, max-age=3600",
            Self::Forever => "public, max-age=86400, immutable",
            Self::Check => "public, no-cache",
        }
    }
}

/// Bytes as an answer.
#[derive(Clone, Debug)]
pub(super) struct Content {
    pub(super) media_type: &'static str,
    pub(super) bytes: Vec<u8>,
    pub(super) keep: Keep,
}

/// A value as JSON.
pub(super) fn json(asked: &HeaderMap, value: &impl Serialize, keep: Keep) -> Result<Response, ApiError> {
    let bytes = serde_json::to_vec(value).map_err(ApiError::internal)?;
    Ok(content(asked, Content { media_type: "application/json", bytes, keep }))
}

/// Bytes, or 304 when the caller has them.
pub(super) fn content(asked: &HeaderMap, content: Content) -> Response {
    let tag = tag(&Digest::of(&content.bytes));
    if has(asked, &tag) {
        return unchanged(&tag, content.keep);
    }
    let mut response = Response::new(Body::from(content.bytes));
    mark(&mut response, &tag, content.keep);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content.media_type));
    response
}

/// The tag of content with this digest. Weak: the same content may be sent compressed or not.
pub(super) fn tag(digest: &Digest) -> String {
    format!("W/\"{digest}\"")
}

/// Whether the caller says that it has content with this tag.
pub(super) fn has(asked: &HeaderMap, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let wanted = opaque(tag);
    let given = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    given.flat_map(|value| value.split(',')).any(|given| given.trim() == "*" || opaque(given) == wanted)
}

/// The caller has it already.
pub(super) fn unchanged(tag: &str, keep: Keep) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    mark(&mut response, tag, keep);
    response
}

/// Says how long a response may be kept, and under which tag.
pub(super) fn mark(response: &mut Response, tag: &str, keep: Keep) {
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(keep.header()));
}
