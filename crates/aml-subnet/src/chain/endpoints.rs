//! Which chain endpoints to use: names of networks and URLs, in order of preference.
//!
//! A given URL always wins over the name of a network. At most [`MAX_ENDPOINTS`] are kept, so that a round of
//! failed connections has a bounded length.

use std::fmt;
use std::str::FromStr;

use aml_miner::secret_url::SecretUrl;
use http::Uri;

/// More endpoints than this only make an outage longer.
pub const MAX_ENDPOINTS: usize = 8;

/// A WebSocket URL of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    url: SecretUrl,
    encrypted: bool,
    local: bool,
}

impl Endpoint {
    /// The URL as given, which may hold a key.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.url.expose()
    }

    /// The host, without a path that may hold a key.
    #[must_use]
    pub fn host(&self) -> String {
        self.url.expose().parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default()
    }

    /// Whether others can read and change what is said: plain `ws://` to another machine.
    #[must_use]
    pub const fn is_exposed(&self) -> bool {
        !self.encrypted && !self.local
    }
}

/// Scheme and host alone.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.url)
    }
}

/// Why a text names no endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Neither a known network nor a URL.
    #[error("`{0}` is neither a network (finney, test, archive, devnet, local) nor a ws:// or wss:// URL")]
    Unknown(String),
    /// A URL that a WebSocket client cannot use.
    #[error("`{url}` is no endpoint: {reason}")]
    Url {
        /// What was given.
        url: SecretUrl,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An empty list.
    #[error("no chain endpoint given: name a network or one or more ws:// or wss:// URLs")]
    None,
    /// A list that is too long.
    #[error("{0} chain endpoints given, at most {MAX_ENDPOINTS} are used")]
    TooMany(usize),
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = |reason| EndpointError::Url { url: SecretUrl::new(text), reason };
        let uri: Uri = text.parse().map_err(|_| bad("not a URL"))?;
        let encrypted = match uri.scheme_str() {
            Some("wss") => true,
            Some("ws") => false,
            _ => return Err(bad("the scheme must be ws or wss")),
        };
        let authority = uri.authority().ok_or_else(|| bad("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(bad("credentials do not belong into a URL"));
        }
        let local = is_loopback(authority.host());
        Ok(Self { url: SecretUrl::new(text), encrypted, local })
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Names of networks that are not the main one.
const NOT_MAIN: [&str; 3] = ["test", "local", "devnet"];

/// Hash of block 0 of the main network.
const FINNEY_GENESIS: [u8; 32] = [
    0x2f, 0x05, 0x55, 0xcc, 0x76, 0xfc, 0x28, 0x40, 0xa2, 0x5a, 0x6e, 0xa3, 0xb9, 0x63, 0x71, 0x46, 0x80, 0x6f, 0x1f,
    0x44, 0xb0, 0x90, 0xc1, 0x75, 0xff, 0xde, 0x2a, 0x7e, 0x5a, 0xb3, 0x6c, 0x03,
];

/// The endpoints of one chain, the preferred one first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    list: Vec<Endpoint>,
    genesis: Option<[u8; 32]>,
    /// Whether some other chain than the main network is named: then that one is refused.
    not_main: bool,
}

impl Endpoints {
    /// Endpoints by name of a network or URLs, separated by commas; `chain_endpoint` wins where it is given.
    ///
    /// # Errors
    /// [`EndpointError`] when a part is neither, when nothing is left, or when there are too many.
    pub fn resolve(network: &str, chain_endpoint: Option<&str>) -> Result<Self, EndpointError> {
        let text = chain_endpoint.filter(|text| !text.trim().is_empty()).unwrap_or(network);
        let names: Vec<&str> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
        let mut list: Vec<Endpoint> = Vec::new();
        for name in &names {
            for url in urls_of(name)? {
                let endpoint: Endpoint = url.parse()?;
                if !list.contains(&endpoint) {
                    list.push(endpoint);
                }
            }
        }
        let genesis = (!names.is_empty() && names.iter().all(|name| *name == "finney")).then_some(FINNEY_GENESIS);
        let not_main = NOT_MAIN.contains(&network.trim()) || names.iter().any(|name| NOT_MAIN.contains(name));
        Ok(Self { not_main, ..Self::new(list, genesis)? })
    }

    /// Endpoints in order of preference, and the hash of block 0 that all of them must report, where it is known.
    ///
    /// # Errors
    /// [`EndpointError`] when there are none or too many.
    pub fn new(list: Vec<Endpoint>, genesis: Option<[u8; 32]>) -> Result<Self, EndpointError> {
        match list.len() {
            0 => Err(EndpointError::None),
            1..=MAX_ENDPOINTS => Ok(Self { list, genesis, not_main: false }),
            more => Err(EndpointError::TooMany(more)),
        }
    }

    /// The endpoints, the preferred one first; never empty.
    #[must_use]
    pub fn list(&self) -> &[Endpoint] {
        &self.list
    }

    /// Whether a chain with this hash of block 0 is certainly not the one that is meant: the main network, where `test` or
    /// `local` is named, whatever the URLs say.
    #[must_use]
    pub fn is_wrong(&self, genesis: [u8; 32]) -> bool {
        self.not_main && genesis == FINNEY_GENESIS
    }

    /// The hash of block 0, where it is known beforehand.
    #[must_use]
    pub const fn genesis(&self) -> Option<[u8; 32]> {
        self.genesis
    }
}

/// A name as it was given; something else that was given may be a secret.
fn named(text: &str) -> String {
    let plain = text.len() <= 32 && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if plain { text.to_owned() } else { "…".to_owned() }
}

/// The public entry points first, then those that the SDK falls back to.
fn urls_of(name: &str) -> Result<Vec<&str>, EndpointError> {
    Ok(match name {
        "finney" => {
            vec!["wss://entrypoint-finney.opentensor.ai:443", "wss://lite.chain.opentensor.ai:443"]
        }
        "test" => vec!["wss://test.finney.opentensor.ai:443"],
        "devnet" => vec!["wss://dev.chain.opentensor.ai:443"],
        "archive" => vec!["wss://archive.chain.opentensor.ai:443"],
        "local" => vec!["ws://127.0.0.1:9944"],
        url if url.contains("://") => vec![url],
        other => return Err(EndpointError::Unknown(named(other))),
    })
}
