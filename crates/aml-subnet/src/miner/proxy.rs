//! The proxy: what every request of the axon port is served with.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use aml_miner::clock::Clock;
use aml_miner::digest::Digest;

use super::admit::Gate;
use super::authorize::Policy;
use super::bodies;
use super::forward::{Upstream, UpstreamError};
use super::priority::Slots;
use super::references::References;
use super::sealing::Sealer;
use crate::chain::metagraph::Cache;
use crate::config::Settings;
use crate::http::listen::Reserved;
use crate::http::rate::Buckets;
use crate::http::share::{Share, Shares};
use crate::http::spool::{DiskBudget, SpoolLimits};
use crate::protocol::replay::NonceStore;
use crate::wallet::{Hotkey, Signer};

/// What comes from outside.
pub struct MinerParts {
    /// The miner's hotkey.
    pub signer: Signer,
    /// Who is who.
    pub metagraph: Arc<Cache>,
    /// Which requests were seen.
    pub nonces: Arc<dyn NonceStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// The proxy, ready to serve.
pub struct Miner {
    pub(super) netuid: u16,
    pub(super) accept_v10: bool,
    pub(super) signer: Signer,
    pub(super) receipt_key: Option<Digest>,
    pub(super) gate: Gate,
    pub(super) slots: Slots,
    pub(super) upstream: Upstream,
    pub(super) sealer: Sealer,
    pub(super) references: References,
    pub(super) request_timeout: Duration,
    draining: AtomicBool,
}

impl Miner {
    /// Puts the proxy together.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(settings: &Settings, parts: MinerParts) -> Result<Self, UpstreamError> {
        let (miner, protocol) = (&settings.miner, &settings.protocol);
        let (each, all) = bodies::unverified(miner.unverified_body_bytes, miner.max_spooled_bytes);
        let spool = SpoolLimits {
            max_bytes: miner.max_body_bytes,
            memory_bytes: miner.memory_body_bytes,
            disk: DiskBudget::new(miner.max_spooled_bytes),
        };
        let policy = Policy {
            require_permit: miner.require_permit,
            min_stake: settings.min_stake_rao(),
            max_age: miner.metagraph_max_age,
        };
        Ok(Self {
            netuid: settings.netuid,
            accept_v10: protocol.accept_v10,
            signer: parts.signer,
            receipt_key: miner.receipt_key,
            upstream: Upstream::new(&miner.api_url, spool.clone())?,
            sealer: Sealer::of(settings, spool.clone()),
            references: References::of(settings, spool.clone()),
            slots: Slots::new(miner.concurrent, miner.queue),
            request_timeout: miner.request_timeout,
            draining: AtomicBool::new(false),
            gate: Gate {
                window: protocol.window(),
                ed25519: protocol.ed25519_hotkeys.iter().filter_map(|text| text.parse().ok()).collect(),
                policy,
                metagraph: parts.metagraph,
                nonces: parts.nonces,
                rates: Buckets::new(miner.requests_per_minute),
                failures: Buckets::new(miner.failures_per_minute),
                known: Arc::default(),
                callers: Shares::new(bodies::of_a_caller(miner.max_body_bytes), Share::UNBOUNDED),
                unverified: Shares::new(each, all),
                unverified_known: Shares::new(each, all),
                unverified_body_bytes: miner.unverified_body_bytes,
                unverified_body_time: miner.unverified_body_time,
                last_verified_s: AtomicU64::new(parts.clock.now().as_secs()),
                spool,
                clock: parts.clock,
            },
        })
    }

    /// Our key.
    #[must_use]
    pub const fn hotkey(&self) -> Hotkey {
        self.signer.hotkey()
    }

    /// Half of so many connections, for addresses that proved themselves before.
    #[must_use]
    pub fn reserved(&self, connections: usize) -> Reserved {
        let (known, clock) = (Arc::clone(&self.gate.known), Arc::clone(&self.gate.clock));
        Reserved { connections: connections / 2, known, clock }
    }

    /// Takes no more requests.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether it takes no more requests.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
