//! The codes of this API's errors, their statuses and headers; the errors themselves are those of both crates.

use std::fmt::Display;

use axum::http::{HeaderName, StatusCode, header};
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use crate::http::error::{self, Code};
pub(super) use crate::http::openapi::{ErrorBody, ValidationErrorBody};
use crate::scoring::Stopped;
use crate::wire::{Problem, ReadBodyError, Step};

/// An error on its way to the caller.
pub type ApiError = error::ApiError<ErrorCode>;

/// What went wrong, for a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The body is not JSON.
    MalformedJson,
    /// The body cannot be decompressed, or ends early.
    MalformedBody,
    /// A token is missing or wrong.
    Unauthorized,
    /// Not offered to this caller.
    Forbidden,
    /// No such route.
    NotFound,
    /// The route has other methods.
    MethodNotAllowed,
    /// The request took too long.
    TooSlow,
    /// New models were not taken.
    ReloadFailed,
    /// The body is larger than allowed.
    TooLarge,
    /// A content type or encoding that is not known.
    UnsupportedMediaType,
    /// The values of the body or the query do not make a request.
    InvalidRequest,
    /// The queue is full.
    Overloaded,
    /// Our own failure; the log has the cause.
    Internal,
    /// The model is not loaded.
    NoModel,
    /// What is left of the request's time is not enough for what it asks.
    Busy,
    /// The server is about to end.
    Draining,
    /// Too many connections are open; said before a request is read.
    TooManyConnections,
}

impl Code for ErrorCode {
    const NOT_FOUND: Self = Self::NotFound;
    const TOO_SLOW: Self = Self::TooSlow;
    const INVALID: Self = Self::InvalidRequest;
    const INTERNAL: Self = Self::Internal;

    fn log_internal(cause: &dyn Display) {
        tracing::error!(%cause, "internal error");
    }

    fn status(self) -> StatusCode {
        match self {
            Self::MalformedJson | Self::MalformedBody => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::ReloadFailed => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::InvalidRequest => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Overloaded => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NoModel | Self::Busy | Self::Draining | Self::TooManyConnections => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn header(self) -> Option<(HeaderName, &'static str)> {
        match self {
            Self::Overloaded | Self::Busy | Self::Draining | Self::TooManyConnections => {
                Some((header::RETRY_AFTER, "1"))
            }
            Self::Unauthorized => Some((header::WWW_AUTHENTICATE, "Bearer")),
            // What is left of the body is not waited for.
            Self::TooLarge | Self::TooSlow => Some((header::CONNECTION, "close")),
            _ => None,
        }
    }
}

/// One problem with the query.
pub(super) fn query_error(key: &str, msg: &str, input: &str) -> ApiError {
    ApiError::invalid(vec![Problem {
        loc: vec![Step::from("query"), Step::from(key)],
        msg: msg.to_owned(),
        kind: "literal_error".to_owned(),
        input: input.into(),
    }])
}

/// Nobody waits for the answer any more.
pub(super) fn stopped(_: Stopped) -> ApiError {
    ApiError::new(ErrorCode::TooSlow, "The request took too long; send a smaller batch")
}

impl From<ReadBodyError> for ApiError {
    fn from(error: ReadBodyError) -> Self {
        match error {
            ReadBodyError::Invalid(problems) => Self::invalid(problems),
            ReadBodyError::Stopped => stopped(Stopped),
            broken @ ReadBodyError::Broken { .. } => {
                Self::new(ErrorCode::MalformedJson, format!("The body is not JSON: {broken}"))
            }
        }
    }
}

/// How a request to score, rank or explain is refused.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes what is written here")]
pub(super) enum ScoringErrors {
    /// The body is not JSON, or cannot be decompressed.
    #[response(status = 400)]
    Broken(ErrorBody),
    /// Too slow
    #[response(status = 408)]
    Slow(ErrorBody),
    /// Body too large
    #[response(status = 413)]
    Large(ErrorBody),
    /// Unknown content type or encoding
    #[response(status = 415)]
    Unsupported(ErrorBody),
    /// Values that do not make a request
    #[response(status = 422)]
    Invalid(ValidationErrorBody),
    /// The queue is full
    #[response(status = 429)]
    Overloaded(ErrorBody),
    /// The model is not loaded, or too little is left of the request's time
    #[response(status = 503)]
    NoModel(ErrorBody),
}
