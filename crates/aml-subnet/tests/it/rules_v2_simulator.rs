//! Rules v2 say the numbers that the simulator says: stored vectors everywhere, and 1,000 random seasons where the simulator
//! and Python with numpy are at hand.

use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use aml_subnet::seasons::{Desk, Numbers};
use aml_subnet::validation::v2::calibration::Bins;
use aml_subnet::validation::v2::column::Worths;
use aml_subnet::validation::v2::constants::Constants;
use aml_subnet::validation::v2::curve::Curve;
use aml_subnet::validation::v2::moments::{Moments, Totals};
use aml_subnet::validation::v2::order::Order;
use aml_subnet::validation::v2::price::{price, usual_likeness};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::rules_v2_kit::{Answer, Batch, K, REFERENCES, Season};

const STORED: &str = include_str!("../../../../conformance/scoring_v2_rules.json");
/// Seasons that are played live; `AML_RULES_V2_SEASONS` changes their number.
const SEASONS: usize = 1000;
/// Processes of the simulator at a time.
const PROCESSES: usize = 2;
const NEVER: u16 = u16::MAX;

#[derive(Deserialize)]
struct Vectors {
    constants: Value,
    orders: Vec<Placed>,
    prices: Vec<Valued>,
    calibrations: Vec<Calibrated>,
    seasons: Vec<Played>,
}

#[derive(Deserialize)]
struct Placed {
    scores: Vec<f64>,
    curve: Option<Vec<f64>>,
    column: Vec<i16>,
    parts: Vec<u8>,
}

#[derive(Deserialize)]
struct Valued {
    miners: usize,
    cross: Vec<f64>,
    told: Vec<f64>,
    own: f64,
    number: f64,
    w: Vec<f64>,
    points: Vec<f64>,
    c: Vec<f64>,
    usual: Vec<f64>,
}

#[derive(Deserialize)]
struct Calibrated {
    scores: Vec<u64>,
    illicit: Vec<bool>,
    calibration: f64,
}

/// A season as the simulator played it: by day what it was given and what it said. Lists of zeros are absent.
#[derive(Deserialize)]
struct Played {
    seed: u64,
    miners: usize,
    alerts: usize,
    first: Vec<i64>,
    scores: String,
    present: Vec<String>,
    advantage: Vec<Option<Vec<Option<f64>>>>,
    illicit: String,
    known: String,
    address: String,
    stale: String,
    days: Vec<Said>,
}

#[derive(Deserialize)]
struct Said {
    w: Option<Vec<f64>>,
    c: Option<Vec<f64>>,
    points: Option<Vec<f64>>,
    usual: Option<Vec<f64>>,
    calibration: Option<Vec<f64>>,
    curve: Option<Vec<f64>>,
    voice: Option<Vec<f64>>,
    pay: Option<Vec<f64>>,
}

fn stored() -> Vectors {
    serde_json::from_str(STORED).expect("the stored vectors are well-formed")
}

/// Fails unless every value is as near as asked; absent lists are of zeros.
#[track_caller]
fn must_be_near(what: &str, given: &[f64], wanted: Option<&Vec<f64>>, most: f64) {
    let zeros = vec![0.0; given.len()];
    let wanted = wanted.unwrap_or(&zeros);
    assert_eq!(given.len(), wanted.len(), "{what}");
    let far = given
        .iter()
        .zip(wanted)
        .position(|(one, two)| (one - two).abs().partial_cmp(&most) != Some(std::cmp::Ordering::Less));
    assert_eq!(far, None, "{what}: {given:?} is not {wanted:?}");
}

fn bytes<const N: usize>(text: &str) -> Vec<[u8; N]> {
    BASE64_STANDARD.decode(text).expect("base64").as_chunks().0.to_vec()
}

#[test]
fn constants_are_the_simulators() {
    let mine = json!({
        "days": K.days, "earliest": K.earliest, "latest": K.latest, "least": K.least, "z": K.z, "h": K.h, "knee": K.knee,
        "tail": K.tail, "alike": K.alike, "turns": K.turns, "gamma": K.gamma, "lately": K.lately, "alive": K.alive,
        "worthy": K.worthy, "steady": K.steady, "level": K.level, "newcomer": K.newcomer, "newcomers": K.newcomers,
        "few": K.few, "quality": [K.tier1, K.traps, K.calibration], "parts": Constants::PARTS,
    });
    let wanted = stored().constants;
    for (name, value) in mine.as_object().expect("named values") {
        let numbers = |value: &Value| {
            let list = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            list.iter().map(|one| one.as_f64().expect("a number")).collect::<Vec<f64>>()
        };
        must_be_near(name, &numbers(value), Some(&numbers(&wanted[name])), 1e-15);
    }
    must_be_near("grain", &[Constants::GRAIN], wanted["grain"].as_f64().map(|grain| vec![grain]).as_ref(), 1e-15);
    assert_eq!(wanted["references"], json!(["canonical", "outcomes"]));
    let stored: Constants = serde_json::from_value(serde_json::to_value(K).expect("numbers")).expect("the same form");
    assert_eq!(stored, K);
}

#[test]
fn columns_and_parts_are_the_simulators() {
    for case in stored().orders {
        let (order, curve) = (Order::of(&case.scores), case.curve.map(|shares| Curve { shares }));
        assert_eq!(Worths::new(curve.as_ref(), case.scores.len()).column(&order), case.column);
        assert_eq!(order.parts(), case.parts);
    }
}

#[test]
fn prices_are_the_simulators() {
    for case in stored().prices {
        let totals = Totals { own: case.own, number: case.number, illicit: 0.1 * case.number };
        let moments = Moments::of(case.cross, case.told, totals);
        let priced = price(&K, &moments, case.miners);
        let list = |of: fn(&_) -> f64| priced.iter().map(of).collect::<Vec<f64>>();
        must_be_near("w", &list(|one| one.weight), Some(&case.w), 1e-9);
        must_be_near("c", &list(|one| one.beyond), Some(&case.c), 1e-12);
        must_be_near("points", &list(|one| one.points), Some(&case.points), 1e-9);
        let mut weights = list(|one| one.weight);
        weights[case.miners..].fill(0.0);
        must_be_near("usual", &usual_likeness(&moments, &weights), Some(&case.usual), 1e-8);
    }
}

#[test]
fn calibration_is_the_simulators() {
    for case in stored().calibrations {
        let mut bins = Bins::default();
        let scores = case.scores.iter().map(|whole| *whole as f64 / Constants::SCORE_GRAIN);
        scores.zip(case.illicit).for_each(|(score, illicit)| bins.count(score, illicit));
        must_be_near("calibration", &[bins.calibration()], Some(&vec![case.calibration]), 1e-12);
    }
}

#[test]
fn stored_seasons_are_the_simulators() {
    let paid: usize = stored().seasons.iter().map(must_play).sum();
    assert!(paid > 10, "{paid} days were paid");
}

/// A season's lists, unpacked: one a day, alert by alert; scores miner by miner before that.
struct Unpacked {
    scores: Vec<[u8; 2]>,
    addresses: Vec<[u8; 2]>,
    illicit: Vec<[u8; 1]>,
    known: Vec<[u8; 2]>,
    stale: Vec<[u8; 8]>,
}

impl Unpacked {
    fn of(played: &Played) -> Self {
        Self {
            scores: bytes(&played.scores),
            addresses: bytes(&played.address),
            illicit: bytes(&played.illicit),
            known: bytes(&played.known),
            stale: bytes(&played.stale),
        }
    }

    fn batch(&self, at: Range<usize>) -> Batch {
        let known = |known: &[u8; 2]| Some(u16::from_le_bytes(*known)).filter(|day| *day != NEVER).map(i64::from);
        Batch {
            addresses: self.addresses[at.clone()].iter().map(|one| u32::from(u16::from_le_bytes(*one))).collect(),
            illicit: self.illicit[at.clone()].iter().map(|[one]| *one == 1).collect(),
            known: self.known[at].iter().map(known).collect(),
        }
    }
}

impl Played {
    fn answers(&self, day: usize, scores: &[[u8; 2]]) -> Vec<Option<Answer>> {
        let answer = |miner: usize| {
            let start = (miner * self.days.len() + day) * self.alerts;
            let present = self.present[miner].as_bytes()[day] == b'1';
            let score = |whole: &[u8; 2]| f64::from(u16::from_le_bytes(*whole)) / 65536.0;
            let advantage = self.advantage[day].as_ref().map_or(Some(0.0), |all| all[miner]);
            let asked = self.first[miner] <= i64::try_from(day).expect("few days");
            asked.then(|| Answer {
                scores: present.then(|| scores[start..start + self.alerts].iter().map(score).collect()),
                advantage: advantage.filter(|_| present),
            })
        };
        (0..self.miners).map(answer).collect()
    }
}

/// Plays a season and compares every day with what the simulator said; the number of days on which somebody had worth.
fn must_play(played: &Played) -> usize {
    let (mut season, mut paid_days) = (Season::new(played.miners), 0);
    let unpacked = Unpacked::of(played);
    for (day, said) in played.days.iter().enumerate() {
        let what = |name: &str| format!("season {}, day {day}: {name}", played.seed);
        let mut standings = season.settle();
        let curve = standings.curve.as_ref().map(|curve| curve.shares.clone()).unwrap_or_default();
        must_be_near(&what("curve"), &curve, Some(said.curve.as_ref().unwrap_or(&Vec::new())), 1e-9);
        let priced: Vec<_> = standings.miners.iter().map(|one| one.priced).chain(standings.references).collect();
        must_be_near(&what("w"), &priced.iter().map(|one| one.weight).collect::<Vec<_>>(), said.w.as_ref(), 1e-9);
        must_be_near(&what("c"), &priced.iter().map(|one| one.beyond).collect::<Vec<_>>(), said.c.as_ref(), 1e-9);
        must_be_near(
            &what("points"),
            &priced.iter().map(|one| one.points).collect::<Vec<_>>(),
            said.points.as_ref(),
            1e-9,
        );
        let list = |of: fn(&_) -> f64| standings.miners.iter().map(of).collect::<Vec<f64>>();
        must_be_near(&what("calibration"), &list(|one| one.calibration), said.calibration.as_ref(), 1e-12);
        let usual = said.usual.as_ref().map(|usual| usual[..played.miners].to_vec());
        must_be_near(&what("usual"), &list(|one| one.usual), usual.as_ref(), 1e-7);
        // What follows is compared given the simulator's own weights.
        for (at, one) in standings.miners.iter_mut().enumerate() {
            one.priced.weight = said.w.as_ref().map_or(0.0, |w| w[at]);
            one.priced.points = said.points.as_ref().map_or(0.0, |points| points[at]);
        }
        let at = day * played.alerts..(day + 1) * played.alerts;
        let wanted: Vec<f64> = unpacked.stale[at.clone()].iter().map(|one| f64::from_le_bytes(*one)).collect();
        let batch = unpacked.batch(at);
        let mut references: [_; REFERENCES] = season.references(&batch);
        if let Some(given) = &references[0] {
            must_be_near(&what("canonical reference"), given, Some(&wanted), 1e-9);
        }
        // Rounding decides between equal means: its own ones keep the order.
        references[0] = references[0].is_some().then_some(wanted);
        let answers = played.answers(day, &unpacked.scores);
        let (voices, paid) = season.round(batch, &answers, &references, &standings.miners);
        must_be_near(&what("voice"), &voices.shares, said.voice.as_ref(), 1e-12);
        must_be_near(&what("pay"), &paid.shares, said.pay.as_ref(), 1e-12);
        paid_days += usize::from(paid.unearned <= 0.0);
    }
    paid_days
}

impl Played {
    /// The frame of a day for `rules apply`: advantages are told instead of traps, outcomes on the day that they become known.
    fn frame(&self, day: usize, unpacked: &Unpacked) -> Value {
        let at = |day: usize| day * self.alerts..(day + 1) * self.alerts;
        let batch = unpacked.batch(at(day));
        let answer = |given: Option<Answer>| {
            given.map(|Answer { scores, advantage }| match scores {
                Some(scores) => json!({ "scores": Numbers(scores), "advantage": advantage }),
                None => json!({}),
            })
        };
        let answers: Vec<_> = self.answers(day, &unpacked.scores).into_iter().map(answer).collect();
        let mut became: [Vec<f64>; 3] = Default::default();
        let today = i64::try_from(day).expect("few days");
        for old in 0..day {
            let batch = unpacked.batch(at(old));
            // What is known before a round is over is told on the day after it.
            let told = |known: &Option<i64>| known.map(|known| known.max(old as i64 + 1)) == Some(today);
            for place in (0..self.alerts).filter(|place| told(&batch.known[*place])) {
                let row = [old as f64, place as f64, f64::from(u8::from(batch.illicit[place]))];
                became.iter_mut().zip(row).for_each(|(list, value)| list.push(value));
            }
        }
        let [days, place, illicit] = became.map(Numbers);
        let addresses: Numbers = batch.addresses.iter().map(|address| f64::from(*address)).collect();
        json!({ "day": { "day": day, "addresses": addresses, "answers": answers,
            "outcomes": { "day": days, "place": place, "illicit": illicit } } })
    }
}

#[test]
fn a_stored_season_is_the_same_through_the_desk() {
    for played in stored().seasons {
        let (unpacked, mut desk) = (Unpacked::of(&played), Desk::new(std::num::NonZero::<usize>::MIN));
        let begin = json!({ "begin": { "rules": "v2", "miners": played.miners, "details": true } });
        desk.answer(begin.to_string().as_bytes()).expect("a season");
        let mut paid = 0;
        for (day, said) in played.days.iter().enumerate() {
            let answer = desk.answer(played.frame(day, &unpacked).to_string().as_bytes()).expect("a day");
            let aml_subnet::seasons::Answer::Day(answer) = answer else { panic!("a day is answered as one") };
            let what = |name: &str| format!("season {}, day {day}: {name}", played.seed);
            let details = answer.details.expect("asked for");
            must_be_near(&what("w"), &details.w.0, said.w.as_ref(), 1e-7);
            must_be_near(&what("c"), &details.c.0, said.c.as_ref(), 1e-7);
            must_be_near(&what("voice"), &answer.voices.0, said.voice.as_ref(), 1e-7);
            must_be_near(&what("pay"), &answer.pay.0, said.pay.as_ref(), 1e-7);
            paid += usize::from(answer.unearned <= 0.0);
        }
        assert!(paid > 10, "{paid} days were paid");
    }
}

/// The simulator and a Python that can run it; says what is missing.
fn simulator() -> Option<(PathBuf, PathBuf)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/make_rules_v2_vectors.py");
    let python = std::env::var_os("AML_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    match Command::new(&python).arg(&script).args(["--seasons", "0", "0"]).output() {
        Ok(run) if run.status.success() => Some((python, script)),
        Ok(run) => {
            println!("skipped: {}", String::from_utf8_lossy(&run.stderr).lines().last().unwrap_or("it does not run"));
            None
        }
        Err(error) => {
            println!("skipped: cannot run {} ({error})", python.display());
            None
        }
    }
}

#[test]
fn a_thousand_random_seasons_are_the_simulators() {
    let Some((python, script)) = simulator() else { return };
    let seasons =
        std::env::var("AML_RULES_V2_SEASONS").ok().map_or(SEASONS, |number| number.parse().expect("a number"));
    let play = |process: usize| {
        let (from, to) = (process * seasons / PROCESSES, (process + 1) * seasons / PROCESSES);
        let mut child = Command::new(&python)
            .arg(&script)
            .args(["--seasons", &from.to_string(), &to.to_string()])
            .env("OPENBLAS_NUM_THREADS", "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it ran before");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let played = lines.map(|line| serde_json::from_str(&line.expect("text")).expect("a season"));
        let paid: Vec<usize> = played.map(|played| must_play(&played)).collect();
        assert!(child.wait().expect("it ends").success());
        assert_eq!(paid.len(), to - from);
        paid.into_iter().sum::<usize>()
    };
    let paid: usize = std::thread::scope(|scope| {
        let parts: Vec<_> = (0..PROCESSES).map(|process| scope.spawn(move || play(process))).collect();
        parts.into_iter().map(|part| part.join().expect("it agrees")).sum()
    });
    assert!(paid > seasons, "{paid} days of {seasons} seasons were paid");
}
