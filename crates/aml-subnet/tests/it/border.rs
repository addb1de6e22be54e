//! The borders between programs that may be set otherwise: every way in which a validator asks meets every way in which a miner
//! is set, and every kind of answer meets every kind of round. Each pair works, or is refused in words.
//!
//! `docs/testing.md` has the table of all borders; a test here holds it to tests that exist.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aml_miner::clock::{Clock, FixedClock};
use aml_miner::digest::Digest;
use aml_miner::wire::Explain;
use aml_subnet::beacon::{Beacon, BeaconRound, OpeningRule};
use aml_subnet::config::{Answers, OpenRequests, Settings};
use aml_subnet::protocol::NonceSource;
use aml_subnet::protocol::terms::Opening;
use aml_subnet::store::records::{Answer, Form, Reply, SealedAnswer, SealedState, Sealing, Task};
use aml_subnet::validation::rules::RulesVersion;
use aml_subnet::validation::rules_list::RulesList;
use aml_subnet::validator::judge::Bench;
use aml_subnet::validator::query::{
    Asker, Asking, AskingKey, Bodies, Delivered, Peer, QuerySettings, RequestBody, RoundTerms,
};
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::common::dev_key;
use crate::fake_miner::{Behaviour, FakeMiner};
use crate::miner::{START, TestMiner};
use crate::validator_kit::{answer, common_task, hotkey, task};

const NETUID: u16 = 7;
/// The usual opening of the day of [`START`].
const OPENING: u64 = 1_794_960_000 + 30 * 3600;
const WHOLE: &[u8] = br#"{"alerts":[{"alert_id":"a"}],"features":[],"clusters":[],"money_flows":[]}"#;

/// A tenth of the rows explained, the validator's default.
fn share() -> Explain {
    "share:0.1".parse().expect("a share")
}

/// How a validator asks, by its rules and settings.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Asked {
    /// Rules v1: the first form of answer.
    Plain,
    /// Rules v2, `answers = "open"`: the second form.
    Open,
    /// Rules v2, `answers = "sealed"`.
    Sealed,
    /// The same on a development chain.
    SealedForDevelopment,
}

impl Asked {
    const ALL: [Self; 4] = [Self::Plain, Self::Open, Self::Sealed, Self::SealedForDevelopment];

    fn terms(self) -> Option<RoundTerms> {
        let opening = match self {
            Self::Plain => return None,
            Self::Open => None,
            Self::Sealed => Some(Opening { at_s: OPENING, beacon: Beacon::Quicknet }),
            Self::SealedForDevelopment => Some(Opening { at_s: START.as_secs() + 60, beacon: Beacon::Development }),
        };
        let day = "2026-11-18-30".parse().expect("a day");
        Some(RoundTerms { commitment: Digest::of(b"traps"), day, opening })
    }
}

/// How a miner is set, and what it has lived through.
#[derive(Clone, Copy, Debug)]
struct Set {
    open: OpenRequests,
    beacon: Beacon,
    accept_v10: bool,
    /// Whether somebody asked it for a sealed answer before.
    sealed_before: bool,
}

fn miners() -> Vec<Set> {
    let mut all = Vec::new();
    for open in [OpenRequests::Auto, OpenRequests::Refuse, OpenRequests::Answer] {
        for beacon in [Beacon::Quicknet, Beacon::Development] {
            for (accept_v10, sealed_before) in [(false, false), (false, true), (true, false), (true, true)] {
                all.push(Set { open, beacon, accept_v10, sealed_before });
            }
        }
    }
    all
}

/// What comes of asking: how the answer came, or the words of the refusal.
fn expected(asked: Asked, miner: Set) -> Result<&'static str, &'static str> {
    let other = Err("status 400: other_beacon: ");
    match (asked, miner.open, miner.beacon) {
        (Asked::Sealed, _, Beacon::Development) | (Asked::SealedForDevelopment, _, Beacon::Quicknet) => other,
        (Asked::Sealed | Asked::SealedForDevelopment, ..) => Ok("sealed"),
        (_, OpenRequests::Refuse, _) => Err("status 403: sealed_only: "),
        (_, OpenRequests::Auto, _) if miner.sealed_before => Err("status 403: sealed_only: "),
        _ => Ok("open"),
    }
}

fn bodies() -> Bodies {
    Arc::new(|_| Ok(RequestBody::from(Bytes::from_static(WHOLE))))
}

fn asking(miner: &TestMiner, asked: Asked) -> Asking {
    let until_ms = i64::try_from((START + Duration::from_secs(3600)).as_millis()).expect("fits");
    let peers = vec![Peer { hotkey: miner.key, uid: 0, axon: Some(miner.address) }];
    Asking { peers, until_ms, dormancy: BTreeMap::new(), bodies: bodies(), encoded: None, terms: asked.terms() }
}

async fn ask(asker: &Asker, asking: Asking) -> Delivered {
    let mut replies = asker.ask_all(asking, &CancellationToken::new());
    replies.next().await.expect("an answer").expect("nothing is wrong on our side")
}

fn asker(nonces: &Arc<NonceSource>, (netuid, explain, v10_fallback): (u16, Explain, bool)) -> Asker {
    let settings = QuerySettings {
        attempts: 1,
        deadline: Duration::from_secs(60),
        allow_private_ips: true,
        v10_fallback,
        explain,
        ..QuerySettings::default()
    };
    let key = AskingKey { signer: dev_key("Alice"), nonces: Arc::clone(nonces) };
    Asker::new(settings, netuid, key, Arc::new(FixedClock(START)) as Arc<dyn Clock>)
}

async fn spawn(set: Set, folder: &Path) -> TestMiner {
    TestMiner::spawn(|settings| {
        settings.miner.data_dir = folder.to_owned();
        settings.miner.open_requests = set.open;
        settings.sealing.beacon = set.beacon;
        settings.protocol.accept_v10 = set.accept_v10;
    })
    .await
}

#[tokio::test]
async fn every_way_of_asking_meets_every_way_of_serving() {
    let nonces: Arc<NonceSource> = Arc::default();
    for set in miners() {
        for asked in Asked::ALL {
            // Each pair begins with a miner that knows of no other: what it promised before decides what it sends.
            let folder = tempfile::tempdir().expect("a folder");
            let miner = spawn(set, folder.path()).await;
            if set.sealed_before {
                let own = if set.beacon == Beacon::Quicknet { Asked::Sealed } else { Asked::SealedForDevelopment };
                let before = ask(&asker(&nonces, (NETUID, Explain::Top, false)), asking(&miner, own)).await;
                assert!(before.answer.sealed.is_some(), "{set:?}");
            }
            for (explain, fallback) in
                [(Explain::None, false), (Explain::Top, true), (Explain::Full, false), (share(), true)]
            {
                let what = format!("{asked:?}, explain={explain}, v10_fallback={fallback}, {set:?}");
                let Delivered { answer, body, .. } =
                    ask(&asker(&nonces, (NETUID, explain, fallback)), asking(&miner, asked)).await;
                let came = match &answer.reply {
                    Reply::Answered if answer.sealed.is_some() => Ok("sealed"),
                    Reply::Answered => Ok("open"),
                    Reply::Refused(why) => Err(why.clone()),
                    other => panic!("{what}: {other:?}"),
                };
                match (expected(asked, set), came) {
                    (Ok(how), came) => assert_eq!(came.as_deref(), Ok(how), "{what}"),
                    (Err(why), Err(told)) => assert!(told.starts_with(why), "{what}: {told}"),
                    (Err(why), Ok(how)) => panic!("{what}: answered {how}, expected was {why}"),
                }
                assert_eq!(answer.form, Form::Btauth, "{what}: who knows this form is never asked in the old one");
                assert_eq!(body.is_some(), answer.arrived().is_some(), "{what}");
            }
        }
    }
}

#[tokio::test]
async fn who_knows_another_route_is_asked_in_the_old_form_where_both_are_set_so() {
    let nonces: Arc<NonceSource> = Arc::default();
    for set in miners() {
        for asked in Asked::ALL {
            for fallback in [false, true] {
                let folder = tempfile::tempdir().expect("a folder");
                let miner = spawn(set, folder.path()).await;
                // On another subnet the native route is not known, as to an axon of SDK 10.
                let elsewhere = asker(&nonces, (NETUID + 1, Explain::Top, fallback));
                let Delivered { answer, .. } = ask(&elsewhere, asking(&miner, asked)).await;
                let what = format!("{asked:?}, v10_fallback={fallback}, {set:?}");
                let open = set.open != OpenRequests::Refuse;
                match (fallback, set.accept_v10 && open) {
                    (true, true) => assert_eq!((&answer.reply, answer.form), (&Reply::Answered, Form::V10), "{what}"),
                    (true, false) => assert_eq!(answer.form, Form::V10, "{what}"),
                    (false, _) => {
                        let Reply::Refused(why) = &answer.reply else { panic!("{what}: {:?}", answer.reply) };
                        assert!(why.starts_with("status 404: not_found: "), "{what}: {why}");
                    }
                }
                assert!(
                    answer.sealed.is_none() && (answer.form == Form::Btauth || answer.headers.is_empty()),
                    "{what}"
                );
                let refused = matches!(&answer.reply, Reply::Refused(why) if !why.is_empty());
                assert!(answer.reply == Reply::Answered || refused, "{what}: {:?}", answer.reply);
            }
        }
    }
}

/// A miner of before the second form looks at no terms.
#[tokio::test]
async fn a_miner_that_answers_in_the_first_form_counts_in_open_rounds() {
    let clock = || Arc::new(FixedClock(START)) as Arc<dyn Clock>;
    let miner = FakeMiner::spawn("Bob", Behaviour::Honest { skill: 0.9 }, NETUID, clock()).await;
    let nonces: Arc<NonceSource> = Arc::default();
    for asked in [Asked::Plain, Asked::Open] {
        let until_ms = i64::try_from((START + Duration::from_secs(3600)).as_millis()).expect("fits");
        let (peers, terms) = (vec![miner.peer(0)], asked.terms());
        let asking = Asking { peers, until_ms, dormancy: BTreeMap::new(), bodies: bodies(), encoded: None, terms };
        let Delivered { answer, .. } = ask(&asker(&nonces, (NETUID, Explain::Top, false)), asking).await;
        assert_eq!((&answer.reply, answer.form), (&Reply::Answered, Form::Btauth), "{asked:?}");
        assert!(!answer.headers.contains_key("x-aml-answer-version"), "{asked:?}: {:?}", answer.headers);
    }
}

const ALERTS: usize = 40;

/// What is particular about an answer that is judged.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Came {
    form: Form,
    has_receipt: bool,
    sealed: Option<bool>,
}

fn sealed(task: &Task, opened: bool) -> SealedAnswer {
    let beacon = task.sealing.map_or(BeaconRound { beacon: Beacon::Quicknet, round: 1 }, |sealing| sealing.beacon);
    let state = if opened {
        SealedState::Opened { by_miner: false }
    } else {
        SealedState::Spoiled { code: "bomb".to_owned(), why: "it unpacks to too much".to_owned() }
    };
    SealedAnswer { cipher: Digest::of(b"sealed"), bytes: 6, plain: Digest::of(b"plain"), beacon, state }
}

/// Why an answer does not count; `None` where it does.
fn why_not(rules: RulesVersion, came: Came, (is_sealed, accepts): (bool, bool)) -> Option<&'static str> {
    if came.sealed == Some(false) {
        return Some("sealed: bomb: ");
    }
    let waived = rules == RulesVersion::V2 && accepts && came.form == Form::V10;
    if !came.has_receipt && !waived {
        return Some("input_digest: there is no receipt");
    }
    if is_sealed && came.sealed.is_none() {
        return Some("open: this round counts sealed answers alone");
    }
    None
}

#[test]
fn every_kind_of_answer_meets_every_kind_of_round() {
    let scores: Vec<f64> =
        std::iter::once(0.0).chain((0..ALERTS).map(|at| 0.1 + at as f64 / 100.0)).chain([1.0]).collect();
    let (mut counted, mut refused) = (0, 0);
    for rules in [RulesVersion::V1, RulesVersion::V2] {
        for (is_sealed, accepts) in [(false, false), (false, true), (true, false), (true, true)] {
            let mut task = if rules == RulesVersion::V1 { task(ALERTS, 1) } else { common_task(ALERTS, 1, accepts) };
            if is_sealed {
                let beacon = BeaconRound { beacon: Beacon::Quicknet, round: 29_000_000 };
                task.sealing = Some(Sealing { rule: OpeningRule::SUBNET, opening_s: OPENING, beacon });
            }
            for form in [Form::Btauth, Form::V10] {
                for has_receipt in [true, false] {
                    for sealed_as in [None, Some(true), Some(false)] {
                        let came = Came { form, has_receipt, sealed: sealed_as };
                        let what = format!("{came:?} under {rules:?}, sealed {is_sealed}, accept_unsigned {accepts}");
                        let (given, body) = answer(&task, 1, &scores);
                        let receipt = given.receipt.clone().filter(|_| has_receipt);
                        let sealed = sealed_as.map(|opened| sealed(&task, opened));
                        let given = Answer { form, receipt, sealed, ..given };
                        let body = (sealed_as != Some(false)).then_some(&body);
                        let constants = rules.rules();
                        let judged = Bench { rules: &constants, task: &task }.judge(&given, body).expect("asked");
                        match why_not(rules, came, (is_sealed, accepts)) {
                            None => {
                                assert_eq!(judged.verdict.accepted, Ok(()), "{what}");
                                assert_eq!(judged.submission.expect(&what).scores().len(), ALERTS);
                                counted += 1;
                            }
                            Some(why) => {
                                let told = judged.verdict.accepted.expect_err(&what);
                                assert!(told.starts_with(why) && judged.submission.is_none(), "{what}: {told}");
                                refused += 1;
                            }
                        }
                    }
                }
            }
        }
    }
    assert_eq!(counted + refused, 2 * 4 * 12);
    assert_eq!(hotkey(1), *task(1, 1).asks.keys().next().expect("one"));
}

/// What is refused of settings taken together, before anything runs.
#[test]
fn every_pair_of_settings_of_a_validator_is_good_or_refused_in_words() {
    let always = |version| Some(RulesList::always(version));
    for answers in [Answers::Sealed, Answers::Open] {
        for rules in [None, always(RulesVersion::V1), always(RulesVersion::V2)] {
            for beacon in [Beacon::Quicknet, Beacon::Development] {
                for (v10_fallback, accept_unsigned) in [(false, false), (false, true), (true, false), (true, true)] {
                    for explain in [Explain::None, Explain::Top, Explain::Full, share()] {
                        let mut settings = Settings::default();
                        (settings.validator.answers, settings.validator.explain) = (answers, explain);
                        settings.validator.rules.clone_from(&rules);
                        settings.sealing.beacon = beacon;
                        settings.validator.v10_fallback = v10_fallback;
                        settings.validator.accept_unsigned = accept_unsigned;
                        let wrong = accept_unsigned && !v10_fallback;
                        let expected: &[&str] =
                            if wrong { &["validator.accept_unsigned: needs v10_fallback = true"] } else { &[] };
                        assert_eq!(settings.problems(), expected);
                    }
                }
            }
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The rows of the table of borders in `docs/testing.md`.
fn rows() -> Vec<Vec<String>> {
    let page = std::fs::read_to_string(root().join("docs/testing.md")).expect("the page");
    let (_, table) = page.split_once("<!-- borders: begin -->").expect("a place for the table");
    let (table, _) = table.split_once("<!-- borders: end -->").expect("an end of the table");
    let cells = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| between")).map(cells).collect()
}

/// Whether a test of this name is there: `crate::file::name`.
fn has_test(name: &str) -> bool {
    let parts: Vec<&str> = name.split("::").collect();
    let [of, file, test] = parts[..] else { panic!("{name} is not crate::file::name") };
    let path = root().join("crates").join(of).join("tests/it").join(format!("{file}.rs"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.contains(&format!("fn {test}("))
}

#[test]
fn the_table_of_borders_names_tests_that_exist_and_outcomes_that_are_known() {
    let rows = rows();
    assert!(rows.len() >= 20, "{} borders", rows.len());
    for row in &rows {
        let [_, _, outcome, shown] = &row[..] else { panic!("four cells: {row:?}") };
        let known = ["equal", "refused", "documented"].iter().any(|word| outcome.contains(word));
        assert!(known, "an outcome is equal, refused or documented: {row:?}");
        let named: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "nothing shows it: {row:?}");
        for name in named {
            let page = name.strip_prefix("docs/").map(|page| root().join("docs").join(page));
            match page {
                Some(page) => assert!(page.is_file(), "{name}"),
                None => assert!(has_test(name), "there is no test {name}"),
            }
        }
    }
}
