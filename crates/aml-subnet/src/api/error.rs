//! The codes of this API's errors and their statuses; the errors themselves are those of both crates.

use std::fmt::Display;

use aml_miner::http::error::{self, Code};
pub(super) use aml_miner::http::openapi::{ErrorBody, ValidationErrorBody};
use aml_miner::wire::{Problem, Step};
use axum::http::{HeaderName, StatusCode, header};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// An error on its way to the caller.
pub type ApiError = error::ApiError<ErrorCode>;

/// What went wrong, for a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// No such route, or nothing published under this name.
    NotFound,
    /// The route has other methods.
    MethodNotAllowed,
    /// None of the forms that the caller accepts.
    NotAcceptable,
    /// The request took too long.
    TooSlow,
    /// The values of the path or the query do not make a request.
    InvalidRequest,
    /// What was asked for takes a while to make, and others wait for it already.
    Busy,
    /// The token is missing, or is another one.
    Unauthorized,
    /// One client asks too often.
    TooManyRequests,
    /// Our own failure; the log has the cause.
    Internal,
}

/// What is made meanwhile takes about so many seconds.
const BUSY: &str = "5";

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
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::InvalidRequest => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn header(self) -> Option<(HeaderName, &'static str)> {
        (self == Self::Busy).then_some((header::RETRY_AFTER, BUSY))
    }
}

/// A value of the `path` or the `query` that is none.
pub(super) fn value_error(place: &str, key: &str, msg: impl Into<String>, input: &str) -> ApiError {
    let shown: String = input.chars().take(100).collect();
    ApiError::invalid(vec![Problem {
        loc: vec![Step::from(place), Step::from(key)],
        msg: msg.into(),
        kind: "value_error".to_owned(),
        input: Value::String(shown),
    }])
}

/// The ledger did not answer.
pub(super) fn ledger_error(cause: impl Display) -> ApiError {
    crate::store::count_failure("read");
    ApiError::internal(cause)
}
