//! Errors as callers see them: FastAPI's shape, a stable code, the request's id.
//!
//! Each server has codes of its own ([`Code`]). Handlers return an [`ApiError`]; its body is written where the request's
//! id is known (see [`around`](super::around)).

use std::fmt::Display;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::wire::{Detail, Problem};

/// What can go wrong at one server, for a program. These four can at every one.
pub trait Code: Copy + Serialize + Send + Sync + 'static {
    /// Nothing there.
    const NOT_FOUND: Self;
    /// The request took too long.
    const TOO_SLOW: Self;
    /// Values that do not make a request.
    const INVALID: Self;
    /// Our own failure; the log has the cause.
    const INTERNAL: Self;

    /// The status that goes with it.
    fn status(self) -> StatusCode;

    /// Our own failure goes to the log.
    fn log_internal(cause: &dyn Display);

    /// A header that goes with it.
    fn header(self) -> Option<(HeaderName, &'static str)> {
        None
    }
}

/// An error on its way to the caller.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError<C> {
    /// What went wrong, for a program.
    pub code: C,
    /// What went wrong, for a person.
    pub detail: Detail,
}

impl<C: Code> ApiError<C> {
    /// An error with one sentence.
    pub fn new(code: C, detail: impl Into<String>) -> Self {
        Self { code, detail: Detail::Text(detail.into()) }
    }

    /// Nothing there.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(C::NOT_FOUND, detail)
    }

    /// Values that do not make a request.
    #[must_use]
    pub const fn invalid(problems: Vec<Problem>) -> Self {
        Self { code: C::INVALID, detail: Detail::Problems(problems) }
    }

    /// Our own failure: `cause` goes to the log, not to the caller.
    pub fn internal(cause: impl Display) -> Self {
        C::log_internal(&cause);
        Self::new(C::INTERNAL, "Internal Server Error")
    }

    /// The body of the answer.
    pub fn body(&self, request_id: &str) -> Vec<u8> {
        self.detail.body(self.code, request_id)
    }

    /// What went wrong, in one line for a page.
    pub fn line(&self) -> String {
        match &self.detail {
            Detail::Text(text) => text.clone(),
            Detail::Problems(problems) => {
                problems.iter().map(|problem| problem.msg.clone()).collect::<Vec<_>>().join("; ")
            }
        }
    }
}

impl<C: Code> IntoResponse for ApiError<C> {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.code.status();
        if let Some((name, value)) = self.code.header() {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response.extensions_mut().insert(self);
        response
    }
}
