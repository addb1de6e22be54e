//! `aml-subnet rules apply`: seasons from outside, a day at a time.

use std::io::Write;
use std::num::NonZero;
use std::process::{Command, Stdio};

use aml_subnet::seasons::{Answer, Desk, MAX_MINERS, Numbers, Played};
use serde_json::{Value, json};

use crate::rules_v2_world::{Miner, World};

fn desk() -> Desk {
    Desk::new(NonZero::<usize>::MIN)
}

fn numbers(values: &[f64]) -> Value {
    json!(Numbers(values.to_vec()))
}

fn begin(rules: &str, miners: usize) -> Value {
    json!({ "begin": { "rules": rules, "miners": miners } })
}

/// A day of four alerts; answers are scores, empty for none.
fn day(day: i64, answers: &[&[f64]]) -> Value {
    let answer = |scores: &&[f64]| if scores.is_empty() { json!({}) } else { json!({ "scores": numbers(scores) }) };
    let answers: Vec<Value> = answers.iter().map(answer).collect();
    json!({ "day": { "day": day, "addresses": numbers(&[1.0, 2.0, 3.0, 4.0]), "answers": answers } })
}

#[track_caller]
fn must_play(desk: &mut Desk, frame: &Value) -> Played {
    match desk.answer(frame.to_string().as_bytes()) {
        Ok(Answer::Day(played)) => *played,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn must_begin(desk: &mut Desk, frame: &Value) -> Value {
    match desk.answer(frame.to_string().as_bytes()) {
        Ok(Answer::Begun(said)) => said,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn must_refuse(desk: &mut Desk, frame: &Value, code: &str, says: &str) {
    let refusal = desk.answer(frame.to_string().as_bytes()).expect_err("refused");
    assert_eq!(refusal.code(), code, "{refusal}");
    assert!(refusal.to_string().contains(says), "{refusal} should say {says}");
}

const LOW: [f64; 4] = [0.1, 0.2, 0.3, 0.4];
const HIGH: [f64; 4] = [0.9, 0.5, 0.7, 0.6];

#[test]
fn copies_share_one_pay_under_v1() {
    let mut desk = desk();
    must_begin(&mut desk, &begin("v1", 4));
    let played = must_play(&mut desk, &day(0, &[&HIGH, &LOW, &LOW, &[]]));
    assert_eq!(played.pay.0, [0.5, 0.25, 0.25, 0.0]);
    assert_eq!(played.voices.0, [0.5, 0.25, 0.25, 0.0]);
    assert!((played.canonical.0[0] - 0.5).abs() < 1e-12 && played.unearned <= 0.0);
}

#[test]
fn rounds_of_v1_are_settled_once_and_after_a_week() {
    let mut desk = desk();
    must_begin(&mut desk, &begin("v1", 2));
    let good: Vec<f64> = (0..40).map(|at| if at % 2 == 0 { 0.9 } else { 0.1 }).collect();
    let bad: Vec<f64> = good.iter().map(|score| 1.0 - score).collect();
    let addresses: Vec<f64> = (0..40).map(f64::from).collect();
    let frame = |day: i64, outcomes: Value| {
        let answers = [json!({ "scores": numbers(&good) }), json!({ "scores": numbers(&bad) })];
        json!({ "day": { "day": day, "addresses": numbers(&addresses), "answers": answers, "outcomes": outcomes } })
    };
    let nothing = || json!({ "day": "", "place": "", "illicit": "" });
    let known = |places: std::ops::Range<i32>| {
        let places: Vec<f64> = places.map(f64::from).collect();
        let illicit: Vec<f64> = places.iter().map(|place| 1.0 - place % 2.0).collect();
        json!({ "day": numbers(&vec![0.0; places.len()]), "place": numbers(&places), "illicit": numbers(&illicit) })
    };
    let share = |played: Played| played.pay.0[0];
    assert!((share(must_play(&mut desk, &frame(0, nothing()))) - 0.5).abs() < 1e-12);
    let early = share(must_play(&mut desk, &frame(3, known(0..18))));
    assert!((early - 0.5).abs() < 1e-12, "not before a week is over");
    let few = share(must_play(&mut desk, &frame(7, nothing())));
    assert!((few - 0.5).abs() < 1e-12, "nine of each class are too few");
    let settled = share(must_play(&mut desk, &frame(8, known(18..20))));
    assert!(settled > 0.55, "one of four rounds is settled: {settled}");
}

#[test]
fn traps_are_judged_by_the_rules_that_are_shipped() {
    let with_traps = |rules: &str| {
        let mut desk = desk();
        must_begin(&mut desk, &begin(rules, 2));
        let scores: Vec<f64> = (0..40).map(|at| f64::from(at) / 50.0).collect();
        let answer = |high: f64, low: f64| json!({ "scores": numbers(&scores), "traps": numbers(&[[high; 5], [low; 5]].concat()) });
        let frame = json!({ "day": { "day": 0, "addresses": numbers(&scores.iter().map(|_| 1.0).collect::<Vec<_>>()),
            "answers": [answer(0.99, 0.0), answer(0.4, 0.0)],
            "traps": [{ "expected": "high", "alerts": 5 }, { "expected": "low", "alerts": 5 }] } });
        must_play(&mut desk, &frame)
    };
    assert_eq!(with_traps("v1").tier2.0, [1.0, 0.5]);
    assert_eq!(with_traps("v2").advantage.0, [1.0, 0.5]);
}

#[test]
fn a_refused_day_leaves_the_season_as_it_was() {
    let mut desk = desk();
    must_refuse(&mut desk, &day(0, &[&LOW]), "no_season", "no season");
    must_begin(&mut desk, &begin("v2", 1));
    must_play(&mut desk, &day(5, &[&LOW]));
    let with = |change: fn(&mut Value)| {
        let mut frame = day(6, &[&LOW]);
        change(&mut frame["day"]);
        frame
    };
    let outcome = |day: f64, place: f64, illicit: f64| json!({ "day": numbers(&[day]), "place": numbers(&[place]), "illicit": numbers(&[illicit]) });
    must_refuse(&mut desk, &day(5, &[&LOW]), "not_after", "day 5 does not come after day 5");
    must_refuse(&mut desk, &day(6, &[&LOW, &LOW]), "length", "answers: 2 are given, there should be 1");
    must_refuse(&mut desk, &day(6, &[&LOW[..3]]), "length", "answers[0].scores: 3 are given, there should be 4");
    must_refuse(&mut desk, &day(6, &[&[0.1, 1.5, 0.0, 0.0]]), "value", "1.5 at place 1 is not a probability");
    must_refuse(&mut desk, &day(6, &[&[f64::NAN; 4]]), "value", "is not a probability");
    must_refuse(&mut desk, &with(|frame| frame["addresses"] = numbers(&[0.5; 4])), "value", "0.5 at place 0");
    must_refuse(&mut desk, &with(|frame| frame["addresses"] = json!("????")), "form", "not base64");
    must_refuse(&mut desk, &with(|frame| frame["weather"] = json!("fine")), "form", "unknown field `weather`");
    must_refuse(&mut desk, &with(|frame| frame["answers"][0]["tier2"] = json!(0.5)), "setting", "other rules");
    must_refuse(&mut desk, &with(|frame| frame["answers"][0]["tier1"] = json!(2)), "value", "a share from 0 to 1");
    must_refuse(
        &mut desk,
        &with(|frame| frame["traps"] = json!([{ "expected": "low", "alerts": 0 }])),
        "value",
        "from 1",
    );
    must_refuse(
        &mut desk,
        &with(|frame| frame["traps"] = json!([{ "expected": "low", "alerts": 3 }])),
        "length",
        "traps",
    );
    let mut wrong = |outcomes: Value, code: &str, says: &str| {
        let mut frame = day(6, &[&LOW]);
        frame["day"]["outcomes"] = outcomes;
        must_refuse(&mut desk, &frame, code, says);
    };
    wrong(outcome(4.0, 0.0, 1.0), "unknown_alert", "no alert 0 on day 4");
    wrong(outcome(5.0, 4.0, 1.0), "unknown_alert", "no alert 4 on day 5");
    wrong(outcome(6.0, 0.0, 1.0), "unknown_alert", "no alert 0 on day 6");
    wrong(outcome(5.0, 1.0, 0.5), "value", "0.5 at place 0");
    wrong(
        json!({ "day": numbers(&[5.0, 5.0]), "place": numbers(&[1.0, 1.0]), "illicit": numbers(&[1.0, 1.0]) }),
        "twice",
        "alert 1",
    );
    wrong(json!({ "day": numbers(&[5.0]), "place": "", "illicit": "" }), "length", "outcomes.place");
    let mut good = day(6, &[&LOW]);
    good["day"]["outcomes"] = outcome(5.0, 1.0, 1.0);
    must_play(&mut desk, &good);
    good["day"]["day"] = json!(7);
    must_refuse(&mut desk, &good, "twice", "has an outcome already");
}

#[test]
fn seasons_that_cannot_be_are_refused() {
    let mut desk = desk();
    let mut wrong = |change: Value, says: &str| {
        let mut frame = begin("v2", 2);
        change.as_object().expect("settings").iter().for_each(|(name, value)| frame["begin"][name] = value.clone());
        must_refuse(&mut desk, &frame, "setting", says);
    };
    wrong(json!({ "miners": MAX_MINERS + 1 }), "miners");
    wrong(json!({ "grace": -1 }), "grace");
    wrong(json!({ "constants": { "speed": 1 } }), "speed: no constant");
    wrong(json!({ "constants": { "turns": 1_000_000 } }), "turns: out of range");
    wrong(json!({ "constants": { "knee": 0 } }), "knee: out of range");
    wrong(json!({ "constants": { "days": 9_000_000_000_i64 } }), "days: out of range");
    wrong(json!({ "rules": "v1", "learned": false }), "learned: belongs to rules v2");
    wrong(json!({ "rules": "v1", "constants": { "z": 1.0 } }), "constants: belongs to rules v2");
    must_refuse(&mut desk, &begin("v9", 1), "form", "unknown variant");
    let said =
        must_begin(&mut desk, &json!({ "begin": { "rules": "v2", "miners": 1, "constants": { "z": 1.5, "few": 3 } } }));
    assert_eq!((&said["constants"]["z"], &said["constants"]["few"]), (&json!(1.5), &json!(3)));
}

#[test]
fn what_is_empty_many_times_is_not_read() {
    let mut desk = desk();
    must_begin(&mut desk, &begin("v2", 1));
    let answers = "null,".repeat(2 * MAX_MINERS);
    let frame = format!("{{\"day\":{{\"day\":0,\"addresses\":\"\",\"answers\":[{}]}}}}", answers.trim_end_matches(','));
    let refusal = desk.answer(frame.as_bytes()).expect_err("refused");
    assert_eq!((refusal.code(), refusal.to_string().contains("at most 4094")), ("form", true), "{refusal}");
}

/// Thirty-five days of three models and a silent one, as frames of a season.
fn season(options: Value) -> Vec<Value> {
    let mut world = World::new(3, 44);
    let mut miners = world.honest(3);
    miners.push(Miner::guesses(world.random()));
    let mut frames = vec![json!({ "begin": options })];
    for (today, batch) in world.batches.iter().enumerate() {
        let answers: Vec<Value> =
            miners.iter().map(|miner| json!({ "scores": numbers(&miner.scores[today]), "advantage": 0.6 })).collect();
        let (mut days, mut places, mut illicit) = (Vec::new(), Vec::new(), Vec::new());
        for (old, batch) in world.batches[..today].iter().enumerate() {
            for (place, known) in batch.known.iter().enumerate().filter(|(_, known)| **known == Some(today as i64)) {
                assert!(known.is_some());
                days.push(old as f64);
                places.push(place as f64);
                illicit.push(f64::from(u8::from(batch.illicit[place])));
            }
        }
        let addresses: Vec<f64> = batch.addresses.iter().map(|address| f64::from(*address)).collect();
        frames.push(json!({ "day": { "day": today, "addresses": numbers(&addresses), "answers": answers,
            "outcomes": { "day": numbers(&days), "place": numbers(&places), "illicit": numbers(&illicit) } } }));
    }
    frames
}

#[test]
fn one_process_plays_many_seasons_the_same_each_time() {
    let one = season(json!({ "rules": "v2", "miners": 4 }));
    let savage = season(json!({ "rules": "v2", "miners": 4, "learned": false, "details": true }));
    let often = season(json!({ "rules": "v2", "miners": 4, "once": false }));
    let mut program = Command::new(env!("CARGO_BIN_EXE_aml-subnet"))
        .args(["rules", "apply", "--threads", "2"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut input = program.stdin.take().expect("a pipe");
    let all: Vec<&Value> = one.iter().chain(&savage).chain(&often).chain(&one).collect();
    let text: String = all.iter().map(|frame| format!("{frame}\n")).collect();
    let writer =
        std::thread::spawn(move || input.write_all(format!("{text}nonsense\n").as_bytes()).expect("it listens"));
    let output = program.wait_with_output().expect("it ends");
    writer.join().expect("all is written");
    assert_eq!(output.status.code(), Some(1), "one frame was refused");
    let answers: Vec<&str> = std::str::from_utf8(&output.stdout).expect("text").lines().collect();
    assert_eq!(answers.len(), all.len() + 1);
    assert!(answers[all.len()].starts_with("{\"refused\":{\"code\":\"form\""), "{}", answers[all.len()]);
    let (first, last) = (&answers[..one.len()], &answers[3 * one.len()..4 * one.len()]);
    assert_eq!(first, last, "the same bits");
    let at =
        |season: usize| -> Value { serde_json::from_str(answers[(season + 1) * one.len() - 1]).expect("an answer") };
    assert_ne!(at(0)["day"]["pay"], at(1)["day"]["pay"], "places that are not learned change pay");
    assert_ne!(at(0)["day"]["pay"], at(2)["day"]["pay"], "addresses that count often change pay");
    assert_eq!((&at(1)["day"]["details"]["known"], &at(1)["day"]["details"]["curve"]), (&json!(true), &json!("")));
}
