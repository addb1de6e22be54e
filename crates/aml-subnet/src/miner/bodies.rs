//! Bodies, read within bounds: of a proven caller within its share, of anybody else within a small budget and a short time.

use std::net::IpAddr;
use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt as _;

use super::admit::Gate;
use super::failure::Failure;
use crate::http::rate::peer_of;
use crate::http::share::{Part, Share};
use crate::http::spool::{Spool, Spooled};
use crate::wallet::Hotkey;

/// Requests of one validator in flight: it sends one a round, and a few more where rounds overlap or somebody looks by hand.
const OF_A_CALLER: usize = 16;
/// Largest bodies and answers that one validator's requests take together.
const BODIES_OF_A_CALLER: u64 = 2;
/// Requests without a digest that one address has in flight.
const UNVERIFIED_OF_A_PEER: usize = 4;
/// Addresses that may use up their budget at the same time.
const UNVERIFIED_PEERS: usize = 16;

/// What one validator may have in flight.
pub(super) fn of_a_caller(max_body_bytes: u64) -> Share {
    Share { requests: OF_A_CALLER, bytes: max_body_bytes.saturating_mul(BODIES_OF_A_CALLER) }
}

/// What one address may have in flight of which nothing is proven, and all addresses together: never more than a quarter of
/// the disk, for there are two such budgets.
pub(super) fn unverified(body_bytes: u64, disk: u64) -> (Share, Share) {
    let each = Share { requests: UNVERIFIED_OF_A_PEER, bytes: body_bytes };
    let bytes = body_bytes.saturating_mul(UNVERIFIED_PEERS as u64).min(disk / 4);
    (each, Share { requests: UNVERIFIED_OF_A_PEER * UNVERIFIED_PEERS, bytes })
}

/// A request of which nothing is proven. Unless that changes, it counts as a failure of its address, however it ends.
pub(super) struct Unverified<'a> {
    gate: &'a Gate,
    peer: IpAddr,
    part: Part<IpAddr>,
    proven: bool,
}

impl Unverified<'_> {
    /// The signature held.
    pub(super) fn proven(mut self) {
        self.proven = true;
    }
}

impl Drop for Unverified<'_> {
    fn drop(&mut self) {
        if !self.proven {
            self.gate.count_failure(self.peer);
        }
    }
}

impl Gate {
    /// Whether a body of this declared length is read at all. Spares us reading what will be refused.
    pub(super) fn fits(&self, body: &Body) -> Result<(), Failure> {
        let declared = http_body::Body::size_hint(body).lower();
        if declared > self.spool.max_bytes { Err(Failure::TooLarge(self.spool.max_bytes)) } else { Ok(()) }
    }

    /// A proven caller's place among the requests in flight.
    pub(super) fn begin(&self, caller: Hotkey) -> Result<Part<Hotkey>, Failure> {
        self.callers.begin(caller).ok_or(Failure::TooManyAtOnce)
    }

    /// Reads the body of a proven caller while hashing it.
    pub(super) async fn receive(&self, body: Body, part: &mut Part<Hotkey>) -> Result<Spooled, Failure> {
        self.read(body, |bytes| if part.grow(bytes) { Ok(()) } else { Err(Failure::TooManyAtOnce) }).await
    }

    /// A place among the requests of which nothing is proven.
    pub(super) fn begin_unverified(&self, peer: IpAddr) -> Result<Unverified<'_>, Failure> {
        let known = self.known.knows(peer, self.clock.now());
        let shares = if known { &self.unverified_known } else { &self.unverified };
        let part = shares.begin(peer_of(peer)).ok_or(Failure::Crowded)?;
        Ok(Unverified { gate: self, peer, part, proven: false })
    }

    /// Reads a body before anything of its sender is proven.
    pub(super) async fn receive_unverified(
        &self,
        body: Body,
        request: &mut Unverified<'_>,
    ) -> Result<Spooled, Failure> {
        let most = self.unverified_body_bytes;
        if http_body::Body::size_hint(&body).lower() > most {
            return Err(Failure::DigestRequired(most));
        }
        let mut length = 0;
        let room = |bytes: u64| {
            length += bytes;
            match request.part.grow(bytes) {
                true => Ok(()),
                false if length > most => Err(Failure::DigestRequired(most)),
                false => Err(Failure::Crowded),
            }
        };
        let limit: Duration = self.unverified_body_time;
        tokio::time::timeout(limit, self.read(body, room)).await.map_err(|_| Failure::Stalled(limit))?
    }

    async fn read(&self, mut body: Body, mut room: impl FnMut(u64) -> Result<(), Failure>) -> Result<Spooled, Failure> {
        self.fits(&body)?;
        let mut spool = Spool::new(&self.spool);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Failure::Incomplete)?;
            if let Some(chunk) = frame.data_ref() {
                room(chunk.len() as u64)?;
                spool.push(chunk).await.map_err(|error| Failure::of_body(&error))?;
            }
        }
        spool.finish().await.map_err(|error| Failure::of_body(&error))
    }
}
