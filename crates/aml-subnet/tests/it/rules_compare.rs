//! Stored rounds played again under rules v1 and v2: what an owner looks at before switching.

use std::borrow::Cow;
use std::num::NonZero;

use aml_subnet::seasons::{
    Answer, Comparison, Desk, Numbers, Replayed, StoredAnswer, StoredOutcome, StoredRound, Under,
};
use aml_subnet::validation::submission::Submission;
use aml_subnet::validation::v2::Constants;
use aml_subnet::wallet::Hotkey;
use serde_json::{Value, json};

use crate::rules_v2_world::{Miner, World};
use crate::scoring_kit::hotkey;

const ONE: NonZero<usize> = NonZero::<usize>::MIN;
const DAYS: usize = 46;
const HONEST: usize = 6;
const ALL: usize = HONEST + 6;

fn submission(scores: &[f64]) -> Submission {
    let ids: Vec<String> = (0..scores.len()).map(|at| at.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let rows: Vec<_> = ids.iter().map(|id| Cow::Borrowed(*id)).zip(scores.iter().copied()).collect();
    Submission::accept_scores(&ids, &rows).expect("probabilities")
}

/// Six honest miners, and six that know nothing.
fn miners(world: &mut World) -> Vec<Miner> {
    let mut miners = world.honest(HONEST);
    miners.extend((HONEST..ALL).map(|_| Miner::guesses(world.random())));
    miners
}

fn advantage(at: usize) -> f64 {
    if at < HONEST { 0.7 } else { 0.0 }
}

fn stored(world: &World, miners: &[Miner], day: usize) -> StoredRound {
    let batch = &world.batches[day];
    let answer = |at: usize, miner: &Miner| StoredAnswer {
        submission: Some(submission(&miner.scores[day])),
        tier1: 1.0,
        tier2: Some(if at < HONEST { 1.0 } else { 0.0 }),
        advantage: Some(advantage(at)),
    };
    let outcome = |(place, known): (usize, &Option<i64>)| {
        let illicit = batch.illicit[place];
        known.map(|known| StoredOutcome { place, illicit, relevance: if illicit { 2 } else { 0 }, known })
    };
    StoredRound {
        day: i64::try_from(day).expect("few days"),
        addresses: batch.addresses.iter().map(|address| format!("address {address}")).collect(),
        miners: miners
            .iter()
            .enumerate()
            .map(|(at, miner)| (hotkey(u8::try_from(at).expect("few")), answer(at, miner)))
            .collect(),
        outcomes: batch.known.iter().enumerate().filter_map(outcome).collect(),
    }
}

fn hotkeys() -> Vec<Hotkey> {
    (0..ALL).map(|at| hotkey(u8::try_from(at).expect("few"))).collect()
}

fn under(rules: &str, season: Replayed, rounds: &[StoredRound]) -> Under {
    let mut comparison = Comparison::new(rules, season);
    rounds.iter().for_each(|round| comparison.add(round, round.day >= 36));
    comparison.finish()
}

#[test]
fn an_owner_sees_who_would_earn_what_and_what_the_scores_would_be_worth() {
    let mut world = World::new(5, DAYS);
    let miners = miners(&mut world);
    let rounds: Vec<StoredRound> = (0..DAYS).map(|day| stored(&world, &miners, day)).collect();
    let one = under("v1", Replayed::v1(hotkeys(), 0), &rounds);
    let two = under("v2", Replayed::v2(&Constants::V2, hotkeys(), 0, ONE), &rounds);
    let junk: Vec<String> = hotkeys()[HONEST..].iter().map(ToString::to_string).collect();
    let paid =
        |under: &Under| under.miners.iter().filter(|one| junk.contains(&one.hotkey)).map(|one| one.pay).sum::<f64>();
    assert!(paid(&one) > 0.3, "v1 pays those that know nothing {}", paid(&one));
    assert!(paid(&two) <= 0.0, "v2 pays them {}", paid(&two));
    // Over so few days the order of the two in AUC is luck; what junk does to the level of scores is not.
    assert!(two.log_loss < one.log_loss, "{:?} {:?}", (one.auc, one.log_loss), (two.auc, two.log_loss));
    for under in [&one, &two] {
        assert_eq!((under.rounds, under.outcomes > 500), (10, true));
        let all: f64 = under.miners.iter().map(|one| one.pay).sum();
        assert!((all + under.unearned - 1.0).abs() < 1e-9, "everything is shared out");
        assert!(under.miners.is_sorted_by(|one, two| one.pay >= two.pay), "best paid first");
        assert!(under.miners.iter().all(|one| one.counted == 10 && one.auc.is_some()));
    }
}

#[test]
fn stored_rounds_are_the_season_that_was_played() {
    let mut world = World::new(6, DAYS);
    let miners = miners(&mut world);
    let mut replayed = Replayed::v2(&Constants::V2, hotkeys(), 0, ONE);
    let mut desk = Desk::new(ONE);
    desk.answer(json!({ "begin": { "rules": "v2", "miners": ALL } }).to_string().as_bytes()).expect("a season");
    let numbers = |values: Vec<f64>| json!(Numbers(values));
    for (day, batch) in world.batches.iter().enumerate() {
        let played = replayed.play(&stored(&world, &miners, day));
        let answers: Vec<Value> = (miners.iter().enumerate())
            .map(|(at, miner)| json!({ "scores": numbers(miner.scores[day].clone()), "advantage": advantage(at) }))
            .collect();
        let today = i64::try_from(day).expect("few days");
        let known = |old: usize| {
            let places = world.batches[old].known.iter().enumerate().filter(move |(_, known)| **known == Some(today));
            places.map(move |(place, _)| (old, place))
        };
        let known: Vec<(usize, usize)> = (0..day).flat_map(known).collect();
        let list = |of: &dyn Fn(&(usize, usize)) -> f64| numbers(known.iter().map(of).collect());
        let frame = json!({ "day": { "day": day, "answers": answers,
            "addresses": numbers(batch.addresses.iter().map(|address| f64::from(*address)).collect()),
            "outcomes": { "day": list(&|one| one.0 as f64), "place": list(&|one| one.1 as f64),
                "illicit": list(&|one| f64::from(u8::from(world.batches[one.0].illicit[one.1]))) } } });
        let Ok(Answer::Day(told)) = desk.answer(frame.to_string().as_bytes()) else { panic!("a day") };
        assert_eq!(
            (&told.pay, &told.voices, &told.canonical),
            (&played.pay, &played.voices, &played.canonical),
            "day {day}"
        );
    }
}
