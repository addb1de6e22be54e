//! What happens to every request: an id, a deadline, its error's body, a line in the log, a count.

use std::any::Any;
use std::time::{Duration, Instant};

use aml_miner::request_id;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument as _;

use super::error::{ApiError, ErrorCode};
use super::pages;
use super::state::ApiState;

const REQUEST_ID: HeaderName = HeaderName::from_static(request_id::HEADER);
/// A day of 50,000 alerts takes well below a second.
const REQUEST_TIME: Duration = Duration::from_secs(30);
/// What every answer carries: nobody guesses at its type, embeds it, or learns where a reader came from.
const GUARDS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Around every request.
pub(super) async fn request(State(api): State<ApiState>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let id = api.request_ids.of(given);
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let head = request.method() == Method::HEAD;
    let span = tracing::info_span!("request", request_id = %id, route = %route, method = %request.method());
    let as_page = pages::is_page(request.uri().path());
    let handled = tokio::time::timeout(REQUEST_TIME, next.run(request)).instrument(span.clone()).await;
    let mut response = handled
        .unwrap_or_else(|_| ApiError::new(ErrorCode::TooSlow, "The request took too long; try again").into_response());
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        tell(&mut response, &error, (&id, as_page));
    }
    if head {
        *response.body_mut() = Body::empty();
    }
    GUARDS.into_iter().for_each(|(name, value)| {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    });
    if let Ok(id) = HeaderValue::try_from(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let (elapsed, status) = (started.elapsed(), response.status().as_u16());
    metrics::counter!("aml_validator_requests_total", "route" => route.clone(), "status" => status.to_string())
        .increment(1);
    metrics::histogram!("aml_validator_request_seconds", "route" => route).record(elapsed.as_secs_f64());
    span.in_scope(|| tracing::debug!(status, duration_ms = elapsed.as_secs_f64() * 1e3, "answered"));
    response
}

/// Writes an error's body: a page for who asked for a page, else JSON.
fn tell(response: &mut Response, error: &ApiError, (id, as_page): (&str, bool)) {
    let (media_type, bytes) = if as_page {
        (pages::HTML, pages::error(error, id).into_bytes())
    } else {
        ("application/json", error.body(id))
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if as_page {
        headers.insert(header::CONTENT_SECURITY_POLICY, pages::policy());
    }
    *response.body_mut() = Body::from(bytes);
}

/// A handler's panic is our failure, told like any other.
pub(super) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let cause = panic.downcast_ref::<&str>().map(ToString::to_string);
    let cause = cause.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    ApiError::internal(format!("a handler panicked: {cause}")).into_response()
}
