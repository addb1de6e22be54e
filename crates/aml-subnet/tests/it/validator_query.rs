//! Asking miners over real sockets: what comes of the honest ones, and that nobody else costs more than a slot.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aml_miner::clock::{Clock, FixedClock};
use aml_miner::digest::Digest;
use aml_miner::receipt;
use aml_miner::wire::reply::{ReplyLimits, read_scores};
use aml_miner::wire::{Explain, Share};
use aml_subnet::protocol::Nonce;
use aml_subnet::protocol::NonceSource;
use aml_subnet::protocol::answer::{Answered, Asked, verify_answer};
use aml_subnet::store::records::{Dormancy, Form, Reply};
use aml_subnet::validator::query::{
    Asker, Asking, AskingKey, Bodies, Delivered, OwnFailure, Peer, QuerySettings, RequestBody,
};
use aml_subnet::wallet::Hotkey;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::common::dev_key;
use crate::fake_miner::{Behaviour, FakeMiner, Lie, Scorer, Wire};
use crate::miner::{SCORES, TestMiner};

const NETUID: u16 = 7;
const NOW: Duration = Duration::from_secs(1_795_000_000);
/// Far beyond what a loopback exchange takes on a busy machine.
const AMPLE: Duration = Duration::from_secs(60);
const HONEST: Behaviour = Behaviour::Honest { skill: 0.9 };

fn clock() -> Arc<dyn Clock> {
    Arc::new(FixedClock(NOW))
}

fn settings() -> QuerySettings {
    let once = QuerySettings { attempts: 1, ..QuerySettings::default() };
    QuerySettings { deadline: AMPLE, allow_private_ips: true, concurrency: 32, ..once }
}

/// All askers of a test are one hotkey's, so they share its nonces.
static NONCES: LazyLock<Arc<NonceSource>> = LazyLock::new(Arc::default);

fn key(name: &str) -> AskingKey {
    AskingKey { signer: dev_key(name), nonces: Arc::clone(&NONCES) }
}

fn asker(settings: QuerySettings) -> Asker {
    Asker::new(settings, NETUID, key("Alice"), clock())
}

async fn miner(name: &str, behaviour: Behaviour) -> FakeMiner {
    FakeMiner::spawn(name, behaviour, NETUID, clock()).await
}

/// A batch for one miner: the shared rows, and one of its own.
fn batch(hotkey: &Hotkey) -> RequestBody {
    let row = |id: &str, confidence: f64| format!(r#"{{"alert_id":"{id}","alert_confidence_score":{confidence}}}"#);
    let shared: Vec<String> = (0..20).map(|at| row(&format!("a{at}"), f64::from(at) / 20.0)).collect();
    let own = row(&format!("trap-{hotkey}"), 0.7);
    RequestBody::from(vec![
        Bytes::from_static(br#"{"alerts":["#),
        Bytes::from(shared.join(",")),
        Bytes::from(format!(",{own}")),
        Bytes::from_static(b"]}"),
    ])
}

fn bodies() -> Bodies {
    Arc::new(|hotkey: &Hotkey| Ok(batch(hotkey)))
}

fn asking(peers: Vec<Peer>) -> Asking {
    let until_ms = i64::try_from((NOW + Duration::from_secs(3600)).as_millis()).expect("fits");
    Asking { peers, until_ms, dormancy: BTreeMap::new(), bodies: bodies(), encoded: None, terms: None }
}

fn peers(miners: &[FakeMiner]) -> Vec<Peer> {
    miners.iter().zip(0..).map(|(miner, uid)| miner.peer(uid)).collect()
}

/// Everything that comes of a round, in the order in which it came.
async fn must_ask(asker: &Asker, asking: Asking) -> Vec<Delivered> {
    let mut replies = asker.ask_all(asking, &CancellationToken::new());
    let mut all = Vec::new();
    while let Some(delivered) = replies.next().await {
        all.push(delivered.expect("nothing is wrong on our side"));
    }
    assert!(replies.is_complete());
    all
}

async fn ask_one(settings: QuerySettings, miner: &FakeMiner) -> Delivered {
    let mut all = must_ask(&asker(settings), asking(vec![miner.peer(0)])).await;
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn of<'a>(all: &'a [Delivered], miner: &FakeMiner) -> &'a Delivered {
    all.iter().find(|delivered| delivered.answer.hotkey == miner.hotkey()).expect("an answer of each miner")
}

#[tokio::test]
async fn an_honest_answer_is_delivered_with_all_its_evidence() {
    let miner = miner("Bob", HONEST).await;
    let Delivered { answer, body, dormancy } = ask_one(settings(), &miner).await;
    let body = body.expect("a body");
    assert_eq!((&answer.reply, answer.form, answer.status), (&Reply::Answered, Form::Btauth, Some(200)));
    assert!(answer.in_time);
    assert_eq!((dormancy, answer.attempts.len()), (None, 0), "one attempt needs no list");
    let sent = batch(&miner.hotkey());
    assert_eq!(answer.request, Some(sent.digest()));
    assert_eq!((answer.body, answer.bytes), (Some(Digest::of(&body)), body.len() as u64));
    assert_eq!(answer.asked_ms, i64::try_from(NOW.as_millis()).expect("fits"));
    let rows = read_scores(&body, &ReplyLimits::default()).expect("scores");
    assert_eq!(rows.len(), 21);
    let header = answer.receipt.expect("a receipt");
    receipt::verify(&header, &sent.to_bytes(), &body, Some(&miner.receipt_key())).expect("it holds");
    // What the ledger keeps is enough to prove the answer to somebody else.
    let headers: HeaderMap = (answer.headers.iter())
        .map(|(name, value)| {
            (name.parse::<HeaderName>().expect("a name"), value.parse::<HeaderValue>().expect("a value"))
        })
        .collect();
    let nonce = Nonce::parse(&answer.headers["x-aml-answer-nonce"]).expect("a nonce");
    let asked = Asked { nonce, validator: dev_key("Alice").hotkey(), body: sent.digest() };
    verify_answer(&headers, &miner.hotkey(), Answered { status: StatusCode::OK, body: Digest::of(&body) }, &asked)
        .expect("it holds");
}

#[tokio::test]
async fn every_miner_has_one_answer_and_its_own_body() {
    let names = ["Bob", "Charlie", "Dave", "Eve", "Ferdie", "Grace", "Heidi"];
    let mut miners = Vec::new();
    for name in names {
        miners.push(miner(name, HONEST).await);
    }
    let few = QuerySettings { concurrency: 2, ..settings() };
    let all = must_ask(&asker(few), asking(peers(&miners))).await;
    assert_eq!(all.len(), miners.len());
    for miner in &miners {
        let delivered = of(&all, miner);
        assert_eq!(delivered.answer.reply, Reply::Answered);
        assert_eq!(delivered.answer.request, Some(batch(&miner.hotkey()).digest()));
        let body = delivered.body.as_deref().expect("a body");
        assert!(String::from_utf8_lossy(body).contains(&format!("trap-{}", miner.hotkey())));
        assert_eq!((miner.seen.connections(), miner.seen.verified()), (1, 1), "one connection, one request");
    }
}

async fn scores_of(name: &str, behaviour: Behaviour) -> Vec<f64> {
    let miner = miner(name, behaviour).await;
    let body = ask_one(settings(), &miner).await.body.expect("a body");
    read_scores(&body, &ReplyLimits::default()).expect("scores").into_iter().map(|row| row.score).take(20).collect()
}

#[tokio::test]
async fn fake_miners_score_as_they_are_called() {
    let truth: Vec<f64> = (0..20).map(|at| f64::from(at) / 20.0).collect();
    assert_eq!(scores_of("Bob", Behaviour::Honest { skill: 1.0 }).await, truth);
    let halves: Scorer = Arc::new(|alert| alert["alert_confidence_score"].as_f64().expect("a number") / 2.0);
    let half: Vec<f64> = truth.iter().map(|score| score / 2.0).collect();
    assert_eq!(scores_of("Bob", Behaviour::Scored(halves)).await, half);
    assert_eq!(scores_of("Bob", Behaviour::Lazy).await, [0.5; 20]);
    let bob = scores_of("Bob", HONEST).await;
    let apart = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(apart(&bob, &truth) > 1e-3 && apart(&bob, &scores_of("Dave", HONEST).await) > 1e-3);
    let copy = scores_of("Charlie", Behaviour::Copying { of: "Bob", skill: 0.9 }).await;
    assert!(copy != bob && apart(&copy, &bob) < 1e-8);
}

#[tokio::test]
async fn a_forged_answer_is_refused_and_not_kept_as_the_miners() {
    for lie in Lie::FORGED {
        let miner = miner("Bob", Behaviour::Lying(lie)).await;
        let Delivered { answer, .. } = ask_one(settings(), &miner).await;
        let Reply::Refused(why) = &answer.reply else { panic!("{lie:?}: {:?}", answer.reply) };
        assert!(why.contains("not this miner's"), "{lie:?}: {why}");
        assert_eq!(miner.seen.verified(), 1, "{lie:?}");
    }
}

#[tokio::test]
async fn what_a_miner_signs_is_delivered_for_the_judge_whatever_it_says() {
    for lie in Lie::SIGNED {
        let miner = miner("Bob", Behaviour::Lying(lie)).await;
        let Delivered { answer, body, .. } = ask_one(settings(), &miner).await;
        assert_eq!(answer.reply, Reply::Answered, "{lie:?}");
        assert_eq!(answer.body, body.as_deref().map(Digest::of), "{lie:?}");
        assert_eq!(answer.receipt.is_some(), lie != Lie::NoReceipt);
    }
}

#[tokio::test]
async fn a_refusal_tells_its_status_and_its_words_made_harmless() {
    for status in [401, 403, 404, 429, 500, 503] {
        let miner = miner("Bob", Behaviour::Refusing(status)).await;
        let Delivered { answer, dormancy, .. } = ask_one(settings(), &miner).await;
        assert_eq!(answer.reply, Reply::Refused(format!("status {status}: no_permit: not welcome [31m")));
        assert_eq!((answer.status, answer.form, dormancy), (Some(status), Form::Btauth, None));
    }
}

#[tokio::test]
async fn a_redirect_leads_nowhere() {
    let elsewhere = miner("Charlie", HONEST).await;
    let miner = miner("Bob", Behaviour::Redirecting(elsewhere.address)).await;
    let Delivered { answer, .. } = ask_one(settings(), &miner).await;
    assert_eq!(answer.status, Some(307));
    assert!(matches!(answer.reply, Reply::Refused(_)));
    assert_never_called(&elsewhere).await;
}

/// Our own connection is the first one that was taken.
async fn assert_never_called(miner: &FakeMiner) {
    let before = miner.seen.connections();
    let answer = ask_one(settings(), miner).await.answer;
    assert_eq!(answer.reply, Reply::Answered);
    assert_eq!((before, miner.seen.connections()), (0, 1));
}

#[tokio::test]
async fn an_address_that_may_not_be_called_sees_no_connection() {
    let miner = miner("Bob", HONEST).await;
    let strict = QuerySettings { allow_private_ips: false, ..settings() };
    let Delivered { answer, dormancy, .. } = ask_one(strict, &miner).await;
    let Reply::Unreachable(why) = &answer.reply else { panic!("{:?}", answer.reply) };
    assert!(why.contains(&format!("{} is loopback", miner.address.ip())), "{why}");
    assert_eq!((answer.request, dormancy), (None, None), "what costs nothing puts nobody to sleep");
    let forms = [
        Ipv4Addr::LOCALHOST.to_ipv6_mapped(),
        Ipv4Addr::LOCALHOST.to_ipv6_compatible(),
        Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0x7f00, 1),
        Ipv6Addr::new(0x2002, 0x7f00, 1, 0, 0, 0, 0, 0),
    ];
    for ip in forms {
        let peer = Peer { axon: Some(SocketAddr::from((ip, miner.address.port()))), ..miner.peer(0) };
        let all = must_ask(&asker(settings()), asking(vec![peer])).await;
        assert!(matches!(all[0].answer.reply, Reply::Unreachable(_)), "{ip}: {:?}", all[0].answer.reply);
    }
    assert_never_called(&miner).await;
}

#[tokio::test]
async fn who_announces_nothing_or_sleeps_is_not_called() {
    let miner = miner("Bob", HONEST).await;
    let silent = Peer { axon: None, ..miner.peer(0) };
    let all = must_ask(&asker(settings()), asking(vec![silent])).await;
    assert_eq!(all[0].answer.reply, Reply::NotServing);
    let now_ms = i64::try_from(NOW.as_millis()).expect("fits");
    let dormant = Dormancy { failures: 3, next_try_ms: now_ms + 1 };
    let mut asleep = asking(vec![miner.peer(0)]);
    asleep.dormancy.insert(miner.hotkey(), dormant);
    let all = must_ask(&asker(settings()), asleep.clone()).await;
    assert_eq!((&all[0].answer.reply, all[0].dormancy), (&Reply::NotServing, Some(dormant)));
    assert_eq!(miner.seen.connections(), 0);
    asleep.dormancy.insert(miner.hotkey(), Dormancy { failures: 3, next_try_ms: now_ms });
    let all = must_ask(&asker(settings()), asleep).await;
    assert_eq!((&all[0].answer.reply, all[0].dormancy), (&Reply::Answered, None), "tried again, and awake");
}

#[tokio::test]
async fn a_dead_miner_costs_no_body_and_is_remembered() {
    let miner = miner("Bob", Behaviour::Dead).await;
    let nothing: Bodies = Arc::new(|_| Err("nobody should be made a body".into()));
    let all = must_ask(&asker(settings()), Asking { bodies: nothing, ..asking(vec![miner.peer(0)]) }).await;
    assert!(matches!(all[0].answer.reply, Reply::Unreachable(_)));
    assert_eq!(all[0].dormancy.map(|dormancy| dormancy.failures), Some(1));
}

#[tokio::test]
async fn whoever_hangs_or_drips_times_out_and_nobody_else() {
    let mut miners = vec![miner("Bob", HONEST).await];
    for (wire, at) in Wire::SLOW.into_iter().zip(0..) {
        miners.push(miner(&format!("Slow{at}"), Behaviour::Wire(wire)).await);
    }
    let brief = QuerySettings { deadline: Duration::from_secs(5), ..settings() };
    let all = must_ask(&asker(brief), asking(peers(&miners))).await;
    assert_eq!(all[0].answer.hotkey, miners[0].hotkey(), "the honest one waits for nobody");
    assert_eq!(all[0].answer.reply, Reply::Answered);
    for (miner, wire) in miners[1..].iter().zip(Wire::SLOW) {
        let delivered = of(&all, miner);
        assert_eq!(delivered.answer.reply, Reply::TimedOut, "{wire:?}");
        assert!(!delivered.answer.in_time && delivered.body.is_none());
        assert_eq!(delivered.dormancy.map(|dormancy| dormancy.failures), Some(1));
    }
}

#[tokio::test]
async fn whoever_breaks_the_rules_of_the_wire_has_no_answer() {
    for wire in Wire::BROKEN {
        let miner = miner("Bob", Behaviour::Wire(wire)).await;
        let Delivered { answer, body, .. } = ask_one(settings(), &miner).await;
        match wire {
            Wire::LongerThanDeclared => assert!(matches!(answer.reply, Reply::Refused(_)), "{:?}", answer.reply),
            _ => assert!(matches!(answer.reply, Reply::Unreachable(_)), "{wire:?}: {:?}", answer.reply),
        }
        assert!(body.is_none_or(|body| body.len() < 64 * 1024));
    }
}

#[tokio::test]
async fn too_much_is_dropped_while_it_arrives() {
    let small = QuerySettings { max_answer_bytes: 1 << 20, ..settings() };
    for wire in Wire::TOO_LARGE {
        let miner = miner("Bob", Behaviour::Wire(wire)).await;
        let Delivered { answer, body, .. } = ask_one(small, &miner).await;
        assert_eq!((answer.reply, body), (Reply::TooLarge, None), "{wire:?}");
    }
}

#[tokio::test]
async fn a_compressed_answer_is_refused_unread() {
    for encoding in ["gzip", "zstd", "br", "identity, gzip"] {
        let miner = miner("Bob", Behaviour::Wire(Wire::Bomb(encoding))).await;
        let Delivered { answer, body, .. } = ask_one(settings(), &miner).await;
        let Reply::Refused(why) = &answer.reply else { panic!("{:?}", answer.reply) };
        assert!(why.contains(encoding) && body.is_none(), "{why}");
    }
}

#[tokio::test]
async fn an_answer_of_exactly_the_allowed_size_counts_and_a_byte_more_does_not() {
    let miner = miner("Bob", HONEST).await;
    let size = ask_one(settings(), &miner).await.answer.bytes;
    let exactly = QuerySettings { max_answer_bytes: size, ..settings() };
    assert_eq!(ask_one(exactly, &miner).await.answer.reply, Reply::Answered);
    let less = QuerySettings { max_answer_bytes: size - 1, ..settings() };
    assert_eq!(ask_one(less, &miner).await.answer.reply, Reply::TooLarge);
}

#[tokio::test]
async fn sixty_four_hanging_miners_cost_at_most_their_slots() {
    let mut miners = Vec::new();
    for at in 0..64 {
        miners.push(miner(&format!("Hanging{at}"), Behaviour::Wire(Wire::HangsBeforeHeaders)).await);
    }
    miners.push(miner("Bob", HONEST).await);
    // With a slot each, nobody waits for anybody: the honest answer comes although the others never end.
    let wide = QuerySettings { concurrency: 65, ..settings() };
    let (stop, honest) = (CancellationToken::new(), miners[64].hotkey());
    let mut replies = asker(wide).ask_all(asking(peers(&miners)), &stop);
    let first = replies.next().await.expect("an answer").expect("nothing is wrong on our side");
    assert_eq!((first.answer.hotkey, first.answer.reply), (honest, Reply::Answered));
    stop.cancel();
    assert!(replies.next().await.is_none() && !replies.is_complete());
    // With fewer slots those that failed lately come last.
    let narrow = QuerySettings { concurrency: 1, ..settings() };
    let mut again = asking(peers(&miners));
    let failed = Dormancy { failures: 1, next_try_ms: 0 };
    again.dormancy = miners[..64].iter().map(|miner| (miner.hotkey(), failed)).collect();
    let mut replies = asker(narrow).ask_all(again, &CancellationToken::new());
    let first = replies.next().await.expect("an answer").expect("nothing is wrong on our side");
    assert_eq!((first.answer.hotkey, first.answer.reply), (honest, Reply::Answered));
}

#[test]
fn all_miners_of_a_subnet_that_hang_cost_one_timeout_together() {
    let settings = QuerySettings::default();
    assert_eq!(settings.longest(256), settings.deadline);
    let own = aml_subnet::config::ValidatorSettings::default();
    assert_eq!((own.concurrency, own.timeout), (settings.concurrency, settings.deadline));
}

#[tokio::test]
async fn miners_that_take_none_of_a_large_body_keep_nobody_from_getting_his() {
    let mut miners = Vec::new();
    for at in 0..9 {
        miners.push(miner(&format!("Taking nothing {at}"), Behaviour::Wire(Wire::NeverReads)).await);
    }
    miners.push(miner("Bob", HONEST).await);
    // More than the sockets of both sides hold, for more miners than bodies go out at a time.
    let spaces = Bytes::from(vec![b' '; 24 << 20]);
    let large: Bodies = Arc::new(move |hotkey| Ok(RequestBody::from(vec![spaces.clone(), batch(hotkey).to_bytes()])));
    let mut asking = Asking { bodies: large, ..asking(peers(&miners)) };
    // Whoever failed before comes last.
    asking.dormancy.insert(miners[9].hotkey(), Dormancy { failures: 1, next_try_ms: 0 });
    let mut replies = asker(settings()).ask_all(asking, &CancellationToken::new());
    let first = replies.next().await.expect("an answer").expect("nothing is wrong on our side");
    assert_eq!((first.answer.hotkey, first.answer.reply), (miners[9].hotkey(), Reply::Answered));
    assert!(first.answer.in_time);
}

#[tokio::test]
async fn a_stop_keeps_what_came_and_waits_for_nobody() {
    let miners = [
        miner("Bob", HONEST).await,
        miner("Charlie", HONEST).await,
        miner("Dave", Behaviour::Wire(Wire::HangsInBody)).await,
    ];
    let stop = CancellationToken::new();
    let mut replies = asker(settings()).ask_all(asking(peers(&miners)), &stop);
    let mut came = Vec::new();
    while let Some(delivered) = replies.next().await {
        came.push(delivered.expect("nothing is wrong on our side").answer.hotkey);
        if came.len() == 2 {
            stop.cancel();
        }
    }
    came.sort();
    let mut honest = vec![miners[0].hotkey(), miners[1].hotkey()];
    honest.sort();
    assert_eq!(came, honest);
    assert!(!replies.is_complete(), "one has no answer and is asked again after the restart");
}

#[tokio::test]
async fn after_the_rounds_deadline_nobody_is_called() {
    let miner = miner("Bob", HONEST).await;
    let late = Asking { until_ms: i64::try_from(NOW.as_millis()).expect("fits"), ..asking(vec![miner.peer(0)]) };
    let all = must_ask(&asker(settings()), late).await;
    assert_eq!((&all[0].answer.reply, all[0].answer.request), (&Reply::TimedOut, None));
    assert_never_called(&miner).await;
}

#[tokio::test]
async fn a_body_of_any_size_is_sent_only_to_who_asks_for_it() {
    let large: Bodies = Arc::new(|hotkey| {
        let mut pieces = vec![Bytes::from(vec![b' '; 128 << 10]); 2];
        pieces.push(batch(hotkey).to_bytes());
        Ok(RequestBody::from(pieces))
    });
    let miners = [miner("Bob", HONEST).await, miner("Charlie", Behaviour::RefusingUnread).await];
    must_ask(&asker(settings()), asking(peers(&miners[1..]))).await;
    assert_eq!(miners[1].seen.body_bytes(), 0, "a small one");
    let all = must_ask(&asker(settings()), Asking { bodies: large, ..asking(peers(&miners)) }).await;
    assert_eq!(of(&all, &miners[0]).answer.reply, Reply::Answered);
    assert!(miners[0].seen.body_bytes() > 256 << 10);
    let refused = of(&all, &miners[1]);
    assert_eq!(refused.answer.reply, Reply::Refused("status 429: overloaded: come back later".to_owned()));
    assert_eq!(miners[1].seen.body_bytes(), 0);
}

#[tokio::test]
async fn our_own_failures_are_errors_and_never_blamed_on_a_miner() {
    let miner = miner("Bob", HONEST).await;
    let broken: Bodies = Arc::new(|_| Err("the batch is gone".into()));
    let mut replies =
        asker(settings()).ask_all(Asking { bodies: broken, ..asking(vec![miner.peer(0)]) }, &CancellationToken::new());
    let failure = replies.next().await.expect("an end").expect_err("ours");
    assert!(failure.to_string().contains("the batch is gone"), "{failure}");
    assert!(replies.next().await.is_none() && !replies.is_complete());
    let panicking: Bodies = Arc::new(|_| panic!("a defect"));
    let mut replies = asker(settings())
        .ask_all(Asking { bodies: panicking, ..asking(vec![miner.peer(0)]) }, &CancellationToken::new());
    assert!(matches!(replies.next().await, Some(Err(OwnFailure::Panicked(_)))));
}

#[tokio::test]
async fn the_old_form_is_spoken_only_where_allowed_and_says_so() {
    let miner = miner("Bob", Behaviour::V10Only { skill: 0.9 }).await;
    let answer = ask_one(settings(), &miner).await.answer;
    assert_eq!((answer.status, answer.form), (Some(404), Form::Btauth));
    assert!(matches!(answer.reply, Reply::Refused(_)));
    let fallback = QuerySettings { v10_fallback: true, ..settings() };
    let Delivered { answer, body, .. } = ask_one(fallback, &miner).await;
    assert_eq!((&answer.reply, answer.form), (&Reply::Answered, Form::V10));
    assert!(answer.headers.is_empty() && answer.receipt.is_none(), "nothing of it is signed");
    assert_ne!(answer.request, Some(batch(&miner.hotkey()).digest()), "the synapse around the batch was sent");
    let rows = read_scores(&body.expect("a body"), &ReplyLimits::default()).expect("the list of scores");
    assert_eq!(rows.len(), 21);
}

#[tokio::test]
async fn a_native_miner_is_never_asked_in_the_old_form() {
    let fallback = QuerySettings { v10_fallback: true, ..settings() };
    for behaviour in [Behaviour::Refusing(403), Behaviour::Lying(Lie::Unsigned), HONEST] {
        let miner = miner("Bob", behaviour).await;
        assert_eq!(ask_one(fallback, &miner).await.answer.form, Form::Btauth);
        assert_eq!(miner.seen.connections(), 1);
    }
}

/// So large that it is sent only when the proxy asks for it.
fn large() -> Bodies {
    Arc::new(|hotkey| Ok(RequestBody::from(vec![Bytes::from(vec![b' '; 200 << 10]), batch(hotkey).to_bytes()])))
}

fn of_proxy(proxy: &TestMiner) -> Peer {
    Peer { hotkey: proxy.key, uid: 0, axon: Some(proxy.address) }
}

#[tokio::test]
async fn the_miners_own_proxy_is_understood_and_understands() {
    let proxy = TestMiner::spawn(|_| {}).await;
    let all = must_ask(&asker(settings()), Asking { bodies: large(), ..asking(vec![of_proxy(&proxy)]) }).await;
    assert_eq!(all[0].answer.reply, Reply::Answered);
    assert_eq!(all[0].answer.receipt.as_deref(), Some("r"));
    assert_eq!(all[0].body.as_deref(), Some(SCORES.as_bytes()));
    assert_eq!(proxy.api.hits(), 1);
}

#[tokio::test]
async fn the_miners_own_proxy_refuses_a_stranger_before_the_body() {
    let proxy = TestMiner::spawn(|_| {}).await;
    let stranger = Asker::new(settings(), NETUID, key("Eve"), clock());
    let all = must_ask(&stranger, Asking { bodies: large(), ..asking(vec![of_proxy(&proxy)]) }).await;
    let Reply::Refused(why) = &all[0].answer.reply else { panic!("{:?}", all[0].answer.reply) };
    assert!(why.starts_with("status 403: unknown_hotkey: "), "{why}");
    assert_eq!((proxy.api.hits(), all[0].dormancy), (0, None));
}

#[tokio::test]
async fn the_miners_own_proxy_answers_the_old_form_too() {
    let proxy = TestMiner::spawn(|settings| settings.protocol.accept_v10 = true).await;
    let fallback = QuerySettings { v10_fallback: true, ..settings() };
    // On another subnet the native route is unknown, as it is to an old axon.
    let elsewhere = Asker::new(fallback, NETUID + 1, key("Alice"), clock());
    let all = must_ask(&elsewhere, asking_old(&proxy)).await;
    assert_eq!((&all[0].answer.reply, all[0].answer.form), (&Reply::Answered, Form::V10));
    assert_eq!(all[0].body.as_deref(), Some(SCORES.as_bytes()));
}

/// The synapse needs all four inputs.
fn asking_old(proxy: &TestMiner) -> Asking {
    let whole = br#"{"alerts":[{"alert_id":"a"}],"features":[],"clusters":[],"money_flows":[]}"#;
    let bodies: Bodies = Arc::new(|_| Ok(RequestBody::from(Bytes::from_static(whole))));
    Asking { bodies, ..asking(vec![of_proxy(proxy)]) }
}

#[tokio::test]
async fn explanations_are_asked_for_as_set() {
    // The target is signed, so a miner that saw another one would refuse.
    for explain in [Explain::None, Explain::Top, Explain::Full, Explain::Share(Share::TENTH)] {
        let miner = miner("Bob", HONEST).await;
        assert_eq!(ask_one(QuerySettings { explain, ..settings() }, &miner).await.answer.reply, Reply::Answered);
        assert_eq!(miner.seen.target(), format!("/{NETUID}/score/alerts?explain={explain}"));
    }
}

#[tokio::test]
async fn a_miner_that_knows_no_shares_is_asked_to_explain_everything() {
    let miner = miner("Bob", Behaviour::KnowsNoShares { skill: 0.9 }).await;
    let asker = asker(settings());
    for verified in [2, 3] {
        let all = must_ask(&asker, asking(vec![miner.peer(0)])).await;
        assert_eq!((&all[0].answer.reply, all[0].answer.status), (&Reply::Answered, Some(200)));
        assert_eq!(miner.seen.target(), format!("/{NETUID}/score/alerts?explain=top"));
        // The second round does not try it again.
        assert_eq!(miner.seen.verified(), verified);
    }
    // Whoever refuses everything in this way is asked twice, and once from then on.
    let never = self::miner("Charlie", Behaviour::RefusingSigned { status: 422, retry_after: None }).await;
    for verified in [2, 3] {
        let all = must_ask(&asker, asking(vec![never.peer(0)])).await;
        assert!(matches!(&all[0].answer.reply, Reply::Refused(why) if why.starts_with("status 422")));
        assert_eq!(never.seen.verified(), verified);
    }
}

#[tokio::test]
async fn a_port_that_takes_no_connection_in_time_is_unreachable() {
    // Nobody accepts, and the queue of those who wait is full.
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a port");
    let listener: TcpListener = socket.listen(0).expect("a listener");
    let address = listener.local_addr().expect("an address");
    let mut waiting = Vec::new();
    while let Ok(Ok(stream)) =
        tokio::time::timeout(Duration::from_millis(300), tokio::net::TcpStream::connect(address)).await
    {
        waiting.push(stream);
    }
    let brief = QuerySettings { deadline: Duration::from_millis(300), ..settings() };
    let peer = Peer { hotkey: dev_key("Bob").hotkey(), uid: 0, axon: Some(address) };
    let all = must_ask(&asker(brief), asking(vec![peer])).await;
    assert!(matches!(all[0].answer.reply, Reply::Unreachable(_)), "{:?}", all[0].answer.reply);
}

proptest! {
    #[test]
    fn a_rope_is_the_bytes_of_its_pieces(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8)) {
        let whole = pieces.concat();
        let rope = RequestBody::from(pieces.into_iter().map(Bytes::from).collect::<Vec<_>>());
        prop_assert_eq!(rope.len(), whole.len() as u64);
        prop_assert_eq!(rope.digest(), Digest::of(&whole));
        prop_assert_eq!(rope.to_bytes(), whole);
    }

    #[test]
    fn a_round_that_lasts_as_long_as_said_gives_each_miner_its_time(miners in 0_usize..600, slots in 1_usize..70) {
        let settings = QuerySettings { concurrency: slots, deadline: Duration::from_secs(10), ..QuerySettings::default() };
        let turns = settings.longest(miners).as_secs() / 10;
        prop_assert!(turns as usize * slots >= miners);
        prop_assert!(turns == 0 || (turns as usize - 1) * slots < miners);
    }
}
