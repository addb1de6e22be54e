//! Pages for people: what this is, and Swagger UI to try it. Everything they need is in the program; every link is relative,
//! so that they work behind any path that a proxy puts before them.

use std::io::Read as _;

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;

use super::error::{ApiError, ErrorCode};

const INDEX: &str = include_str!("pages/index.html");
const DOCS: &str = include_str!("pages/docs.html");
const START: &str = include_str!("pages/start.js");
const BUNDLE: &[u8] = include_bytes!("../../assets/swagger-ui/swagger-ui-bundle.js.gz");
const STYLE: &[u8] = include_bytes!("../../assets/swagger-ui/swagger-ui.css.gz");
/// Nothing from elsewhere is loaded, no script runs, and no other page may show it.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/// The one page with a script: its own, and it asks its own server.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                           connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/// The library changes with the program only.
const CACHED: &str = "public, max-age=3600";

fn page(html: &'static str, policy: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, policy)], html)
}

/// What this is
#[utoipa::path(
    get, path = "/", tag = "documentation", operation_id = "index",
    responses((status = 200, description = "A short page", body = String, content_type = "text/html"))
)]
pub(super) async fn index() -> impl IntoResponse {
    page(INDEX, POLICY)
}

/// A page to try the API
#[utoipa::path(
    get, path = "/docs", tag = "documentation", operation_id = "docs",
    responses((status = 200, description = "Swagger UI on this API", body = String, content_type = "text/html"))
)]
pub(super) async fn docs() -> impl IntoResponse {
    page(DOCS, DOCS_POLICY)
}

/// A file that the page at `/docs` loads.
pub(super) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, ApiError> {
    let (kind, packed) = match name.as_str() {
        "start.js" => return Ok(([(header::CONTENT_TYPE, JAVASCRIPT)], START).into_response()),
        "swagger-ui-bundle.js" => (JAVASCRIPT, BUNDLE),
        "swagger-ui.css" => ("text/css; charset=utf-8", STYLE),
        _ => return Err(ApiError::new(ErrorCode::NotFound, "Not Found")),
    };
    let about: [(HeaderName, &'static str); 3] =
        [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, CACHED), (header::VARY, "accept-encoding")];
    let takes_gzip = headers.get_all(header::ACCEPT_ENCODING).iter().any(|value| {
        value.to_str().is_ok_and(|text| text.split(',').any(|coding| matches!(coding.trim(), "gzip" | "*")))
    });
    if takes_gzip {
        return Ok((about, [(header::CONTENT_ENCODING, "gzip")], packed).into_response());
    }
    let mut plain = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut plain).map_err(ApiError::internal)?;
    Ok((about, plain).into_response())
}

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
