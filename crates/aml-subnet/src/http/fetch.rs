//! One object, fetched from a URL that a stranger names.
//!
//! The name is looked up once, every address is [checked](super::address), and the connection goes to the checked ones alone, so that
//! no second look-up leads elsewhere. No redirect is followed, no proxy of the environment used, no compressed answer
//! taken. The length is known before: not a byte more is read. Time is bounded.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use aml_miner::error_chain::with_causes;
use futures_util::StreamExt as _;
use http::StatusCode;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use reqwest::{Client, Url};

use super::address::{self, NotCalled};

/// A connection that takes longer is none.
const CONNECT: Duration = Duration::from_secs(5);
/// Without a byte for so long it is given up.
const STALLED: Duration = Duration::from_secs(10);
/// Addresses of one name that are tried.
const MOST_ADDRESSES: usize = 4;

/// What is fetched from where.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// `http` or `https`, without user and fragment.
    pub url: &'a str,
    /// How many bytes it has.
    pub bytes: u64,
    /// Whether loopback and private addresses are called.
    pub allow_private_ips: bool,
    /// How long it may take.
    pub patience: Duration,
}

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Not a URL that is fetched from.
    #[error("no http or https URL without user, password and fragment")]
    Url,
    /// The name has no address.
    #[error("its name has no address")]
    Name,
    /// An address that is not called.
    #[error(transparent)]
    NotCalled(#[from] NotCalled),
    /// No connection, or it broke.
    #[error("{0}")]
    Broken(String),
    /// A redirect, a refusal, an error.
    #[error("status {}", .0.as_u16())]
    Status(StatusCode),
    /// Compressed, which was not asked for.
    #[error("it is encoded, which was not asked for")]
    Encoded,
    /// Fewer or more bytes.
    #[error("it has not the {0} bytes that it should have")]
    Length(u64),
    /// Too long, in all or without a byte.
    #[error("it took too long")]
    Slow,
}

impl FetchError {
    /// A stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Name => "name",
            Self::NotCalled(_) => "address",
            Self::Broken(_) => "broken",
            Self::Status(_) => "status",
            Self::Encoded => "encoded",
            Self::Length(_) => "length",
            Self::Slow => "slow",
        }
    }
}

/// The bytes at a URL, all of them and no more.
///
/// # Errors
/// Why not.
pub async fn fetch(wanted: &Wanted<'_>) -> Result<Vec<u8>, FetchError> {
    tokio::time::timeout(wanted.patience, within(wanted)).await.map_err(|_| FetchError::Slow)?
}

async fn within(wanted: &Wanted<'_>) -> Result<Vec<u8>, FetchError> {
    let url = plain_url(wanted.url).ok_or(FetchError::Url)?;
    let (host, port) = url.host_str().zip(url.port_or_known_default()).ok_or(FetchError::Url)?;
    let addresses = checked(host, port, wanted.allow_private_ips).await?;
    let client = Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT)
        .read_timeout(STALLED)
        .user_agent(concat!("aml-subnet/", env!("CARGO_PKG_VERSION")))
        .resolve_to_addrs(host, &addresses)
        .build()
        .map_err(broken)?;
    let response = client.get(url).header(ACCEPT_ENCODING, "identity").send().await.map_err(broken)?;
    if response.status() != StatusCode::OK {
        return Err(FetchError::Status(response.status()));
    }
    if response.headers().contains_key(CONTENT_ENCODING) {
        return Err(FetchError::Encoded);
    }
    let wrong = || FetchError::Length(wanted.bytes);
    if response.content_length().is_some_and(|length| length != wanted.bytes) {
        return Err(wrong());
    }
    let length = usize::try_from(wanted.bytes).map_err(|_| wrong())?;
    let mut bytes = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(broken)?;
        if chunk.len() > length - bytes.len() {
            return Err(wrong());
        }
        bytes.extend_from_slice(&chunk);
    }
    if bytes.len() == length { Ok(bytes) } else { Err(wrong()) }
}

/// A URL that hides nothing.
fn plain_url(text: &str) -> Option<Url> {
    let url: Url = text.parse().ok()?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    (matches!(url.scheme(), "http" | "https") && plain).then_some(url)
}

/// The addresses of a host that are called; those that are not are left out, unless none is left.
async fn checked(host: &str, port: u16, allow_private: bool) -> Result<Vec<SocketAddr>, FetchError> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let found: Vec<SocketAddr> = match bare.parse::<IpAddr>() {
        Ok(ip) => vec![SocketAddr::new(ip, port)],
        Err(_) => tokio::net::lookup_host((bare, port)).await.map_err(|_| FetchError::Name)?.collect(),
    };
    let (mut good, mut why) = (Vec::new(), None);
    for address in found {
        match address::check(address, allow_private) {
            Ok(()) => good.push(address),
            Err(not_called) => why = Some(not_called),
        }
    }
    good.truncate(MOST_ADDRESSES);
    match (good.is_empty(), why) {
        (false, _) => Ok(good),
        (true, Some(why)) => Err(why.into()),
        (true, None) => Err(FetchError::Name),
    }
}

/// reqwest's errors name the URL, which is a stranger's.
fn broken(error: reqwest::Error) -> FetchError {
    if error.is_timeout() {
        return FetchError::Slow;
    }
    FetchError::Broken(with_causes(&error.without_url()))
}

#[cfg(test)]
mod tests {
    use super::{FetchError, checked, plain_url};

    #[test]
    fn only_plain_urls_are_fetched_from() {
        for good in ["http://example.com/a", "https://example.com:8443/a?b=c", "http://[2606:4700::1]/a"] {
            assert!(plain_url(good).is_some(), "{good}");
        }
        for bad in
            ["", "example.com/a", "file:///etc/passwd", "ftp://example.com/a", "http://u:p@example.com/", "http://a/#b"]
        {
            assert!(plain_url(bad).is_none(), "{bad}");
        }
    }

    #[tokio::test]
    async fn hosts_by_address_are_checked() {
        for bad in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:8.8.8.8]", "0.0.0.0"] {
            assert!(matches!(checked(bad, 80, false).await, Err(FetchError::NotCalled(_))), "{bad}");
        }
        assert_eq!(checked("127.0.0.1", 80, true).await.expect("allowed").len(), 1);
        assert!(checked("0.0.0.0", 80, true).await.is_err(), "no switch allows this one");
        assert_eq!(checked("[2606:4700::1]", 443, false).await.expect("public").len(), 1);
    }
}
