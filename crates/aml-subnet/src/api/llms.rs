//! `/llms.txt`: what there is here, for programs that read texts.

use axum::http::HeaderMap;
use axum::response::Response;

use super::reply::{self, Content, Keep};

const TEXT: &str = include_str!("../../templates/llms.txt");

/// A guide for language models
///
/// What this API has, where it is described, and what scores are not.
#[utoipa::path(
    get, path = "/llms.txt", tag = "documentation",
    responses((status = 200, description = "The guide", body = String, content_type = "text/plain"))
)]
pub(super) async fn guide(asked: HeaderMap) -> Response {
    let (media_type, bytes) = ("text/plain; charset=utf-8", TEXT.as_bytes().to_vec());
    reply::content(&asked, Content { media_type, bytes, keep: Keep::Published })
}
