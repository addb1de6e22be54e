//! Miners that fail and come back before the round is over: what may pass is tried again, what is final is not, and
//! nobody costs more than five attempts and two bodies.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use aml_miner::clock::{Clock, FixedClock};
use aml_subnet::protocol::NonceSource;
use aml_subnet::store::records::Reply;
use aml_subnet::validator::query::{Asker, Asking, AskingKey, Delivered, Peer, QuerySettings, RequestBody};
use aml_subnet::wallet::Hotkey;
use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::common::dev_key;
use crate::fake_miner::{Behaviour, FakeMiner};

const NETUID: u16 = 7;
const NOW: Duration = Duration::from_secs(1_795_000_000);
/// All of a round's time, by a clock that stands still: pauses of 20, 80, 300 and 1000 ms.
const WHOLE: Duration = Duration::from_secs(2);
const HONEST: Behaviour = Behaviour::Honest { skill: 0.9 };

static NONCES: LazyLock<Arc<NonceSource>> = LazyLock::new(Arc::default);

fn clock() -> Arc<dyn Clock> {
    Arc::new(FixedClock(NOW))
}

fn asker(concurrency: usize) -> Asker {
    let settings = QuerySettings { allow_private_ips: true, concurrency, ..QuerySettings::default() };
    let key = AskingKey { signer: dev_key("Alice"), nonces: Arc::clone(&NONCES) };
    Asker::new(settings, NETUID, key, clock())
}

fn body(_: &Hotkey) -> RequestBody {
    RequestBody::from(Bytes::from_static(br#"{"alerts":[{"alert_id":"a","alert_confidence_score":0.5}]}"#))
}

async fn must_ask(asker: &Asker, peers: Vec<Peer>) -> Vec<Delivered> {
    let until_ms = i64::try_from((NOW + WHOLE).as_millis()).expect("fits");
    let bodies = Arc::new(|hotkey: &Hotkey| Ok(body(hotkey)));
    let asking = Asking { peers, until_ms, dormancy: BTreeMap::new(), bodies, encoded: None, terms: None };
    let mut replies = asker.ask_all(asking, &CancellationToken::new());
    let mut all = Vec::new();
    while let Some(delivered) = replies.next().await {
        all.push(delivered.expect("nothing is wrong on our side"));
    }
    all
}

/// What a front does with a connection.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Closes it.
    Close,
    /// Reads the request and closes it.
    ReadAndClose,
    /// Answers with this head and no body.
    Say(&'static str),
    /// Lets it through to the miner.
    Through,
}

/// What stands before a miner, as a proxy does; the last step is repeated.
struct Front {
    address: SocketAddr,
    /// Bytes that came, by connection.
    came: Arc<Mutex<Vec<usize>>>,
}

impl Front {
    async fn before(miner: SocketAddr, steps: &'static [Step]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        Self::on(listener, miner, steps)
    }

    fn on(listener: TcpListener, miner: SocketAddr, steps: &'static [Step]) -> Self {
        let address = listener.local_addr().expect("bound");
        let came: Arc<Mutex<Vec<usize>>> = Arc::default();
        let log = Arc::clone(&came);
        tokio::spawn(async move {
            let mut taken = 0;
            while let Ok((stream, _)) = listener.accept().await {
                let step = steps[taken.min(steps.len() - 1)];
                log.lock().expect("no panic").push(0);
                tokio::spawn(serve(stream, miner, step, (Arc::clone(&log), taken)));
                taken += 1;
            }
        });
        Self { address, came }
    }

    fn connections(&self) -> usize {
        self.came.lock().expect("no panic").len()
    }
}

async fn serve(mut stream: TcpStream, miner: SocketAddr, step: Step, (log, place): (Arc<Mutex<Vec<usize>>>, usize)) {
    if let Step::Through = step {
        let mut miner = TcpStream::connect(miner).await.expect("the miner serves");
        let _ = copy_bidirectional(&mut stream, &mut miner).await;
        return;
    }
    if let Step::Close = step {
        return;
    }
    let whole = body(&dev_key("Bob").hotkey()).len();
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    let mut asked_for = false;
    loop {
        let count = stream.read(&mut buffer).await.unwrap_or(0);
        read.extend_from_slice(&buffer[..count]);
        let head = read.windows(4).position(|four| four == b"\r\n\r\n").map(|end| end + 4);
        if head.is_some() && !std::mem::replace(&mut asked_for, true) {
            let _ = stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await;
        }
        let bytes = head.map_or(0, |head| read.len() - head);
        log.lock().expect("no panic")[place] = bytes;
        if count == 0 || bytes as u64 >= whole {
            break;
        }
    }
    if let Step::Say(head) = step {
        let _ = stream.write_all(format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await;
        let _ = stream.shutdown().await;
    }
}

fn behind(miner: &FakeMiner, address: SocketAddr) -> Peer {
    Peer { axon: Some(address), ..miner.peer(0) }
}

async fn ask_through(steps: &'static [Step]) -> (Delivered, Front) {
    let miner = FakeMiner::spawn("Bob", HONEST, NETUID, clock()).await;
    let front = Front::before(miner.address, steps).await;
    let mut all = must_ask(&asker(8), vec![behind(&miner, front.address)]).await;
    (all.pop().expect("an answer"), front)
}

/// How often a miner was asked.
fn attempts(delivered: &Delivered) -> usize {
    delivered.answer.attempts.len().max(1)
}

#[tokio::test]
async fn a_miner_that_comes_up_late_is_heard() {
    let miner = FakeMiner::spawn("Bob", HONEST, NETUID, clock()).await;
    // Taken, but nobody listens yet: connections are refused.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let address = socket.local_addr().expect("bound");
    let target = miner.address;
    let late = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(60)).await;
        Front::on(socket.listen(8).expect("it listens"), target, &[Step::Through])
    });
    let all = must_ask(&asker(8), vec![behind(&miner, address)]).await;
    late.await.expect("no panic");
    let answer = &all[0].answer;
    assert_eq!((all.len(), &answer.reply), (1, &Reply::Answered), "{answer:?}");
    assert!(answer.attempts.len() >= 2, "{answer:?}");
    assert!(matches!(&answer.attempts[0].reply, Reply::Unreachable(why) if why.contains("refused")));
    assert_eq!(all[0].dormancy, None);
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_every_attempt_is_told() {
    for first in [
        Step::Close,
        Step::ReadAndClose,
        Step::Say("408 Request Timeout"),
        Step::Say("429 Too Many Requests"),
        Step::Say("502 Bad Gateway"),
        Step::Say("503 Service Unavailable"),
        Step::Say("504 Gateway Timeout"),
    ] {
        let steps: &'static [Step] = Box::leak(Box::new([first, Step::Through]));
        let (Delivered { answer, .. }, front) = ask_through(steps).await;
        assert_eq!((&answer.reply, front.connections()), (&Reply::Answered, 2), "{first:?}");
        let replies: Vec<&Reply> = answer.attempts.iter().map(|attempt| &attempt.reply).collect();
        assert!(replies.len() == 2 && replies[0] != &Reply::Answered && replies[1] == &Reply::Answered, "{replies:?}");
    }
}

#[tokio::test]
async fn what_is_final_stays_final() {
    for status in ["400 Bad Request", "401 Unauthorized", "403 Forbidden", "413 Content Too Large", "500 Oh", "200 OK"]
    {
        let steps: &'static [Step] = Box::leak(Box::new([Step::Say(status), Step::Through]));
        let (delivered, front) = ask_through(steps).await;
        assert!(matches!(delivered.answer.reply, Reply::Refused(_)), "{status}: {:?}", delivered.answer.reply);
        assert_eq!((attempts(&delivered), front.connections()), (1, 1), "{status}");
    }
    // A miner that has signed its refusal has said its word, unless it says when to come back; it read two bodies then.
    for (status, retry_after, times) in [(403, None, 1), (403, Some("0"), 1), (503, None, 1), (503, Some("0"), 2)] {
        let behaviour = Behaviour::RefusingSigned { status, retry_after };
        let miner = FakeMiner::spawn("Bob", behaviour, NETUID, clock()).await;
        let all = must_ask(&asker(8), vec![miner.peer(0)]).await;
        assert_eq!(attempts(&all[0]), times, "{status} {retry_after:?}: {:?}", all[0].answer);
    }
}

#[tokio::test]
async fn a_miner_is_not_asked_before_it_wants_to_be() {
    let began = Instant::now();
    let (delivered, _) = ask_through(&[Step::Say("503 Busy\r\nretry-after: 1"), Step::Through]).await;
    assert_eq!((&delivered.answer.reply, attempts(&delivered)), (&Reply::Answered, 2));
    assert!(began.elapsed() >= Duration::from_secs(1));
    // Beyond the deadline nobody waits.
    let (delivered, _) = ask_through(&[Step::Say("429 Busy\r\nretry-after: 3600"), Step::Through]).await;
    let reply = &delivered.answer.reply;
    assert!(matches!(reply, Reply::Refused(why) if why.contains("429")), "{reply:?}");
    assert_eq!(attempts(&delivered), 1);
}

#[tokio::test]
async fn a_miner_that_never_comes_back_costs_five_attempts_and_counts_once() {
    let (Delivered { answer, dormancy, .. }, front) = ask_through(&[Step::Close]).await;
    assert!(matches!(answer.reply, Reply::Unreachable(_)), "{:?}", answer.reply);
    assert_eq!(answer.attempts.len(), 5, "{answer:?}");
    assert_eq!(front.connections(), 5);
    assert_eq!(dormancy.map(|dormancy| dormancy.failures), Some(1));
}

#[tokio::test]
async fn a_miner_that_takes_bodies_and_hangs_up_costs_two_of_them() {
    let (delivered, front) = ask_through(&[Step::ReadAndClose]).await;
    let sent: usize = front.came.lock().expect("no panic").iter().sum();
    let whole = usize::try_from(body(&dev_key("Bob").hotkey()).len()).expect("small");
    assert_eq!((attempts(&delivered), sent), (2, 2 * whole), "{:?}", delivered.answer);
}

#[tokio::test]
async fn second_attempts_come_after_all_first_ones() {
    let failing = FakeMiner::spawn("Bob", HONEST, NETUID, clock()).await;
    let front = Front::before(failing.address, &[Step::Close, Step::Through]).await;
    let pause = Duration::from_millis(400);
    let slow = |name| FakeMiner::spawn(name, Behaviour::Slow { skill: 0.9, pause }, NETUID, clock());
    let others = [slow("Charlie").await, slow("Dave").await, slow("Eve").await];
    let mut peers: Vec<Peer> = others.iter().map(|miner| miner.peer(1)).collect();
    peers.push(behind(&failing, front.address));
    // One at a time: whoever comes back has to queue, whatever its pause was.
    let all = must_ask(&asker(1), peers).await;
    let order: Vec<Hotkey> = all.iter().map(|delivered| delivered.answer.hotkey).collect();
    assert_eq!(order.last(), Some(&failing.hotkey()), "{order:?}");
    assert!(all.iter().all(|delivered| delivered.answer.reply == Reply::Answered));
    assert_eq!(front.connections(), 2);
}
