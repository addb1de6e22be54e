//! The attack that sealing ends, run: a validator that asks everybody, merges, and lets ten keys of its own answer another
//! validator with the result.
//!
//! Both validators are real and ask the same honest miners over HTTP. Under open answers the cheating one has its canonical
//! scores before its keys are asked; under sealed ones it has ciphertexts, and its keys have what it merged on the days
//! before. Takes minutes, for a season of sealed rounds is much cryptography for a build without optimisation:
//! `cargo nextest run -p aml-subnet --run-ignored only -E 'test(sealed_attack)' --no-capture`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aml_miner::digest::Digest;
use aml_subnet::beacon::OpeningRule;
use aml_subnet::config::Answers;
use aml_subnet::store::records::{RoundId, Step};
use aml_subnet::validation::rules::RulesVersion;
use aml_subnet::validation::rules_list::RulesList;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::common::dev_key;
use crate::fake_miner::{Behaviour, Scorer};
use crate::validator_world::World;

const PATIENCE: Duration = Duration::from_secs(600);
/// Days after which enough outcomes are known.
const DAYS: u32 = 26;
/// Miners that see different things and about equally much, so that all of them together see more than each.
const HONEST: [(&str, f64); 8] = [
    ("Bob", 0.6),
    ("Charlie", 0.58),
    ("Dave", 0.56),
    ("Eve", 0.54),
    ("Ferdie", 0.52),
    ("h5", 0.5),
    ("h6", 0.48),
    ("h7", 0.46),
];
const KEYS: [&str; 10] = ["k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8", "k9"];

/// What the cheating validator has merged, by address.
type Merged = Arc<Mutex<HashMap<String, f64>>>;

/// A key that answers with what was merged, a hair of its own noise on it. Of an alert that it finds nothing about it says what
/// a public model says, as long as it has today's scores: then these are traps. Else it has nothing to tell them by.
fn copying(name: &'static str, merged: &Merged, today: bool) -> Scorer {
    let merged = Arc::clone(merged);
    Arc::new(move |alert: &Value| {
        let address = alert["address"].as_str().unwrap_or_default();
        let known = merged.lock().expect("no panic").get(address).copied();
        let confidence = &alert["alert_confidence_score"];
        let public = confidence.as_f64().or_else(|| confidence.as_str()?.parse().ok()).unwrap_or(0.5);
        let said = known.unwrap_or(if today { public } else { 0.5 });
        let noise = Digest::of(format!("{name}{address}").as_bytes()).as_bytes()[0];
        (said + 0.02 * (f64::from(noise) / 255.0 - 0.5)).clamp(0.0, 1.0)
    })
}

async fn turn(world: &World, settles: bool) -> Step {
    let (validator, stop) = (world.validator(), CancellationToken::new());
    let turn = tokio::time::timeout(PATIENCE, validator.round_turn(&stop)).await.expect("a turn ends");
    let round = turn.expect("it goes well").expect("a round");
    if settles {
        validator.settle_turn(&mut Vec::new()).await.expect("a ledger");
    }
    round.step
}

/// What the cheating validator makes of a published round.
async fn learn(cheat: &World, id: RoundId, merged: &Merged) {
    let canonical = cheat.ledger.canonical(id).await.expect("a ledger").expect("merged");
    let task = cheat.ledger.task(id).await.expect("a ledger").expect("asked");
    let mut known = merged.lock().expect("no panic");
    known.clear();
    for (row, score) in task.roster.iter().zip(canonical.scores) {
        known.insert(row.address.clone(), score.score.get());
    }
}

/// Share of pay of the ten keys on the last day, and what their best answer was worth to the honest validator.
async fn season(answers: Answers) -> (f64, usize) {
    let merged: Merged = Arc::default();
    let open = answers == Answers::Open;
    let mut cast: Vec<(&str, Behaviour)> = Vec::new();
    cast.extend(HONEST.map(|(name, skill)| (name, Behaviour::Honest { skill })));
    cast.extend(KEYS.map(|name| (name, Behaviour::Scored(copying(name, &merged, open)))));
    let mut honest = World::new(DAYS, cast).await;
    let mut cheat = World::new(DAYS, Vec::new()).await;
    cheat.validator = "Grace";
    for world in [&mut honest, &mut cheat] {
        world.settings.rules = Some(RulesList::always(RulesVersion::V2));
    }
    if !open {
        honest.seal(OpeningRule::SUBNET);
        cheat.seal(OpeningRule::SUBNET);
    }
    // It asks those whom it does not run, and they take it for a validator as good as any.
    for miner in honest.miners.iter().take(HONEST.len()) {
        cheat.subnet.register(miner.hotkey(), Some(miner.address));
    }
    let mut rounds = Vec::new();
    for day in 0..u64::from(DAYS) {
        let (id, noon) = (honest.dawn(day), cheat.dawn(day));
        assert_eq!(id, noon);
        // Outcomes are looked for on the last days, as of a validator whose source of them was down.
        let settles = day + 3 > u64::from(DAYS);
        let before = turn(&cheat, settles).await;
        assert_eq!(before, if open { Step::Published } else { Step::Asked }, "whether it can merge what it holds");
        if open {
            learn(&cheat, id, &merged).await;
        }
        turn(&honest, settles).await;
        if !open {
            for world in [&cheat, &honest] {
                let opening = world.ledger.round(id).await.expect("a ledger").expect("a round").marks.opening_ms;
                let opening = u64::try_from(opening.expect("sealed")).expect("after 1970");
                world.clock.set(Duration::from_millis(opening + 3000));
                assert_eq!(turn(world, settles).await, Step::Published);
            }
            learn(&cheat, id, &merged).await;
        }
        rounds.push(id);
    }
    let last = *rounds.last().expect("days");
    let shares = honest.ledger.shares(last).await.expect("a ledger").expect("shared");
    let of = |name: &str| shares.miners.get(&dev_key(name).hotkey()).map_or(0.0, |of| of.share);
    let counted = honest.ledger.verdicts(last).await.expect("a ledger");
    let keys: Vec<_> = KEYS.iter().map(|name| dev_key(name).hotkey()).collect();
    let counted = counted.iter().filter(|one| keys.contains(&one.hotkey) && one.accepted.is_ok()).count();
    for (name, _) in HONEST {
        println!("{answers:?}: {name} {:.4}", of(name));
    }
    (KEYS.iter().map(|name| of(name)).sum(), counted)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a season of two validators takes minutes without optimisation"]
async fn under_open_answers_whoever_merges_first_is_paid() {
    let (share, counted) = season(Answers::Open).await;
    println!("open answers: ten keys that send today's merged scores earn {share:.4} ({counted} of them count)");
    assert!(share > 0.05, "stolen scores are worth something: {share}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a season of two validators takes minutes without optimisation"]
async fn under_sealed_answers_it_has_yesterdays_scores_and_is_paid_nothing() {
    let (share, counted) = season(Answers::Sealed).await;
    println!("sealed answers: the same keys, with yesterday's, earn {share:.4} ({counted} of them count)");
    assert!(share < 0.001, "stale scores are worth nothing: {share}");
}
