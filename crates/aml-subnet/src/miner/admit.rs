//! The order of work, cheapest first: headers, caller, rate, body, signature, replay. Nothing goes on to the inference
//! API before all of it held.

use std::net::IpAddr;
use std::sync::Arc;

use aml_miner::clock::Clock;
use axum::body::Body;
use http_body_util::BodyExt as _;

use super::authorize::{Authorized, Policy, authorize};
use super::failure::Failure;
use crate::chain::metagraph::Cache;
use crate::http::rate::{Buckets, peer_of};
use crate::http::spool::{Spool, SpoolLimits, Spooled};
use crate::protocol::replay::NonceStore;
use crate::protocol::{Nonce, Window};
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
    pub(super) forgeries: Buckets<IpAddr>,
    pub(super) spool: SpoolLimits,
}

impl Gate {
    /// The scheme that `sender` is known to use.
    pub(super) fn scheme_of(&self, sender: &Hotkey) -> Scheme {
        if self.ed25519.contains(sender) { Scheme::Ed25519 } else { Scheme::Sr25519 }
    }

    /// Whether requests of this peer are read at all.
    pub(super) fn admit_peer(&self, peer: IpAddr) -> Result<(), Failure> {
        self.forgeries.wait(&peer_of(peer), self.clock.now()).map_or(Ok(()), |wait| Err(Failure::Failures(wait)))
    }

    /// Whether whoever this hotkey belongs to would be served. Proves nothing yet, and uses nothing up.
    pub(super) fn admit_caller(&self, sender: &Hotkey) -> Result<Authorized, Failure> {
        let now = self.clock.now();
        let snapshot = self.metagraph.current();
        let caller = authorize(snapshot.as_deref(), &self.policy, sender, now)?;
        self.rates.wait(sender, now).map_or(Ok(caller), |wait| Err(Failure::Rate(wait)))
    }

    /// Reads a body under limits while hashing it.
    pub(super) async fn receive(&self, mut body: Body) -> Result<Spooled, Failure> {
        // A declared length spares us reading what will be refused.
        let declared = http_body::Body::size_hint(&body).lower();
        if declared > self.spool.max_bytes {
            return Err(Failure::TooLarge(self.spool.max_bytes));
        }
        let mut spool = Spool::new(&self.spool);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Failure::Incomplete)?;
            if let Some(chunk) = frame.data_ref() {
                spool.push(chunk).await.map_err(|error| Failure::of_body(&error))?;
            }
        }
        spool.finish().await.map_err(|error| Failure::of_body(&error))
    }

    /// Counts a verified request: against its nonce, and against its sender's rate.
    pub(super) async fn count(&self, sender: Hotkey, nonce: Nonce) -> Result<(), Failure> {
        let now = self.clock.now();
        self.nonces.first_use(sender, nonce, now).await?;
        self.rates.take(sender, now).map_or(Ok(()), |wait| Err(Failure::Rate(wait)))
    }

    /// Remembers that `peer` sent what it could not sign.
    pub(super) fn count_forgery(&self, peer: IpAddr) {
        let _ = self.forgeries.take(peer_of(peer), self.clock.now());
    }
}
