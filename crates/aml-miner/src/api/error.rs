//! Errors as callers see them: FastAPI's shape, a stable code, the request's id.
//!
//! Handlers return an [`ApiError`]; its body is written where the request's id is known.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::wire::{Detail, Problem, ReadBodyError, Step};

/// What went wrong, for a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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
    /// The server is about to end.
    Draining,
}

impl ErrorCode {
    /// The status that goes with it.
    #[must_use]
    pub const fn status(self) -> StatusCode {
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
            Self::NoModel | Self::Draining => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// An error on its way to the caller.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    /// What went wrong, for a program.
    pub code: ErrorCode,
    /// What went wrong, for a person.
    pub detail: Detail,
}

impl ApiError {
    /// An error with one sentence.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code, detail: Detail::Text(detail.into()) }
    }

    /// One problem with the query.
    pub(super) fn query(key: &str, msg: &str, input: &str) -> Self {
        let problem = Problem {
            loc: vec![Step::from("query"), Step::from(key)],
            msg: msg.to_owned(),
            kind: "literal_error".to_owned(),
            input: input.into(),
        };
        Self { code: ErrorCode::InvalidRequest, detail: Detail::Problems(vec![problem]) }
    }

    /// Our own failure: `cause` goes to the log, not to the caller.
    pub(super) fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "internal error");
        Self::new(ErrorCode::Internal, "Internal Server Error")
    }

    /// The body of the answer.
    pub(super) fn body(&self, request_id: &str) -> Vec<u8> {
        self.detail.body(self.code, request_id)
    }
}

impl From<ReadBodyError> for ApiError {
    fn from(error: ReadBodyError) -> Self {
        match error {
            ReadBodyError::Invalid(problems) => {
                Self { code: ErrorCode::InvalidRequest, detail: Detail::Problems(problems) }
            }
            broken @ ReadBodyError::Broken { .. } => {
                Self::new(ErrorCode::MalformedJson, format!("The body is not JSON: {broken}"))
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.code.status();
        let headers = response.headers_mut();
        match self.code {
            ErrorCode::Overloaded | ErrorCode::Draining => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            ErrorCode::Unauthorized => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            // What is left of the body is not waited for.
            ErrorCode::TooLarge | ErrorCode::TooSlow => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response.extensions_mut().insert(self);
        response
    }
}
