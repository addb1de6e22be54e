//! What happens to every request: an id, a deadline, its error's body, a line in the log, a count.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Span;

use super::error::{ApiError, ErrorCode};
use super::kind::Scored;
use super::state::AppState;
use crate::http::around::{Arrived, Exchange, take_error};

fn span(Arrived { id, route, method }: Arrived<'_>) -> Span {
    tracing::info_span!("request", request_id = %id, route = %route, method = %method)
}

/// Around every request.
pub(super) async fn request(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let exchange = Exchange::begin(&app.request_ids, &request, span);
    let late = || ApiError::new(ErrorCode::TooSlow, "The request took too long; send a smaller batch");
    let mut response = exchange.answer(request, next, app.limits.request_time, late).await;
    if let Some(error) = take_error::<ErrorCode>(&mut response) {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *response.body_mut() = Body::from(error.body(&exchange.id));
    }
    exchange.sign(&mut response);
    let (elapsed, status) = (exchange.elapsed(), response.status().as_u16());
    let scored = response.extensions().get::<Scored>().copied();
    app.metrics.request(&exchange.route, status, elapsed, scored);
    let (rows, bytes) = scored.map_or((0, 0), |scored| (scored.rows, scored.bytes_in));
    let duration_ms = elapsed.as_secs_f64() * 1e3;
    exchange.span.in_scope(|| tracing::info!(status, rows, bytes, duration_ms, "answered"));
    response
}
