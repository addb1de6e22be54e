//! What happens around every request: an id, a deadline, its error. What is logged and counted of it, and how an error
//! looks, is the server's own.

use std::any::Any;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::{Instrument as _, Span};

use super::error::{ApiError, Code};
use crate::request_id::{self, RequestIds};

const REQUEST_ID: HeaderName = HeaderName::from_static(request_id::HEADER);

/// A request, from its arrival to its answer.
#[derive(Debug)]
pub struct Exchange {
    /// Names it in the log and in its answer.
    pub id: String,
    /// The route as it is declared, `other` where there is none.
    pub route: String,
    /// What is logged meanwhile belongs to it.
    pub span: Span,
    started: Instant,
}

/// What a request's span is made of.
#[derive(Clone, Copy, Debug)]
pub struct Arrived<'a> {
    /// Names it.
    pub id: &'a str,
    /// The route as it is declared.
    pub route: &'a str,
    /// Its method.
    pub method: &'a Method,
}

impl Exchange {
    /// A request has arrived; `span` makes its span, so that it belongs to the server in the log.
    #[must_use]
    pub fn begin(ids: &RequestIds, request: &Request, span: impl FnOnce(Arrived<'_>) -> Span) -> Self {
        let started = Instant::now();
        let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
        let id = ids.of(given);
        let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
        let span = span(Arrived { id: &id, route: &route, method: request.method() });
        Self { id, route, span, started }
    }

    /// What `next` answers; after `patience` the error `late`.
    pub async fn answer<C: Code>(
        &self,
        request: Request,
        next: Next,
        patience: Duration,
        late: impl FnOnce() -> ApiError<C>,
    ) -> Response {
        let handled = tokio::time::timeout(patience, next.run(request)).instrument(self.span.clone()).await;
        handled.unwrap_or_else(|_| late().into_response())
    }

    /// Puts the id on its answer.
    pub fn sign(&self, response: &mut Response) {
        if let Ok(id) = HeaderValue::try_from(&self.id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
    }

    /// How long it has taken.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// The error that a handler answered, whose body is still to be written.
pub fn take_error<C: Code>(response: &mut Response) -> Option<ApiError<C>> {
    response.extensions_mut().remove::<ApiError<C>>()
}

/// A handler's panic is our failure, told like any other.
pub fn panicked<C: Code>(panic: Box<dyn Any + Send>) -> Response {
    let cause = panic.downcast_ref::<&str>().map(ToString::to_string);
    let cause = cause.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    ApiError::<C>::internal(format!("a handler panicked: {cause}")).into_response()
}
