//! The miner's proxy where a validator names an opening: what it promises, what it sends, and what it gives later.

use std::time::Duration;

use aml_miner::digest::Digest;
use aml_subnet::beacon::{Beacon, BeaconRound, Pulse};
use aml_subnet::protocol::Nonce;
use aml_subnet::protocol::answer::Asked;
use aml_subnet::protocol::sealed::{Parties, Sealed};
use aml_subnet::protocol::second_answer::{Came, Encoding, Stated, Subject, verify_answer};
use aml_subnet::protocol::terms::{Opening, Terms};
use http::{HeaderMap, StatusCode};

use crate::common::dev_key;
use crate::miner::{SCORE, SCORES, START, TestMiner, must_fail_with};

const DATE: &str = "2026-11-18";
/// The day of [`START`] begins.
const DAY: u64 = 1_794_960_000;
const HOUR: u64 = 3600;
/// The usual opening of that day.
const USUAL: u64 = DAY + 30 * HOUR;
const BODY: &[u8] = br#"{"alerts":[{"alert_id":"a"}]}"#;

/// A miner of this beacon, with a folder of its own.
async fn miner(folder: &tempfile::TempDir, beacon: Beacon) -> TestMiner {
    let data = folder.path().to_owned();
    TestMiner::spawn(|settings| {
        settings.miner.data_dir = data;
        settings.sealing.beacon = beacon;
        settings.miner.metagraph_max_age = Duration::from_secs(7 * 86_400);
    })
    .await
}

fn terms(opening: Option<(u64, Beacon)>) -> Terms {
    Terms {
        task: Digest::of(b"the task"),
        commitment: Digest::of(b"its traps"),
        day: format!("{DATE}-30").parse().expect("a day"),
        opening: opening.map(|(at_s, beacon)| Opening { at_s, beacon }),
        decoded: None,
    }
}

/// What came, and what is said of it.
struct Got {
    headers: HeaderMap,
    body: Vec<u8>,
    asked: Asked,
    status: StatusCode,
}

impl Got {
    fn stated(&self, miner: &TestMiner, terms: &Terms) -> Stated {
        let subject = Subject { task: terms.task, commitment: terms.commitment, decoded: Digest::of(BODY) };
        let came = Came { status: self.status, sent: Digest::of(&self.body) };
        verify_answer(&self.headers, &miner.key, came, &self.asked, &subject).expect("signed").1
    }
}

async fn post(miner: &TestMiner, who: &str, target: &str, terms: &Terms) -> reqwest::Response {
    let target = terms.behind(target);
    miner.post(&target, miner.signed(&dev_key(who), &target, BODY), BODY).await
}

async fn get(miner: &TestMiner, who: &str, target: &str, terms: &Terms) -> Got {
    let target = terms.behind(target);
    let headers = miner.signed(&dev_key(who), &target, BODY);
    let nonce = Nonce::parse(headers["x-bittensor-nonce"].to_str().expect("text")).expect("a nonce");
    let response = miner.post(&target, headers, BODY).await;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.bytes().await.expect("a body").to_vec();
    let asked = Asked { nonce, validator: dev_key(who).hotkey(), body: Digest::of(BODY) };
    Got { headers, body, asked, status }
}

#[tokio::test]
async fn an_answer_is_sealed_to_the_opening_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let miner = miner(&folder, Beacon::Development).await;
    let terms = terms(Some((START.as_secs() + 60, Beacon::Development)));
    let got = get(&miner, "Alice", SCORE, &terms).await;
    assert_eq!(
        (got.status, got.headers["content-type"].as_bytes()),
        (StatusCode::OK, &b"application/vnd.aml.sealed"[..])
    );
    assert!(!got.headers.contains_key("x-aml-receipt"), "the receipt is inside");
    let stated = got.stated(&miner, &terms);
    let round = BeaconRound::opening_at(Beacon::Development, START.as_secs() + 60);
    let plain = Digest::of(SCORES.as_bytes());
    assert_eq!((stated.plain, stated.encoding, stated.beacon), (plain, Encoding::Sealed, Some(round)));
    let parties = Parties { miner: miner.key, validator: dev_key("Alice").hotkey(), task: terms.task };
    let pulse = Pulse::of_development(round.round).expect("everybody knows the key");
    let opened = Sealed::read(&got.body, round).expect("sealed").open(&pulse, &parties, 1 << 20).expect("opens");
    assert_eq!((opened.receipt.as_deref(), &opened.body[..]), (Some("r"), SCORES.as_bytes()));
}

#[tokio::test]
async fn the_terms_do_not_reach_the_api_and_refusals_are_sent_as_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let miner = miner(&folder, Beacon::Quicknet).await;
    let terms = terms(Some((USUAL, Beacon::Quicknet)));
    let got = get(&miner, "Alice", "/7/score/alerts?refuse", &terms).await;
    assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY, "the API saw `refuse` and nothing else");
    let stated = got.stated(&miner, &terms);
    assert_eq!((stated.encoding, stated.beacon), (Encoding::Identity, None));
    assert_eq!(got.body, br#"{"detail":"no"}"#);
}

#[tokio::test]
async fn without_an_opening_the_second_form_is_sent_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let miner = miner(&folder, Beacon::Quicknet).await;
    let got = get(&miner, "Alice", SCORE, &terms(None)).await;
    let stated = got.stated(&miner, &terms(None));
    assert_eq!((stated.encoding, stated.beacon, &got.body[..]), (Encoding::Identity, None, SCORES.as_bytes()));
    assert_eq!(got.headers["x-aml-receipt"], "r");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "nothing is kept of it");
}

#[tokio::test]
async fn the_first_opening_of_a_day_is_kept_whoever_asks_and_over_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = miner(&folder, Beacon::Quicknet).await;
    let usual = BeaconRound::opening_at(Beacon::Quicknet, USUAL);
    let wanted = |opening| terms(Some((opening, Beacon::Quicknet)));
    assert_eq!(get(&first, "Alice", SCORE, &wanted(USUAL)).await.stated(&first, &wanted(USUAL)).beacon, Some(usual));
    drop(first);
    let again = miner(&folder, Beacon::Quicknet).await;
    for other in [USUAL + 6 * HOUR, DAY + 12 * HOUR] {
        let got = get(&again, "Dave", SCORE, &wanted(other)).await;
        assert_eq!(got.status, StatusCode::FORBIDDEN, "whoever is not served is promised nothing");
        let got = get(&again, "Alice", SCORE, &wanted(other)).await;
        assert_eq!(got.stated(&again, &wanted(other)).beacon, Some(usual), "never an earlier one, nor a later one");
    }
}

#[tokio::test]
async fn what_is_no_opening_is_refused_before_the_api_works() {
    let folder = tempfile::tempdir().expect("a folder");
    let miner = miner(&folder, Beacon::Quicknet).await;
    for opening in [DAY + 12 * HOUR, USUAL + 1, USUAL + 6 * HOUR, USUAL - 24 * HOUR, DAY + 365 * 24 * HOUR, 0] {
        let terms = terms(Some((opening, Beacon::Quicknet)));
        must_fail_with(post(&miner, "Alice", SCORE, &terms).await, 400, "bad_opening").await;
    }
    let terms = terms(Some((START.as_secs() + 60, Beacon::Development)));
    must_fail_with(post(&miner, "Alice", SCORE, &terms).await, 400, "other_beacon").await;
    let malformed = format!("{SCORE}?aml_answer=2");
    must_fail_with(miner.ask("Alice", &malformed, BODY).await, 401, "malformed_auth").await;
    assert_eq!(miner.api.hits(), 0);
}

#[tokio::test]
async fn whoever_names_no_opening_gets_nothing_once_answers_are_sealed() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = miner(&folder, Beacon::Quicknet).await;
    assert_eq!(first.ask("Alice", SCORE, b"{}").await.status(), 200, "nobody seals here yet");
    let sealed = terms(Some((USUAL, Beacon::Quicknet)));
    assert_eq!(get(&first, "Alice", SCORE, &sealed).await.status, StatusCode::OK);
    drop(first);
    // A restart forgets nothing of it.
    let again = miner(&folder, Beacon::Quicknet).await;
    for route in [SCORE, "/7/rank/alerts", "/7/score/clusters"] {
        must_fail_with(again.ask("Alice", route, b"{}").await, 403, "sealed_only").await;
        must_fail_with(post(&again, "Alice", route, &terms(None)).await, 403, "sealed_only").await;
    }
    assert_eq!(again.api.hits(), 0);
    again.clock.set(Duration::from_secs(USUAL + 4 * 86_400));
    assert_eq!(again.ask("Alice", SCORE, b"{}").await.status(), 200, "days after the last sealed round");
}

#[tokio::test]
async fn the_plain_answer_is_given_to_whom_it_was_answered_once_it_may_be_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let miner = miner(&folder, Beacon::Quicknet).await;
    let terms = terms(Some((USUAL, Beacon::Quicknet)));
    let stated = get(&miner, "Alice", SCORE, &terms).await.stated(&miner, &terms);
    let target = format!("/7/answers/{}", stated.plain);
    must_fail_with(miner.ask("Alice", &target, b"").await, 403, "not_open").await;
    miner.clock.set(Duration::from_secs(USUAL + 59));
    must_fail_with(miner.ask("Alice", &target, b"").await, 403, "not_open").await;
    miner.clock.set(Duration::from_secs(USUAL + 60));
    let given = miner.ask("Alice", &target, b"").await;
    assert_eq!((given.status().as_u16(), given.headers()["x-aml-receipt"].as_bytes()), (200, &b"r"[..]));
    assert_eq!(given.bytes().await.expect("a body"), SCORES);
    let unknown = format!("/7/answers/{}", Digest::of(b"another"));
    must_fail_with(miner.ask("Alice", &unknown, b"").await, 404, "not_kept").await;
    must_fail_with(miner.ask("Charlie", &target, b"").await, 403, "no_permit").await;
    must_fail_with(miner.ask("Alice", "/7/answers/nothing", b"").await, 404, "not_found").await;
    must_fail_with(miner.ask("Alice", &target.replace("/7/", "/8/"), b"").await, 404, "not_found").await;
}
