//! The plain answer to a sealed one, asked of the miner itself when the beacon stays away.
//!
//! What comes needs no signature: its digest was signed when the sealed answer came.

use std::time::Duration;

use aml_miner::digest::{Digest, Hashed};
use aml_miner::receipt;
use http::StatusCode;

use super::{Asker, Peer};
use crate::http::address;
use crate::http::body::RequestBody;
use crate::http::client::Posting;
use crate::protocol::content_digest;
use crate::protocol::signed_request::{Target, sign};
use crate::validator::world;

/// A connection that takes longer is none.
const CONNECT: Duration = Duration::from_secs(5);

/// A plain answer, as the miner gave it.
#[derive(Debug)]
pub struct GivenPlain {
    /// Value of `X-AML-Receipt`.
    pub receipt: Option<String>,
    /// The body; its digest is the one that was asked for.
    pub body: Hashed,
}

impl Asker {
    /// Asks `peer` for the answer of this digest; `None` when it does not give it.
    pub async fn plain(&self, peer: &Peer, plain: Digest) -> Option<GivenPlain> {
        let inner = &self.0;
        let axon = peer.axon.filter(|axon| address::check(*axon, inner.settings.allow_private_ips).is_ok())?;
        let end = inner.time.uptime() + inner.settings.deadline;
        world::within(&*inner.time, end, self.given(peer, axon, plain)).await.flatten()
    }

    async fn given(&self, peer: &Peer, axon: std::net::SocketAddr, plain: Digest) -> Option<GivenPlain> {
        let inner = &self.0;
        let target = inner.targets.of(&peer.hotkey);
        let (netuid, _) = target.path().trim_start_matches('/').split_once('/')?;
        let target = format!("/{netuid}/answers/{plain}");
        let body = RequestBody::from(bytes::Bytes::new());
        let digest = body.digest();
        let signed = Target { method: "POST", path_and_query: &target, body: digest };
        let nonce = inner.nonces.next(&*inner.stamps);
        let mut headers = sign(&inner.signer, &signed, Some(peer.hotkey), nonce);
        headers.insert(content_digest::HEADER, content_digest::announce(digest));
        let line = inner.talk.connect(axon, CONNECT).await.ok()?;
        let posting = Posting { target: target.parse().ok()?, headers, body, lane: None };
        let received = line.post(posting, &inner.limits).await.ok()?;
        if received.status != StatusCode::OK || received.body.digest() != plain {
            return None;
        }
        let receipt = received.headers.get(receipt::HEADER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let bytes = received.body.into_bytes().await.ok()?;
        Some(GivenPlain { receipt, body: Hashed::of(Vec::from(bytes)) })
    }
}
