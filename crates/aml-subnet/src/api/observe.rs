//! What happens to every request: an id, a deadline, its error's body, a line in the log, a count.

use std::time::Duration;

use aml_miner::http::around::{Arrived, Exchange, take_error};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Span;

use super::error::{ApiError, ErrorCode};
use super::pages;
use super::state::ApiState;

/// A day of 50,000 alerts takes well below a second.
const REQUEST_TIME: Duration = Duration::from_secs(30);
/// What every answer carries: nobody guesses at its type, embeds it, or learns where a reader came from.
const GUARDS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

fn span(Arrived { id, route, method }: Arrived<'_>) -> Span {
    tracing::info_span!("request", request_id = %id, route = %route, method = %method)
}

/// Around every request.
pub(super) async fn request(State(api): State<ApiState>, request: Request, next: Next) -> Response {
    let exchange = Exchange::begin(&api.request_ids, &request, span);
    let head = request.method() == Method::HEAD;
    let as_page = pages::is_page(request.uri().path());
    let late = || ApiError::new(ErrorCode::TooSlow, "The request took too long; try again");
    let mut response = exchange.answer(request, next, REQUEST_TIME, late).await;
    if let Some(error) = take_error::<ErrorCode>(&mut response) {
        tell(&mut response, &error, &exchange.id, as_page);
    }
    if head {
        *response.body_mut() = Body::empty();
    }
    GUARDS.into_iter().for_each(|(name, value)| {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    });
    exchange.sign(&mut response);
    let (elapsed, status, route) = (exchange.elapsed(), response.status().as_u16(), exchange.route);
    metrics::counter!("aml_validator_requests_total", "route" => route.clone(), "status" => status.to_string())
        .increment(1);
    metrics::histogram!("aml_validator_request_seconds", "route" => route).record(elapsed.as_secs_f64());
    exchange.span.in_scope(|| tracing::debug!(status, duration_ms = elapsed.as_secs_f64() * 1e3, "answered"));
    response
}

/// A connection was refused: too many are open.
pub(super) fn connection_refused() {
    metrics::counter!("aml_validator_connections_refused_total").increment(1);
}

/// Writes an error's body: a page for who asked for a page, else JSON.
fn tell(response: &mut Response, error: &ApiError, id: &str, as_page: bool) {
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
