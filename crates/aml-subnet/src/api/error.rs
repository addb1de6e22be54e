//! Errors as callers see them: FastAPI's shape, a stable code, the request's id, as in the inference API.
//!
//! Handlers return an [`ApiError`]; its body is written where the request's id is known.

use std::fmt::Display;

use aml_miner::wire::{Detail, Problem, Step};
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

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
    /// Our own failure; the log has the cause.
    Internal,
}

impl ErrorCode {
    /// The status that goes with it.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::InvalidRequest => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
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

    /// Nothing there.
    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(ErrorCode::NotFound, detail)
    }

    /// A value of the `path` or the `query` that is none.
    pub(super) fn value(place: &str, key: &str, (msg, input): (impl Into<String>, &str)) -> Self {
        let shown: String = input.chars().take(100).collect();
        let problem = Problem {
            loc: vec![Step::from(place), Step::from(key)],
            msg: msg.into(),
            kind: "value_error".to_owned(),
            input: Value::String(shown),
        };
        Self { code: ErrorCode::InvalidRequest, detail: Detail::Problems(vec![problem]) }
    }

    /// Our own failure: `cause` goes to the log, not to the caller.
    pub(super) fn internal(cause: impl Display) -> Self {
        tracing::error!(%cause, "internal error");
        Self::new(ErrorCode::Internal, "Internal Server Error")
    }

    /// The ledger did not answer.
    pub(super) fn ledger(cause: impl Display) -> Self {
        crate::store::count_failure("read");
        Self::internal(cause)
    }

    /// The body of the answer.
    pub(super) fn body(&self, request_id: &str) -> Vec<u8> {
        self.detail.body(self.code, request_id)
    }

    /// What went wrong, in one line for a page.
    pub(super) fn line(&self) -> String {
        match &self.detail {
            Detail::Text(text) => text.clone(),
            Detail::Problems(problems) => {
                problems.iter().map(|problem| problem.msg.clone()).collect::<Vec<_>>().join("; ")
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.code.status();
        response.extensions_mut().insert(self);
        response
    }
}
