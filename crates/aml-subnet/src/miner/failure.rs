//! Why a request got no scores: one status and one stable code each, in one match.
//!
//! Texts may be shown to the caller. Causes of our own failures are logged where they happen, never shown.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};

use super::authorize::Unwelcome;
use crate::beacon::Beacon;
use crate::http::spool::SpoolError;
use crate::protocol::Refusal;

/// Why a request ends without scores.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Its signature, receiver, time or nonce.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// Who it is.
    #[error("{0}")]
    Unwelcome(#[from] Unwelcome),
    /// Too often.
    #[error("too many requests of this hotkey; try again in {} s", .0.as_secs().max(1))]
    Rate(Duration),
    /// Too many bad signatures, or bodies that nobody vouches for and that never came, from this address.
    #[error("too many failed requests from this address; try again in {} s", .0.as_secs().max(1))]
    Failures(Duration),
    /// Too many requests of this hotkey are in flight.
    #[error("too many requests of this hotkey at once; wait for their answers")]
    TooManyAtOnce,
    /// Too many requests are in flight that nobody vouches for yet.
    #[error("too many unverified requests at once; announce the body by Content-Digest (RFC 9530), or try again later")]
    Crowded,
    /// A body that nobody vouches for yet, and too large for that.
    #[error("a body of more than {0} bytes must be announced by Content-Digest (RFC 9530): sha-256=:BASE64:")]
    DigestRequired(u64),
    /// A body that nobody vouches for yet took too long.
    #[error("a body without Content-Digest may take {} s", .0.as_secs_f64())]
    Stalled(Duration),
    /// The body is another one than was announced and signed.
    #[error("the body is not the one that Content-Digest announced")]
    Digest,
    /// The body decodes to something else than the signed target says.
    #[error("the body does not decode to what aml_decoded says")]
    Decoded,
    /// What a task refers to cannot be had: it is to be sent inline.
    #[error("the task cannot be fetched, send it inline: {0}")]
    Unavailable(&'static str),
    /// All slots are taken.
    #[error("busy with callers of more stake; try again later")]
    Busy,
    /// No such route.
    #[error("no such route; this miner serves POST /{netuid}/score/alerts, /{netuid}/rank/alerts and /{netuid}/score/clusters{}", if *.v10 { ", and /AlertScoring" } else { "" })]
    NoRoute {
        /// Our subnet.
        netuid: u16,
        /// Whether the old form is served.
        v10: bool,
    },
    /// Another method.
    #[error("only POST is served here")]
    Method,
    /// Not JSON, in the old form.
    #[error("{0}")]
    Shape(String),
    /// A content type or encoding that is not served.
    #[error("{0}")]
    Media(&'static str),
    /// Too large a body.
    #[error("body is larger than {0} bytes")]
    TooLarge(u64),
    /// The sender broke off.
    #[error("the body ended early")]
    Incomplete,
    /// Took too long.
    #[error("the request took longer than {} s", .0.as_secs_f64())]
    Slow(Duration),
    /// No room for it.
    #[error("too many large requests at once; try again later")]
    NoRoom,
    /// The inference API cannot be reached, or broke off.
    #[error("the inference API behind this miner does not answer")]
    ApiDown,
    /// The inference API took too long.
    #[error("the inference API behind this miner took too long")]
    ApiSlow,
    /// Its answer is too large.
    #[error("the answer of the inference API is too large")]
    ApiAnswer,
    /// The inference API refused (old form only; the native form passes its answer on).
    #[error("the inference API answered {}", .0.as_u16())]
    ApiStatus(StatusCode),
    /// Answers are sealed to another beacon.
    #[error("this miner seals to the beacon {0}, and to no other")]
    Beacon(Beacon),
    /// No opening of that day.
    #[error(
        "the opening is {0}: 30 hours after the day begins, or the next multiple of six hours that is an hour away"
    )]
    Opening(&'static str),
    /// An open answer would be asked for where answers are sealed.
    #[error("this miner seals its answers: name an opening (docs/sealing.md)")]
    SealedOnly,
    /// A plain answer that is not there, or was given to somebody else.
    #[error("no answer of this digest was given to this hotkey, or it is not kept any more")]
    NotKept,
    /// A plain answer whose opening has not come.
    #[error("this answer may not be read yet")]
    NotOpen,
    /// Stopping.
    #[error("this miner is stopping; ask another one")]
    Draining,
    /// Ours.
    #[error("internal error of this miner")]
    Internal,
}

impl Failure {
    /// Status on the wire.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Refused(Refusal::TooMany)
            | Self::Rate(_)
            | Self::Failures(_)
            | Self::TooManyAtOnce
            | Self::Crowded
            | Self::Busy => StatusCode::TOO_MANY_REQUESTS,
            Self::Refused(Refusal::StoreDown)
            | Self::Unwelcome(Unwelcome::NotReady)
            | Self::NoRoom
            | Self::Draining => StatusCode::SERVICE_UNAVAILABLE,
            Self::Refused(_) => StatusCode::UNAUTHORIZED,
            Self::Unwelcome(_) | Self::NotOpen | Self::SealedOnly => StatusCode::FORBIDDEN,
            Self::NoRoute { .. } | Self::NotKept => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Shape(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unavailable(_) => StatusCode::FAILED_DEPENDENCY,
            Self::Media(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge(_) | Self::DigestRequired(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Incomplete | Self::Digest | Self::Decoded | Self::Beacon(_) | Self::Opening(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::Slow(_) | Self::Stalled(_) => StatusCode::REQUEST_TIMEOUT,
            Self::ApiDown | Self::ApiAnswer => StatusCode::BAD_GATEWAY,
            Self::ApiSlow => StatusCode::GATEWAY_TIMEOUT,
            Self::ApiStatus(status) => *status,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Stable code for callers and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Unwelcome(Unwelcome::NotReady) => "not_ready",
            Self::Unwelcome(Unwelcome::Unregistered) => "unknown_hotkey",
            Self::Unwelcome(Unwelcome::NoPermit) => "no_permit",
            Self::Unwelcome(Unwelcome::LowStake { .. }) => "low_stake",
            Self::Rate(_) => "rate_limited",
            Self::Failures(_) => "too_many_failures",
            Self::TooManyAtOnce => "too_many_at_once",
            Self::Crowded => "too_many_unverified",
            Self::DigestRequired(_) => "digest_required",
            Self::Stalled(_) => "stalled_body",
            Self::Digest | Self::Decoded => "digest_mismatch",
            Self::Unavailable(_) => "reference_unavailable",
            Self::Busy => "overloaded",
            Self::NoRoute { .. } => "not_found",
            Self::Method => "method_not_allowed",
            Self::Shape(_) => "malformed_body",
            Self::Media(_) => "unsupported_media_type",
            Self::TooLarge(_) => "body_too_large",
            Self::Incomplete => "incomplete_body",
            Self::Slow(_) => "request_timeout",
            Self::NoRoom => "no_room",
            Self::ApiDown => "api_down",
            Self::ApiSlow => "api_slow",
            Self::ApiAnswer => "api_answer_too_large",
            Self::ApiStatus(_) => "api_refused",
            Self::Beacon(_) => "other_beacon",
            Self::Opening(_) => "bad_opening",
            Self::SealedOnly => "sealed_only",
            Self::NotKept => "not_kept",
            Self::NotOpen => "not_open",
            Self::Draining => "draining",
            Self::Internal => "internal",
        }
    }

    /// What belongs in `Retry-After`, in seconds.
    #[must_use]
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Rate(wait) | Self::Failures(wait) => Some(wait.as_secs() + 1),
            Self::Refused(Refusal::TooMany) => Some(60),
            _ if matches!(self.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) => Some(5),
            _ => None,
        }
    }

    /// The failure of receiving a body.
    #[must_use]
    pub fn of_body(error: &SpoolError) -> Self {
        match error {
            SpoolError::TooLarge(limit) => Self::TooLarge(*limit),
            SpoolError::DiskBudget => Self::NoRoom,
            SpoolError::Io(error) => {
                tracing::error!(%error, "cannot keep a body");
                Self::Internal
            }
        }
    }
}

impl Failure {
    /// As the native form words it: like the inference API's own errors.
    #[must_use]
    pub fn render(&self) -> Response {
        let body = Json(serde_json::json!({ "detail": self.to_string(), "code": self.code() }));
        let mut response = (self.status(), body).into_response();
        if let Some(seconds) = self.retry_after() {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
