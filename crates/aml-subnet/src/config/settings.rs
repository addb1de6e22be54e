//! What can be set, with its defaults. One section per concern; unknown keys are refused.
//!
//! `config/subnet_config.toml` documents every key, and a test holds the two together.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use aml_miner::digest::Digest;
use serde::{Deserialize, Serialize};

pub use super::axon::AxonSettings;
use super::forms::is_http_url;
use super::sealing::{OpenRequests, SealingSettings};
pub use super::subtensor::SubtensorSettings;
use super::validator::ValidatorSettings;
use crate::protocol::Window;
use crate::protocol::limits::NONCE_RETENTION;
use crate::wallet::Hotkey;

/// Everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The subnet.
    pub netuid: u16,
    /// Log filter, as in `info` or `aml_subnet=debug,info`.
    pub log_level: String,
    /// Which hotkey.
    pub wallet: WalletSettings,
    /// Which chain.
    pub subtensor: SubtensorSettings,
    /// Where the miner listens and what it announces.
    pub axon: AxonSettings,
    /// Signed requests.
    pub protocol: ProtocolSettings,
    /// Sealed answers.
    pub sealing: SealingSettings,
    /// The miner's proxy.
    pub miner: MinerSettings,
    /// The validator.
    pub validator: ValidatorSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            netuid: 1,
            log_level: "info".to_owned(),
            wallet: WalletSettings::default(),
            subtensor: SubtensorSettings::default(),
            axon: AxonSettings::default(),
            protocol: ProtocolSettings::default(),
            sealing: SealingSettings::default(),
            miner: MinerSettings::default(),
            validator: ValidatorSettings::default(),
        }
    }
}

/// `[wallet]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WalletSettings {
    /// Name of the wallet.
    pub name: Option<String>,
    /// Name of the hotkey.
    pub hotkey: Option<String>,
    /// Folder of the wallets.
    pub path: Option<PathBuf>,
    /// File with the password of an encrypted hotkey.
    pub password_file: Option<PathBuf>,
}

/// `[protocol]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProtocolSettings {
    /// Whether the miner also answers the v10 axon form, which does not protect the body.
    pub accept_v10: bool,
    /// Oldest request.
    #[serde(with = "humantime_serde")]
    pub max_age: Duration,
    /// Furthest ahead of our clock.
    #[serde(with = "humantime_serde")]
    pub max_skew: Duration,
    /// Callers that sign with ed25519; all others are expected to use sr25519.
    pub ed25519_hotkeys: Vec<String>,
    /// Name of the environment variable with the URL of a Redis that several proxies of one hotkey share.
    pub redis_url_env: Option<String>,
}

impl Default for ProtocolSettings {
    fn default() -> Self {
        let window = Window::default();
        Self {
            accept_v10: false,
            max_age: window.back,
            max_skew: window.ahead,
            ed25519_hotkeys: Vec::new(),
            redis_url_env: None,
        }
    }
}

impl ProtocolSettings {
    /// The window of freshness.
    #[must_use]
    pub const fn window(&self) -> Window {
        Window { back: self.max_age, ahead: self.max_skew }
    }
}

/// `[miner]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MinerSettings {
    /// The inference API.
    pub api_url: String,
    /// Folder for sealed answers in plain, and for the openings that were promised.
    pub data_dir: PathBuf,
    /// What whoever names no opening is sent.
    pub open_requests: OpenRequests,
    /// Plain answers that are kept, compressed, all together.
    pub kept_answers_bytes: u64,
    /// The receipts' public key that the hotkey vouches for, after it has changed.
    pub receipt_key: Option<Digest>,
    /// Where health, readiness and metrics are served.
    pub status_listen: SocketAddr,
    /// Whether only validators with a permit are served.
    pub require_permit: bool,
    /// Least stake of a caller, in TAO.
    pub min_stake_tao: f64,
    /// Requests of one hotkey per minute.
    pub requests_per_minute: u32,
    /// Failed signatures of one address per minute, before its requests are refused unread.
    pub failures_per_minute: u32,
    /// Requests that the inference API works on at once.
    pub concurrent: usize,
    /// Verified requests that wait for it, highest stake first.
    pub queue: usize,
    /// Connections in all.
    pub connections: usize,
    /// Connections of one address.
    pub connections_per_peer: usize,
    /// Largest body and largest answer.
    pub max_body_bytes: u64,
    /// Whether tasks are fetched that are sent by reference.
    pub references: bool,
    /// Largest object that is fetched, and all that are kept of the last rounds, in memory.
    pub reference_bytes: u64,
    /// How long fetching may take, from all its places together.
    #[serde(with = "humantime_serde")]
    pub reference_timeout: Duration,
    /// A body up to this size stays in memory; a larger one goes to an anonymous temporary file.
    pub memory_body_bytes: usize,
    /// Bodies and answers on disk, all together.
    pub max_spooled_bytes: u64,
    /// Largest body that is read without its digest in the head, and all of those of one address together.
    pub unverified_body_bytes: u64,
    /// How long such a body may take.
    #[serde(with = "humantime_serde")]
    pub unverified_body_time: Duration,
    /// How long the headers of a request may take.
    #[serde(with = "humantime_serde")]
    pub header_timeout: Duration,
    /// How long a request may take, from its headers to the end of its answer.
    #[serde(with = "humantime_serde")]
    pub request_timeout: Duration,
    /// How long requests in flight may go on after SIGTERM.
    #[serde(with = "humantime_serde")]
    pub grace: Duration,
    /// How often the metagraph is read.
    #[serde(with = "humantime_serde")]
    pub metagraph_refresh: Duration,
    /// Read APIs of validators, which are asked every hour what they made of our answers.
    pub validators: Vec<String>,
    /// With a metagraph older than this the miner is not ready.
    #[serde(with = "humantime_serde")]
    pub metagraph_max_age: Duration,
}

impl Default for MinerSettings {
    fn default() -> Self {
        Self {
            api_url: "http://127.0.0.1:8000".to_owned(),
            data_dir: PathBuf::from("miner-data"),
            open_requests: OpenRequests::default(),
            kept_answers_bytes: 4 << 30,
            receipt_key: None,
            status_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8092)),
            require_permit: true,
            min_stake_tao: 0.0,
            requests_per_minute: 60,
            failures_per_minute: 30,
            concurrent: 4,
            queue: 64,
            connections: 1024,
            connections_per_peer: 64,
            max_body_bytes: 256 << 20,
            references: true,
            reference_bytes: 64 << 20,
            reference_timeout: Duration::from_secs(30),
            memory_body_bytes: 256 << 10,
            max_spooled_bytes: 4 << 30,
            unverified_body_bytes: 32 << 20,
            unverified_body_time: Duration::from_secs(30),
            header_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(120),
            grace: Duration::from_secs(30),
            metagraph_refresh: Duration::from_secs(60),
            metagraph_max_age: Duration::from_secs(30 * 60),
            validators: Vec::new(),
        }
    }
}

impl Settings {
    /// Everything that is wrong with the values taken together, each as one line.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let (protocol, miner) = (&self.protocol, &self.miner);
        let mut problems = Vec::new();
        let mut refuse = |wrong: bool, text: &str| {
            if wrong {
                problems.push(text.to_owned());
            }
        };
        refuse(protocol.max_age.is_zero(), "protocol.max_age: must be positive");
        refuse(
            protocol.max_age + protocol.max_skew > NONCE_RETENTION,
            "protocol.max_age + protocol.max_skew: must not exceed 60s, for that is how long nonces are remembered",
        );
        refuse(!is_http_url(&miner.api_url), "miner.api_url: expected http://host:port or https://host");
        refuse(
            !(miner.min_stake_tao.is_finite() && miner.min_stake_tao >= 0.0),
            "miner.min_stake_tao: must be a number of at least 0",
        );
        for (name, value) in [
            ("miner.requests_per_minute", u64::from(miner.requests_per_minute)),
            ("miner.failures_per_minute", u64::from(miner.failures_per_minute)),
            ("miner.concurrent", miner.concurrent as u64),
            ("miner.connections", miner.connections as u64),
            ("miner.connections_per_peer", miner.connections_per_peer as u64),
            ("miner.max_body_bytes", miner.max_body_bytes),
            ("miner.reference_bytes", miner.reference_bytes),
            ("miner.max_spooled_bytes", miner.max_spooled_bytes),
        ] {
            refuse(value == 0, &format!("{name}: must be at least 1"));
        }
        for (name, value) in [
            ("miner.header_timeout", miner.header_timeout),
            ("miner.request_timeout", miner.request_timeout),
            ("miner.reference_timeout", miner.reference_timeout),
            ("miner.unverified_body_time", miner.unverified_body_time),
            ("miner.metagraph_refresh", miner.metagraph_refresh),
            ("subtensor.stalled_after", self.subtensor.stalled_after),
        ] {
            refuse(value.is_zero(), &format!("{name}: must be positive"));
        }
        for url in &miner.validators {
            refuse(!is_http_url(url), &format!("miner.validators: `{url}` is no http(s) URL"));
        }
        for text in &protocol.ed25519_hotkeys {
            refuse(text.parse::<Hotkey>().is_err(), &format!("protocol.ed25519_hotkeys: `{text}` is no ss58 address"));
        }
        problems.extend(self.sealing.problems());
        problems.extend(self.validator.problems());
        problems
    }

    /// Least stake of a caller, in rao.
    #[must_use]
    pub fn min_stake_rao(&self) -> u64 {
        const RAO: f64 = 1e9;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "`as` saturates, and `problems` refuses negative values"
        )]
        let rao = (self.miner.min_stake_tao * RAO).round() as u64;
        rao
    }
}
