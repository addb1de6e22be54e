//! What happens to every request: an id, a deadline, its error's body, a line in the log, a count.

use std::any::Any;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Response as HttpResponse, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument as _;

use super::error::{ApiError, ErrorCode};
use super::job::Scored;
use super::state::AppState;
use crate::request_id;

const REQUEST_ID: HeaderName = HeaderName::from_static(request_id::HEADER);

/// Around every request.
pub(super) async fn request(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let id = app.request_ids.of(given);
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let span = tracing::info_span!("request", request_id = %id, route = %route, method = %method);
    let handled = tokio::time::timeout(app.limits.request_time, next.run(request)).instrument(span.clone()).await;
    let mut response = handled.unwrap_or_else(|_| {
        ApiError::new(ErrorCode::TooSlow, "The request took too long; send a smaller batch").into_response()
    });
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *response.body_mut() = Body::from(error.body(&id));
    }
    if let Ok(id) = HeaderValue::try_from(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let (elapsed, status) = (started.elapsed(), response.status().as_u16());
    let scored = response.extensions().get::<Scored>().copied();
    app.metrics.request(&route, status, elapsed, scored);
    let (rows, bytes) = scored.map_or((0, 0), |scored| (scored.rows, scored.bytes_in));
    let duration_ms = elapsed.as_secs_f64() * 1e3;
    span.in_scope(|| tracing::info!(status, rows, bytes, duration_ms, "answered"));
    response
}

/// A handler's panic is our failure, told like any other.
pub(super) fn panicked(panic: Box<dyn Any + Send>) -> HttpResponse<Body> {
    let cause = panic.downcast_ref::<&str>().map(ToString::to_string);
    let cause = cause.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    let mut response = ApiError::internal(format!("a handler panicked: {cause}")).into_response();
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
