//! Rounds whose answers are sealed: nobody reads them before their opening, and what is wrong with one costs its sender.

use std::sync::atomic::Ordering;
use std::time::Duration;

use aml_subnet::beacon::{BeaconRound, OpeningRule};
use aml_subnet::store::records::{Answer, Form, Reply, Round, RoundId, SealedState, Shares, Step, Verdict};
use aml_subnet::validator::replay::replay;
use tokio_util::sync::CancellationToken;

use crate::common::dev_key;
use crate::fake_miner::{Behaviour, Flaw};
use crate::validator_world::{ALERTS, World};

const PATIENCE: Duration = Duration::from_secs(300);
const HOUR: u64 = 3600;

fn honest(skill: f64) -> Behaviour {
    Behaviour::Honest { skill }
}

/// A world under the subnet's rule of openings.
async fn sealed_world(days: u32, cast: Vec<(&str, Behaviour)>) -> World {
    let mut world = World::new(days, cast).await;
    world.seal(OpeningRule::SUBNET);
    world
}

/// A turn of rounds of a validator as a fresh process would have it.
async fn turn(world: &World) -> Round {
    let (validator, stop) = (world.validator(), CancellationToken::new());
    let turn = tokio::time::timeout(PATIENCE, validator.round_turn(&stop)).await.expect("a turn ends");
    turn.expect("it goes well").expect("a round")
}

async fn answers(world: &World, id: RoundId) -> Vec<Answer> {
    world.ledger.answers(id).await.expect("a ledger")
}

async fn answer(world: &World, id: RoundId, name: &str) -> Answer {
    let whose = dev_key(name).hotkey();
    answers(world, id).await.into_iter().find(|answer| answer.hotkey == whose).expect("an answer")
}

async fn verdict(world: &World, id: RoundId, name: &str) -> Verdict {
    let all = world.ledger.verdicts(id).await.expect("verdicts");
    all.into_iter().find(|verdict| verdict.hotkey == dev_key(name).hotkey()).expect("everybody has a verdict")
}

/// The opening of a round, in seconds since 1970.
fn opening_s(round: &Round) -> u64 {
    u64::try_from(round.marks.opening_ms.expect("it is sealed") / 1000).expect("after 1970")
}

/// The clock is so many seconds after the opening.
fn after_opening(world: &World, round: &Round, seconds: u64) {
    world.clock.set(Duration::from_secs(opening_s(round) + seconds));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_an_answer_before_its_opening_and_everybody_after() {
    let world = sealed_world(1, vec![("Bob", honest(0.9)), ("Charlie", honest(0.4))]).await;
    let id = world.dawn(0);
    let asked = turn(&world).await;
    assert_eq!(asked.step, Step::Asked);
    let day_s = u64::try_from(aml_subnet::calendar::start_ms(id.date) / 1000).expect("after 1970");
    assert_eq!(opening_s(&asked), day_s + 30 * HOUR, "thirty hours after the day begins");
    for answer in answers(&world, id).await {
        let sealed = answer.sealed.as_ref().expect("it arrived sealed");
        assert_eq!((answer.body, answer.receipt.as_deref(), &sealed.state), (None, None, &SealedState::Waits));
        let cipher = world.ledger.body(&sealed.cipher).await.expect("a ledger").expect("what arrived is kept");
        let text = String::from_utf8_lossy(&cipher);
        assert!(!text.contains("alert_id") && cipher.starts_with(b"amlsealed/1\n"));
        assert_eq!(world.ledger.body(&sealed.plain).await.expect("a ledger"), None);
        assert_eq!(answer.headers["x-aml-answer-version"], "2", "the signature over all of it is evidence");
    }
    world.clock.set(Duration::from_secs(opening_s(&asked) - 1));
    assert_eq!(turn(&world).await.step, Step::Asked, "a second before");
    after_opening(&world, &asked, 3);
    assert_eq!(turn(&world).await.step, Step::Published);
    for name in ["Bob", "Charlie"] {
        assert_eq!(verdict(&world, id, name).await.accepted, Ok(()));
        let opened = answer(&world, id, name).await;
        let sealed = opened.sealed.clone().expect("it still says how it arrived");
        assert_eq!((opened.body, sealed.state), (Some(sealed.plain), SealedState::Opened { by_miner: false }));
        assert!(opened.receipt.is_some() && world.ledger.body(&sealed.cipher).await.expect("a ledger").is_some());
    }
    let beacon = world.beacon.as_ref().expect("a beacon");
    assert_eq!(beacon.reads.load(Ordering::SeqCst), 1, "one signature opens all");
    let pulses = world.ledger.pulses(id).await.expect("a ledger");
    let round = BeaconRound::opening_at(aml_subnet::beacon::Beacon::Development, opening_s(&asked));
    assert_eq!(pulses.signatures.keys().collect::<Vec<_>>(), [&round.to_string()], "and it is kept");
    let canonical = world.ledger.canonical(id).await.expect("a ledger").expect("merged");
    assert_eq!(canonical.scores.len(), ALERTS);
    assert!(replay(&world.ledger, id, None).await.expect("stored").identical);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_sealed_answer_costs_its_sender_alone() {
    let flaws = [
        ("c", Flaw::OtherRound, "other_round"),
        ("d", Flaw::OtherBeacon, "other_beacon"),
        ("e", Flaw::SignsOtherBeacon, "other_beacon"),
        ("f", Flaw::Truncated, "not_its_own"),
        ("g", Flaw::Stump, "truncated"),
        ("h", Flaw::Garbage, "other_form"),
        ("i", Flaw::OtherMiner, "not_its_own"),
        ("j", Flaw::OtherValidator, "not_its_own"),
        ("k", Flaw::OtherTask, "not_its_own"),
        ("l", Flaw::OtherPlain, "other_plain"),
        ("m", Flaw::OtherLock, "locked_otherwise"),
        ("n", Flaw::Bomb, "bomb"),
        ("o", Flaw::Later, "opens_too_late"),
        ("p", Flaw::NoOpening, "no_opening"),
        ("q", Flaw::Past, "no_opening"),
    ];
    let mut cast = vec![("Bob", honest(0.9)), ("open", Behaviour::Sealing(Flaw::Open))];
    cast.extend(flaws.iter().map(|(name, flaw, _)| (*name, Behaviour::Sealing(*flaw))));
    let mut world = sealed_world(1, cast).await;
    world.settings.max_answer_bytes = 1 << 20;
    let id = world.dawn(0);
    let asked = turn(&world).await;
    after_opening(&world, &asked, 3);
    assert_eq!(turn(&world).await.step, Step::Published);
    for (name, flaw, code) in flaws {
        let said = verdict(&world, id, name).await;
        let why = said.accepted.expect_err(name);
        assert!(why.starts_with(&format!("sealed: {code}: ")), "{flaw:?}: {why}");
        let kept = answer(&world, id, name).await.sealed.expect("it arrived sealed");
        assert!(world.ledger.body(&kept.cipher).await.expect("a ledger").is_some(), "{flaw:?}: it is evidence");
    }
    let open = verdict(&world, id, "open").await;
    assert!(open.accepted.expect_err("not sealed").starts_with("open: "), "asked and shown, not counted");
    assert_eq!(open.tier1, Some(1.0), "it is a good answer of the first form");
    let canonical = world.ledger.canonical(id).await.expect("a ledger").expect("merged");
    assert_eq!(canonical.weights.keys().collect::<Vec<_>>(), [&dev_key("Bob").hotkey()]);
    assert_eq!(world.beacon.as_ref().expect("a beacon").reads.load(Ordering::SeqCst), 1, "whatever rounds they name");
    assert!(replay(&world.ledger, id, None).await.expect("stored").identical);
    // For `scripts/recompute.py` and `scripts/open_answer.py`, which believe none of this.
    if let Some(folder) = std::env::var_os("AML_EXPORT_SEALED") {
        world.ledger.export(std::path::Path::new(&folder)).await.expect("a new folder");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_beacon_that_is_late_holds_the_round_until_it_comes() {
    let world = sealed_world(1, vec![("Bob", honest(0.9))]).await;
    let id = world.dawn(0);
    let asked = turn(&world).await;
    let beacon = world.beacon.as_ref().expect("a beacon");
    beacon.down.store(true, Ordering::SeqCst);
    after_opening(&world, &asked, 30);
    assert_eq!(turn(&world).await.marks.held, None, "clocks may be off by so much");
    after_opening(&world, &asked, HOUR);
    let held = turn(&world).await;
    assert_eq!(held.step, Step::Asked);
    assert!(held.marks.held.expect("it is held").why.contains("the beacon is late"));
    beacon.down.store(false, Ordering::SeqCst);
    let done = turn(&world).await;
    assert_eq!((done.step, done.marks.held, done.marks.late), (Step::Published, None, None));
    assert_eq!(verdict(&world, id, "Bob").await.accepted, Ok(()), "what arrived in time counts whenever it opens");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_beacon_stays_away_for_a_day_miners_give_what_they_have_signed() {
    let cast = vec![("Bob", honest(0.9)), ("Eve", Behaviour::Sealing(Flaw::OtherPlain))];
    let world = sealed_world(1, cast).await;
    let id = world.dawn(0);
    let asked = turn(&world).await;
    world.beacon.as_ref().expect("a beacon").down.store(true, Ordering::SeqCst);
    after_opening(&world, &asked, 23 * HOUR);
    assert_eq!(turn(&world).await.step, Step::Asked);
    after_opening(&world, &asked, 48 * HOUR);
    assert_eq!(turn(&world).await.step, Step::Published);
    assert_eq!(verdict(&world, id, "Bob").await.accepted, Ok(()));
    let given = answer(&world, id, "Bob").await.sealed.expect("it arrived sealed");
    assert_eq!(given.state, SealedState::Opened { by_miner: true });
    // Whoever signed another answer's digest has nothing to give that fits.
    let why = verdict(&world, id, "Eve").await.accepted.expect_err("not what it signed");
    assert!(why.starts_with("sealed: beacon_away: "), "{why}");
    assert!(replay(&world.ledger, id, None).await.expect("stored").identical);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_while_answers_are_opened_goes_on_with_the_others() {
    let cast = vec![("Bob", honest(0.9)), ("Charlie", honest(0.6)), ("Dave", honest(0.3))];
    let world = sealed_world(1, cast).await;
    let id = world.dawn(0);
    let asked = turn(&world).await;
    after_opening(&world, &asked, 3);
    let (validator, stop) = (world.validator(), CancellationToken::new());
    let one_is_open = async {
        loop {
            let open = |answer: &Answer| answer.body.is_some();
            if answers(&world, id).await.iter().any(open) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    // The process dies here: what it was about to do is dropped.
    tokio::select! {
        biased;
        () = one_is_open => {}
        _ = validator.round_turn(&stop) => {}
    }
    drop(validator);
    assert_eq!(turn(&world).await.step, Step::Published);
    for name in ["Bob", "Charlie", "Dave"] {
        assert_eq!(verdict(&world, id, name).await.accepted, Ok(()));
    }
    assert!(replay(&world.ledger, id, None).await.expect("stored").identical);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sealed_answer_is_kept_and_counts_nowhere() {
    let world = sealed_world(1, vec![("Bob", honest(0.9)), ("Eve", Behaviour::Dead)]).await;
    let id = world.dawn(0);
    assert_eq!(turn(&world).await.step, Step::Asked);
    let first = answer(&world, id, "Bob").await;
    let sealed = first.sealed.clone().expect("sealed");
    let other = std::sync::Arc::new(aml_miner::digest::Hashed::of(b"another sealed answer".to_vec()));
    let mut second = first.clone();
    second.sealed = Some(aml_subnet::store::records::SealedAnswer {
        cipher: other.digest(),
        bytes: other.bytes().len() as u64,
        ..sealed.clone()
    });
    assert!(!world.ledger.record_answer(id, &second, Some(&other)).await.expect("a ledger"));
    assert_eq!(answer(&world, id, "Bob").await, first, "the first complete one counts");
    let evidence = world.ledger.second_answer(id, &first.hotkey).await.expect("a ledger").expect("kept");
    assert!(evidence.ends_with(b"\nanother sealed answer"), "both are evidence");
    let line = evidence.split(|byte| *byte == b'\n').next().expect("a line");
    assert_eq!(serde_json::from_slice::<Answer>(line).expect("a record"), second);
    // The same one again is no second one.
    assert_eq!(world.ledger.second_answer(id, &dev_key("Eve").hotkey()).await.expect("a ledger"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_whose_usual_opening_is_over_opens_at_the_next_multiple_of_six_hours() {
    let mut world = World::new(1, vec![("Bob", honest(0.9))]).await;
    world.seal(OpeningRule::SUBNET);
    let id = world.publish(0);
    let day_s = u64::try_from(aml_subnet::calendar::start_ms(id.date) / 1000).expect("after 1970");
    world.clock.set(Duration::from_secs(day_s + 35 * HOUR + 600));
    let asked = turn(&world).await;
    assert_eq!(opening_s(&asked), day_s + 42 * HOUR, "the next multiple of six hours that is an hour away");
    after_opening(&world, &asked, 1);
    assert_eq!(turn(&world).await.step, Step::Published);
    assert_eq!(verdict(&world, id, "Bob").await.accepted, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opening_that_was_promised_to_others_is_kept_and_judged_by_when_it_came() {
    let first = crate::validator_world::first_day();
    let day_s = u64::try_from(aml_subnet::calendar::start_ms(first) / 1000).expect("after 1970");
    let (before, after) = (day_s + 36 * HOUR, day_s + 30 * HOUR);
    let cast = vec![
        ("Bob", honest(0.9)),
        ("Charlie", Behaviour::Sealing(Flaw::At(before))),
        ("Dave", Behaviour::Sealing(Flaw::At(after))),
    ];
    let world = sealed_world(1, cast).await;
    let id = world.publish(0);
    world.clock.set(Duration::from_secs(day_s + 35 * HOUR + 600));
    let asked = turn(&world).await;
    after_opening(&world, &asked, 1);
    assert_eq!(turn(&world).await.step, Step::Published);
    assert_eq!(verdict(&world, id, "Charlie").await.accepted, Ok(()), "sealed when it came");
    let why = verdict(&world, id, "Dave").await.accepted.expect_err("anybody could read it");
    assert!(why.starts_with("sealed: open_already: "), "{why}");
    assert_eq!(asked.marks.late, None, "whoever has no voice makes no round late");
}

/// A world whose validator asks after the usual opening, with somebody who promised that one to others; voices are given.
async fn asked_late(voices: &[(&str, f64)]) -> (World, RoundId, Round) {
    let day = crate::validator_world::first_day();
    let day_s = u64::try_from(aml_subnet::calendar::start_ms(day) / 1000).expect("after 1970");
    let cast = vec![("Bob", honest(0.9)), ("Charlie", Behaviour::Sealing(Flaw::At(day_s + 30 * HOUR)))];
    let world = sealed_world(1, cast).await;
    let id = world.publish(0);
    world.clock.set(Duration::from_secs(day_s + 35 * HOUR + 600));
    let asked = turn(&world).await;
    // As if the window had said so: the first standing of a round is the one in force.
    let mut standing = world.ledger.in_force(id).await.expect("a ledger").expect("it is recorded").standing;
    standing.made_ms = 0;
    for (name, voice) in voices {
        let of = standing.miners.get_mut(&dev_key(name).hotkey()).expect("it is asked");
        (of.priced.weight, of.calibration, of.part) = (*voice, 1.0, 1.0);
    }
    let shares = Shares {
        rules: standing.rules,
        made_ms: 1,
        amends: None,
        pool: 0.0,
        unearned: 1.0,
        rounds: 0,
        choice: None,
        miners: std::collections::BTreeMap::new(),
    };
    world.ledger.amend_shares(id, &standing, &shares).await.expect("a ledger");
    after_opening(&world, &asked, 3);
    let done = turn(&world).await;
    (world, id, done)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_that_most_voices_saw_open_is_shown_and_not_paid() {
    let (world, id, late) = asked_late(&[("Bob", 1.0), ("Charlie", 1.1)]).await;
    assert_eq!(late.step, Step::Published);
    assert!(late.marks.late.as_ref().expect("late").why.contains("most voices"), "{:?}", late.marks);
    assert!(!late.marks.counts(), "it stands in nobody's average");
    for name in ["Bob", "Charlie"] {
        assert_eq!(verdict(&world, id, name).await.accepted, Ok(()), "{name} is merged and shown");
    }
    assert!(replay(&world.ledger, id, None).await.expect("stored").identical);
}

#[tokio::test(flavor = "multi_thread")]
async fn half_of_the_voices_make_no_round_late() {
    let (world, id, done) = asked_late(&[("Bob", 1.0), ("Charlie", 1.0)]).await;
    assert_eq!((done.step, done.marks.late), (Step::Published, None));
    assert_eq!(verdict(&world, id, "Bob").await.accepted, Ok(()));
    assert!(verdict(&world, id, "Charlie").await.accepted.expect_err("open").starts_with("sealed: open_already: "));
}

#[tokio::test(flavor = "multi_thread")]
async fn under_rules_v1_answers_are_open() {
    let mut world = sealed_world(1, vec![("Bob", honest(0.9))]).await;
    world.settings.rules =
        Some(aml_subnet::validation::rules_list::RulesList::always(aml_subnet::validation::rules::RulesVersion::V1));
    let id = world.dawn(0);
    let done = turn(&world).await;
    assert_eq!((done.step, done.marks.opening_ms), (Step::Published, None));
    let said = answer(&world, id, "Bob").await;
    assert_eq!((said.form, said.reply, said.sealed), (Form::Btauth, Reply::Answered, None));
    let target = world.miners[0].seen.target();
    assert!(target.contains("aml_answer=2&aml_task=") && !target.contains("aml_opening"), "{target}");
    let sent = said.request.expect("it was asked").to_string();
    assert!(target.contains(&format!("aml_task={sent}")), "{target}");
}
