//! Who may read, and how much: a rate per client, an optional token, origins of web pages that may ask.
//!
//! Supervisors are always answered (`/health`, `/ready`), and encrypted objects are given without a token. A token is compared by its digest in constant time. Whoever has it as a
//! bearer token, or as the password of HTTP Basic, for which browsers ask, may read.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use aml_miner::digest::Digest;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_DISPOSITION, ETAG, IF_NONE_MATCH, LINK, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::error::{ApiError, ErrorCode};
use super::state::ApiState;
use super::{objects, pages};
use crate::config::{ANY_ORIGIN, ReaderSettings};
use crate::http::listen::Peer;
use crate::http::rate::{Buckets, peer_of};

/// A shorter token can be guessed.
const SHORTEST: usize = 16;
/// A longer one goes into no header.
const LONGEST: usize = 512;
/// How long a browser may remember which requests are allowed.
const REMEMBERED: Duration = Duration::from_secs(3600);
/// What a browser is told of a page that needs the token: it asks for a password.
const ASK_FOR_PASSWORD: &str = "Basic realm=\"aml\", charset=\"UTF-8\"";
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// A token, as far as it is needed: its digest.
#[derive(Clone)]
pub struct Token(Digest);

impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Token(…)")
    }
}

/// Why a text is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token has {SHORTEST} to {LONGEST} visible ASCII characters")]
pub struct BadToken;

impl Token {
    /// The token that a text is; blanks around it do not count.
    ///
    /// # Errors
    /// When it is too short, too long, or does not go into a header.
    pub fn parse(text: &str) -> Result<Self, BadToken> {
        let text = text.trim();
        let fits = (SHORTEST..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(Digest::of(text.as_bytes()))) } else { Err(BadToken) }
    }

    fn is(&self, given: &[u8]) -> bool {
        verify_slices_are_equal(self.0.as_bytes(), Digest::of(given).as_bytes()).is_ok()
    }
}

/// Who may read, and how much.
#[derive(Debug, Default)]
pub struct Access {
    rate: Option<Rate>,
    proxies: Vec<IpAddr>,
    token: Option<Token>,
    open_pages: bool,
    origins: Vec<String>,
}

#[derive(Debug)]
struct Rate {
    per_minute: u32,
    buckets: Buckets<IpAddr>,
}

impl Access {
    /// What settings say, with their token.
    #[must_use]
    pub fn new(settings: &ReaderSettings, token: Option<Token>) -> Self {
        let per_minute = settings.requests_per_minute;
        Self {
            rate: (per_minute > 0).then(|| Rate { per_minute, buckets: Buckets::new(per_minute) }),
            proxies: settings.proxies.iter().map(IpAddr::to_canonical).collect(),
            token,
            open_pages: settings.open_pages,
            origins: settings.origins.clone(),
        }
    }

    /// Which web pages may ask; `None` where none may. Pages for people are not for other pages to read.
    pub(super) fn cross_origin(&self) -> Option<CorsLayer> {
        if self.origins.is_empty() {
            return None;
        }
        let origins = self.origins.clone();
        let may = move |origin: &HeaderValue, request: &Parts| {
            let named = |known: &String| known == ANY_ORIGIN || known.as_bytes() == origin.as_bytes();
            !pages::is_page(request.uri.path()) && origins.iter().any(named)
        };
        let shown = [ETAG, LINK, RETRY_AFTER, CONTENT_DISPOSITION, HeaderName::from_static("x-request-id")];
        let layer = CorsLayer::new()
            .allow_origin(AllowOrigin::predicate(may))
            .allow_methods([Method::GET, Method::HEAD])
            .allow_headers([AUTHORIZATION, ACCEPT, IF_NONE_MATCH])
            .expose_headers(shown)
            .max_age(REMEMBERED);
        Some(layer)
    }

    /// What is said instead of an answer; `None` where the request is answered.
    fn refusal(&self, request: &Request, now: Duration) -> Option<Response> {
        let path = request.uri().path();
        if is_probe(path) {
            return None;
        }
        let page = pages::is_page(path);
        let has_none = |token: &Token| !has(request.headers(), token);
        let without_token = || {
            let open = (page && self.open_pages) || objects::is_object(path);
            let token = self.token.as_ref().filter(|_| !open);
            token.is_some_and(has_none).then(|| no_token(page))
        };
        // Who guesses is counted too.
        self.too_often(request, now).or_else(without_token)
    }

    fn too_often(&self, request: &Request, now: Duration) -> Option<Response> {
        let rate = self.rate.as_ref()?;
        let wait = rate.buckets.take(peer_of(self.client(request)?), now)?;
        Some(too_many(rate.per_minute, wait))
    }

    /// Whose request it is; `None` where nobody's are counted: this machine's own.
    fn client(&self, request: &Request) -> Option<IpAddr> {
        let Peer(peer) = request.extensions().get::<Peer>()?;
        let peer = peer.to_canonical();
        if !self.proxies.contains(&peer) {
            return (!peer.is_loopback()).then_some(peer);
        }
        // Each proxy adds whom it was asked by at the end: the last one that is no proxy of ours is believed, and none before it.
        let named = request.headers().get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
        let named: Vec<Option<IpAddr>> = named.flat_map(|value| value.split(',')).map(address).collect();
        let is_proxy = |address: &IpAddr| self.proxies.contains(address);
        let last = named.into_iter().rev().find(|address| !address.as_ref().is_some_and(is_proxy));
        Some(last.flatten().unwrap_or(peer))
    }
}

/// Around every request: whoever may not read is told so.
pub(super) async fn check(State(api): State<ApiState>, request: Request, next: Next) -> Response {
    if let Some(refused) = api.access.refusal(&request, api.clock.now()) {
        return refused;
    }
    let needs_token = api.access.token.is_some() && !objects::is_object(request.uri().path());
    let mut response = next.run(request).await;
    if needs_token {
        keep_apart(response.headers_mut());
    }
    response
}

/// What needs a token is kept by no cache that others read from.
fn keep_apart(headers: &mut HeaderMap) {
    let kept = headers.get(CACHE_CONTROL).and_then(|value| value.to_str().ok());
    let private = kept.map(|kept| HeaderValue::from_str(&kept.replace("public", "private")));
    if let Some(Ok(private)) = private {
        headers.insert(CACHE_CONTROL, private);
    }
}

/// What supervisors ask.
fn is_probe(path: &str) -> bool {
    matches!(path.strip_prefix(super::VERSION).unwrap_or(path), "/health" | "/ready")
}

/// An address as a proxy writes it, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(with_port).map(|ip: IpAddr| ip.to_canonical())
}

/// Whether a request has the token, as bearer or as the password of whatever name.
fn has(headers: &HeaderMap, token: &Token) -> bool {
    let Some((scheme, rest)) = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' ')) else {
        return false;
    };
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return token.is(rest.as_bytes());
    }
    let decoded = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(rest).ok()).flatten();
    let Some(decoded) = decoded else { return false };
    let password = decoded.iter().position(|byte| *byte == b':').and_then(|at| decoded.get(at + 1..));
    password.is_some_and(|password| token.is(password))
}

fn too_many(per_minute: u32, wait: Duration) -> Response {
    let text = format!("Too many requests: one client may make {per_minute} a minute");
    let mut response = ApiError::new(ErrorCode::TooManyRequests, text).into_response();
    let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

fn no_token(page: bool) -> Response {
    let mut response = ApiError::new(ErrorCode::Unauthorized, "A token is needed to read this").into_response();
    let headers = response.headers_mut();
    headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"aml\""));
    if page {
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(ASK_FOR_PASSWORD));
    }
    response
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use axum::body::Body;
    use axum::extract::Request;

    use super::{Access, Token, address};
    use crate::config::ReaderSettings;
    use crate::http::listen::Peer;

    fn client(peer: &str, forwarded: &[&str]) -> Option<String> {
        let proxies = ["10.0.0.1", "10.0.0.2", "::ffff:127.0.0.1"].map(|ip| ip.parse::<IpAddr>().expect("an address"));
        let settings = ReaderSettings { proxies: proxies.to_vec(), ..ReaderSettings::default() };
        let mut request = Request::builder();
        for value in forwarded {
            request = request.header("x-forwarded-for", *value);
        }
        let mut request = request.body(Body::empty()).expect("a request");
        request.extensions_mut().insert(Peer(peer.parse().expect("an address")));
        Access::new(&settings, None).client(&request).map(|ip| ip.to_string())
    }

    #[test]
    fn only_proxies_are_believed_and_only_their_last_word() {
        for (peer, forwarded, whose) in [
            ("192.0.2.9", vec!["198.51.100.1"], Some("192.0.2.9")),
            ("10.0.0.1", vec!["198.51.100.1"], Some("198.51.100.1")),
            ("::ffff:10.0.0.1", vec!["203.0.113.5, 198.51.100.1"], Some("198.51.100.1")),
            ("10.0.0.1", vec!["203.0.113.5", "198.51.100.1, 10.0.0.2"], Some("198.51.100.1")),
            ("10.0.0.1", vec![], Some("10.0.0.1")),
            ("10.0.0.1", vec!["10.0.0.2"], Some("10.0.0.1")),
            ("10.0.0.1", vec!["198.51.100.1, unknown"], Some("10.0.0.1")),
            ("10.0.0.1", vec!["[2001:db8::1]:443"], Some("2001:db8::1")),
            ("127.0.0.1", vec!["198.51.100.1:80"], Some("198.51.100.1")),
            ("::1", vec!["198.51.100.1"], None),
        ] {
            assert_eq!(client(peer, &forwarded).as_deref(), whose, "{peer} {forwarded:?}");
        }
        assert_eq!(address("[::1]"), Some("::1".parse().expect("an address")));
    }

    #[test]
    fn a_token_is_long_enough_and_goes_into_a_header() {
        assert!(Token::parse(" 0123456789abcdef\n").is_ok_and(|token| token.is(b"0123456789abcdef")));
        assert!(!Token::parse("0123456789abcdef").expect("long enough").is(b"0123456789abcdeF"));
        for bad in ["", "0123456789abcde", "0123456789abc ef", "0123456789abcdé", &"x".repeat(513)] {
            assert!(Token::parse(bad).is_err(), "{bad}");
        }
        let shown = format!("{:?}", Token::parse("0123456789abcdef").expect("long enough"));
        assert!(!shown.contains("0123") && shown.len() < 12, "{shown}");
    }
}
