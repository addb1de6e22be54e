//! Miners to test a validator against: on real sockets, with real signatures and receipts, honest or not.
//!
//! Every one verifies requests as the miner's proxy does, so that whoever asks them wrongly is refused.

mod answers;
mod sealed;
mod wire;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aml_miner::clock::Clock;
use aml_miner::digest::Digest;
use aml_miner::receipt::ReceiptKey;
use aml_subnet::protocol::replay::MemoryNonces;
use aml_subnet::validator::query::Peer;
use aml_subnet::wallet::{Hotkey, Signer};
use serde_json::Value;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;

use crate::common::dev_key;

pub(crate) use answers::first_part;
pub(crate) use sealed::Flaw;

/// Turns an alert, as it stands in the request, into a score.
pub(crate) type Scorer = Arc<dyn Fn(&Value) -> f64 + Send + Sync>;

/// Turns an alert, as it stands in the request, into what stands as `explain_json`.
pub(crate) type Explainer = Arc<dyn Fn(&Value) -> String + Send + Sync>;

/// What a miner does with a request.
#[derive(Clone)]
pub(crate) enum Behaviour {
    /// Scores each alert by `alert_confidence_score`, mixed with noise of its own: 1 is all signal, 0 all noise.
    Honest { skill: f64 },
    /// As honest, and its answers say that it takes tasks as Arrow.
    Packed { skill: f64 },
    /// As honest, with an API that refuses to explain a share.
    KnowsNoShares { skill: f64 },
    /// As honest, but it takes its time.
    Slow { skill: f64, pause: Duration },
    /// Reads the request, says nothing for a while, and hangs up.
    HangingUp { pause: Duration },
    /// Scores each alert by this.
    Scored(Scorer),
    /// Honest of skill 1, with this text as its explanation of each alert.
    Explaining(Explainer),
    /// As honest, with this text as its explanation of each alert.
    HonestExplaining { skill: f64, explainer: Explainer },
    /// The same score for everything.
    Lazy,
    /// The scores of the honest miner of that name and skill, moved by a hair.
    Copying { of: &'static str, skill: f64 },
    /// Honest, but with something wrong in the answer.
    Lying(Lie),
    /// Honest, but with something wrong in its sealed answer.
    Sealing(Flaw),
    /// An axon of SDK 10: knows only the old route.
    V10Only { skill: f64 },
    /// Answers with this status and a proxy's unsigned words.
    Refusing(u16),
    /// Answers with this status, signed, and says when to come back.
    RefusingSigned { status: u16, retry_after: Option<&'static str> },
    /// Refuses after the head and reads no byte of the body.
    RefusingUnread,
    /// Sends whoever asks somewhere else.
    Redirecting(SocketAddr),
    /// Nobody listens.
    Dead,
    /// Breaks the rules of the wire.
    Wire(Wire),
}

/// What is wrong with an otherwise honest answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    /// A score is `NaN`.
    Nan,
    /// A score is 1.5.
    OutOfRange,
    /// Alerts that nobody asked about.
    WrongTask,
    /// An alert is left out.
    Missing,
    /// An alert is answered twice.
    Twice,
    /// Not JSON.
    Garbage,
    /// The receipt is for another request.
    WrongInput,
    /// The receipt is for another answer.
    WrongOutput,
    /// No receipt.
    NoReceipt,
    /// The answer is signed by another key.
    OtherKey,
    /// The answer is signed for another nonce.
    OtherNonce,
    /// The answer is signed for another request body.
    OtherBody,
    /// The answer is not signed.
    Unsigned,
    /// The signature is good, but for other bytes than those that come.
    Changed,
}

impl Lie {
    /// Lies that the signature of the answer does not survive.
    pub(crate) const FORGED: [Self; 5] =
        [Self::OtherKey, Self::OtherNonce, Self::OtherBody, Self::Unsigned, Self::Changed];
    /// Lies that are signed.
    pub(crate) const SIGNED: [Self; 9] = [
        Self::Nan,
        Self::OutOfRange,
        Self::WrongTask,
        Self::Missing,
        Self::Twice,
        Self::Garbage,
        Self::WrongInput,
        Self::WrongOutput,
        Self::NoReceipt,
    ];
}

/// How the rules of the wire are broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Takes connections and reads nothing.
    NeverReads,
    /// Reads the request and says nothing.
    HangsBeforeHeaders,
    /// Stops amid the headers.
    HangsInHeaders,
    /// Stops amid the body.
    HangsInBody,
    /// A byte now and then.
    Drips,
    /// `100 Continue` without end.
    OnlyContinues,
    /// A body without end, chunked.
    Floods,
    /// Declares a huge body.
    DeclaresMuch,
    /// A small body that says it unpacks to much.
    Bomb(&'static str),
    /// Fewer bytes than declared.
    ShorterThanDeclared,
    /// More bytes than declared.
    LongerThanDeclared,
    /// Two lengths that differ.
    TwoLengths,
    /// Ends the connection with a reset.
    Resets,
    /// Ends its side of the connection and says nothing.
    HalfCloses,
    /// 10,000 headers.
    ManyHeaders,
    /// One header of a megabyte.
    HugeHeader,
    /// A TLS alert.
    Tls,
    /// The greeting of another protocol.
    Ssh,
    /// A chunk whose length is no number.
    BadChunk,
}

impl Wire {
    /// Those that end only with somebody's deadline.
    pub(crate) const SLOW: [Self; 6] = [
        Self::NeverReads,
        Self::HangsBeforeHeaders,
        Self::HangsInHeaders,
        Self::HangsInBody,
        Self::Drips,
        Self::OnlyContinues,
    ];
    /// Those that break or lie.
    pub(crate) const BROKEN: [Self; 8] = [
        Self::ShorterThanDeclared,
        Self::TwoLengths,
        Self::Resets,
        Self::HalfCloses,
        Self::Tls,
        Self::Ssh,
        Self::BadChunk,
        Self::LongerThanDeclared,
    ];
    /// Those that send too much.
    pub(crate) const TOO_LARGE: [Self; 4] = [Self::Floods, Self::DeclaresMuch, Self::ManyHeaders, Self::HugeHeader];
}

/// What a miner saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    connections: AtomicUsize,
    verified: AtomicUsize,
    body_bytes: AtomicUsize,
    target: Mutex<String>,
    /// Receipts and plain answers of what was sealed, by digest.
    plain: Mutex<BTreeMap<Digest, (String, Vec<u8>)>>,
}

impl Seen {
    /// Connections that were taken.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Requests whose signature held.
    pub(crate) fn verified(&self) -> usize {
        self.verified.load(Ordering::SeqCst)
    }

    /// Path and query of the last request whose signature held.
    pub(crate) fn target(&self) -> String {
        self.target.lock().expect("no panic").clone()
    }

    /// Bytes of request bodies that were read.
    pub(crate) fn body_bytes(&self) -> usize {
        self.body_bytes.load(Ordering::SeqCst)
    }
}

/// A miner that serves until it is dropped.
pub(crate) struct FakeMiner {
    /// Where it serves.
    pub(crate) address: SocketAddr,
    /// What it saw.
    pub(crate) seen: Arc<Seen>,
    hotkey: Hotkey,
    receipts: Arc<Mutex<ReceiptKey>>,
    vouching: Arc<Mutex<Option<Signer>>>,
    _life: Life,
}

/// What ends with the miner.
enum Life {
    /// Its accept loop.
    Served(JoinHandle<()>),
    /// A port that is taken, and where nobody listens.
    Silent { _socket: TcpSocket },
}

impl Drop for Life {
    fn drop(&mut self) {
        if let Self::Served(task) = self {
            task.abort();
        }
    }
}

/// What every connection of a miner needs.
struct Miner {
    name: String,
    signer: Signer,
    receipts: Arc<Mutex<ReceiptKey>>,
    vouching: Arc<Mutex<Option<Signer>>>,
    behaviour: Behaviour,
    netuid: u16,
    clock: Arc<dyn Clock>,
    nonces: MemoryNonces,
    seen: Arc<Seen>,
}

impl FakeMiner {
    /// A miner with the development key `//name` on subnet `netuid`.
    pub(crate) async fn spawn(name: &str, behaviour: Behaviour, netuid: u16, clock: Arc<dyn Clock>) -> Self {
        let signer = dev_key(name);
        let hotkey = signer.hotkey();
        let receipts = ReceiptKey::from_secret(Digest::of(name.as_bytes()).as_bytes());
        let receipts = Arc::new(Mutex::new(receipts));
        let vouching: Arc<Mutex<Option<Signer>>> = Arc::default();
        let seen: Arc<Seen> = Arc::default();
        let any = SocketAddr::from(([127, 0, 0, 2], 0)); // the chain takes no 127.0.0.1
        if matches!(behaviour, Behaviour::Dead) {
            let socket = TcpSocket::new_v4().expect("a socket");
            socket.bind(any).expect("a port");
            let address = socket.local_addr().expect("an address");
            return Self { address, seen, hotkey, receipts, vouching, _life: Life::Silent { _socket: socket } };
        }
        let listener = TcpListener::bind(any).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let nonces = MemoryNonces::new(Duration::ZERO);
        let miner = Miner {
            name: name.to_owned(),
            signer,
            receipts: Arc::clone(&receipts),
            vouching: Arc::clone(&vouching),
            behaviour,
            netuid,
            clock,
            nonces,
            seen: Arc::clone(&seen),
        };
        let miner = Arc::new(miner);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                miner.seen.connections.fetch_add(1, Ordering::SeqCst);
                let miner = Arc::clone(&miner);
                tokio::spawn(async move { miner.serve(stream).await });
            }
        });
        Self { address, seen, hotkey, receipts, vouching, _life: Life::Served(task) }
    }

    /// Its hotkey.
    pub(crate) const fn hotkey(&self) -> Hotkey {
        self.hotkey
    }

    /// The key of its receipts.
    pub(crate) fn receipt_key(&self) -> Digest {
        self.receipts.lock().expect("no panic").public_key()
    }

    /// From now on it signs with a new key.
    pub(crate) fn lose_receipt_key(&self) {
        let new = Digest::of(self.receipt_key().as_bytes());
        *self.receipts.lock().expect("no panic") = ReceiptKey::from_secret(new.as_bytes());
    }

    /// From now on this key vouches for the key of its receipts.
    pub(crate) fn vouch_by(&self, signer: Option<Signer>) {
        *self.vouching.lock().expect("no panic") = signer;
    }

    /// As a validator knows it.
    pub(crate) const fn peer(&self, uid: u16) -> Peer {
        Peer { hotkey: self.hotkey, uid, axon: Some(self.address) }
    }
}
