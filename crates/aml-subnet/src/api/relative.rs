//! The links of pages, made relative: whatever path a reverse proxy puts before the pages, they lead to each other.
//!
//! Templates write links from the root. What a stranger sent is escaped in a page, quotes too, so an attribute that begins here is a
//! template's own. Nothing depends on what a request says of proxies (`Forwarded`, `X-Forwarded-Prefix`), so nobody has to be believed.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::pages::HTML;

/// Attributes that lead somewhere.
const LEADING: [&str; 2] = [" href=\"", " action=\""];

/// Around every request: pages leave with relative links.
pub(super) async fn links(request: Request, next: Next) -> Response {
    let root = root_of(request.uri().path());
    let response = next.run(request).await;
    let kind = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    if kind != Some(HTML.as_bytes()) {
        return response;
    }
    let (head, body) = response.into_parts();
    // A page of ours, which is in memory as a whole already.
    match to_bytes(body, usize::MAX).await {
        Ok(page) => Response::from_parts(head, Body::from(relative(&String::from_utf8_lossy(&page), &root))),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// From the page at `path` to the root.
fn root_of(path: &str) -> String {
    match path.matches('/').count() {
        0 | 1 => "./".to_owned(),
        slashes => "../".repeat(slashes - 1),
    }
}

/// The page with `root` for the root in its links.
fn relative(page: &str, root: &str) -> String {
    let mut page = page.to_owned();
    for attribute in LEADING {
        page = page.replace(&format!("{attribute}/"), &format!("{attribute}{root}"));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::{relative, root_of};

    #[test]
    fn the_way_to_the_root_is_as_long_as_the_path() {
        for (path, root) in
            [("/", "./"), ("/page", "./"), ("/page/miners", "../"), ("/page/rounds/x", "../../"), ("/a//b", "../../")]
        {
            assert_eq!(root_of(path), root, "{path}");
        }
    }

    #[test]
    fn only_links_of_templates_change() {
        let page =
            r#"<a class="x" href="/page/a">href="/b"</a><form action="/page/risk"><a href="data:,"> href=&#34;/c"#;
        let expected =
            r#"<a class="x" href="../page/a">href="/b"</a><form action="../page/risk"><a href="data:,"> href=&#34;/c"#;
        assert_eq!(relative(page, "../"), expected);
    }
}
