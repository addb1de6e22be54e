//! Pages for people: what this is, and a form to try it. Everything they need is in them.

use axum::http::header;
use axum::response::IntoResponse;

const INDEX: &str = include_str!("pages/index.html");
const DOCS: &str = include_str!("pages/docs.html");
/// Nothing from elsewhere is loaded, and no other page may show these.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; \
                      frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

fn page(html: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, POLICY)], html)
}

/// What this is
#[utoipa::path(
    get, path = "/", tag = "documentation",
    responses((status = 200, description = "A short page", body = String, content_type = "text/html"))
)]
pub(super) async fn index() -> impl IntoResponse {
    page(INDEX)
}

/// A page to try the API
#[utoipa::path(
    get, path = "/docs", tag = "documentation",
    responses((status = 200, description = "A page with a form for every route", body = String, content_type = "text/html"))
)]
pub(super) async fn docs() -> impl IntoResponse {
    page(DOCS)
}
