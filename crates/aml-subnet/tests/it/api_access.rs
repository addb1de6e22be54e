//! Who may read, and how much: rates per client, a token, origins of web pages, through a socket.

use std::net::IpAddr;

use aml_subnet::api::access::{Access, Token};
use aml_subnet::api::serve::serve;
use aml_subnet::config::ReaderSettings;
use axum::http::Method;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::api_kit::{DAYS, Kit, Reached, id};

const TOKEN: &str = "correct-horse-battery-staple";
/// A page elsewhere.
const CASES: &str = "https://cases.example.com";

/// A server behind a socket.
struct Served {
    address: std::net::SocketAddr,
    stop: CancellationToken,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Served {
    async fn start(settings: ReaderSettings, token: Option<&str>) -> Self {
        let token = token.map(|token| Token::parse(token).expect("a token"));
        let kit = Kit::season_read_by(Access::new(&settings, token)).await;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let (address, stop) = (listener.local_addr().expect("an address"), CancellationToken::new());
        let serving = serve(listener, kit.api.clone(), stop.clone());
        tokio::spawn(async move {
            serving.await;
            drop(kit);
        });
        Self { address, stop }
    }

    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Reached {
        let stream = TcpStream::connect(self.address).await.expect("it listens");
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("it speaks HTTP");
        tokio::spawn(connection);
        let mut request = axum::http::Request::builder().method(method).uri(path).header("host", "x");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Empty::<Bytes>::new()).expect("a request");
        let (parts, body) = sender.send_request(request).await.expect("an answer").into_parts();
        let body = body.collect().await.expect("a body").to_bytes().to_vec();
        Reached { status: parts.status, headers: parts.headers, body }
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reached {
        self.send(Method::GET, path, headers).await
    }
}

/// A few requests a minute of each client that a proxy on this machine names.
fn proxied(requests_per_minute: u32) -> ReaderSettings {
    let proxies = vec!["127.0.0.1".parse::<IpAddr>().expect("an address")];
    ReaderSettings { requests_per_minute, proxies, ..ReaderSettings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_client_that_asks_too_often_waits_and_no_other_does() {
    let served = Served::start(proxied(3), None).await;
    let of = |client: &'static str| [("x-forwarded-for", client)];
    for path in ["/rounds", "/nothing", "/page/plan"] {
        assert_ne!(served.get(path, &of("198.51.100.7")).await.status.as_u16(), 429, "{path}");
    }
    let refused = served.get("/api/1/rounds", &of("198.51.100.7")).await.must_fail_with(429, "too_many_requests");
    let wait: u64 = refused.header("retry-after").expect("how long").parse().expect("seconds");
    assert!((1..=20).contains(&wait), "{wait}");
    let page = served.get("/page/rounds", &of("198.51.100.7")).await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (429, Some("text/html; charset=utf-8")));
    // What a client says of itself changes nothing; another client, supervisors and this machine's own are answered.
    served.get("/rounds", &of("203.0.113.1, 198.51.100.7")).await.must_fail_with(429, "too_many_requests");
    served.get("/rounds", &of("198.51.100.8")).await.must_succeed();
    for probe in ["/health", "/api/1/health"] {
        served.get(probe, &of("198.51.100.7")).await.must_succeed();
    }
    // Of one customer's addresses all count together.
    for host in ["2001:db8::1", "2001:db8::2", "2001:db8::3"] {
        served.get("/rounds", &[("x-forwarded-for", host)]).await.must_succeed();
    }
    served.get("/rounds", &of("2001:db8::ffff")).await.must_fail_with(429, "too_many_requests");
    let own = Served::start(ReaderSettings { requests_per_minute: 1, ..ReaderSettings::default() }, None).await;
    for _ in 0..5 {
        own.get("/rounds", &of("198.51.100.7")).await.must_succeed();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_token_nothing_is_read_but_that_it_lives() {
    let served = Served::start(ReaderSettings::default(), Some(TOKEN)).await;
    let bearer = format!("Bearer {TOKEN}");
    let (as_password, wrong) = (basic(&format!("anna:{TOKEN}")), basic(&format!("{TOKEN}:anna")));
    let day = format!("/canonical/{}", id(DAYS).date);
    let paths = [
        "/rounds",
        "/api/1/rounds",
        "/",
        "/page/rounds",
        "/metrics",
        "/openapi.json",
        "/llms.txt",
        "/nothing",
        day.as_str(),
    ];
    for path in paths {
        let none = served.get(path, &[]).await;
        assert_eq!(none.status.as_u16(), 401, "{path}");
        assert!(none.header("www-authenticate").is_some_and(|how| how.starts_with("Bearer ")), "{path}");
        for given in ["Bearer", "Bearer x", "Bearer correct-horse-battery-stapl", "Basic !", wrong.as_str(), TOKEN] {
            assert_eq!(served.get(path, &[("authorization", given)]).await.status.as_u16(), 401, "{path} {given}");
        }
        for given in [&bearer, &as_password, &bearer.replace("Bearer", "bearer")] {
            let told = served.get(path, &[("authorization", given.as_str())]).await;
            assert_eq!(told.status.as_u16(), if path == "/nothing" { 404 } else { 200 }, "{path} {given}");
            let kept = told.header("cache-control").unwrap_or("no-store");
            assert!(!kept.contains("public"), "{path} is kept for others: {kept}");
        }
    }
    for probe in ["/health", "/ready", "/api/1/health", "/api/1/ready"] {
        assert_ne!(served.get(probe, &[]).await.status.as_u16(), 401, "{probe}");
    }
    let page = served.get("/page/rounds", &[]).await;
    let asked: Vec<&str> =
        page.headers.get_all("www-authenticate").iter().map(|how| how.to_str().expect("text")).collect();
    assert!(asked.iter().any(|how| how.starts_with("Basic ")), "a browser asks for a password: {asked:?}");
    assert!(!page.text().contains(TOKEN));
    let unknown = served.send(Method::POST, "/rounds", &[]).await;
    assert_eq!(unknown.status.as_u16(), 401, "what there is, is nobody's business either");
}

fn basic(pair: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_open_beside_a_token_where_that_is_set() {
    let settings = ReaderSettings { open_pages: true, ..ReaderSettings::default() };
    let served = Served::start(settings, Some(TOKEN)).await;
    for open in ["/", "/page/rounds", "/page/plan"] {
        served.get(open, &[]).await.must_succeed();
    }
    assert_eq!(served.get("/page/nowhere", &[]).await.status.as_u16(), 404);
    for closed in ["/rounds", "/api/1/plan", "/pages", "/llms.txt"] {
        assert_eq!(served.get(closed, &[]).await.status.as_u16(), 401, "{closed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn web_pages_from_elsewhere_read_only_where_that_is_set() {
    let closed = Served::start(ReaderSettings::default(), None).await;
    let preflight = [("origin", CASES), ("access-control-request-method", "GET")];
    let told = closed.send(Method::OPTIONS, "/rounds", &preflight).await;
    assert_eq!((told.status.as_u16(), told.header("access-control-allow-origin")), (405, None));
    assert_eq!(closed.get("/rounds", &preflight).await.must_succeed().header("access-control-allow-origin"), None);

    let settings = ReaderSettings { origins: vec![CASES.to_owned()], ..ReaderSettings::default() };
    let served = Served::start(settings, Some(TOKEN)).await;
    let told = served.send(Method::OPTIONS, "/api/1/rounds", &preflight).await.must_succeed();
    assert_eq!(told.header("access-control-allow-origin"), Some(CASES), "asked without a token");
    let allowed = told.header("access-control-allow-headers").expect("headers").to_lowercase();
    assert!(allowed.contains("authorization") && allowed.contains("if-none-match"), "{allowed}");
    assert_eq!(told.header("access-control-allow-credentials"), None);
    let bearer = format!("Bearer {TOKEN}");
    let day = format!("/canonical/{}", id(DAYS).date);
    let told = served.get(&day, &[("origin", CASES), ("authorization", bearer.as_str())]).await.must_succeed();
    assert_eq!(told.header("access-control-allow-origin"), Some(CASES));
    let shown = told.header("access-control-expose-headers").expect("headers").to_lowercase();
    assert!(shown.contains("etag") && shown.contains("link"), "{shown}");
    let vary: Vec<String> =
        told.headers.get_all("vary").iter().map(|value| value.to_str().expect("text").to_lowercase()).collect();
    let vary = vary.join(",");
    assert!(vary.contains("accept") && vary.contains("origin"), "{vary}");
    let refused = served.get("/rounds", &[("origin", CASES)]).await;
    assert_eq!((refused.status.as_u16(), refused.header("access-control-allow-origin")), (401, Some(CASES)));
    for other in ["https://evil.example.com", "https://cases.example.com.evil.example.com", "null"] {
        let told = served.get("/rounds", &[("origin", other), ("authorization", bearer.as_str())]).await;
        assert_eq!(told.header("access-control-allow-origin"), None, "{other}");
    }
    let page =
        served.get("/page/rounds", &[("origin", CASES), ("authorization", bearer.as_str())]).await.must_succeed();
    assert_eq!(page.header("access-control-allow-origin"), None, "pages are for people");
    let settings = ReaderSettings { origins: vec!["*".to_owned()], ..ReaderSettings::default() };
    let everybody = Served::start(settings, None).await;
    let told = everybody.get("/rounds", &[("origin", "https://any.example.org")]).await.must_succeed();
    assert_eq!(told.header("access-control-allow-origin"), Some("https://any.example.org"));
}
