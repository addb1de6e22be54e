//! The order of work, cheapest first: headers, caller, rate, signature, replay, body. Nothing goes on to the inference API
//! before all of it held. Without a digest in the head the signature comes after the body, which then is small and quick
//! (`bodies`).

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aml_miner::clock::Clock;

use super::authorize::{Authorized, Policy, authorize};
use super::failure::Failure;
use crate::chain::metagraph::Cache;
use crate::http::known::Known;
use crate::http::rate::{Buckets, peer_of};
use crate::http::share::Shares;
use crate::http::spool::SpoolLimits;
use crate::protocol::replay::NonceStore;
use crate::protocol::{Nonce, Refusal, Window};
use crate::wallet::{Hotkey, Scheme};

/// Everything that decides whether a request is served.
pub struct Gate {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) window: Window,
    pub(super) ed25519: Vec<Hotkey>,
    pub(super) policy: Policy,
    pub(super) metagraph: Arc<Cache>,
    pub(super) nonces: Arc<dyn NonceStore>,
    pub(super) rates: Buckets<Hotkey>,
    pub(super) failures: Buckets<IpAddr>,
    pub(super) known: Arc<Known>,
    pub(super) callers: Arc<Shares<Hotkey>>,
    pub(super) unverified: Arc<Shares<IpAddr>>,
    pub(super) unverified_known: Arc<Shares<IpAddr>>,
    pub(super) unverified_body_bytes: u64,
    pub(super) unverified_body_time: Duration,
    pub(super) last_verified_s: AtomicU64,
    pub(super) spool: SpoolLimits,
}

impl Gate {
    /// The scheme that `sender` is known to use.
    pub(super) fn scheme_of(&self, sender: &Hotkey) -> Scheme {
        if self.ed25519.contains(sender) { Scheme::Ed25519 } else { Scheme::Sr25519 }
    }

    /// Whether requests of this peer are read at all.
    pub(super) fn admit_peer(&self, peer: IpAddr) -> Result<(), Failure> {
        self.failures.wait(&peer_of(peer), self.clock.now()).map_or(Ok(()), |wait| Err(Failure::Failures(wait)))
    }

    /// Whether whoever this hotkey belongs to would be served. Proves nothing yet, and uses nothing up.
    pub(super) fn admit_caller(&self, sender: &Hotkey) -> Result<Authorized, Failure> {
        let now = self.clock.now();
        let snapshot = self.metagraph.current();
        let caller = authorize(snapshot.as_deref(), &self.policy, sender, now)?;
        self.rates.wait(sender, now).map_or(Ok(caller), |wait| Err(Failure::Rate(wait)))
    }

    /// Passes on whether a signature held. A forged one counts against its address.
    pub(super) fn proven(&self, peer: IpAddr, verdict: Result<(), Refusal>) -> Result<(), Failure> {
        verdict.map_err(|refusal| {
            self.count_failure(peer);
            Failure::Refused(refusal)
        })
    }

    /// Counts a verified request: against its nonce, and against its sender's rate. Its address is known from now on.
    pub(super) async fn count(&self, sender: Hotkey, nonce: Nonce, peer: IpAddr) -> Result<(), Failure> {
        let now = self.clock.now();
        self.nonces.first_use(sender, nonce, now).await?;
        self.known.note(sender, peer, now);
        self.last_verified_s.store(now.as_secs(), Ordering::Relaxed);
        self.rates.take(sender, now).map_or(Ok(()), |wait| Err(Failure::Rate(wait)))
    }

    /// Remembers that `peer` sent what it could not sign.
    pub(super) fn count_failure(&self, peer: IpAddr) {
        let _ = self.failures.take(peer_of(peer), self.clock.now());
    }
}
